"""What stands on the simulated table: things, recipes, layouts, and where there is room. Numpy only.

A layout follows from (task, seed, split) alone, through one generator.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from robot_io.arm import ArmError

REACH = (0.30, 0.72)
"""Metres from the arm's axis within which things are placed."""
EDGE = 0.02
"""Metres that things keep from the edge of the map."""


class NoSuchScene(ArmError):
    """A task or a split that the table does not know."""


@dataclass(frozen=True)
class Recipe:
    """Everything that a scene follows from."""

    seed: int
    task: str
    split: str = "seen"
    """"seen", "unseen", "only:WORD" (every goal is about that colour or shape) or "without:WORD" (it never appears)."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise NoSuchScene(f"expected a seed of 0 or more, got {self.seed}")
        kind, _, word = self.split.partition(":")
        if kind not in ("seen", "unseen", "only", "without") or (kind in ("only", "without")) != bool(word):
            raise NoSuchScene(
                f"expected the split seen, unseen, only:WORD or without:WORD, like only:purple, got {self.split!r}"
            )

    @property
    def word(self) -> str:
        """The colour or shape of an only: or without: split, else nothing."""
        return self.split.partition(":")[2]

    def generator(self) -> np.random.Generator:
        """A generator of this recipe's own."""
        return np.random.default_rng([self.seed, zlib.crc32(self.task.encode()), zlib.crc32(self.split.encode())])


@dataclass(frozen=True)
class Thing:
    """One object as it is first put down."""

    kind: str
    """"block", "bowl", "box" or "shape"."""
    size: tuple[float, float, float]
    """Metres along its own axes."""
    position: tuple[float, float, float]
    """Its centre, metres."""
    yaw: float = 0.0
    colour: str | None = None
    rgb: tuple[float, float, float] = (0.5, 0.5, 0.5)
    shape: str | None = None
    """Which outline, for kind "shape"."""
    grip: tuple[float, float] = (0.0, 0.0)
    """Where it can be held: an offset from its centre along its own x and y axes."""
    fixed: bool = False
    """Stands firm, like a bowl that is screwed on."""


@dataclass(frozen=True)
class Layout:
    """A scene before anything moves."""

    goal: str
    max_steps: int
    """Plans allowed in one episode."""
    things: tuple[Thing, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    arms: int = 1
    """How many arms it takes."""


class Rules(Protocol):
    """What is done tick by tick in a scene, and what the arm perceives of it."""

    state: dict[str, Any]
    """Everything it remembers."""

    def after(self, table: Any) -> None:
        """One tick has passed."""

    def sense(self, table: Any) -> dict[str, Any]:
        """What the arm perceives, by name."""

    def truth(self) -> Mapping[str, Any]:
        """What is done, and how: plain values."""


Builder = Callable[[Recipe, np.random.Generator], Layout]


class Room:
    """Hands out free places on the table; things are discs here."""

    def __init__(
        self, rng: np.random.Generator, *, x: tuple[float, float] = (0.25, 0.75), y: tuple[float, float] = (-0.5, 0.5)
    ) -> None:
        self._rng, self._x, self._y = rng, x, y
        self._taken: list[tuple[float, float, float]] = []

    def place(self, radius: float, *, gap: float = 0.015, tries: int = 400) -> tuple[float, float] | None:
        """A free (x, y) for a disc, or None if none was found."""
        margin = radius + EDGE
        for _ in range(tries):
            x = self._rng.uniform(self._x[0] + margin, self._x[1] - margin)
            y = self._rng.uniform(self._y[0] + margin, self._y[1] - margin)
            if not REACH[0] <= np.hypot(x, y) <= REACH[1]:
                continue
            if all(np.hypot(x - u, y - v) >= radius + r + gap for u, v, r in self._taken):
                self._taken.append((x, y, radius))
                return float(x), float(y)
        return None


def choose(rng: np.random.Generator, words: Sequence[str], n: int = 1) -> list[str]:
    """n different words."""
    return [words[i] for i in rng.permutation(len(words))[:n]]


def _builders() -> dict[str, Builder]:
    from robot_io.sim import hold_and_insert, packing_shapes, peg_and_button, put_block_in_bowl, stack_blocks

    every = (put_block_in_bowl, packing_shapes, stack_blocks, peg_and_button, hold_and_insert)
    return {module.NAME: module.build for module in every}


def rules_of(recipe: Recipe, layout: Layout) -> Rules | None:
    """What is done tick by tick, for the scenes that count it."""
    from robot_io.sim import hold_and_insert, peg_and_button

    made: dict[str, Callable[[Recipe, Layout], Rules]] = {
        peg_and_button.NAME: peg_and_button.Rules,
        hold_and_insert.NAME: hold_and_insert.Rules,
    }
    return made[recipe.task](recipe, layout) if recipe.task in made else None


_FOR_TWO = ("hold-and-insert",)


def tasks(arms: int = 1) -> tuple[str, ...]:
    """The names of the scenes for so many arms."""
    return tuple(name for name in _builders() if (name in _FOR_TWO) == (arms == 2))


def lay_out(recipe: Recipe) -> Layout:
    """The layout of a recipe; NoSuchScene lists the tasks, or the words of an only: or without: split."""
    builders = _builders()
    if recipe.task not in builders:
        raise NoSuchScene(f"expected a task among {', '.join(builders)}, got {recipe.task!r}")
    return builders[recipe.task](recipe, recipe.generator())
