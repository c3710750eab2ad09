"""Put the {colour} blocks in a {colour} bowl. Pure.

As in the paper's tasks: a block counts when it lies within 5 cm of a bowl of the goal's colour, 1/n of the reward each.
"""

from __future__ import annotations

import numpy as np

from teaching.task import Truth
from teaching.tasks.things import Thing, bottom, flat, grip, near, of_kind, pick_and_place, words
from teaching.types import BadInput, Plan, checked_goal

COLOURS = ("blue", "red", "green", "yellow", "brown", "gray", "cyan", "orange", "purple", "pink", "white")
SYNONYMS = {"grey": "gray", "violet": "purple", "turquoise": "cyan"}
BLOCK_WORDS = frozenset(("block", "blocks", "cube", "cubes", "brick", "bricks"))
BOWL_WORDS = frozenset(("bowl", "bowls", "dish", "dishes"))
WITHIN = 0.05
"""Metres between the centres of a block and of the bowl that it is in."""
INSIDE = 0.45
"""The same as a share of the bowl's width, for bowls so small that `WITHIN` would be outside."""
FLOOR = 0.006
"""Metres from a bowl's underside to where a block comes to lie."""
SPREAD = 0.008
"""Metres around the middle of a block's top where the teacher takes hold."""


def wording(block: str, bowl: str) -> str:
    """The goal in its standard words."""
    return f"put the {block} blocks in a {bowl} bowl"


def read(goal: str) -> tuple[str, str]:
    """The (block, bowl) colours that a goal names, in whatever words; BadInput if they are not clear."""
    said = [SYNONYMS.get(word, word) for word in words(checked_goal(goal))]
    named: dict[str, str] = {}
    loose = []
    for word, following in zip(said, [*said[1:], ""], strict=True):
        if word in COLOURS:
            kind = "block" if following in BLOCK_WORDS else "bowl" if following in BOWL_WORDS else ""
            loose += [word] if not kind or named.setdefault(kind, word) != word else []
    for kind in ("block", "bowl"):
        if kind not in named and loose:
            named[kind] = loose.pop(0)
    if len(named) < 2 or loose:
        raise BadInput(
            f"expected a goal that names one colour of blocks and one of bowls, like {wording('red', 'green')!r}, "
            f"out of {', '.join(COLOURS)}, got {goal!r}"
        )
    return named["block"], named["bowl"]


def _coloured(truth: Truth, kind: str, colour: str) -> list[Thing]:
    return [thing for thing in of_kind(truth, kind) if thing["colour"] == colour]


def _is_in(block: Thing, bowl: Thing) -> bool:
    return float(np.linalg.norm(flat(block) - flat(bowl))) < min(WITHIN, INSIDE * float(bowl["size"][0]))


def _left(goal: str, truth: Truth) -> tuple[list[Thing], list[Thing], int]:
    """The blocks still to be moved, the bowls of the goal, and how many blocks the goal has."""
    block, bowl = read(goal)
    blocks, bowls = _coloured(truth, "block", block), _coloured(truth, "bowl", bowl)
    return [b for b in blocks if not any(_is_in(b, w) for w in bowls)], bowls, len(blocks)


class PutBlockInBowl:
    """The blocks of one colour belong in bowls of another."""

    name = "put-block-in-bowl"
    example = wording("red", "green")

    def goals(self, truth: Truth) -> tuple[str, ...]:
        """Every block colour with every other bowl colour of the scene, its own goal first."""
        blocks = dict.fromkeys(b["colour"] for b in of_kind(truth, "block"))
        bowls = dict.fromkeys(b["colour"] for b in of_kind(truth, "bowl"))
        every = (wording(block, bowl) for block in blocks for bowl in bowls if block != bowl)
        return tuple(dict.fromkeys([truth["goal"], *every]))

    def check(self, goal: str) -> str:
        """The goal in its standard words."""
        return wording(*read(goal))

    def progress(self, goal: str, truth: Truth) -> float:
        """The share of the goal's blocks that are in a bowl of the goal; 0 without such blocks."""
        left, _, n = _left(goal, truth)
        return (n - len(left)) / n if n else 0.0

    def reward(self, goal: str, before: Truth, after: Truth) -> float:
        """1/n per block that came to its place, less those that left it; never below 0."""
        return max(0.0, self.progress(goal, after) - self.progress(goal, before))

    def best_step(self, goal: str, before: Truth) -> float:
        """1/n while a block is left and there is a bowl, else 0."""
        left, bowls, n = _left(goal, before)
        return 1.0 / n if left and bowls else 0.0

    def achieved(self, goal: str, before: Truth, after: Truth) -> tuple[str, ...]:
        """Goals of blocks that came into bowls which were empty before; the block nearest its bowl's centre first.

        A bowl of the block's own colour, and the goal itself, give none.
        """
        earlier = {block["id"]: block for block in of_kind(before, "block")}
        empty = {w["id"] for w in of_kind(before, "bowl") if not any(_is_in(b, w) for b in earlier.values())}
        found = []
        for block in of_kind(after, "block"):
            for bowl in of_kind(after, "bowl"):
                if bowl["id"] in empty and bowl["colour"] != block["colour"] and _is_in(block, bowl):
                    away = float(np.linalg.norm(flat(block) - flat(bowl)))
                    found.append((away, wording(block["colour"], bowl["colour"])))
        asked = self.check(goal)
        return tuple(dict.fromkeys(text for _, text in sorted(found) if text != asked))

    def demonstrate(self, goal: str, truth: Truth, rng: np.random.Generator) -> Plan | None:
        """The block farthest from its bowl, taken near the middle of its top, into the nearest free bowl's middle."""
        left, bowls, _ = _left(goal, truth)
        if not left or not bowls:
            return None
        crowd = [sum(_is_in(b, w) for b in of_kind(truth, "block")) for w in bowls]
        free = [w for w, n in zip(bowls, crowd, strict=True) if n == min(crowd)]
        away = np.array([[np.linalg.norm(flat(b) - flat(w)) for w in free] for b in left])
        chosen = int(away.min(axis=1).argmax())
        block, bowl = left[chosen], free[int(away[chosen].argmin())]
        z = bottom(bowl) + FLOOR + float(block["size"][2])
        place = np.append(flat(bowl), z)
        spread = min(SPREAD, float(block["size"][0]) / 4)
        return Plan(pick_and_place(near(grip(block), spread, rng), place), goal)


TASK = PutBlockInBowl()
