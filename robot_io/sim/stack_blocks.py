"""Stack the {colour} block on the {colour} block, then the {colour} one: two or three blocks of a goal, among others.

In the family of CLIPort's stacking tasks, with its colours, seen and unseen. No two blocks of a scene have one colour.
"""

from __future__ import annotations

import numpy as np

from robot_io.sim.put_block_in_bowl import BLOCK, COLOURS, SEEN, UNSEEN
from robot_io.sim.scene import Layout, NoSuchScene, Recipe, Room, Thing, choose

NAME = "stack-blocks"
BLOCKS = 6
"""Of a scene, the goal's among them."""


def _goal_colours(recipe: Recipe, many: int, rng: np.random.Generator) -> list[str]:
    """Colours of the goal's blocks: what is stacked first, what that stands on, what comes on top."""
    word = recipe.word
    if word and word not in COLOURS:
        raise NoSuchScene(f"expected a colour among {', '.join(COLOURS)}, got {word!r}")
    if recipe.split in ("seen", "unseen"):
        return choose(rng, SEEN if recipe.split == "seen" else UNSEEN, many)
    others = choose(rng, [c for c in COLOURS if c != word], many)
    if recipe.split.startswith("only:"):
        others[int(rng.integers(many))] = word
    return others


def wording(colours: list[str]) -> str:
    """The goal in words."""
    first, base, *more = colours
    return f"stack the {first} block on the {base} block" + "".join(f" then the {colour} one" for colour in more)


def build(recipe: Recipe, rng: np.random.Generator) -> Layout:
    """A layout: the goal's blocks first, in the order in which the goal names them."""
    many = int(rng.integers(2, 4))
    colours = _goal_colours(recipe, many, rng)
    word = recipe.word if recipe.split.startswith("without:") else ""
    spare = choose(rng, [c for c in COLOURS if c not in colours and c != word], BLOCKS - many)
    room, things = Room(rng), []
    for colour in (*colours, *spare):
        place = room.place(BLOCK * 0.71, gap=0.03)
        if place is None:
            raise RuntimeError(f"no room for the {colour} block")
        red, green, blue = (c / 255 for c in COLOURS[colour])
        yaw = float(rng.uniform(-np.pi, np.pi))
        things.append(Thing("block", (BLOCK,) * 3, (*place, BLOCK / 2), yaw, colour, (red, green, blue)))
    return Layout(wording(colours), many - 1, tuple(things))
