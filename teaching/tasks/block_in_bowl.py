"""Put the block in the bowl, in motion, with a small arm's jaws: what the policy reads, what a person would do. Pure.

The scene is `robot_io/emulation/one_block.py`; lengths here are those of its things as its truth tells them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from teaching.rollout_task import Sensed, Sight
from teaching.task import Truth
from teaching.types import Array

NEAR = 0.02
"""Metres within which an offset is also told on a finer scale."""
FINE = 0.01
"""Metres that count as much as one unit of another kind, when states are compared."""
APART = 10.0
"""Units between subtasks, so that no state of one is near a state of another."""
GRASP = 0.008
"""Metres above the table at which the tip takes."""
TAKE = 0.006
"""Metres from there within which the jaws close."""
SHUT = 0.92
"""Jaws this far shut that hold nothing have missed."""
BACK = 0.03
"""Metres to which it backs off then, opening."""
SET = 0.024
"""Metres above the table at which it lets go over a bowl."""
HOME = 0.008
"""Metres from the bowl's middle within which it lets go."""


class BlockInBowl:
    """Pick, place."""

    name = "block-in-bowl"
    arms = 1
    subtasks = ("pick", "place")
    goal = "put the block in the bowl"
    limit = 450
    look = 0.02
    columns: Mapping[str, slice] = {
        "height": slice(0, 1), "held": slice(1, 2), "gripper": slice(2, 3), "stage": slice(3, 5), "block": slice(5, 8),
        "bowl": slice(8, 10), "near": slice(10, 16),
    }  # fmt: skip
    width = 16
    feels = 5

    def state(self, observation: Sensed) -> Array:
        """(16,): height of the tip, what it holds, the subtask, and the ways to things."""
        told = {name: np.asarray(observation[name], dtype=np.float64) for name in _PERCEIVED}
        height = told["tip"][2:]
        ways = np.concatenate([told["block"], told["bowl"]])
        near = np.clip(np.append(ways, height - NEAR), -NEAR, NEAR)
        return np.concatenate([height, told["held"], told["gripper"], told["stage"], ways, near])

    def feel(self, observation: Sensed) -> Array:
        """(5,): where the tip is, what it holds, and the jaws."""
        return np.concatenate([np.asarray(observation[name], dtype=np.float64) for name in ("tip", "held", "gripper")])

    def relative(self, states: Array) -> Array:
        """(N, 16) → (N, 6): subtask, hold, and the way to where the subtask ends."""
        stage = states[:, self.columns["stage"]]
        ways = np.stack([states[:, self.columns["block"]][:, :2], states[:, self.columns["bowl"]]], axis=1)
        aside = np.einsum("ts,tsk->tk", stage, ways)
        height = states[:, self.columns["height"]]
        return np.concatenate([APART * stage, states[:, self.columns["held"]], aside / FINE, height / FINE], axis=1)

    def sights(self, truth: Truth, observation: Sensed) -> tuple[Sight]:
        """Where the tip has to go now, and whether it should hold."""
        tip = np.asarray(observation["tip"], dtype=np.float64)
        block, bowl = truth["objects"]
        at, there = np.array(block["position"]), np.array(bowl["position"])
        if truth["held"] is None:
            return (self._pick(tip, at, float(block["size"][2]), float(observation["gripper"][0])),)
        hangs = tip - at
        home = bool(np.linalg.norm(at[:2] - there[:2]) < HOME and tip[2] < SET + TAKE)
        over = float(bowl["size"][2]) + float(block["size"][2]) / 2 + float(hangs[2])
        return (Sight(tip, np.array([*(there[:2] + hangs[:2]), SET]), over, float(not home), fits=0.006),)

    @staticmethod
    def _pick(tip: Array, block: Array, tall: float, gripper: float) -> Sight:
        """Jaws that shut on nothing back off and open before they try again."""
        missed = gripper > SHUT
        target = np.array([*block[:2], block[2] - tall / 2 + (BACK if missed else GRASP)])
        near = bool(np.linalg.norm(tip - target) < TAKE)
        return Sight(tip, target, float(block[2] + tall / 2), float(near and not missed), fits=0.004)


_PERCEIVED = ("tip", "held", "gripper", "stage", "block", "bowl")
TASK = BlockInBowl()
