"""Drawing by priority: the right shares, the same draws as numpy's own, and quick at a million rows."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.sampling import Drawer, Sampling, Stock
from teaching.types import BadInput, Rows


def stock(n: int, seed: int = 0) -> Stock:
    rng = np.random.default_rng(seed)
    rows = Rows(rng.random(n), rng.choice([-1, 1], n), np.sort(rng.integers(0, 50, n)))
    return Stock(rows, np.arange(0, n, 2), np.ones(len(range(0, n, 2))), np.zeros(len(range(0, n, 2)), bool))


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.5, 3.0])
def test_draws_follow_priority_to_the_power_of_alpha(alpha: float) -> None:
    """Pearson's chi-square over 400 rows of 200,000 draws; bound at p = 0.001 (Wilson, Hilferty)."""
    there, how, draws = stock(800), Sampling(alpha=alpha), 200_000
    priority = there.priority(how)
    published = priority**alpha / (priority**alpha).sum()
    probability, _ = there.distribution(how)
    free = published >= 0.1 / len(published)
    assert np.allclose(probability[free] / probability[free].sum(), published[free] / published[free].sum())
    counts = np.bincount(Drawer(probability).draw(draws, np.random.default_rng(1)), minlength=len(probability))
    chi_square = float((((counts - draws * probability) ** 2) / (draws * probability)).sum())
    degrees = len(probability) - 1
    bound = degrees * (1 - 2 / (9 * degrees) + 3.09 * np.sqrt(2 / (9 * degrees))) ** 3
    assert chi_square < bound


def test_draws_are_those_of_numpy() -> None:
    probability, _ = stock(1000).distribution(Sampling())
    mine = Drawer(probability).draw(64, np.random.default_rng(3))
    assert np.array_equal(mine, np.random.default_rng(3).choice(len(probability), 64, p=probability))


def test_by_hand() -> None:
    plain = stock(40)
    factor, pinned = np.ones(20), np.zeros(20, bool)
    factor[0], pinned[1] = 3.0, True
    changed = Stock(plain.rows, plain.owned, factor, pinned)
    before, after = plain.priority(Sampling()), changed.priority(Sampling())
    assert after[0] == 3 * before[0] and after[1] == max(before[1], 1.0) and np.array_equal(after[2:], before[2:])


def test_even_when_not_prioritised() -> None:
    probability, weight = stock(40).distribution(Sampling(prioritised=False))
    assert np.all(probability == 1 / 20) and np.all(weight == 1)


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="sum to 1"):
        Drawer(np.array([0.5, 0.1]))
    with pytest.raises(BadInput, match="sum to 1"):
        Drawer(np.zeros(0))
    with pytest.raises(BadInput, match="one row, factor and pin"):
        Stock(stock(4).rows, np.arange(2), np.ones(1), np.zeros(2, bool))
