"""One block and one bowl before an SO arm, for lessons in motion: what is done, and what the arm perceives. Numpy only.

Sizes are those that a small arm's jaws take: a block of 2 cm, a bowl of 6 cm. Metres in the arm's base frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.sim.put_block_in_bowl import COLOURS, SEEN, UNSEEN
from robot_io.sim.scene import Layout, NoSuchScene, Recipe, Thing, choose
from robot_io.so_motion import PAN_X

Array = NDArray[Any]
NAME = "block-in-bowl"
GOAL = "put the block in the bowl"
SUBTASKS = ("pick", "place")
BLOCK, BOWL = (0.02, 0.02, 0.02), (0.06, 0.06, 0.0225)
NEAR, FAR, SIDE = 0.12, 0.2, 0.8
"""Metres from the arm's upright axis, and radians to each side, within which things lie."""
APART = 0.07
"""Metres between the two middles, at least."""
INSIDE = 0.4
"""Of the bowl's width: a block that lies nearer to its middle is in it."""


def build(recipe: Recipe, rng: np.random.Generator) -> Layout:
    """A block and a bowl in places of their own; NoSuchScene for a split about one colour."""
    if recipe.word:
        raise NoSuchScene(f"expected the split seen or unseen for {NAME}, got {recipe.split!r}")
    colours = choose(rng, SEEN if recipe.split == "seen" else UNSEEN, 2)
    places: list[Array] = []
    while len(places) < 2:
        away, side = rng.uniform(NEAR, FAR), rng.uniform(-SIDE, SIDE)
        place = np.array([PAN_X + away * np.cos(side), away * np.sin(side)])
        if all(np.linalg.norm(place - other) >= APART for other in places):
            places.append(place)
    things = []
    for kind, size, colour, (x, y) in zip(("block", "bowl"), (BLOCK, BOWL), colours, places, strict=True):
        red, green, blue = (value / 255 for value in COLOURS[colour])
        yaw = float(rng.uniform(-np.pi / 4, np.pi / 4)) if kind == "block" else 0.0
        spot = (float(x), float(y), size[2] / 2)
        things.append(Thing(kind, size, spot, yaw, colour, (red, green, blue), fixed=kind == "bowl"))
    return Layout(GOAL, 1, tuple(things))


def stage_of(block: Array, bowl: Array, held: bool) -> int:
    """How many subtasks are done: block and bowl (3,), and whether the jaws hold the block."""
    if held:
        return 1
    return 2 if float(np.linalg.norm(block[:2] - bowl[:2])) < INSIDE * BOWL[0] else 0


def facts(stage: int) -> dict[str, Any]:
    """What a truth tells of subtasks; the arm always sees right, and nothing jams."""
    done = stage == len(SUBTASKS)
    told = {"subtasks": list(SUBTASKS), "stage": stage, "progress": stage / len(SUBTASKS), "success": done}
    return {**told, "over": done, "good_look": True, "contact": 0}


def perceived(tip: Array, block: Array, bowl: Array, held: bool) -> dict[str, Array]:
    """What the arm perceives, by name: its tip (3,), and the ways from there to things."""
    stage = stage_of(block, bowl, held)
    return {
        "tip": tip,
        "held": np.array([float(held)]),
        "stage": np.eye(len(SUBTASKS) + 1)[stage][: len(SUBTASKS)],
        "block": block - tip,
        "bowl": bowl[:2] - tip[:2],
    }
