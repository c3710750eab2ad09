"""Put the {colour} blocks in a {colour} bowl: one to three bowls, at most as many blocks, six distractors.

Section 6 of the paper's tasks: while a scene is of the seen split, distractors still come in every colour.
"""

from __future__ import annotations

import numpy as np

from robot_io.sim.scene import Layout, NoSuchScene, Recipe, Room, Thing, choose

NAME = "put-block-in-bowl"
COLOURS: dict[str, tuple[int, int, int]] = {
    "blue": (59, 105, 190),
    "red": (224, 60, 64),
    "green": (72, 164, 66),
    "yellow": (240, 208, 60),
    "brown": (134, 88, 56),
    "gray": (150, 150, 150),
    "cyan": (90, 200, 205),
    "orange": (244, 140, 36),
    "purple": (140, 76, 168),
    "pink": (250, 158, 184),
    "white": (248, 248, 248),
}
SEEN = ("blue", "red", "green", "yellow", "brown", "gray", "cyan")
UNSEEN = ("blue", "red", "green", "orange", "purple", "pink", "white")
BLOCK = 0.04
BOWL = (0.12, 0.12, 0.045)
DISTRACTORS = 6


def _goal_colours(recipe: Recipe, rng: np.random.Generator) -> tuple[str, str]:
    """(block, bowl) colours of the goal."""
    word = recipe.word
    if word and word not in COLOURS:
        raise NoSuchScene(f"expected a colour among {', '.join(COLOURS)}, got {word!r}")
    if recipe.split in ("seen", "unseen"):
        block, bowl = choose(rng, SEEN if recipe.split == "seen" else UNSEEN, 2)
        return block, bowl
    others = [c for c in COLOURS if c != word]
    if recipe.split.startswith("without:"):
        block, bowl = choose(rng, others, 2)
        return block, bowl
    pair = [word, choose(rng, others)[0]]
    return (pair[0], pair[1]) if rng.random() < 0.5 else (pair[1], pair[0])


def _thing(kind: str, colour: str, place: tuple[float, float], rng: np.random.Generator) -> Thing:
    rgb = tuple(c / 255 for c in COLOURS[colour])
    size = BOWL if kind == "bowl" else (BLOCK, BLOCK, BLOCK)
    yaw = 0.0 if kind == "bowl" else float(rng.uniform(-np.pi, np.pi))
    return Thing(kind, size, (*place, size[2] / 2), yaw, colour, (rgb[0], rgb[1], rgb[2]), fixed=kind == "bowl")


def build(recipe: Recipe, rng: np.random.Generator) -> Layout:
    """A layout; things of the goal come first, bowls before blocks."""
    block, bowl = _goal_colours(recipe, rng)
    bowls = int(rng.integers(1, 4))
    blocks = int(rng.integers(1, bowls + 1))
    wanted = [("bowl", bowl)] * bowls + [("block", block)] * blocks
    word = recipe.word if recipe.split.startswith("without:") else ""
    spare = [c for c in COLOURS if c not in (block, bowl, word)]
    wanted += [("block" if rng.random() < 0.5 else "bowl", choose(rng, spare)[0]) for _ in range(DISTRACTORS)]
    room, things = Room(rng), []
    for kind, colour in wanted:
        place = room.place(BOWL[0] / 2 if kind == "bowl" else BLOCK * 0.71)
        if place is not None:
            things.append(_thing(kind, colour, place, rng))
        elif len(things) < bowls + blocks:
            raise RuntimeError(f"no room for the goal's own {colour} {kind}")
    return Layout(f"put the {block} blocks in a {bowl} bowl", blocks, tuple(things))
