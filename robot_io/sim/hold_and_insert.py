"""The task for two arms, in contact: one lifts the socket and holds it, the other puts the peg in; then it is set down.

Nothing is fixed but the table: a peg that comes down beside the opening stands on its rim and pushes the socket
away, until a cup loses what it holds. Both can be taken again: one mistake is not the end. Where the opening is, the
second arm perceives as its last look from above told it, and a look can be wrong by several times what fits; only its
rising above `LOOK` is a new look. With the split `without:errors` every look is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.sim.bodies import yaw_of
from robot_io.sim.meshes import SOCKET_GRIP, socket_opening
from robot_io.sim.panda import Base, Panda
from robot_io.sim.peg_and_button import PERFECT, heading
from robot_io.sim.scene import Layout, NoSuchScene, Recipe, Thing

Array = NDArray[Any]

NAME = "hold-and-insert"
GOAL = "lift the socket, put the peg in and set it down"
SUBTASKS = ("hold", "pick", "insert", "set down")
APART = 1.1
"""Metres between the arms."""
BASES: tuple[Base, Base] = ((0.0, 0.0, 0.0), (APART, 0.0, np.pi))
"""Where the arms stand, face to face: the one that holds, and the one that inserts."""
PEG = (0.036, 0.036, 0.042)
SOCKET = (0.047, 0.047, 0.03)
"""Metres between its walls, and their height: 5.5 mm of room on each side of the peg."""
HOLD = 0.1
"""Metres: the socket is held up when its middle is above this."""
LOOK = 0.27
"""Metres: the second arm's rising through this height is a new look."""
LOOKS = 32
"""Different looks of a scene; after that they come round again."""
WRONG = 0.6
"""How often a look is wrong."""
OFF = (0.018, 0.035)
"""Metres by which a wrong look is off, at least and at most."""
FADE = 0.965
"""How much of the memory of a contact is left after a tick."""
LIMIT = 3600
"""Ticks until time is out: a minute."""
_HOME, _SUNK, _SLIPPED, _LOW, _LEVEL = 0.009, 0.012, 0.012, 0.025, 0.2
_SOCKET_AT = ((0.38, 0.46), (-0.12, 0.12))
_PEG_AT = ((0.62, 0.78), (-0.3, 0.3))
_PEG, _SOCKET = 0, 1
_FLOOR = np.array([0.0, 0.0, SOCKET[2] / 2 - 0.005 - min(PEG) / 2])
"""From the peg's middle to its lowest side, seen from the socket's floor instead of its middle."""
_HOLDS, _INSERTS = 0, 1


def build(recipe: Recipe, rng: np.random.Generator) -> Layout:
    """The socket before the first arm, the peg beside it before the second."""
    if recipe.word and recipe.split != PERFECT:
        raise NoSuchScene(f"expected the split seen, unseen or {PERFECT} for {NAME}, got {recipe.split!r}")
    grip = np.array([rng.uniform(*span) for span in _SOCKET_AT])
    middle = grip - [SOCKET_GRIP, 0.0]
    while True:
        peg = np.array([rng.uniform(*span) for span in _PEG_AT])
        if abs(peg[1] - middle[1]) > 0.12:
            break
    return Layout(
        GOAL,
        1,
        (
            Thing("block", PEG, (*peg, PEG[2] / 2), 0.0, "blue", (0.23, 0.41, 0.75)),
            Thing(
                "socket", SOCKET, (*middle, SOCKET[2] / 2), 0.0, "brown", (0.53, 0.35, 0.22), grip=(SOCKET_GRIP, 0.0)
            ),
        ),
        arms=2,
    )


class Table(Protocol):
    """What the rules need of a world."""

    client: int
    bodies: list[int]
    arms: list[Panda]


class Rules:
    """What is done, and what the arms perceive of it. Everything it remembers is in `state`."""

    def __init__(self, recipe: Recipe, layout: Layout) -> None:
        rng = np.random.default_rng([recipe.seed, 79])
        wrong = rng.random(LOOKS) < (0.0 if recipe.split == PERFECT else WRONG)
        angle, off = rng.uniform(0, 2 * np.pi, LOOKS), rng.uniform(*OFF, LOOKS)
        self._fixes = np.where(wrong[:, None], off[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1), 0.0)
        self.state: dict[str, Any] = {
            "stage": 0, "looks": 0, "retries": 0, "drops": 0, "aimed": 0, "high": True,
            "contact": False, "trace": 0.0, "ticks": 0,
        }  # fmt: skip

    def after(self, table: Table) -> None:
        """One tick has passed."""
        state = self.state
        before = [arm.held for arm in table.arms]
        for arm in table.arms:
            if arm.slipped() > _SLIPPED:
                arm.let_go()
        self._advance(table)
        state["drops"] += sum(was is not None and arm.held is None for was, arm in zip(before, table.arms, strict=True))
        peg, socket = table.bodies
        touching = pybullet.getContactPoints(peg, socket, physicsClientId=table.client)
        state["contact"] = bool(touching) and state["stage"] == 2
        state["trace"] = max(float(state["contact"]), FADE * state["trace"])
        self._look(float(table.arms[_INSERTS].tip()[2]))
        state["ticks"] += 1

    def _advance(self, table: Table) -> None:
        """How far it is follows from how things are, but for the end."""
        state, (holds, inserts) = self.state, table.arms
        place, turn, way = opening(table)
        inside = way[2] < _SUNK and float(np.linalg.norm(way[:2])) < _HOME
        held = holds.held == _SOCKET
        if state["stage"] == 3 and inside and not held and _rests(place, turn):
            state["stage"] = 4
        if state["stage"] == 4:
            return
        up = held and (place[2] > HOLD or (state["stage"] in (1, 2) and place[2] > HOLD - 0.03))
        if inside and inserts.held is None and (held or state["stage"] == 3):
            state["stage"] = 3
        elif not up:
            state["stage"] = 0
        else:
            state["stage"] = 2 if inserts.held == _PEG else 1

    def _look(self, height: float) -> None:
        state, high = self.state, height >= LOOK
        if high and not state["high"]:
            state["looks"] += 1
            state["retries"] += state["stage"] == 2 and state["aimed"] == 2
            state["aimed"] = state["stage"]
        state["high"] = high

    def sense(self, table: Table) -> dict[str, Array]:
        """What the arms perceive, by name; offsets in metres from the tip of the arm they matter to."""
        state = self.state
        left, right = (arm.tip() for arm in table.arms)
        place, turn, _ = opening(table)
        base, base_turn = pybullet.getBasePositionAndOrientation(table.bodies[_SOCKET], table.client)
        grip = np.asarray(base) + np.reshape(pybullet.getMatrixFromQuaternion(base_turn), (3, 3)) @ [
            SOCKET_GRIP, 0.0, SOCKET[2] / 2,
        ]  # fmt: skip
        peg, peg_turn = pybullet.getBasePositionAndOrientation(table.bodies[_PEG], table.client)
        yaw, own = 4 * heading(peg_turn), yaw_of(turn)
        seen = place[:2] + self._fixes[state["looks"] % LOOKS]
        return {
            "tip": np.concatenate([left, right]),
            "grippers": np.array([arm.gripper for arm in table.arms]),
            "held": np.array([float(arm.held is not None) for arm in table.arms]),
            "stage": np.eye(5)[state["stage"]][:4],
            "handle": grip - left,
            "peg": np.asarray(peg) - right,
            "opening": np.array([*(seen - right[:2]), place[2] - right[2]]),
            "yaws": np.array([np.cos(yaw), np.sin(yaw), np.cos(own), np.sin(own)]),
            "contact": np.array([float(state["contact"])]),
            "trace": np.array([state["trace"]]),
        }

    def truth(self) -> Mapping[str, Any]:
        """Subtasks done, and how: plain values."""
        state, stage = self.state, int(self.state["stage"])
        return {
            "subtasks": list(SUBTASKS),
            "stage": stage,
            "progress": stage / len(SUBTASKS),
            "success": stage == len(SUBTASKS),
            "over": stage == len(SUBTASKS) or state["ticks"] >= LIMIT,
            "good_look": stage != 2 or not bool(np.any(self._fixes[state["looks"] % LOOKS])),
            **{name: int(state[name]) for name in ("looks", "retries", "drops", "contact", "ticks")},
        }


def opening(table: Table) -> tuple[Array, Array, Array]:
    """Of the socket's opening: (3,) its middle at half height, (4,) its quaternion; and (3,) where in it the peg is.

    The last is measured from the middle of its floor to the peg's lowest side, along the socket's own axes, in metres.
    """
    base, turn = pybullet.getBasePositionAndOrientation(table.bodies[_SOCKET], table.client)
    matrix = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3))
    place = np.asarray(base) + matrix @ [socket_opening(SOCKET), 0.0, 0.0]
    peg = pybullet.getBasePositionAndOrientation(table.bodies[_PEG], table.client)[0]
    way = matrix.T @ (np.asarray(peg) - place)
    return place, np.asarray(turn), way + _FLOOR


def _rests(place: Array, turn: Array) -> bool:
    """Whether the socket lies on the table, the right way up."""
    upright = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3))[2, 2]
    return bool(place[2] < _LOW and upright > 1 - _LEVEL)
