"""Why each demonstration is drawn as often as it is, and what other settings would draw. Trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from teaching.priority import Terms, terms
from teaching.replay.columns import Columns
from teaching.sampling import Drawer, Sampling, Stock
from teaching.types import Array, Rows

AGES = ("newest fifth", "second fifth", "third fifth", "fourth fifth", "oldest fifth")


@dataclass(frozen=True)
class Shares:
    """The demonstrations in force, M of them, under one setting."""

    how: Sampling
    rows: Array
    """(M,) their positions in `Columns.demonstrations`."""
    terms: Terms
    """(M,) each; before what was set by hand."""
    priority: Array
    """(M,) after it."""
    probability: Array
    """(M,) chance of each draw."""
    weight: Array
    """(M,) how much a drawn one counts in the loss."""

    def __len__(self) -> int:
        return len(self.rows)


def setting_of(columns: Columns) -> Sampling:
    """The setting that the lesson trains with."""
    return Sampling.of(columns.lesson.get("training") or {})


def shares(columns: Columns, how: Sampling) -> Shares:
    """The same figures as training's own, from the columns."""
    rows = np.flatnonzero(columns.in_force)
    stored, decided = columns.demonstrations, columns.decisions
    count = len(rows)
    names = ("uncertainty", "outcome", "update")
    history = Rows(*(np.concatenate([stored[n][rows], decided[n]]) for n in names))  # largest and newest are over all
    stock = Stock(history, np.arange(count), stored["weight"][rows], stored["pinned"][rows])
    whole = terms(history.uncertainty, history.outcome, history.update, b=how.b, lam=how.lam)
    own = Terms(**{name: getattr(whole, name)[:count] for name in Terms.__dataclass_fields__})
    probability, weight = stock.distribution(how)
    return Shares(how, rows, own, stock.priority(how), probability, weight)


class Part(NamedTuple):
    """One step from the neutral priority 1 to what it is."""

    label: str
    change: float


def waterfall(found: Shares, n: int, factor: float, pinned: bool) -> list[Part]:
    """How the priority of one demonstration comes about, step by step from 1; the changes add up to it."""
    t, how = found.terms, found.how
    parts: list[Part] = []
    reached = 1.0
    if not np.isnan(t.u_scaled[n]):
        r, u, age = float(t.outcome[n]), float(t.u_scaled[n]), float(t.age_scaled[n])
        label = {1.0: "its plan was right", -1.0: "its plan was wrong"}.get(r, "nobody judged its plan")
        for name, c in ((label, 0.0), (f"unsure {u:.2f}", how.lam * u), (f"age {age:.2f}", float(t.c[n]))):
            after = 1.0 - r * _f(c, how.b)
            parts.append(Part(name, after - reached))
            reached = after
    by_hand = reached * factor
    if factor != 1.0:
        parts.append(Part(f"by hand × {factor:g}", by_hand - reached))
    if pinned:
        parts.append(Part("pinned", max(by_hand, 1.0) - by_hand))
    return parts


def _f(c: float, b: float) -> float:
    return 1.0 - c if np.isclose(b, 1.0) else float((b ** (1.0 - c) - 1.0) / (b - 1.0))


def batch(found: Shares, size: int, seed: int) -> Array:
    """(size,) positions among the M that a batch would hold; the same seed draws the same luck for any setting."""
    if not len(found):
        return np.zeros(0, np.int64)
    return Drawer(found.probability).draw(size, np.random.default_rng(seed))


class Group(NamedTuple):
    """Some demonstrations together."""

    name: str
    stored: float
    """Share of what is stored."""
    drawn: float
    """Share of what is drawn."""
    size: int


def groups(columns: Columns, found: Shares, by: str, most: int = 12) -> list[Group]:
    """Shares by "goal", "kind", "teacher" or "age", the largest first, ages in order; small ones are put together."""
    if not len(found):
        return []
    if by == "age":
        code = np.clip((found.terms.age_scaled * 5).astype(int), 0, 4)
        return [g for g in _grouped(code, found.probability, AGES) if g.size]
    code = columns.demonstrations[by][found.rows].astype(
        np.int64
    )  # small numbers: counting them is far cheaper than sorting them
    names = [columns.word(c) for c in range(int(code.max()) + 1)]
    every = sorted((g for g in _grouped(code, found.probability, names) if g.size), key=lambda g: -g.drawn)
    if len(every) <= most:
        return every
    rest = every[most - 1 :]
    others = Group(
        f"{len(rest)} others", sum(g.stored for g in rest), sum(g.drawn for g in rest), sum(g.size for g in rest)
    )
    return [*every[: most - 1], others]


def _grouped(code: Array, probability: Array, names: Sequence[str]) -> list[Group]:
    count = np.bincount(code, minlength=len(names))
    drawn = np.bincount(code, weights=probability, minlength=len(names))
    return [Group(name, count[i] / len(code), float(drawn[i]), int(count[i])) for i, name in enumerate(names)]


class Bins(NamedTuple):
    """Points put together on a grid, for charts of very many."""

    x: Array
    y: Array
    size: Array
    """How many points are in it."""
    mass: Array
    """Sum of their probabilities."""
    member: Array
    """(M,) the bin of each point; −1 for points that were not put in."""


def binned(x: Array, y: Array, mass: Array, which: Array, grid: tuple[int, int] = (56, 36)) -> Bins:
    """The points `which` (M,) bool on a grid over [−0.1, 1.05] × [−0.05, 1.05]."""
    column = np.clip(((x + 0.1) / 1.15 * grid[0]).astype(int), 0, grid[0] - 1)
    row = np.clip(((y + 0.05) / 1.1 * grid[1]).astype(int), 0, grid[1] - 1)
    cell = np.where(which, column * grid[1] + row, -1)
    cells, inverse = np.unique(cell[which], return_inverse=True)
    member = np.full(len(x), -1)
    member[which] = inverse
    centre = ((cells // grid[1] + 0.5) / grid[0] * 1.15 - 0.1, (cells % grid[1] + 0.5) / grid[1] * 1.1 - 0.05)
    count = np.bincount(inverse, minlength=len(cells))
    return Bins(*centre, count, np.bincount(inverse, weights=mass[which], minlength=len(cells)), member)
