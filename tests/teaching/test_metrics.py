from __future__ import annotations

import numpy as np
import pytest

from teaching.metrics import ANSWERS, Costs, Rate, bootstrap, count, effort, tracked, wilson
from teaching.types import BadInput, Feedback, Outcome
from tests.teaching.making import plan


def test_wilson_known_values() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 20)[0] == 0.0 and wilson(0, 20)[1] == pytest.approx(0.1611, abs=1e-4)
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_covers_at_about_its_level() -> None:
    hits = np.random.default_rng(0).binomial(40, 0.9, 2000)
    inside = [low <= 0.9 <= high for low, high in (wilson(int(h), 40) for h in hits)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_counts_and_rates() -> None:
    asked = np.array([1, 1, 0, 1, 0, 0, 1, 0], dtype=bool)
    outcome = np.array([-1, -1, -1, 1, 1, 1, 0, 0])
    found = count(asked, outcome)
    assert (found.true_positive, found.false_negative, found.false_positive, found.true_negative) == (2, 1, 1, 2)
    assert found.sensitivity == Rate(2, 3) and found.specificity == Rate(2, 3)
    assert found.system_success == Rate(5, 6) and found.query_rate == Rate(3, 6) and found.novice_success == Rate(3, 6)
    assert found.sensitivity.value == pytest.approx(2 / 3) and found.sensitivity.interval == wilson(2, 3)


def test_a_rate_of_nothing_is_unknown() -> None:
    empty = count(np.zeros(0, bool), np.zeros(0, int))
    assert np.isnan(empty.sensitivity.value) and empty.sensitivity.interval == (0.0, 1.0)


def test_unequal_shapes_are_refused() -> None:
    with pytest.raises(BadInput, match="shape"):
        count(np.zeros(2, bool), np.zeros(3, int))
    with pytest.raises(BadInput, match="hits"):
        Rate(3, 2)


def test_tracked_is_the_share_of_the_last_relevant_rows() -> None:
    rng = np.random.default_rng(0)
    asked, wrong = rng.random(200) < 0.7, rng.random(200) < 0.3
    found = tracked(asked, wrong, window=20)
    for i in range(200):
        last = np.flatnonzero(wrong[: i + 1])[-20:]
        assert found[i] == pytest.approx(asked[last].mean()) if len(last) else np.isnan(found[i])


def test_bootstrap_is_seeded_and_brackets_the_mean() -> None:
    values = np.random.default_rng(0).normal(5.0, 1.0, 100)
    low, high = bootstrap(values, np.random.default_rng(1))
    assert (low, high) == bootstrap(values, np.random.default_rng(1))
    assert low < values.mean() < high and high - low == pytest.approx(0.39, abs=0.08)
    with pytest.raises(BadInput, match="at least one"):
        bootstrap(np.zeros(0), np.random.default_rng(0))


def test_effort_adds_the_parts_of_each_answer() -> None:
    other = "put the blue blocks in a gray bowl"
    said = [Feedback(Outcome.SUCCESS), Feedback(Outcome.FAILURE), Feedback(Outcome.UNKNOWN),
            Feedback(Outcome.FAILURE, other), Feedback(Outcome.FAILURE, other, plan()),
            Feedback(Outcome.FAILURE, None, plan()), Feedback(Outcome.SUCCESS, None, plan())]  # fmt: skip
    found = effort(said)
    assert found.answers == 7
    assert found.parts == {"validate": 1, "wrong": 1, "unknown": 1, "relabel": 2, "demonstrate": 3}
    assert found.seconds == pytest.approx(3 + 3 + 3 + 5 + 15 + 10 + 10)


def test_the_cost_model_prints_itself() -> None:
    assert all(name in str(Costs()) for name in ANSWERS) and "assumed" in str(Costs())
