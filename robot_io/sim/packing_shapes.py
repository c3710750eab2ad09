"""Pack the {shape} in the brown box: an open box and five different shapes."""

from __future__ import annotations

import colorsys
from functools import cache

import numpy as np

from robot_io.sim import outlines
from robot_io.sim.scene import Layout, NoSuchScene, Recipe, Room, Thing, choose

NAME = "packing-shapes"
SHAPES = 5
SCALE = 0.075
"""Metres of a shape's largest extent."""
THICK = 0.025
BOX = (0.10, 0.15)
"""Metres between the box's walls: shortest, longest."""
STEP = 0.005
"""Metres; few sizes, few meshes to keep."""
WALL = 0.05
BROWN = (134 / 255, 88 / 255, 56 / 255)


@cache
def _grip(name: str) -> tuple[float, float]:
    x, y = outlines.grip_point(name)
    return x * SCALE, y * SCALE


def _names(recipe: Recipe, rng: np.random.Generator) -> list[str]:
    """The shapes of a scene, the goal's first."""
    every = outlines.SEEN + outlines.UNSEEN
    word = recipe.word.replace("-", " ")
    if word and word not in every:
        raise NoSuchScene(f"expected a shape among {', '.join(every)}, got {word!r}")
    if recipe.split.startswith("only:"):
        return [word, *choose(rng, [s for s in every if s != word], SHAPES - 1)]
    pool = {"seen": outlines.SEEN, "unseen": outlines.UNSEEN}.get(recipe.split, tuple(s for s in every if s != word))
    first = choose(rng, pool)[0]
    others = pool if recipe.split == "unseen" else [s for s in every if s != word]
    return [first, *choose(rng, [s for s in others if s != first], SHAPES - 1)]


def _shape(name: str, place: tuple[float, float], rng: np.random.Generator) -> Thing:
    size = outlines.extent(name) * SCALE
    rgb = colorsys.hsv_to_rgb(float(rng.random()), 0.65, 0.95)
    return Thing(
        "shape",
        (float(size[0]), float(size[1]), THICK),
        (*place, THICK / 2),
        float(rng.uniform(-np.pi, np.pi)),
        None,
        rgb,
        name,
        _grip(name),
    )


def build(recipe: Recipe, rng: np.random.Generator) -> Layout:
    """A layout: the box first, then the shapes, the goal's first."""
    names = _names(recipe, rng)
    width, depth = (round(float(v) / STEP) * STEP for v in rng.uniform(*BOX, 2))
    room = Room(rng)
    place = room.place(float(np.hypot(width, depth)) / 2 + 0.006)
    if place is None:
        raise RuntimeError("no room for the box")
    size = (width, depth, WALL)
    things = [Thing("box", size, (*place, WALL / 2), float(rng.uniform(-np.pi, np.pi)), "brown", BROWN, fixed=True)]
    for name in names:
        radius = float(max(np.linalg.norm(np.concatenate(outlines.pieces(name)), axis=1))) * SCALE
        spot = room.place(radius)
        if spot is None:
            raise RuntimeError(f"no room for the {name}")
        things.append(_shape(name, spot, rng))
    return Layout(f"pack the {names[0]} in the brown box", 1, tuple(things))
