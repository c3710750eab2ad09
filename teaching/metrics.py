"""What a history shows: rates with intervals, running counts, and the teacher's effort. Pure.

As in the paper: positive = asked. A wrong plan that was asked about is a true positive, one that went ahead
a false negative: a system failure. Random queries count as queries everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from teaching.types import Array, BadInput, Feedback, Outcome


class Interval(NamedTuple):
    """A closed interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """hits of n, with a 95 % Wilson interval."""

    hits: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.n:
            raise BadInput(f"expected hits from 0 to n, got {self.hits} of {self.n}")

    @property
    def value(self) -> float:
        """hits / n; NaN of nothing."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def interval(self) -> Interval:
        """Wilson's interval."""
        return wilson(self.hits, self.n)


def wilson(hits: int, n: int, *, z: float = 1.959964) -> Interval:
    """Wilson's score interval of a share (Wilson 1927); (0, 1) of nothing."""
    if not n:
        return Interval(0.0, 1.0)
    share, z2 = hits / n, z * z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(0.0 if hits == 0 else low, 1.0 if hits == n else high)


def paired_difference(better: int, worse: int, n: int, *, z: float = 1.959964) -> Interval:
    """An interval of the difference of two shares that were counted on the same n cases (Bonett and Price 2012).

    Args:
        better: cases that only the second one solved.
        worse: cases that only the first one solved.
        n: all cases.

    Returns:
        Of second − first, in [−1, 1]; all of it for no case.
    """
    if min(better, worse) < 0 or better + worse > n:
        raise BadInput(f"expected better + worse of at most n, got {better} + {worse} of {n}")
    if not n:
        return Interval(-1.0, 1.0)
    up, down = (better + 1) / (n + 2), (worse + 1) / (n + 2)
    half = z * float(np.sqrt((up + down - (up - down) ** 2) / (n + 2)))
    return Interval(max(-1.0, up - down - half), min(1.0, up - down + half))


@dataclass(frozen=True)
class Counts:
    """Decisions whose outcome is known, by what the gate did."""

    true_positive: int
    """Wrong and asked."""
    false_negative: int
    """Wrong and not asked: the system failed."""
    false_positive: int
    """Right and asked."""
    true_negative: int
    """Right and not asked."""

    @property
    def n(self) -> int:
        """All of them."""
        return self.true_positive + self.false_negative + self.false_positive + self.true_negative

    @property
    def sensitivity(self) -> Rate:
        """Of the wrong plans, those asked about."""
        return Rate(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> Rate:
        """Of the right plans, those left alone."""
        return Rate(self.true_negative, self.true_negative + self.false_positive)

    @property
    def system_success(self) -> Rate:
        """Decisions that were right or asked about."""
        return Rate(self.n - self.false_negative, self.n)

    @property
    def novice_success(self) -> Rate:
        """Decisions that were right."""
        return Rate(self.false_positive + self.true_negative, self.n)

    @property
    def query_rate(self) -> Rate:
        """Decisions that were asked about."""
        return Rate(self.true_positive + self.false_positive, self.n)


def count(asked: Array, outcome: Array) -> Counts:
    """Counts over decisions.

    Args:
        asked: (N,) bool, gated or at random.
        outcome: (N,) int: +1 the plan was right, −1 wrong; 0, not known, is left out.
    """
    a, r = np.asarray(asked, dtype=bool), np.asarray(outcome)
    if a.ndim != 1 or a.shape != r.shape:
        raise BadInput(f"expected two arrays of one shape (N,), got {a.shape} and {r.shape}")
    wrong, right = r < 0, r > 0
    return Counts(int(np.sum(wrong & a)), int(np.sum(wrong & ~a)), int(np.sum(right & a)), int(np.sum(right & ~a)))


def tracked(flags: Array, relevant: Array, window: int = 50) -> Array:
    """The running share of flags over the last `window` relevant rows.

    Sensitivity: `tracked(asked, outcome < 0)`; specificity: `tracked(~asked, outcome > 0)`; system success:
    `tracked(asked | (outcome > 0), outcome != 0)`.

    Args:
        flags: (N,) bool.
        relevant: (N,) bool, the rows that count.
        window: how many relevant rows back.

    Returns:
        (N,) float, NaN before the first relevant row.
    """
    f, r = np.asarray(flags, dtype=bool), np.asarray(relevant, dtype=bool)
    hits = np.concatenate([[0], np.cumsum(f[r])])
    seen = np.cumsum(r)
    past = np.maximum(seen - window, 0)
    share = np.full(len(f), np.nan)
    np.divide(hits[seen] - hits[past], seen - past, out=share, where=seen > 0)
    return share


def bootstrap(
    values: Array,
    rng: np.random.Generator,
    *,
    statistic: Callable[[Array], float] = np.mean,
    level: float = 0.95,
    draws: int = 2000,
) -> Interval:
    """Percentile bootstrap interval of a statistic of independent values (N,)."""
    v = np.asarray(values, dtype=np.float64)
    if not len(v):
        raise BadInput("expected at least one value to draw from, got none")
    drawn = np.array([statistic(v[rng.integers(0, len(v), len(v))]) for _ in range(draws)])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


ANSWERS = ("validate", "wrong", "unknown", "relabel", "demonstrate")


@dataclass(frozen=True)
class Costs:
    """Assumed seconds of a practised teacher per part of an answer: the targets of the Teach page, not measurements."""

    validate: float = 3.0
    """To say that a plan is right."""
    wrong: float = 3.0
    """To say that it is wrong, without more."""
    unknown: float = 3.0
    """To say that one cannot tell."""
    relabel: float = 5.0
    """To say what it would achieve instead, the verdict included."""
    demonstrate: float = 10.0
    """To show what is right, the verdict included."""

    def of(self, feedback: Feedback) -> float:
        """Seconds of one answer; a relabel and a demonstration in one answer add up."""
        parts = [part for part in kinds(feedback) if part in ("relabel", "demonstrate")] or kinds(feedback)
        return float(sum(getattr(self, part) for part in parts))

    def __str__(self) -> str:
        return ", ".join(f"{name} {getattr(self, name):g} s" for name in ANSWERS) + " (assumed)"


def kinds(feedback: Feedback) -> list[str]:
    """The parts of an answer, among ANSWERS: one or two."""
    if feedback.outcome == Outcome.SUCCESS:
        return ["validate" if feedback.demonstration is None else "demonstrate"]
    if feedback.outcome == Outcome.UNKNOWN:
        return ["unknown"]
    given = [("relabel", feedback.relabel), ("demonstrate", feedback.demonstration)]
    return [name for name, part in given if part is not None] or ["wrong"]


@dataclass(frozen=True)
class Effort:
    """What the answers cost the teacher."""

    answers: int
    parts: Mapping[str, int]
    """How many of each of ANSWERS."""
    seconds: float
    """Under the cost model, or measured."""


def effort(feedback: Iterable[Feedback], costs: Costs | None = None) -> Effort:
    """The effort of some answers under a cost model."""
    model = costs or Costs()
    parts = dict.fromkeys(ANSWERS, 0)
    answers, seconds = 0, 0.0
    for one in feedback:
        answers, seconds = answers + 1, seconds + model.of(one)
        for part in kinds(one):
            parts[part] += 1
    return Effort(answers, parts, seconds)
