"""What a lesson changed: right plans against the teacher's minutes, and goal by goal, early against late. Pure.

Over random checks alone, which come whatever the gate says: plans that the gate chose are the ones it doubts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from teaching.metrics import Rate, wilson
from teaching.promise import ENOUGH, Course, checks
from teaching.types import Array


class Shift(NamedTuple):
    """Right plans in random checks, in the earlier and in the later half of the lesson."""

    goal: int
    """Code of the goal; −1 for those of few checks together."""
    before: Rate
    after: Rate

    @property
    def known(self) -> bool:
        """Whether there are enough cases on both sides to say anything."""
        return min(self.before.n, self.after.n) >= ENOUGH


def against_minutes(decisions: Array, window: int = 50, most: int = 120) -> Course:
    """Right plans over the latest `window` random checks, with its interval, at the minutes that the teacher had spent.

    Args:
        decisions: (N,) as `teaching.replay.columns` has them.
        window: checks.
        most: points of the curve.

    Returns:
        `at` in minutes of answering, from the beginning of the lesson.
    """
    where = np.flatnonzero(decisions["random"] & (decisions["outcome"] != 0))
    minutes = np.cumsum(np.nan_to_num(decisions["seconds"]))[where] / 60
    sums = np.concatenate([[0], np.cumsum(decisions["outcome"][where] > 0)])
    first = min(ENOUGH, len(where))
    ends = np.unique(np.linspace(first, len(where), most).astype(int)) if len(where) >= ENOUGH else np.zeros(0, int)
    rates = [Rate(int(sums[e] - sums[max(e - window, 0)]), min(int(e), window)) for e in ends]
    edges = [wilson(r.hits, r.n) for r in rates]
    shares = np.array([r.value for r in rates])
    return Course(minutes[ends - 1], shares, np.array([e.low for e in edges]), np.array([e.high for e in edges]))


def shifts(decisions: Array, most: int = 6) -> list[Shift]:
    """Goal by goal, those with the most checks first; what is left is put together."""
    checked = checks(decisions)
    half, right = len(checked) // 2, checked["outcome"] > 0
    goals, counts = np.unique(checked["goal"], return_counts=True)
    shown = goals[np.argsort(-counts, kind="stable")][:most]
    found = [_shift(int(goal), checked["goal"] == goal, right, half) for goal in shown]
    rest = ~np.isin(checked["goal"], shown)
    return [*found, _shift(-1, rest, right, half)] if rest.any() else found


def _shift(goal: int, mine: Array, right: Array, half: int) -> Shift:
    parts = (mine[:half], right[:half]), (mine[half:], right[half:])
    before, after = (Rate(int(np.sum(r & m)), int(np.sum(m))) for m, r in parts)
    return Shift(goal, before, after)
