from __future__ import annotations

import numpy as np
import pytest

from teaching.logistic import fit_logistic, sigmoid


def gradient(x: np.ndarray, failed: np.ndarray, slope: float, intercept: float) -> tuple[float, float]:
    error = failed - sigmoid(slope * x + intercept)
    return float(np.mean(error * x)), float(np.mean(error))


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_maximum_of_the_likelihood(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0.6, 0.2, 500)
    failed = rng.random(500) < sigmoid(6.0 * x - 4.0)
    slope, intercept = fit_logistic(x, failed)
    assert gradient(x, failed, slope, intercept) == pytest.approx((0.0, 0.0), abs=2e-6)
    assert (slope, intercept) == pytest.approx((6.0, -4.0), rel=0.5)


@pytest.mark.parametrize(("right", "wrong"), [([0.1, 0.2], [0.8, 0.9]), ([0.8, 0.9], [0.1, 0.2]), ([0.49], [0.51])])
def test_separable_labels_become_a_step_between_them(right: list[float], wrong: list[float]) -> None:
    x = np.array(right + wrong)
    slope, intercept = fit_logistic(x, np.arange(len(x)) >= len(right))
    chance = sigmoid(slope * x + intercept)
    np.testing.assert_allclose(chance, np.arange(len(x)) >= len(right), atol=1e-4)
    assert np.isfinite([slope, intercept]).all()


def test_labels_that_touch_in_one_point_stay_finite() -> None:
    slope, intercept = fit_logistic(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True]))
    assert np.isfinite([slope, intercept]).all()
    assert sigmoid(slope * np.array([0.1, 0.5, 0.9]) + intercept) == pytest.approx([0.0, 0.5, 1.0], abs=1e-3)


def test_one_value_gives_the_share() -> None:
    slope, intercept = fit_logistic(np.full(4, 0.3), np.array([True, False, False, False]))
    assert slope == 0.0
    assert sigmoid(np.array(intercept)) == pytest.approx(0.25)


def test_far_outliers_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    x = np.append(rng.random(200), [50.0, -50.0])
    failed = np.append(rng.random(200) < 0.4, [False, True])
    slope, intercept = fit_logistic(x, failed)
    assert gradient(x, failed, slope, intercept) == pytest.approx((0.0, 0.0), abs=1e-4)
