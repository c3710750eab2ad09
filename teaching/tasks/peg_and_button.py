"""Put the peg in the slot, then press the button: what the policy reads, and what a person who sees all would do. Pure.

The scene is `robot_io/sim/peg_and_button.py`; lengths here are those of its things as its truth tells them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from teaching.rollout_task import Sensed, Sight
from teaching.task import Truth
from teaching.types import Array

NEAR = (0.02, 0.08)
"""Metres within which the ways that have to end are also told, on finer scales: to fit, and to line up."""
RIM = 0.06
"""Metres: about where things begin to touch."""
TOP = np.array([0.0, 0.0, 0.025])
"""Metres: about from the peg's middle to the tip that takes or holds it."""
FINE = 0.02
"""Metres that count as much as one unit of another kind, when states are compared."""
APART = 10.0
"""Units between subtasks, so that no state of one is near a state of another."""
ON = 0.5
"""From here on the cup is on."""
GAP = 0.003
"""Metres between the tip and the top of what it takes or holds."""
FLOOR = 0.005
"""Metres: the thickness of the slot's floor."""
SUNK = 0.012
"""Metres: a peg whose lowest point is below this is in the slot, if it is near its middle."""
HOME = 0.007
"""Metres from the slot's middle within which it is let go of."""
PRESS = -0.004
"""Metres: it presses down to here, if the button does not stop it; then it feels the table."""
TAKE = 0.003
"""Metres from where it takes hold within which the cup is switched on: well within its reach, so that it takes."""


class PegAndButton:
    """Pick, insert, press."""

    name = "peg-and-button"
    arms = 1
    subtasks = ("pick", "insert", "press")
    goal = "put the peg in the slot and press the button"
    limit = 1200
    look = 0.2
    columns: Mapping[str, slice] = {
        "height": slice(0, 1), "held": slice(1, 2), "gripper": slice(2, 3), "stage": slice(3, 6), "way": slice(6, 8),
        "hangs": slice(8, 9), "near": slice(9, 17), "peg_yaw": slice(17, 19), "contact": slice(19, 20),
        "trace": slice(20, 21),
    }  # fmt: skip
    width = 21
    feels = 7

    def state(self, observation: Sensed) -> Array:
        """(21,): height of the tip, what it holds, the subtask, and the way to where that ends as it is perceived.

        Of the three ways only that of the subtask under way is told: from the tip to the peg, from the peg, wherever it
        hangs, to the slot, from the tip to the button. Where the other things are tells one demonstration from another,
        and a policy that knows them learns these by heart. The way is also told on finer scales. The cup is on or off,
        whatever number it was told: that is all it knows.
        """
        told = {name: np.asarray(observation[name], dtype=np.float64) for name in _PERCEIVED}
        height, stage, peg = told["tip"][2:], told["stage"], told["peg"]
        way = stage @ np.stack([peg[:2], told["slot"] - peg[:2], told["button"]])
        hangs = (peg + TOP)[2:] * (stage[0] + stage[1])
        near = np.concatenate([way, hangs, height - RIM])
        return np.concatenate(
            [height, told["held"], told["gripper"] >= ON, stage, way, hangs, *(np.clip(near, -n, n) for n in NEAR),
             told["peg_yaw"], told["contact"], told["trace"]]
        )  # fmt: skip

    def feel(self, observation: Sensed) -> Array:
        """(7,): where the tip is, what it holds, whether the cup is on, and what it touched."""
        told = {name: np.asarray(observation[name], dtype=np.float64) for name in _FELT}
        return np.concatenate([told["tip"], told["held"], told["gripper"] >= ON, told["contact"], told["trace"]])

    def relative(self, states: Array) -> Array:
        """(N, 21) → (N, 7): subtask, hold, and the way to where the subtask ends."""
        stage, held, way, height = (states[:, self.columns[name]] for name in ("stage", "held", "way", "height"))
        return np.concatenate([APART * stage, held, way / FINE, height / FINE], axis=1)

    def sights(self, truth: Truth, observation: Sensed) -> tuple[Sight]:
        """Where the tip has to go now, and whether it should hold."""
        tip, stage = np.asarray(observation["tip"], dtype=np.float64), int(truth["stage"])
        peg, slot, button = (np.array(thing["position"]) for thing in truth["objects"])
        if stage == 0:
            return (self._pick(tip, peg, max(truth["objects"][0]["size"]), observation),)
        if stage == 1:
            return (self._insert(tip, peg, slot, truth, np.asarray(observation["peg_yaw"])),)
        top = float(button[2] + truth["objects"][2]["size"][2] / 2)
        return (Sight(tip, np.array([*button[:2], PRESS]), top, 0.0, fits=0.006),)

    @staticmethod
    def _pick(tip: Array, peg: Array, tall: float, observation: Sensed) -> Sight:
        """A cup that was on when it lost the peg takes nothing until it was off. The peg may lie on a rim."""
        top = float(min(2 * peg[2], peg[2] + tall / 2))
        target = np.array([*peg[:2], top + GAP])
        spent = float(observation["gripper"][0]) >= ON
        near = bool(np.linalg.norm(tip - target) < TAKE)
        return Sight(tip, target, top, float(near and not spent), fits=0.006)

    @staticmethod
    def _insert(tip: Array, peg: Array, slot: Array, truth: Truth, yaw: Array) -> Sight:
        """The peg hangs below the tip, and not always in the middle: it is the peg that has to be over the slot."""
        hangs, size = tip - peg, truth["objects"][0]["size"]
        tall, short = max(size) / 2, min(size) / 2
        rim = float(truth["objects"][1]["size"][2])
        home = bool(np.linalg.norm(peg[:2] - slot[:2]) < HOME and peg[2] - short < SUNK)
        target = np.array([*(slot[:2] + hangs[:2]), FLOOR + short + float(hangs[2])])
        turn = -float(np.arctan2(yaw[1], yaw[0])) / 4
        return Sight(tip, target, rim + tall + float(hangs[2]), float(not home), turn)


_PERCEIVED = ("tip", "held", "gripper", "stage", "peg", "slot", "button", "peg_yaw", "contact", "trace")
_FELT = ("tip", "held", "gripper", "contact", "trace")
TASK = PegAndButton()
