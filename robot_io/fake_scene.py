"""A table without physics: things that lie where they are put. The world of a FakeArm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from robot_io.arm import ArmError, Array, TableView

COLOURS = {
    "blue": (78, 121, 167),
    "red": (255, 87, 89),
    "green": (89, 169, 79),
    "yellow": (237, 201, 72),
    "brown": (156, 117, 95),
    "gray": (186, 176, 172),
    "cyan": (118, 183, 178),
    "orange": (242, 142, 43),
    "purple": (176, 122, 161),
    "pink": (255, 157, 167),
    "white": (255, 255, 255),
}
SEEN = ("blue", "red", "green", "yellow", "brown", "gray", "cyan")
UNSEEN = ("blue", "red", "green", "orange", "purple", "pink", "white")
SHAPES = {
    "seen": ("star", "disc", "square", "plus", "T", "triangle"),
    "unseen": ("E", "L", "ring", "hexagon", "heart", "M"),
}
TASKS = ("put-block-in-bowl", "packing-shapes")
MARGIN = 0.08
"""Metres between the table's edge and the centre of anything."""
GRASP = 0.03
"""Metres between the tip and the centre of what it can take."""


@dataclass(frozen=True)
class Thing:
    """One object on the table; fields as in `Scene.truth`."""

    id: int
    kind: str
    colour: str | None
    shape: str | None
    position: tuple[float, float, float]
    yaw: float
    size: tuple[float, float, float]


@dataclass(frozen=True)
class World:
    """Everything that lies on the table, and what the gripper holds."""

    task: str = ""
    goal: str = ""
    seed: int = 0
    split: str = ""
    max_steps: int = 1
    things: tuple[Thing, ...] = ()
    held: int | None = None

    def truth(self) -> dict[str, Any]:
        """The plain mapping that `Scene.truth` describes."""
        objects = [{**vars(thing), "position": list(thing.position), "size": list(thing.size)} for thing in self.things]
        plain = {name: value for name, value in vars(self).items() if name != "things"}
        return {**plain, "objects": objects}

    @staticmethod
    def of(truth: Mapping[str, Any]) -> World:
        """The world of a truth."""
        things = tuple(
            Thing(**{**o, "position": tuple(o["position"]), "size": tuple(o["size"])}) for o in truth["objects"]
        )
        return World(**{name: value for name, value in truth.items() if name != "objects"}, things=things)

    def taken(self, point: Array) -> World:
        """The gripper closes at a point (3,): what it can take there hangs on it."""
        near = [
            (math.dist(thing.position[:2], point[:2]), thing)
            for thing in self.things
            if thing.kind in ("block", "shape")
        ]
        distance, thing = min(near, key=lambda pair: pair[0], default=(math.inf, None))
        low = thing is not None and point[2] <= thing.position[2] + thing.size[2] / 2 + 0.01
        return replace(self, held=thing.id) if thing is not None and distance <= GRASP and low else self

    def dropped(self, point: Array, yaw: float) -> World:
        """The gripper opens over a point (3,): what it held falls straight down."""
        moved = tuple(
            replace(t, position=(float(point[0]), float(point[1]), t.size[2] / 2), yaw=yaw) if t.id == self.held else t
            for t in self.things
        )
        return replace(self, things=moved, held=None)

    def heights(self, view: TableView) -> tuple[Array, Array]:
        """The top-down map: colour (H, W, 3) uint8 and height (H, W) float32 in metres."""
        rows, columns = view.shape
        x = (view.x[0] + (np.arange(rows) + 0.5) * view.pixel)[:, None]
        y = (view.y[0] + (np.arange(columns) + 0.5) * view.pixel)[None, :]
        colour = np.full((rows, columns, 3), 60, dtype=np.uint8)
        height = np.zeros((rows, columns), dtype=np.float32)
        for thing in sorted(self.things, key=lambda t: t.kind in ("block", "shape")):
            dx, dy = np.abs(x - thing.position[0]), np.abs(y - thing.position[1])
            if thing.kind == "bowl":
                mask = np.hypot(dx, dy) <= thing.size[0] / 2
            else:
                mask = (dx <= thing.size[0] / 2) & (dy <= thing.size[1] / 2)
            colour[mask] = COLOURS[thing.colour or "brown"]
            height[mask] = thing.position[2] + thing.size[2] / 2
        return colour, height


def make_world(seed: int, task: str, split: str, view: TableView) -> World:
    """A fresh scene. Same arguments, same scene; ArmError names the tasks and splits."""
    kind, _, word = split.partition(":")
    if task not in TASKS or kind not in ("seen", "unseen", "only") or (kind == "only") != bool(word):
        raise ArmError(f"expected a task among {TASKS} and a split seen, unseen or only:WORD, got {task!r}, {split!r}")
    rng = np.random.default_rng([seed, TASKS.index(task), ("seen", "unseen", "only").index(kind)])
    return (_bowls if task == "put-block-in-bowl" else _packing)(rng, seed, split, view)


def _names(split: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What a split is made of; only:WORD of everything, if WORD is among it."""
    if split in known:
        return known[split]
    every, word = tuple(dict.fromkeys((*known["seen"], *known["unseen"]))), split.partition(":")[2]
    if word not in every:
        raise ArmError(f"expected only: and a word among {', '.join(every)}, got {split!r}")
    return every


def _bowls(rng: np.random.Generator, seed: int, split: str, view: TableView) -> World:
    colours = list(rng.permutation(_names(split, {"seen": SEEN, "unseen": UNSEEN})))
    if (word := split.partition(":")[2]) in colours:
        colours.remove(word)
        colours.insert(int(rng.integers(2)), word)
    bowls = int(rng.integers(1, 4))
    blocks = int(rng.integers(1, bowls + 1))
    kinds = [("bowl", colours[0])] * bowls + [("block", colours[1])] * blocks
    kinds += [(str(rng.choice(["bowl", "block"])), str(rng.choice(colours[2:]))) for _ in range(3)]
    sizes = [(0.12, 0.12, 0.04) if kind == "bowl" else (0.04, 0.04, 0.04) for kind, _ in kinds]
    places = _places(rng, sizes, view)
    things = tuple(
        Thing(
            i, kind, str(colour), None, (*places[i], sizes[i][2] / 2), float(rng.uniform(-math.pi, math.pi)), sizes[i]
        )
        for i, (kind, colour) in enumerate(kinds)
    )
    goal = f"put the {colours[1]} blocks in a {colours[0]} bowl"
    return World("put-block-in-bowl", goal, seed, split, blocks, things)


def _packing(rng: np.random.Generator, seed: int, split: str, view: TableView) -> World:
    shapes = [str(s) for s in rng.permutation(_names(split, SHAPES))]
    word = split.partition(":")[2]
    shapes = sorted(shapes, key=lambda shape: bool(word) and shape != word)[:4]
    sizes: list[tuple[float, float, float]] = [(0.14, 0.14, 0.06), *[(0.05, 0.05, 0.02)] * len(shapes)]
    places = _places(rng, sizes, view)
    box = Thing(0, "box", "brown", None, (*places[0], 0.03), 0.0, sizes[0])
    things = [
        Thing(
            i,
            "shape",
            str(rng.choice(SEEN)),
            shape,
            (*places[i], 0.01),
            float(rng.uniform(-math.pi, math.pi)),
            sizes[i],
        )
        for i, shape in enumerate(shapes, start=1)
    ]
    return World("packing-shapes", f"pack the {shapes[0]} in the brown box", seed, split, 1, (box, *things))


def _places(
    rng: np.random.Generator, sizes: list[tuple[float, float, float]], view: TableView
) -> list[tuple[float, float]]:
    """Centres (x, y) on the table, so that nothing touches."""
    for _ in range(1000):
        places: list[tuple[float, float]] = []
        for size in sizes:
            for _ in range(100):
                x = float(rng.uniform(view.x[0] + MARGIN, view.x[1] - MARGIN))
                y = float(rng.uniform(view.y[0] + MARGIN, view.y[1] - MARGIN))
                if all(math.dist((x, y), p) > 0.72 * (size[0] + s[0]) for p, s in zip(places, sizes, strict=False)):
                    places.append((x, y))
                    break
        if len(places) == len(sizes):
            return places
    raise ArmError(f"expected {len(sizes)} things to fit on the table of {view.x} by {view.y} m; use fewer")
