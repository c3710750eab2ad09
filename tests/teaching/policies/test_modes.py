"""Peaks of predicted maps."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.policies.modes import entropy, modes, paired, smooth, to_map


def bumps(*peaks: tuple[int, int, float], shape: tuple[int, int] = (40, 60), width: float = 2.0) -> np.ndarray:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    total = sum(w * np.exp(-((rows - r) ** 2 + (columns - c) ** 2) / (2 * width**2)) for r, c, w in peaks)
    return np.asarray(total / np.sum(total))


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_smoothing_sums_windows(radius: int) -> None:
    picture = np.random.default_rng(0).random((9, 7))
    padded = np.pad(picture, radius)
    size = 2 * radius + 1
    expected = [[padded[r : r + size, c : c + size].sum() for c in range(7)] for r in range(9)]
    np.testing.assert_allclose(smooth(picture, radius), expected)


def test_modes_are_found_with_their_shares() -> None:
    found = modes(bumps((10, 10, 3), (30, 45, 2), (10, 45, 1)))
    assert [(m.row, m.column) for m in found] == [(10, 10), (30, 45), (10, 45)]
    np.testing.assert_allclose([m.weight for m in found], [3 / 6, 2 / 6, 1 / 6], atol=0.01)


def test_a_broad_hill_beats_a_lone_spike() -> None:
    picture = bumps((20, 20, 1), width=2.0)
    picture[5, 50] = 1.5 * picture.max()
    first = modes(picture / picture.sum())[0]
    assert (first.row, first.column) == (20, 20)


def test_even_probability_still_gives_one_mode_at_least() -> None:
    found = modes(np.full((40, 60), 1 / 2400), least=0.5)
    assert len(found) == 1


def test_pairs_lead_with_both_firsts_and_drop_the_unlikely() -> None:
    picks = modes(bumps((10, 10, 6), (30, 45, 4)))
    places = modes(bumps((10, 45, 99), (30, 10, 1)), least=0.001)
    pairs = paired(picks, places)
    assert [(a.row, b.row) for a, b, _ in pairs] == [(10, 10), (30, 10)]
    assert pairs[1][2] == pytest.approx(0.4, abs=0.02)
    assert len(paired(picks, places, least=0.0, limit=3)) == 3


def test_entropy_and_maps() -> None:
    assert entropy(np.full((4, 4), 1 / 16)) == pytest.approx(np.log(16))
    assert entropy(np.eye(1)) == 0
    assert to_map(bumps((10, 10, 1))).max() == 1
