"""Stack the {colour} block on the {colour} block, then the {colour} one. Pure.

The order of the words is the order of the work: a block counts once it lies on the one that the goal says, and one that
came before its turn counts for nothing. 1/n of the reward for each of the n blocks that are to be moved.
"""

from __future__ import annotations

import itertools

import numpy as np

from teaching.task import Truth
from teaching.tasks.put_block_in_bowl import COLOURS, SYNONYMS
from teaching.tasks.things import Thing, bottom, flat, grip, near, of_kind, pick_and_place, words
from teaching.types import BadInput, Plan, checked_goal

ON = frozenset(("on", "onto", "upon", "over"))
MOST = 4
"""Blocks that a goal may name."""
WITHIN = 0.02
"""Metres between the middles of a block and of the one that it lies on, seen from above: half a block."""
TOUCH = 0.012
"""Metres between its underside and the other's top."""
SPREAD = 0.004
"""Metres around the middle of a block's top where the teacher takes hold."""


def wording(first: str, base: str, *more: str) -> str:
    """The goal in its standard words: what is stacked first, what that stands on, what follows on top."""
    return f"stack the {first} block on the {base} block" + "".join(f" then the {colour} one" for colour in more)


def read(goal: str) -> tuple[str, ...]:
    """The colours that a goal names, as `wording` takes them, in whatever words; BadInput if they are not clear."""
    said = [SYNONYMS.get(word, word) for word in words(checked_goal(goal))]
    named = [word for word in said if word in COLOURS]
    cut = next((i for i, word in enumerate(said) if word in ON), 0)
    before = sum(word in COLOURS for word in said[:cut])
    if before != 1 or not 2 <= len(named) <= MOST or len(set(named)) != len(named):
        raise BadInput(
            f"expected a goal that names blocks of different colours in their order, like "
            f"{wording('red', 'green', 'blue')!r}, out of {', '.join(COLOURS)}, got {goal!r}"
        )
    return tuple(named)


def tower(goal: str) -> tuple[str, ...]:
    """The goal's colours from the bottom up."""
    first, base, *more = read(goal)
    return (base, first, *more)


def _blocks(truth: Truth) -> dict[str, Thing]:
    """By colour; the first of each."""
    found: dict[str, Thing] = {}
    for block in of_kind(truth, "block"):
        found.setdefault(str(block["colour"]), block)
    return found


def _top(block: Thing) -> float:
    return bottom(block) + float(block["size"][2])


def _is_on(block: Thing, base: Thing) -> bool:
    aside = float(np.linalg.norm(flat(block) - flat(base)))
    return aside < WITHIN and abs(bottom(block) - _top(base)) < TOUCH


def _is_free(block: Thing, truth: Truth) -> bool:
    """Nothing lies on it."""
    return not any(_is_on(other, block) for other in of_kind(truth, "block") if other is not block)


def _standing(goal: str, truth: Truth) -> int:
    """How many of the goal's blocks lie where they belong, from the bottom up."""
    blocks, colours = _blocks(truth), tower(goal)
    for done, (base, block) in enumerate(itertools.pairwise(colours)):
        if base not in blocks or block not in blocks or not _is_on(blocks[block], blocks[base]):
            return done
    return len(colours) - 1


def _next(goal: str, truth: Truth) -> tuple[Thing, Thing] | None:
    """The block to take now and the one to put it on; None: all stand, or one is missing or buried."""
    blocks, colours, done = _blocks(truth), tower(goal), _standing(goal, truth)
    if done == len(colours) - 1 or any(colour not in blocks for colour in colours):
        return None
    base, block = blocks[colours[done]], blocks[colours[done + 1]]
    return (block, base) if _is_free(block, truth) and _is_free(base, truth) else None


class StackBlocks:
    """Blocks belong on one another, in the order of the words."""

    name = "stack-blocks"
    example = wording("red", "green", "blue")

    def goals(self, truth: Truth) -> tuple[str, ...]:
        """Every block on every other, the scene's own goal first."""
        colours = tuple(_blocks(truth))
        every = (wording(block, base) for block in colours for base in colours if block != base)
        return tuple(dict.fromkeys([truth["goal"], *every]))

    def check(self, goal: str) -> str:
        """The goal in its standard words."""
        return wording(*read(goal))

    def progress(self, goal: str, truth: Truth) -> float:
        """The share of the blocks to be moved that stand, counted from the bottom."""
        return _standing(goal, truth) / (len(tower(goal)) - 1)

    def reward(self, goal: str, before: Truth, after: Truth) -> float:
        """The rise in progress, never below 0."""
        return max(0.0, self.progress(goal, after) - self.progress(goal, before))

    def best_step(self, goal: str, before: Truth) -> float:
        """1/n while the next block can be taken and put where it belongs, else 0."""
        return 0.0 if _next(goal, before) is None else 1 / (len(tower(goal)) - 1)

    def achieved(self, goal: str, before: Truth, after: Truth) -> tuple[str, ...]:
        """Goals of blocks that came to lie on others: of these two alone, then of all that stands below."""
        was, now, asked = _blocks(before), _blocks(after), self.check(goal)
        found = []
        for colour, block in now.items():
            for base, other in now.items():
                if colour != base and _is_on(block, other) and not _is_on(was[colour], was[base]):
                    found.append(wording(colour, base))
                    below = next((c for c, b in was.items() if c != base and _is_on(was[base], b)), None)
                    found += [wording(base, below, colour)] if below is not None else []
        return tuple(text for text in dict.fromkeys(found) if text != asked)

    def demonstrate(self, goal: str, truth: Truth, rng: np.random.Generator) -> Plan | None:
        """The next block, taken near the middle of its top, so that its middle comes over that of the one below."""
        pair = _next(goal, truth)
        if pair is None:
            return None
        block, base = pair
        pick = near(grip(block), SPREAD, rng)
        place = np.append(flat(base) + pick[:2] - flat(block), _top(base) + float(block["size"][2]))
        return Plan(pick_and_place(pick, place), goal)


TASK = StackBlocks()
