"""Figures of progress: unbiased where they say so, with intervals, and silent where there are too few cases."""

from __future__ import annotations

import numpy as np
import pytest

from teaching import promise
from teaching.metrics import ANSWERS, Rate
from teaching.replay.columns import DECISION
from teaching.types import Array, BadInput


def lesson(n: int = 4000, seed: int = 0, learns: float = 0.0) -> Array:
    """A novice that fails where it is unsure, half the time asked; random checks at 0.2; it may learn."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(n, DECISION)
    rows["uncertainty"] = rng.random(n)
    fails = rng.random(n) < rows["uncertainty"] * (1 - learns * np.arange(n) / n)
    rows["gated"], rows["random"] = rows["uncertainty"] > 0.5, rng.random(n) < 0.2
    asked = rows["gated"] | rows["random"]
    rows["outcome"] = np.where(asked, np.where(fails, -1, 1), 0)
    rows["answered"], rows["seconds"] = asked, np.where(asked, 3.0, np.nan)
    rows["said"] = np.where(fails, 1 << ANSWERS.index("wrong"), 1)
    return rows


def test_kept_is_measured_on_random_checks() -> None:
    """P(u > ½ | fails) = ¾ where P(fails | u) = u; over all judged plans it would be told as nearly 1."""
    rows = lesson(20_000)
    rate = promise.kept(rows, "sensitivity")
    assert rate.interval.low <= 0.75 <= rate.interval.high
    judged = rows[rows["outcome"] < 0]
    assert judged["gated"].mean() > 0.85
    assert promise.kept(rows, "specificity").value == pytest.approx(0.75, abs=0.03)
    assert promise.kept(rows, "success").value == pytest.approx(0.875, abs=0.03)
    with pytest.raises(BadInput, match="expected a mode among"):
        promise.kept(rows, "luck")


def test_more_checks_narrow_it() -> None:
    more = promise.more_checks(Rate(40, 50))
    low, high = Rate(round(0.8 * (50 + more)), 50 + more).interval
    assert high - low == pytest.approx(0.1, abs=0.01)
    assert promise.more_checks(Rate(900, 1000)) == 0 and promise.more_checks(Rate(0, 0)) == 385


def test_the_course_ends_where_the_latest_fifty_are() -> None:
    rows = lesson()
    found = promise.course(rows, "success")
    checked = promise.checks(rows)[-50:]
    assert found.share[-1] == np.mean(checked["gated"] | (checked["outcome"] > 0))
    assert np.all(found.low <= found.share) and np.all(found.share <= found.high) and len(found.at) <= 200
    assert len(promise.course(rows[:0], "success").at) == 0


def test_what_the_minutes_bought() -> None:
    found = promise.gain(lesson(8000, learns=1.0))
    assert found.known and found.interval.low > 0 and found.interval.low < found.per_minute < found.interval.high
    still = promise.gain(lesson(8000))
    assert still.interval.low < 0 < still.interval.high
    assert not promise.gain(lesson(40)).known and not promise.gain(lesson(0)).known


def test_reliability_follows_the_truth() -> None:
    found = promise.reliability(lesson(20_000))
    middle = (found.edges[:-1] + found.edges[1:]) / 2
    inside = [r.interval.low <= m <= r.interval.high for m, r in zip(middle, found.rates, strict=True)]
    assert sum(inside) >= len(inside) - 1


def test_trend_and_shares_over_time() -> None:
    piece = promise.trend(np.r_[np.zeros(500), np.ones(500), np.nan], pieces=10)
    assert piece.middle[0] == 0 and piece.middle[-1] == 1 and np.all(piece.low <= piece.high)
    assert len(promise.trend(np.zeros(0)).at) == 0
    rows = lesson(300)
    asked = promise.asked_share(rows)
    assert asked[-1] == np.mean((rows["gated"] | rows["random"])[-100:]) and asked[0] in (0, 1)
    at, shares = promise.kinds_over_time(rows)
    assert len(at) == 20 and np.allclose(sum(shares.values()), 1)
    assert len(promise.kinds_over_time(rows[:0])[0]) in (0, 1)


def test_the_teacher() -> None:
    assert promise.consistency([True, True, False]) == Rate(2, 3)
    rows = lesson(2000)
    rows["blind"] = np.arange(2000) % 2 == 0
    hidden, shown = promise.blind_against_shown(rows)
    assert hidden.n + shown.n == len(promise.checks(rows))
