"""PIER: corner cases, sampling, and that training does not stall on priorities of zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teaching.priority import beta_at, pier_priority, sampling_distribution, terms
from teaching.types import BadInput


def corner(u: float, r: int) -> float:
    """The priority of a newest row, beside an old one that sets the scale."""
    return float(pier_priority([1.0, u], [0, r], [0, 5])[1])


@pytest.mark.parametrize(
    ("u", "r", "expected"),
    [
        (1.0, -1, 1.0 + (10**0.5 - 1) / 9),
        (1.0, 0, 1.0),
        (1.0, 1, 1.0 - (10**0.5 - 1) / 9),
        (0.0, -1, 2.0),
        (0.0, 0, 1.0),
        (0.0, 1, 0.0),
    ],
)
def test_corners(u: float, r: int, expected: float) -> None:
    assert corner(u, r) == pytest.approx(expected, abs=1e-12)
    assert round(corner(1.0, -1), 4) == 1.2403 and round(corner(1.0, 1), 4) == 0.7597


def test_rows_that_are_no_decisions_weigh_one() -> None:
    np.testing.assert_array_equal(pier_priority([np.nan, 0.5, np.nan], [0, -1, -1], [0, 1, 1])[[0, 2]], [1.0, 1.0])


def test_the_oldest_most_uncertain_row_is_indifferent() -> None:
    np.testing.assert_allclose(pier_priority([1.0, 0.2], [-1, 1], [0, 3])[0], 1.0, atol=1e-12)


def test_the_linear_form_is_the_limit() -> None:
    u, r, k = [0.2, 0.9, 1.0, 0.4], [1, -1, 1, -1], [0, 1, 2, 3]
    np.testing.assert_allclose(pier_priority(u, r, k, b=1.0), pier_priority(u, r, k, b=1.0 + 1e-5), atol=1e-4)
    found = terms(u, r, k, b=1.0)
    np.testing.assert_allclose(found.priority, 1.0 - found.outcome * (1.0 - found.c))


def test_nothing_known_yet_needs_no_scale() -> None:
    assert pier_priority([0.0, 0.0], [1, -1], [0, 0]) == pytest.approx([0.0, 2.0])
    assert len(pier_priority([], [], [])) == 0


def test_terms_add_up() -> None:
    found = terms([0.5, 0.25, np.nan], [1, -1, 0], [0, 4, 2], lam=0.3)
    np.testing.assert_allclose(found.u_scaled[:2], [1.0, 0.5])
    np.testing.assert_allclose(found.age_scaled, [1.0, 0.0, 0.5])
    np.testing.assert_allclose(found.c[:2], [0.3 + 0.7, 0.15])
    np.testing.assert_allclose(found.priority[:2], 1 - found.outcome[:2] * (10 ** (1 - found.c[:2]) - 1) / 9)


@pytest.mark.parametrize("bad", [{"lam": 2.0}, {"b": 0.0}, {"b": -1.0}])
def test_bad_settings_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="expected"):
        pier_priority([0.1], [1], [0], **bad)


def test_unequal_shapes_are_refused() -> None:
    with pytest.raises(BadInput, match="shape"):
        pier_priority([0.1, 0.2], [1], [0])


# -- sampling --------------------------------------------------------------------------------------------------------

HEALTHY = np.array([1.0, 0.8936, 1.3146, 0.2779, 1.0, 1.0])


def test_a_healthy_distribution_is_the_published_one() -> None:
    probability, weight = sampling_distribution(HEALTHY, alpha=1.5, beta=0.7)
    np.testing.assert_allclose(probability, HEALTHY**1.5 / np.sum(HEALTHY**1.5), rtol=1e-12)
    published = (1 / (len(HEALTHY) * probability)) ** 0.7
    np.testing.assert_allclose(weight, published / published.max(), rtol=1e-12)


PRIORITIES = st.lists(st.one_of(st.just(0.0), st.floats(0.0, 2.0)), min_size=1, max_size=60).map(np.array)


@settings(max_examples=300, deadline=None)
@given(PRIORITIES, st.floats(0.0, 3.0), st.floats(0.0, 1.0))
def test_any_priorities_give_a_distribution_and_healthy_weights(p: np.ndarray, alpha: float, beta: float) -> None:
    probability, weight = sampling_distribution(p, alpha=alpha, beta=beta)
    n = len(p)
    assert probability.sum() == pytest.approx(1.0)
    assert probability.min() >= 0.1 / n * (1 - 1e-9)
    assert weight.max() == pytest.approx(1.0) and weight.min() > 0.0
    assert (probability @ weight) ** 2 / (probability @ weight**2) >= 0.1 - 1e-9
    assert probability @ weight >= 0.1 - 1e-9
    full = sampling_distribution(p, alpha=alpha)
    np.testing.assert_allclose(full[0] * full[1], (full[0] * full[1])[0], rtol=1e-9)
    assert np.all(np.diff(probability[np.argsort(p)]) >= -1e-12)


def test_raised_rows_leave_the_others_their_proportions() -> None:
    probability, _ = sampling_distribution(np.array([0.0, 1.0, 2.0, 0.5]), alpha=1.0)
    assert probability[0] == pytest.approx(0.025)
    np.testing.assert_allclose(probability[1:] / probability[1], [1.0, 2.0, 0.5])


def test_all_zero_is_an_even_draw() -> None:
    probability, weight = sampling_distribution(np.zeros(4))
    np.testing.assert_allclose(probability, 0.25)
    np.testing.assert_allclose(weight, 1.0)


def test_nothing_stored_gives_nothing() -> None:
    probability, weight = sampling_distribution(np.zeros(0))
    assert probability.shape == weight.shape == (0,)


@pytest.mark.parametrize("p", [[-0.1], [np.nan], [np.inf], [[1.0]]])
def test_priorities_that_are_none_are_refused(p: list[float]) -> None:
    with pytest.raises(BadInput, match="expected"):
        sampling_distribution(np.array(p))


@pytest.mark.parametrize("bad", [{"alpha": -1.0}, {"beta": 1.5}, {"beta": -0.1}])
def test_exponents_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="expected"):
        sampling_distribution(HEALTHY, **bad)


def test_beta_rises_to_one() -> None:
    assert beta_at(25, start=0.4) == pytest.approx(0.55)
    assert beta_at(100, start=0.4) == beta_at(900, start=0.4) == 1.0
    assert beta_at(0) == 1.0


# -- training health -------------------------------------------------------------------------------------------------


def fitted_loss(probability: np.ndarray, weight: np.ndarray, steps: int = 400) -> tuple[float, float]:
    """Plain gradient descent of a regression on drawn batches: the mean loss over all rows, before and after."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(len(probability), 5))
    y = x @ np.arange(1.0, 6.0) + 0.1 * rng.normal(size=len(x))
    theta = np.zeros(5)
    start = float(np.mean((x @ theta - y) ** 2))
    for _ in range(steps):
        rows = rng.choice(len(x), 16, p=probability)
        error = (x[rows] @ theta - y[rows]) * weight[rows]
        theta -= 0.1 * error @ x[rows] / len(rows)
    return start, float(np.mean((x @ theta - y) ** 2))


@pytest.mark.parametrize("zeros", [1, 20, 180])
def test_training_does_not_stall_on_priorities_of_zero(zeros: int) -> None:
    priority = np.ones(200)
    priority[:zeros] = 0.0
    probability, weight = sampling_distribution(priority)
    before, after = fitted_loss(probability, weight)
    assert after < 0.01 * before
    n = len(priority)
    assert (probability @ weight) ** 2 / (probability @ weight**2) >= 0.1
    assert weight.sum() ** 2 / (weight**2).sum() >= n / 10


def test_a_tiny_floor_would_stall() -> None:
    priority = np.append(np.ones(199), 1e-3)
    raised = priority**1.5
    probability = raised / raised.sum()
    before, after = fitted_loss(probability, probability.min() / probability)
    assert after > 0.9 * before
