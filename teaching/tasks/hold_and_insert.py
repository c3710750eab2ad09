"""Two arms: hold the socket, put the peg in, set it down: what the policy reads, what one who sees all would do. Pure.

The scene is `robot_io/sim/hold_and_insert.py`; lengths here are those of its things as its truth tells them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from teaching.rollout_task import Sensed, Sight
from teaching.task import Truth
from teaching.types import Array

NEAR = (0.02, 0.08)
"""Metres within which the ways that have to end are also told, on finer scales: to fit, and to line up."""
RIM = np.array([0.05, 0.19])
"""Metres: about where things begin to touch, for each arm."""
TOP = np.array([0.0, 0.0, 0.025])
"""Metres: about from the peg's middle to the tip that takes or holds it."""
FINE = 0.02
"""Metres that count as much as one unit of another kind, when states are compared."""
APART = 10.0
"""Units between subtasks, so that no state of one is near a state of another."""
ON = 0.5
"""From here on a cup is on."""
GAP = 0.003
"""Metres between the tip and the top of what it takes."""
TAKE = 0.003
"""Metres from where it takes hold within which the cup is switched on: well within its reach, so that it takes."""
HOLD_AT = 0.12
"""Metres: where the middle of the socket is held."""
DOWN = 0.018
"""Metres: a socket whose middle is below this stands on the table."""
FLOOR, SUNK, HOME = 0.005, 0.01, 0.007
"""Metres: the socket's floor, and within what the peg is in it: above the floor, and beside the middle."""
OPENING = 0.1015
"""Metres from the middle of the socket's handle to the middle of its opening."""
AWAY = 0.32
"""Metres: to where the second arm rises when its part is done."""
_HOLDS, _INSERTS = 0, 1


class HoldAndInsert:
    """Hold, pick, insert, set down."""

    name = "hold-and-insert"
    arms = 2
    subtasks = ("hold", "pick", "insert", "set down")
    goal = "lift the socket, put the peg in and set it down"
    limit = 1800
    look = 0.27
    columns: Mapping[str, slice] = {
        "heights": slice(0, 2), "held": slice(2, 4), "grippers": slice(4, 6), "stage": slice(6, 10),
        "handle": slice(10, 13), "peg": slice(13, 16), "opening": slice(16, 19), "near": slice(19, 41),
        "yaws": slice(41, 45), "contact": slice(45, 46), "trace": slice(46, 47),
    }  # fmt: skip
    width = 47
    feels = 12

    def state(self, observation: Sensed) -> Array:
        """(47,): heights of the tips, what they hold, the subtask, and the ways to things as they are perceived.

        What has to come near what is also told on finer scales: the tips to handle and peg, the peg to the opening.
        """
        told = {name: np.asarray(observation[name], dtype=np.float64) for name in _PERCEIVED}
        heights = told["tip"][[2, 5]]
        ways = np.concatenate([told["handle"], told["peg"], told["opening"]])
        fit = told["opening"] - told["peg"]
        near = np.concatenate([told["handle"], told["peg"] + TOP, fit + TOP, heights - RIM])
        return np.concatenate(
            [heights, told["held"], told["grippers"] >= ON, told["stage"], ways,
             *(np.clip(near, -n, n) for n in NEAR), told["yaws"], told["contact"], told["trace"]]
        )  # fmt: skip

    def feel(self, observation: Sensed) -> Array:
        """(12,): where the tips are, what they hold, whether the cups are on, and what was touched."""
        told = {name: np.asarray(observation[name], dtype=np.float64) for name in _FELT}
        return np.concatenate([told["tip"], told["held"], told["grippers"] >= ON, told["contact"], told["trace"]])

    def relative(self, states: Array) -> Array:
        """(N, 47) → (N, 9): subtask, holds, and the way to where the subtask ends."""
        stage = states[:, self.columns["stage"]]
        heights = states[:, self.columns["heights"]]
        handle, peg = states[:, self.columns["handle"]], states[:, self.columns["peg"]]
        lift = np.column_stack([np.zeros((len(states), 2)), heights[:, :1]])
        ways = [handle, peg, states[:, self.columns["opening"]], lift]
        way = np.einsum("ts,tsk->tk", stage, np.stack(ways, axis=1))
        return np.concatenate([APART * stage, states[:, self.columns["held"]], way / FINE], axis=1)

    def sights(self, truth: Truth, observation: Sensed) -> tuple[Sight, Sight]:
        """Where each tip has to go now, and whether it should hold."""
        tips = np.reshape(np.asarray(observation["tip"], dtype=np.float64), (2, 3))
        on = np.asarray(observation["grippers"]) >= ON
        return (
            self._holds(tips[_HOLDS], bool(on[_HOLDS]), truth),
            self._inserts(tips[_INSERTS], bool(on[_INSERTS]), truth, np.asarray(observation["yaws"])),
        )

    @staticmethod
    def _holds(tip: Array, on: bool, truth: Truth) -> Sight:
        """Lift, stay, and set down at the end."""
        stage, socket = int(truth["stage"]), truth["objects"][1]
        top = np.array(socket["grip"])
        if truth["held_by"][_HOLDS] is None:
            target = _up(top, GAP)
            near = bool(np.linalg.norm(tip - target) < TAKE)
            return Sight(tip, target, float(top[2]), float(near and not on), fits=0.006, idle=stage > 2)
        high = float(socket["position"][2])
        if stage == 0:
            return Sight(tip, _up(tip, HOLD_AT - high), 0.0, 1.0)
        if stage < 3:
            return Sight(tip, tip, 0.0, 1.0, idle=True)
        return Sight(tip, _up(tip, socket["size"][2] / 2 - high - 0.002), HOLD_AT, float(high > DOWN))

    def _inserts(self, tip: Array, on: bool, truth: Truth, yaws: Array) -> Sight:
        """Wait, pick, insert, and make room."""
        stage, peg = int(truth["stage"]), np.array(truth["objects"][0]["position"])
        if stage == 0:
            return Sight(tip, tip, 0.0, float(on), idle=True)
        if stage == 1:
            top = float(min(2 * peg[2], peg[2] + max(truth["objects"][0]["size"]) / 2))
            target = np.array([*peg[:2], top + GAP])
            near = bool(np.linalg.norm(tip - target) < TAKE)
            return Sight(tip, target, top, float(near and not on), fits=0.006)
        if stage == 2:
            return self._insert(tip, peg, truth, yaws)
        return Sight(tip, np.array([*tip[:2], max(AWAY, tip[2])]), 0.0, 0.0, idle=bool(tip[2] > AWAY - 0.02))

    @staticmethod
    def _insert(tip: Array, peg: Array, truth: Truth, yaws: Array) -> Sight:
        """The peg hangs below the tip, and not always in the middle: it is the peg that has to be over the opening."""
        place, socket = opening(truth), truth["objects"][1]
        hangs, size = tip - peg, truth["objects"][0]["size"]
        tall, short, deep = max(size) / 2, min(size) / 2, socket["size"][2] / 2
        floor = place[2] - deep + FLOOR
        home = bool(np.linalg.norm(peg[:2] - place[:2]) < HOME and peg[2] - short < floor + SUNK)
        target = np.array([*(place[:2] + hangs[:2]), floor + short + float(hangs[2])])
        turn = float(np.arctan2(yaws[3], yaws[2]) - np.arctan2(yaws[1], yaws[0]) / 4)
        return Sight(tip, target, float(place[2] + deep + tall + hangs[2]), float(not home), turn)


def _up(point: Array, by: float) -> Array:
    return np.asarray(point + np.array([0.0, 0.0, by]))


def opening(truth: Truth) -> Array:
    """(3,) metres: the middle of the socket's opening."""
    socket = truth["objects"][1]
    yaw = float(socket["yaw"])
    place: Array = np.array(socket["position"]) + OPENING * np.array([np.cos(yaw), np.sin(yaw), 0.0])
    return place


_PERCEIVED = ("tip", "grippers", "held", "stage", "handle", "peg", "opening", "yaws", "contact", "trace")
_FELT = ("tip", "held", "grippers", "contact", "trace")
TASK = HoldAndInsert()
