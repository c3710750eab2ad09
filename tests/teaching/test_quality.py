"""What is unusual about a recording: worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.quality import jerk, stillness, unusual


def path(x: np.ndarray) -> np.ndarray:
    return np.column_stack([x, np.zeros_like(x), np.zeros_like(x)])


def test_stillness_is_the_share_of_time_without_motion():
    x = np.concatenate([np.zeros(61), np.linspace(0, 0.1, 60)[1:]])
    assert stillness(path(x), 60.0) == pytest.approx(60 / 119)
    assert stillness(path(np.zeros(1)), 60.0) == 0.0


def test_jerk_of_a_cubic_is_its_third_derivative_and_of_a_straight_line_nothing():
    t = np.arange(240) / 60.0
    assert jerk(path(0.01 * t**3), 60.0) == pytest.approx(0.06, rel=1e-3)
    assert jerk(path(0.1 * t), 60.0) == pytest.approx(0.0, abs=1e-6)
    assert jerk(path(t[:5]), 60.0) == 0.0


def test_words_are_against_the_median_of_enough_episodes():
    plain = [{"seconds": 10.0, "jerk": 1.0, "still": 0.1}] * 5
    odd = [{"seconds": 30.0, "jerk": 3.0, "still": 0.9}, {"seconds": 2.0, "jerk": 0.5, "still": 0.0}]
    assert unusual([*plain, *odd])[-2:] == [["long", "still", "jerky"], ["short"]]
    assert unusual([*plain[:2], odd[1]])[-1] == [], "too few to have a median"
