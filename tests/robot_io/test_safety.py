"""Whatever comes in, what goes out keeps the limits; after a stop nothing goes out."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robot_io.arm import Action, Arm, BadAction, Limits, Scene, Stopped
from robot_io.fake import HOME, LIMITS, FakeArm
from robot_io.safety import SafeArm, clip, outside
from tests.contracts.arm_contract import TableContract

numbers = st.floats(-20, 20)
anything = st.floats(allow_nan=True, allow_infinity=True)
DT = 1 / 60


def safe() -> SafeArm:
    arm = SafeArm(FakeArm())
    arm.connect()
    return arm


class TestSafeArm(TableContract):
    def make_unconnected(self) -> Arm:
        return SafeArm(FakeArm())

    def scene(self, arm: Arm) -> Scene:
        assert isinstance(arm, SafeArm)
        inner = arm.arm
        arm.moved()
        assert isinstance(inner, Scene)
        return inner


@given(st.lists(arrays(np.float64, 4, elements=numbers), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_sequence_of_targets_leaves_any_limit(targets):
    arm = safe()
    last = HOME
    for target in targets:
        sent = arm.send(Action(target)).joints
        assert np.all(sent >= LIMITS.lower)
        assert np.all(sent <= LIMITS.upper)
        assert np.all(np.abs(sent - last) <= LIMITS.speed * DT + 2e-9)
        assert outside(sent[:3], LIMITS.workspace) == 0
        np.testing.assert_array_equal(arm.arm.observe()["joints"], sent)
        last = sent


@given(arrays(np.float64, 4, elements=anything), anything)
@settings(max_examples=100, deadline=None)
def test_what_is_not_a_number_is_refused_and_moves_nothing(joints, gripper):
    arm = safe()
    if np.all(np.isfinite(joints)) and np.isfinite(gripper):
        assert 0 <= arm.send(Action(joints, gripper)).gripper <= 1
        return
    with pytest.raises(BadAction):
        arm.send(Action(joints, gripper))
    np.testing.assert_array_equal(arm.arm.observe()["joints"], HOME)


def two_links(joints: np.ndarray) -> np.ndarray:
    """A tip (3,) of two links of 0.3 m that turn in a plane."""
    a, b = joints[0], joints[0] + joints[1]
    return np.array([0.3 * np.cos(a) + 0.3 * np.cos(b), 0.3 * np.sin(a) + 0.3 * np.sin(b), 0.0])


ELBOW = Limits(
    lower=np.array([-3.0, -3.0]),
    upper=np.array([3.0, 3.0]),
    speed=np.array([2.0, 2.0]),
    workspace=np.array([[0.0, -0.4, -0.1], [0.55, 0.4, 0.1]]),
)


@given(st.lists(arrays(np.float64, 2, elements=st.floats(-4, 4)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_gripper_never_leaves_the_workspace(targets):
    last = np.array([0.5, 0.5])
    assert outside(two_links(last), ELBOW.workspace) == 0
    for target in targets:
        last = clip(target, last, ELBOW, 0.1, two_links).joints
        assert outside(two_links(last), ELBOW.workspace) == 0


@given(arrays(np.float64, 4, elements=st.floats(-0.02, 0.02)))
@settings(deadline=None)
def test_what_is_allowed_passes_bit_for_bit(step):
    target = HOME + step
    np.testing.assert_array_equal(safe().send(Action(target)).joints, target)


def test_a_gripper_outside_may_only_come_nearer():
    start = np.array([0.0, 0.0])
    assert outside(two_links(start), ELBOW.workspace) > 0
    inwards = clip(np.array([0.0, 0.8]), start, ELBOW, 0.1, two_links)
    assert "workspace" not in inwards.reasons
    assert outside(two_links(inwards.joints), ELBOW.workspace) < outside(two_links(start), ELBOW.workspace)


def test_clipping_is_counted_and_told():
    arm = safe()
    arm.send(Action(HOME + 0.01))
    assert arm.clipped == 0
    assert arm.reasons == ()
    arm.send(Action(np.array([5.0, 0.0, 0.3, 0.0])))
    assert arm.clipped == 1
    assert set(arm.reasons) == {"joint", "speed"}
    assert arm.sent == 2


def test_a_stop_says_why_and_release_forgets_it():
    arm = safe()
    arm.stop("the guard was opened")
    with pytest.raises(Stopped, match="guard was opened"):
        arm.send(Action(HOME))
    assert arm.stopped == "the guard was opened"
    arm.release()
    assert arm.stopped is None
    arm.send(Action(HOME))


class SlowArm(FakeArm):
    """Takes its time for every action, and notes when each was done."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()
        self.log: list[str] = []

    def send(self, action: Action) -> Action:
        self.entered.set()
        self.go.wait(5)
        sent = super().send(action)
        self.log.append("sent")
        return sent

    def stop(self) -> None:
        super().stop()
        self.log.append("stopped")


def test_a_stop_waits_for_the_command_under_way_and_no_other_follows():
    inner = SlowArm()
    arm = SafeArm(inner)
    arm.connect()
    sender = threading.Thread(target=lambda: arm.send(Action(HOME)))
    sender.start()
    inner.entered.wait(5)
    stopper = threading.Thread(target=arm.stop)
    stopper.start()
    inner.go.set()
    stopper.join(5)
    sender.join(5)
    assert inner.log == ["sent", "stopped"]
    with pytest.raises(Stopped):
        arm.send(Action(HOME))
    assert inner.log == ["sent", "stopped"]


def test_a_stop_in_a_hurry_tells_that_a_command_is_still_under_way():
    inner = SlowArm()
    arm = SafeArm(inner)
    arm.connect()
    sender = threading.Thread(target=lambda: arm.send(Action(HOME)))
    sender.start()
    inner.entered.wait(5)
    assert not arm.stop("now", patience=0.01)
    inner.go.set()
    sender.join(5)
    with pytest.raises(Stopped, match="now"):
        arm.send(Action(HOME))
    assert arm.stop("again")
    assert inner.log == ["sent", "stopped"]
    assert arm.stopped == "now"


def test_after_a_hold_the_step_is_measured_from_where_the_arm_is():
    arm = safe()
    arm.hold()
    arm.arm._joints = HOME + np.array([0.1, 0, 0, 0])
    sent = arm.send(Action(HOME + np.array([0.1, 0, 0, 0])))
    assert arm.clipped == 0
    np.testing.assert_allclose(sent.joints[0], HOME[0] + 0.1)


SOFT = Limits(LIMITS.lower, LIMITS.upper, LIMITS.speed, LIMITS.workspace, acceleration=np.array([2.0, 4.0, 8.0, 16.0]))


@given(st.lists(arrays(np.float64, 4, elements=numbers), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_sequence_of_targets_gathers_speed_faster_than_it_may(targets):
    last, before = HOME, np.zeros(4)
    for target in targets:
        clipped = clip(target, last, SOFT, DT, lambda joints: joints[:3], before)
        step = clipped.joints - last
        more = SOFT.acceleration * DT * DT + 2e-9
        assert np.all(step <= np.maximum(before, 0) + more)
        assert np.all(step >= np.minimum(before, 0) - more)
        assert np.all(np.abs(step) <= SOFT.speed * DT + 2e-9)
        assert np.all((clipped.joints >= SOFT.lower) & (clipped.joints <= SOFT.upper))
        last, before = clipped.joints, step


@given(arrays(np.float64, 4, elements=st.floats(-1, 1)), arrays(np.float64, 4, elements=st.floats(-0.02, 0.02)))
def test_a_joint_may_always_stand(last, before):
    """Whatever it did before: nothing goes on because it went before."""
    last = np.clip(last, SOFT.lower, SOFT.upper)
    np.testing.assert_array_equal(clip(last, last, SOFT, DT, None, before).joints, last)


def test_an_arm_that_was_held_or_rested_starts_softly_and_tells_it():
    inner = FakeArm()
    arm = SafeArm(inner)
    arm.features = replace(inner.features, limits=SOFT)
    arm.connect()
    far = HOME + np.array([0.0, 0.3, 0.0, 0.0])
    steps = []
    for n in range(12):
        if n == 6:
            arm.rest()
        if n == 9:
            arm.hold()
        before = inner.observe()["joints"]
        steps.append(float((arm.send(Action(far)).joints - before)[1]))
    one = 4.0 * DT * DT
    np.testing.assert_allclose(steps[:6], one * np.arange(1, 7))
    np.testing.assert_allclose(steps[6:9], one * np.arange(1, 4))
    np.testing.assert_allclose(steps[9:], one * np.arange(1, 4))
    assert arm.reasons == ("speed", "acceleration")
    assert arm.tally == {"speed": 12, "acceleration": 12}
    assert arm.clipped == 12


def test_limits_refuse_an_acceleration_that_is_none():
    for wrong in (np.zeros(4), np.ones(3)):
        with pytest.raises(ValueError, match="acceleration"):
            replace(LIMITS, acceleration=wrong)
