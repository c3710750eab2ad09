"""The long task in contact: take the peg, push it into the narrow slot and let go, press the button.

A peg that comes down beside the slot stands on its rim and goes no further; pushed on, the cup loses it. It can be
taken again wherever it falls, and who misses the button meets the table: one mistake is not the end. Of slot and button
the arm perceives what its last look from above told, and a look can be wrong by several times what fits; only rising
above `LOOK` is a new look. With the split `without:errors` every look is right. The rules are those of `assembly`, the
forces are the physics' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.sim.assembly import NAME as NAME
from robot_io.sim.assembly import SUBTASKS
from robot_io.sim.scene import Layout, NoSuchScene, Recipe, Room, Thing

Array = NDArray[Any]

PEG = (0.036, 0.036, 0.042)
"""Metres; it fits standing and lying, so that no fall is final."""
SLOT = (0.047, 0.047, 0.03)
"""Metres between its walls, and their height: 5.5 mm of room on each side of the peg."""
BUTTON = (0.03, 0.03, 0.03)
GOAL = "put the peg in the slot and press the button"
PERFECT = "without:errors"
LOOK = 0.2
"""Metres: rising through this height is a new look."""
LOOKS = 32
"""Different looks of a scene; after that they come round again."""
WRONG = (0.5, 0.4)
"""How often a look at slot and at button is wrong."""
OFF = (0.018, 0.035)
"""Metres by which a wrong look is off, at least and at most."""
FADE = 0.965
"""How much of the memory of a contact is left after a tick; half a second to a third."""
LIMIT = 2400
"""Ticks until time is out: 40 s."""
_HOME, _SUNK, _PRESSED, _BESIDE, _SLIPPED = 0.008, 0.014, 0.006, 0.012, 0.012
_PEG, _SLOT, _BUTTON = 0, 1, 2
_FINGERS = (9, 10)
"""Links of the arm that come down first."""


def build(recipe: Recipe, rng: np.random.Generator) -> Layout:
    """Peg, slot and button in places of their own."""
    if recipe.word and recipe.split != PERFECT:
        raise NoSuchScene(f"expected the split seen, unseen or {PERFECT} for {NAME}, got {recipe.split!r}")
    room = Room(rng, y=(-0.35, 0.35))
    places: list[tuple[float, float]] = []
    while len(places) < 3:
        place = room.place(0.05, gap=0.03)
        if place is None:
            raise NoSuchScene(f"expected room for peg, slot and button, found none with seed {recipe.seed}")
        places.append(place)
    peg, slot, button = places
    return Layout(
        GOAL,
        1,
        (
            Thing("block", PEG, (*peg, PEG[2] / 2), 0.0, "blue", (0.23, 0.41, 0.75)),
            Thing("box", SLOT, (*slot, SLOT[2] / 2), 0.0, "brown", (0.53, 0.35, 0.22), fixed=True),
            Thing("block", BUTTON, (*button, BUTTON[2] / 2), 0.0, "red", (0.88, 0.24, 0.25), fixed=True),
        ),
    )


def heading(turn: Sequence[float]) -> float:
    """Radians about z, to within a quarter turn, of a box with a quaternion (x, y, z, w), whichever side it lies on."""
    axes = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3))[:2]
    flattest = axes[:, int(np.argmax((axes**2).sum(axis=0)))]
    return float(np.arctan2(flattest[1], flattest[0]))


class Table(Protocol):
    """What the rules need of a world."""

    client: int
    robot: int
    table: int
    bodies: list[int]
    held: int | None

    def tip(self) -> Array:
        """(3,) metres."""

    def slipped(self) -> float:
        """Metres by which what is held is off from where it was taken."""

    def let_go(self) -> None:
        """The cup loses what it holds."""


class Rules:
    """What is done, and what the arm perceives of it. Everything it remembers is in `state`."""

    def __init__(self, recipe: Recipe, layout: Layout) -> None:
        self._places = np.array([thing.position for thing in layout.things])
        rng = np.random.default_rng([recipe.seed, 78])
        wrong = rng.random((LOOKS, 2)) < (0.0 if recipe.split == PERFECT else np.array(WRONG))
        angle, off = rng.uniform(0, 2 * np.pi, (LOOKS, 2)), rng.uniform(*OFF, (LOOKS, 2))
        away = off[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
        self._fixes = np.where(wrong[..., None], away, 0.0)
        self.state: dict[str, Any] = {
            "stage": 0, "looks": 0, "retries": 0, "drops": 0, "aimed": 0, "high": True,
            "contact": False, "trace": 0.0, "over": False, "ticks": 0,
        }  # fmt: skip

    def after(self, table: Table) -> None:
        """One tick has passed."""
        state = self.state
        if table.held == _PEG and table.slipped() > _SLIPPED:
            table.let_go()
        tip = table.tip()
        peg = pybullet.getBasePositionAndOrientation(table.bodies[_PEG], table.client)[0]
        self._advance(table, tip, np.array(peg))
        state["contact"] = self._touches(table)
        state["trace"] = max(float(state["contact"]), FADE * state["trace"])
        self._look(float(tip[2]))
        state["ticks"] += 1

    def _touches(self, table: Table) -> bool:
        """The peg that is carried meets slot or button, or the arm that comes to press meets the table beside it."""
        c, (peg, *firm) = table.client, table.bodies
        if table.held == _PEG:
            return any(pybullet.getContactPoints(peg, body, physicsClientId=c) for body in firm)
        return self.state["stage"] == 2 and any(
            pybullet.getContactPoints(table.robot, table.table, finger, physicsClientId=c) for finger in _FINGERS
        )

    def _advance(self, table: Table, tip: Array, peg: Array) -> None:
        state, stage, held = self.state, self.state["stage"], table.held == _PEG
        if held:
            state["stage"] = min(stage, 1) if stage == 2 else max(stage, 1)
        elif stage == 1:
            state["stage"] = 2 if self._inserted(peg) else 0
            state["drops"] += state["stage"] == 0
        elif stage == 2 and self._pressed(tip):
            state["stage"] = 3

    def _inserted(self, peg: Array) -> bool:
        low = peg[2] - min(PEG) / 2
        return bool(np.linalg.norm(peg[:2] - self._places[_SLOT, :2]) < _HOME and low < _SUNK)

    def _pressed(self, tip: Array) -> bool:
        """From above: who is beside it and comes up along it has not pressed it."""
        top = self._places[_BUTTON, 2] + BUTTON[2] / 2
        within = np.linalg.norm(tip[:2] - self._places[_BUTTON, :2]) < _BESIDE and tip[2] > top - _PRESSED
        above = bool(tip[2] >= top + _PRESSED)
        self.state["over"] = bool(within) and (above or self.state["over"])
        return self.state["over"] and not above

    def _look(self, height: float) -> None:
        state, high = self.state, height >= LOOK
        if high and not state["high"]:
            state["looks"] += 1
            state["retries"] += state["stage"] <= state["aimed"]
            state["aimed"] = state["stage"]
        state["high"] = high

    def sense(self, table: Table) -> dict[str, Array]:
        """What the arm perceives, by name; offsets from the tip in metres, of slot and button as the last look told."""
        state, tip = self.state, table.tip()
        place, turn = pybullet.getBasePositionAndOrientation(table.bodies[_PEG], table.client)
        yaw = 4 * heading(turn)
        fixes = self._fixes[state["looks"] % LOOKS]
        return {
            "tip": tip,
            "held": np.array([float(table.held == _PEG)]),
            "stage": np.eye(4)[state["stage"]][:3],
            "peg": np.asarray(place) - tip,
            "peg_yaw": np.array([np.cos(yaw), np.sin(yaw)]),
            "slot": self._places[_SLOT, :2] + fixes[0] - tip[:2],
            "button": self._places[_BUTTON, :2] + fixes[1] - tip[:2],
            "contact": np.array([float(state["contact"])]),
            "trace": np.array([state["trace"]]),
        }

    def truth(self) -> Mapping[str, Any]:
        """Subtasks done, and how: plain values."""
        state, stage = self.state, int(self.state["stage"])
        fix = self._fixes[state["looks"] % LOOKS, min(max(stage - 1, 0), 1)]
        return {
            "subtasks": list(SUBTASKS),
            "stage": stage,
            "progress": stage / len(SUBTASKS),
            "success": stage == len(SUBTASKS),
            "over": stage == len(SUBTASKS) or state["ticks"] >= LIMIT,
            "good_look": stage == 0 or not bool(np.any(fix)),
            **{name: int(state[name]) for name in ("looks", "retries", "drops", "contact", "ticks")},
        }
