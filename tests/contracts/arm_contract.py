"""What every Arm promises, as test classes to inherit: give `make_unconnected`, get the tests of what it can do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from robot_io.arm import (
    Action,
    Arm,
    ArmError,
    Array,
    BadAction,
    NotConnected,
    Report,
    Scene,
    Stopped,
    Table,
    Unreachable,
)

TASK = "put-block-in-bowl"
STILL = 0.004
"""Rad: two and a half counts of a servo's encoder."""


def _apart(arm: Arm, target: Array) -> float:
    return float(np.linalg.norm(arm.observe()["joints"] - target))


def settled(arm: Arm) -> Array:
    """Its joints once a fifth of a second has not changed them: servos come to rest in a time of their own."""
    end, joints, since = time.monotonic() + 5.0, arm.observe()["joints"], time.monotonic()
    while time.monotonic() - since < 0.2:
        assert time.monotonic() < end, "the arm does not come to rest"
        time.sleep(0.02)
        now = arm.observe()["joints"]
        if not np.array_equal(now, joints):
            joints, since = now, time.monotonic()
    return joints


def step_from(arm: Arm, share: float = 0.2) -> Action:
    """A small legal step away from where the arm is."""
    limits = arm.features.limits
    joints = arm.observe()["joints"]
    step = share * limits.speed / arm.features.rate
    middle = (limits.lower + limits.upper) / 2
    return Action(joints + np.where(joints < middle, step, -step))


class ArmContract:
    """The six verbs."""

    def make_unconnected(self) -> Arm:
        raise NotImplementedError

    @pytest.fixture
    def unconnected(self) -> Iterator[Arm]:
        arm = self.make_unconnected()
        yield arm
        arm.disconnect()

    @pytest.fixture
    def arm(self, unconnected: Arm) -> Arm:
        unconnected.connect()
        unconnected.release()
        return unconnected

    def test_it_is_an_arm(self, unconnected):
        assert isinstance(unconnected, Arm)

    def test_features_are_true_before_connect(self, unconnected):
        features = unconnected.features
        assert len(features.joints) == len(features.limits.lower)
        assert features.rate > 0

    def test_verbs_before_connect_say_so(self, unconnected):
        with pytest.raises(NotConnected):
            unconnected.observe()

    def test_connect_twice_is_an_error(self, arm):
        with pytest.raises(ArmError):
            arm.connect()

    def test_observe_gives_joints_and_gripper(self, arm):
        seen = arm.observe()
        assert seen["joints"].shape == (len(arm.features.joints),)
        assert seen["gripper"].shape == (1,)
        assert np.all(np.isfinite(seen["joints"]))

    def test_send_returns_what_was_sent(self, arm):
        wanted = step_from(arm)
        sent = arm.send(wanted)
        np.testing.assert_allclose(sent.joints, wanted.joints, atol=1e-6)

    def test_send_moves_towards_the_target(self, arm):
        before = arm.observe()["joints"]
        target = step_from(arm).joints
        for _ in range(30):
            arm.send(Action(target))
        end = time.monotonic() + 3.0  # an arm with a clock of its own takes its time
        while _apart(arm, target) >= 0.2 * np.linalg.norm(before - target) and time.monotonic() < end:
            time.sleep(0.02)
        assert _apart(arm, target) < 0.2 * np.linalg.norm(before - target)

    def test_what_is_sent_stays_within_the_joint_limits(self, arm):
        limits = arm.features.limits
        sent = arm.send(Action(limits.upper + 1.0))
        assert np.all(sent.joints <= limits.upper + 1e-9)

    @pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
    def test_what_is_not_finite_is_refused_and_moves_nothing(self, arm, wrong):
        before = settled(arm)
        joints = before.copy()
        joints[0] = wrong
        with pytest.raises(BadAction):
            arm.send(Action(joints))
        with pytest.raises(BadAction):
            arm.send(Action(before, gripper=wrong))
        np.testing.assert_allclose(settled(arm), before, atol=STILL)

    def test_a_misshapen_action_is_refused(self, arm):
        with pytest.raises(BadAction):
            arm.send(Action(np.zeros(len(arm.features.joints) + 1)))

    def test_hold_then_send_moves_again(self, arm):
        arm.hold()
        arm.send(step_from(arm))

    def test_stop_latches_until_release(self, arm):
        action = step_from(arm)
        arm.stop()
        arm.stop()
        with pytest.raises(Stopped):
            arm.send(action)
        arm.observe()
        arm.release()
        arm.send(action)

    def test_after_a_stop_from_another_thread_nothing_passes(self, arm):
        action, sent, stopped = step_from(arm), [], threading.Event()

        def keep_sending():
            try:
                while True:
                    was_stopped = stopped.is_set()
                    arm.send(action)
                    sent.append(was_stopped)
            except Stopped:
                return

        sender = threading.Thread(target=keep_sending)
        sender.start()
        while len(sent) < 3:
            pass
        arm.stop()
        stopped.set()
        sender.join(5)
        assert not sender.is_alive()
        assert not any(sent)

    def test_disconnect_twice_is_harmless(self, arm):
        arm.disconnect()
        arm.disconnect()
        with pytest.raises(NotConnected):
            arm.observe()


class TableContract(ArmContract):
    """Capability "table"."""

    def scene(self, arm: Arm) -> Scene:
        """Where the table's truth is to be had; the arm itself, unless it is wrapped."""
        assert isinstance(arm, Scene)
        return arm

    def laid(self, arm: Arm, seed: int = 3) -> np.ndarray:
        """Lay a scene; returns pick and place (2, 4) of its first block into its first bowl."""
        objects = self.scene(arm).reset(seed, TASK, "seen")["objects"]
        block = next(o for o in objects if o["kind"] == "block")
        bowl = next(o for o in objects if o["kind"] == "bowl")
        return np.array([[*block["position"], 0.0], [*bowl["position"][:2], 0.05, 0.0]])

    def test_it_is_a_table(self, arm):
        assert isinstance(arm, Table)
        assert "table" in arm.features.capabilities

    def test_perform_brings_the_block_to_the_bowl(self, arm):
        actions = self.laid(arm)
        before = self.scene(arm).truth()
        report = arm.perform(actions)
        assert isinstance(report, Report)
        assert report.reached
        assert report.ticks > 0
        assert report.clipped == 0
        moved = [
            new["position"]
            for old, new in zip(before["objects"], self.scene(arm).truth()["objects"], strict=True)
            if np.linalg.norm(np.subtract(old["position"], new["position"])) > 0.02
        ]
        assert len(moved) == 1
        assert np.linalg.norm(np.subtract(moved[0][:2], actions[1, :2])) < 0.05

    def test_unreachable_moves_nothing(self, arm):
        actions = self.laid(arm)
        before = settled(arm)
        with pytest.raises(Unreachable):
            arm.perform(actions + np.array([5.0, 0, 0, 0]))
        np.testing.assert_allclose(settled(arm), before, atol=STILL)

    @pytest.mark.parametrize("wrong", [np.zeros((3, 4)), np.zeros(4), np.full((2, 4), np.nan)])
    def test_a_plan_that_is_none_is_refused(self, arm, wrong):
        self.laid(arm)
        with pytest.raises(BadAction):
            arm.perform(wrong)

    def test_a_stopped_arm_performs_nothing(self, arm):
        actions = self.laid(arm)
        arm.stop()
        with pytest.raises(Stopped):
            arm.perform(actions)
        arm.release()


class SceneContract(TableContract):
    """Capability "scene"."""

    def test_it_is_a_scene(self, arm):
        assert isinstance(arm, Scene)
        assert {"table", "scene"} <= arm.features.capabilities
        assert TASK in arm.features.tasks

    def test_the_same_seed_is_the_same_scene(self, arm):
        first = arm.reset(7, TASK, "seen")
        other = arm.reset(8, TASK, "seen")
        again = arm.reset(7, TASK, "seen")
        assert first == again
        assert first != other

    def test_a_truth_is_plain(self, arm):
        truth = arm.reset(1, TASK, "unseen")
        assert json.loads(json.dumps(truth)) == truth
        assert truth["task"] == TASK
        assert {"goal", "seed", "split", "max_steps", "objects", "held"} <= truth.keys()
        assert truth == arm.truth()

    def test_an_unknown_task_says_so(self, arm):
        with pytest.raises(ArmError):
            arm.reset(1, "fold-laundry", "seen")

    def test_pictures_fit_the_table(self, arm):
        arm.reset(1, TASK, "seen")
        seen = arm.observe(pictures=True)
        shape = arm.features.table.shape
        assert seen["colour"].shape == (*shape, 3)
        assert seen["colour"].dtype == np.uint8
        assert seen["height"].shape == shape
        assert seen["height"].dtype == np.float32
        assert seen["height"].max() > 0.02

    def test_restore_undoes_what_was_done(self, arm):
        actions = self.laid(arm)
        snapshot, truth = arm.snapshot(), arm.truth()
        arm.perform(actions)
        assert arm.truth() != truth
        arm.restore(snapshot)
        assert arm.truth() == truth

    def test_rehearse_moves_nothing_and_tells_what_perform_does(self, arm):
        actions = self.laid(arm)
        truth, joints = arm.truth(), arm.observe()["joints"]
        rehearsed = arm.rehearse(actions)
        assert arm.truth() == truth
        np.testing.assert_array_equal(arm.observe()["joints"], joints)
        assert arm.perform(actions).ticks == rehearsed.report.ticks
        assert arm.truth() == rehearsed.truth

    def test_rehearse_from_a_snapshot(self, arm):
        actions = self.laid(arm)
        snapshot = arm.snapshot()
        wanted = arm.rehearse(actions).truth
        arm.perform(actions)
        assert arm.rehearse(actions, snapshot).truth == wanted

    def test_preview_shows_what_reset_would(self, arm):
        truth = arm.reset(1, TASK, "seen")
        previewed = arm.preview(2, TASK, "seen")
        assert arm.truth() == truth
        assert arm.reset(2, TASK, "seen") == previewed.truth
        np.testing.assert_array_equal(arm.observe(pictures=True)["colour"], previewed.observation["colour"])

    def test_a_stopped_scene_stays_as_it_is(self, arm):
        self.laid(arm)
        snapshot = arm.snapshot()
        arm.stop()
        with pytest.raises(Stopped):
            arm.restore(snapshot)
        with pytest.raises(Stopped):
            arm.reset(1, TASK, "seen")
        arm.release()
