"""Intervals over few seeds."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.experiments.intervals import mean, paired, t_quantile
from teaching.types import BadInput


@pytest.mark.parametrize(("degrees", "quantile"), [(1, 12.706), (9, 2.262), (14, 2.145), (30, 2.042), (1000, 1.962)])
def test_students_quantiles(degrees: int, quantile: float) -> None:
    assert t_quantile(degrees) == pytest.approx(quantile, abs=0.002)


def test_an_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    inside = [(m := mean(rng.normal(3, 1, 5).tolist())).low <= 3 <= m.high for _ in range(2000)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_one_value_says_nothing_of_its_spread() -> None:
    assert mean([2.0]).low == -np.inf and mean([2.0]).told() == "2.0"


def test_paired_differences_and_what_could_have_been_seen() -> None:
    sure = paired([5, 6, 7, 8], [1, 2.1, 3, 3.9])
    assert sure.difference.low > 0 and sure.p == pytest.approx(2 / 16) and "would have" not in sure.told()
    unsure = paired([1, 5, 1, 5], [5, 1, 5, 1.1])
    assert unsure.detectable > 3 and "would have shown" in unsure.told() and unsure.p > 0.5
    assert paired(list(range(20)), [0.0] * 20).p < 0.001
    with pytest.raises(BadInput, match="two pairs"):
        paired([1], [2])


def test_the_detectable_difference_is_seen_four_times_of_five() -> None:
    rng = np.random.default_rng(1)
    n, hits, sizes = 10, [], []
    for _ in range(300):
        sizes.append(paired(rng.normal(0, 1, n).tolist(), [0.0] * n).detectable)
    true = float(np.mean(sizes))
    for _ in range(300):
        hits.append(mean(rng.normal(true, 1, n).tolist()).low > 0)
    assert np.mean(hits) == pytest.approx(0.8, abs=0.09)
