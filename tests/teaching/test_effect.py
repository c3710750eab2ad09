"""What a lesson changed, over random checks alone: worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.effect import against_minutes, shifts
from teaching.replay.columns import DECISION


def decided(outcomes: list[int], goals: list[int] | None = None, random: list[bool] | None = None) -> np.ndarray:
    rows = np.zeros(len(outcomes), DECISION)
    rows["outcome"], rows["seconds"] = outcomes, 30.0
    rows["random"] = True if random is None else random
    rows["goal"] = 1 if goals is None else goals
    return rows


def test_the_curve_begins_with_enough_checks_and_is_told_at_the_minutes_spent():
    found = against_minutes(decided([-1] * 10 + [1] * 30), window=10)
    assert found.at[0] == 5.0 and found.at[-1] == 20.0, "ten answers of half a minute, then all forty"
    assert found.share[0] == 0.0 and found.share[-1] == 1.0
    assert found.low[-1] == pytest.approx(0.7225, abs=1e-3) and found.high[-1] == pytest.approx(1.0)
    assert not len(against_minutes(decided([1] * 9)).at)


def test_plans_that_the_gate_chose_count_for_time_alone():
    rows = decided([-1] * 20 + [1] * 20, random=[False] * 20 + [True] * 20)
    found = against_minutes(rows)
    assert set(found.share.tolist()) == {1.0} and found.at[0] == 15.0


def test_goals_are_compared_early_and_late_and_small_ones_put_together():
    outcomes = [-1] * 12 + [1] * 4 + [1] * 12 + [-1] * 4
    goals = ([1] * 12 + [2] * 3 + [3]) * 2
    first, rest = shifts(decided(outcomes, goals), most=1)
    assert (first.goal, first.before.hits, first.before.n, first.after.hits, first.after.n) == (1, 0, 12, 12, 12)
    assert first.known and rest.goal == -1 and not rest.known
    assert (rest.before.hits, rest.after.hits, rest.after.n) == (4, 0, 4)
