"""The simulated table keeps the contract of a Scene, and a rehearsal tells bit for bit what doing does."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import ArmNotFound, Pathed, Twinned, make_arm
from robot_io.safety import SafeArm
from robot_io.sim.table import SimTable
from tests.contracts.arm_contract import SceneContract

pytestmark = pytest.mark.sim


def oracle(truth) -> list[np.ndarray]:
    """Pick and place (2, 4) for everything that the goal asks for."""
    objects, words = truth["objects"], truth["goal"].split()
    if truth["task"] == "packing-shapes":
        shape, box = objects[1], objects[0]
        away = np.subtract(shape["grip"], shape["position"])
        return [np.array([[*shape["grip"], 0], [*np.add(box["position"], [*away[:2], 0]), 0]])]
    if (
        truth["task"] == "stack-blocks"
    ):  # the goal's blocks come first: what is stacked, what that stands on, what follows
        first, base, *more = objects[: truth["max_steps"] + 1]
        return [np.array([[*b["grip"], 0], [*base["position"], 0]]) for b in (first, *more)]
    blocks = [o for o in objects if o["kind"] == "block" and o["colour"] == words[2]]
    bowls = [o for o in objects if o["kind"] == "bowl" and o["colour"] == words[6]]
    return [np.array([[*b["grip"], 0], [*w["position"], 0]]) for b, w in zip(blocks, bowls, strict=False)]


def is_done(truth) -> bool:
    objects, words = truth["objects"], truth["goal"].split()
    if truth["task"] == "packing-shapes":
        away, turn = np.subtract(objects[1]["position"], objects[0]["position"]), objects[0]["yaw"]
        along = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) @ away[:2]
        return bool(np.all(np.abs(along) < np.array(objects[0]["size"][:2]) / 2)) and abs(away[2]) < 0.02
    if truth["task"] == "stack-blocks":
        first, base, *more = (o["position"] for o in objects[: truth["max_steps"] + 1])
        return all(
            np.allclose(np.subtract(high, low), [0, 0, 0.04], atol=0.015)
            for low, high in zip((base, first), (first, *more), strict=False)
        )
    blocks = [o["position"] for o in objects if o["kind"] == "block" and o["colour"] == words[2]]
    bowls = [o["position"] for o in objects if o["kind"] == "bowl" and o["colour"] == words[6]]
    apart = np.linalg.norm(np.array(blocks)[:, None, :2] - np.array(bowls)[None, :, :2], axis=-1)
    return bool(np.all(apart.min(1) < 0.05)) and max(z for *_, z in blocks) < 0.045


class TestSimTable(SceneContract):
    def make_unconnected(self) -> SimTable:
        return SimTable()

    def test_it_plans_paths_and_has_twins(self, arm):
        assert isinstance(arm, Pathed)
        assert isinstance(arm, Twinned)

    def test_it_is_made_by_name(self):
        assert make_arm("sim:panda").features.name == "sim:panda"
        with pytest.raises(ArmNotFound, match="sim:panda"):
            make_arm("sim:toaster")

    @pytest.mark.parametrize("task", ["put-block-in-bowl", "packing-shapes", "stack-blocks"])
    def test_doing_through_the_safety_layer_is_rehearsed_bit_for_bit(self, arm, task):
        safe = SafeArm(arm)
        truth = arm.reset(4, task, "seen")
        safe.moved()
        for actions in oracle(truth):
            rehearsed = arm.rehearse(actions)
            report = safe.perform(actions)
            assert report.clipped == 0
            assert report.ticks == rehearsed.report.ticks
            assert arm.truth() == rehearsed.truth
            assert arm.snapshot() == rehearsed.snapshot
            seen = arm.observe(pictures=True)
            assert seen.time == rehearsed.observation.time
            for name, array in seen.arrays.items():
                np.testing.assert_array_equal(array, rehearsed.observation[name])
        assert is_done(arm.truth())

    @pytest.mark.parametrize(("task", "split"), [("put-block-in-bowl", "seen"), ("packing-shapes", "unseen")])
    def test_the_scripted_plan_works_on_49_of_50_scenes(self, arm, task, split):
        done = 0
        for seed in range(50):
            for actions in oracle(arm.reset(seed, task, split)):
                arm.perform(actions)
            done += is_done(arm.truth())
        assert done >= 49

    def test_z_may_be_missing_and_is_a_hint_at_most(self, arm):
        actions = self.laid(arm)
        wanted = arm.rehearse(actions).truth
        for z in (np.nan, 0.0, 0.3):
            other = actions.copy()
            other[:, 2] = z
            assert arm.rehearse(other).truth == wanted

    def test_a_miss_moves_nothing(self, arm):
        truth = arm.reset(3, "put-block-in-bowl", "seen")
        places = np.array([o["position"][:2] for o in truth["objects"]])
        grid = np.stack(np.meshgrid(np.linspace(0.35, 0.6, 20), np.linspace(-0.3, 0.3, 40)), -1).reshape(-1, 2)
        free = grid[np.argmax(np.linalg.norm(grid[:, None] - places[None], axis=-1).min(1))]
        after = arm.rehearse(np.array([[*free, 0, 0], [*free, 0, 0]])).truth
        for old, new in zip(truth["objects"], after["objects"], strict=True):
            np.testing.assert_allclose(old["position"], new["position"], atol=1e-3)
        assert after["held"] is None

    def test_a_bowl_stands_firm(self, arm):
        truth = arm.reset(3, "put-block-in-bowl", "seen")
        bowl = next(o for o in truth["objects"] if o["kind"] == "bowl")
        x, y, _ = bowl["position"]
        after = arm.rehearse(np.array([[x + 0.057, y, 0.045, 0], [0.5, 0.0, 0.0, 0]])).truth
        assert after["objects"][bowl["id"]]["position"] == bowl["position"]

    def test_stopped_on_the_way_it_can_park(self, arm):
        path = arm.path(self.laid(arm))
        for tick in range(len(path) // 3):
            arm.send(path[tick])
        arm.stop()
        arm.release()
        parking = arm.parking()
        for tick in range(len(parking)):
            arm.send(parking[tick])
        np.testing.assert_allclose(arm.observe()["joints"], path.joints[-1], atol=2e-3)

    def test_the_side_view_is_a_picture(self, arm):
        assert arm.side(64, 48).shape == (48, 64, 3)
