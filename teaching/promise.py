"""Is the gate keeping its promise, and what did the teacher's minutes buy: figures over a lesson's columns.

Unbiased figures come from random questions alone: they are drawn whatever the gate says. Judged plans that the gate
chose are the ones it doubted, so their success says little about all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from teaching.metrics import ANSWERS, Interval, Rate
from teaching.types import Array, BadInput

MODES = ("sensitivity", "specificity", "success")
ENOUGH = 10
"""Cases below which a share is not told as known."""


def checks(decisions: Array) -> Array:
    """Decisions that were drawn at random and judged."""
    return np.asarray(decisions[decisions["random"] & (decisions["outcome"] != 0)])


def kept(decisions: Array, mode: str) -> Rate:
    """How often the gate alone, without random questions, kept a promise, over random checks."""
    if mode not in MODES:
        raise BadInput(f"expected a mode among {', '.join(MODES)}, got {mode!r}")
    hit, relevant = _kept(checks(decisions), mode)
    return Rate(int(np.sum(hit & relevant)), int(np.sum(relevant)))


def _kept(checked: Array, mode: str) -> tuple[Array, Array]:
    gated, outcome = checked["gated"], checked["outcome"]
    if mode == "sensitivity":
        return gated, outcome < 0
    if mode == "specificity":
        return ~gated, outcome > 0
    return gated | (outcome > 0), outcome != 0


def more_checks(rate: Rate, half: float = 0.05) -> int:
    """Further random checks that count, until a share is known to ± `half` (95 %, normal approximation)."""
    share = rate.value if rate.n >= ENOUGH and 0 < rate.hits < rate.n else 0.5
    return max(int(np.ceil(1.96**2 * share * (1 - share) / half**2)) - rate.n, 0)


class Course(NamedTuple):
    """A share as it went, with its interval at each step."""

    at: Array
    share: Array
    low: Array
    high: Array


def course(decisions: Array, mode: str, window: int = 50, most: int = 200) -> Course:
    """A promise over the last `window` random checks that count, at up to `most` decisions."""
    where = np.flatnonzero(decisions["random"] & (decisions["outcome"] != 0))
    hit, relevant = _kept(decisions[where], mode)
    where, flags = where[relevant], hit[relevant]
    ends = np.unique(np.linspace(0, len(flags) - 1, most).astype(int)) if len(flags) else np.zeros(0, int)
    sums = np.concatenate([[0], np.cumsum(flags)])
    rates = [Rate(int(sums[e + 1] - sums[max(e + 1 - window, 0)]), min(e + 1, window)) for e in ends]
    intervals = [r.interval for r in rates]
    return Course(
        where[ends] + 1, np.array([r.value for r in rates]), np.array([i.low for i in intervals]),
        np.array([i.high for i in intervals]),
    )  # fmt: skip


@dataclass(frozen=True)
class Gain:
    """What the minutes bought: success in the earlier and the later half of the random checks."""

    before: Rate
    after: Rate
    minutes: float
    """Teacher's time between the middles of the halves."""

    @property
    def known(self) -> bool:
        """Whether there are enough cases to tell anything."""
        return min(self.before.n, self.after.n) >= ENOUGH and self.minutes > 0

    @property
    def per_minute(self) -> float:
        """Points of success (of 100) gained per minute of the teacher."""
        return 100 * (self.after.value - self.before.value) / self.minutes

    @property
    def interval(self) -> Interval:
        """Of `per_minute`: Newcombe's interval for a difference of two shares (1998, method 10)."""
        p, q = self.before, self.after
        low = q.value - p.value - np.hypot(q.value - q.interval.low, p.interval.high - p.value)
        high = q.value - p.value + np.hypot(q.interval.high - q.value, p.value - p.interval.low)
        return Interval(100 * float(low) / self.minutes, 100 * float(high) / self.minutes)


def gain(decisions: Array) -> Gain:
    """Success of the novice's plans, early against late, over random checks, and the minutes in between."""
    where = np.flatnonzero(decisions["random"] & (decisions["outcome"] != 0))
    right, half = decisions["outcome"][where] > 0, len(where) // 2
    spent = np.cumsum(np.nan_to_num(decisions["seconds"])) / 60
    middle = [int(where[len(where) // 4]), int(where[(3 * len(where)) // 4])] if len(where) else [0, 0]
    minutes = float(spent[middle[1]] - spent[middle[0]]) if len(where) else 0.0
    early, late = right[:half], right[half:]
    return Gain(Rate(int(early.sum()), len(early)), Rate(int(late.sum()), len(late)), minutes)


class Trend(NamedTuple):
    """Quantiles of something over pieces of the lesson."""

    at: Array
    low: Array
    middle: Array
    high: Array


def trend(values: Array, pieces: int = 120, spread: float = 0.8) -> Trend:
    """Median and the middle `spread` of (N,) values in up to `pieces` equal pieces; NaN are passed over."""
    n = len(values)
    edges = np.unique(np.linspace(0, n, min(pieces, max(n, 1)) + 1).astype(int))
    rows = []
    for start, stop in pairwise(edges):
        piece = values[start:stop]
        piece = piece[np.isfinite(piece)]
        quantiles = np.quantile(piece, [0.5 - spread / 2, 0.5, 0.5 + spread / 2]) if len(piece) else [np.nan] * 3
        rows.append([(start + stop + 1) / 2, *quantiles])
    return Trend(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def asked_share(decisions: Array, window: int = 100) -> Array:
    """(N,) share of the last `window` decisions that were asked about."""
    sums = np.concatenate([[0], np.cumsum(decisions["gated"] | decisions["random"])])
    stop = np.arange(1, len(decisions) + 1)
    start = np.maximum(stop - window, 0)
    return np.asarray((sums[stop] - sums[start]) / (stop - start))


class Reliability(NamedTuple):
    """Judged plans by uncertainty."""

    edges: Array
    rates: tuple[Rate, ...]
    """Of the wrong ones."""


def reliability(decisions: Array, bins: int = 8) -> Reliability:
    """Share of wrong plans among the judged ones in equal bins of uncertainty over [0, 1]."""
    judged = decisions[decisions["outcome"] != 0]
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(judged["uncertainty"], edges) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    wrong = np.bincount(place, weights=judged["outcome"] < 0, minlength=bins)
    return Reliability(edges, tuple(Rate(int(w), int(n)) for w, n in zip(wrong, count, strict=True)))


def kinds_over_time(decisions: Array, pieces: int = 20) -> tuple[Array, dict[str, Array]]:
    """Where each piece of the answered decisions ends, and per part of an answer its share in it."""
    answered = np.flatnonzero(decisions["answered"])
    edges = np.unique(np.linspace(0, len(answered), min(pieces, max(len(answered), 1)) + 1).astype(int))
    said = decisions["said"][answered]
    shares: dict[str, list[float]] = {name: [] for name in ANSWERS}
    for start, stop in pairwise(edges):
        counts = [int(np.sum((said[start:stop] >> bit) & 1)) for bit in range(len(ANSWERS))]
        for name, count in zip(ANSWERS, counts, strict=True):
            shares[name].append(count / max(sum(counts), 1))
    return np.arange(1, len(edges)), {name: np.array(v) for name, v in shares.items()}


def consistency(repeats: Sequence[bool]) -> Rate:
    """How often a teacher who was asked the same thing twice said the same."""
    return Rate(sum(repeats), len(repeats))


def blind_against_shown(decisions: Array) -> tuple[Rate, Rate]:
    """Plans said to be right with the novice's confidence hidden, and shown, over random checks alone."""
    checked = checks(decisions)
    found = [checked["outcome"][checked["blind"] == hidden] > 0 for hidden in (True, False)]
    return Rate(int(found[0].sum()), len(found[0])), Rate(int(found[1].sum()), len(found[1]))
