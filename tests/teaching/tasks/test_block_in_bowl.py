"""The moving task of a small arm: what is told and compared, and a scripted person who masters it, misses included."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.emulation import one_block
from robot_io.emulation.bench import Bench
from robot_io.kinematics import pointing_down
from robot_io.sim.scene import NoSuchScene, Recipe
from robot_io.sim.so_bench import REACH
from robot_io.so_motion import PAN_X, solve
from teaching.rollout_oracle import RolloutOracle
from teaching.rollout_task import RolloutTask, make_rollout_task, rollout_tasks
from teaching.tasks.block_in_bowl import TASK

JAW = 1.7
"""Radians of a jaw that is wide open."""


class Hand:
    """A tip that goes where it is told, and jaws that take their time."""

    def __init__(self, seed: int) -> None:
        self.bench = Bench()
        self.bench.lay(Recipe(seed, TASK.name))
        self.tip, self.gripper = np.array([PAN_X + 0.16, 0.0, 0.06]), 0.0

    def observation(self) -> dict:
        told = self.bench.sense()
        assert told is not None
        seen = one_block.perceived(self.tip, told["block"], told["bowl"], told["held"])
        return {**seen, "gripper": np.array([self.gripper])}

    def move(self, row: np.ndarray) -> None:
        self.tip = np.maximum(self.tip + row[:3], [0, -1, 0.002])
        self.gripper += float(np.clip(row[4] - self.gripper, -0.12, 0.12))
        pose = pointing_down(self.tip, np.zeros(1))[0]
        self.bench.after(lambda: pose, (1 - self.gripper) * JAW)


def test_it_is_a_task_of_one_arm():
    assert isinstance(TASK, RolloutTask)
    assert TASK.name in rollout_tasks()
    assert make_rollout_task(TASK.name) is TASK
    assert (TASK.name, TASK.subtasks, TASK.goal) == (one_block.NAME, one_block.SUBTASKS, one_block.GOAL)


@pytest.mark.parametrize("seed", range(6))
def test_a_scripted_person_puts_the_block_in_the_bowl(seed):
    hand, oracle = Hand(seed), RolloutOracle(TASK, np.random.default_rng(seed))
    for _ in range(TASK.limit):
        truth = hand.bench.truth()
        if truth["success"]:
            break
        hand.move(oracle.drive(truth, hand.observation(), "demonstrate"))
    assert hand.bench.truth()["success"]
    assert hand.bench.truth()["held"] is None


def test_jaws_that_missed_open_and_try_again():
    hand, oracle = Hand(1), RolloutOracle(TASK, np.random.default_rng(1))
    hand.gripper = 1.0
    hand.bench.after(lambda: pointing_down(hand.tip, np.zeros(1))[0], 0.0)
    for _ in range(TASK.limit):
        if hand.bench.truth()["stage"] == 1:
            return
        hand.move(oracle.drive(hand.bench.truth(), hand.observation(), "demonstrate"))
    raise AssertionError("it never took the block")


def test_states_tell_the_ways_and_stages_lie_apart():
    hand = Hand(2)
    before = TASK.state(hand.observation())
    assert before.shape == (TASK.width,)
    assert before[TASK.columns["held"]] == 0
    np.testing.assert_array_equal(before[TASK.columns["stage"]], [1, 0])
    hand.bench.held = 0
    after = TASK.state(hand.observation())
    apart = np.diff(TASK.relative(np.stack([before, after])), axis=0)
    assert np.linalg.norm(apart) > 5


def test_scenes_are_within_reach_and_splits_about_one_colour_are_refused():
    bench = Bench()
    for seed in range(30):
        for split in ("seen", "unseen"):
            bench.lay(Recipe(seed, TASK.name, split))
            for thing in bench.truth()["objects"]:
                solve(np.array([[*thing["position"][:2], z, 0.0] for z in (0.008, 0.065)]), REACH)
    with pytest.raises(NoSuchScene, match="seen or unseen"):
        bench.lay(Recipe(0, TASK.name, "only:red"))
