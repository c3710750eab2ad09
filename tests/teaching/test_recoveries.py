from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from teaching.recoveries import RecoveryConfig, recoveries, smoothed, within
from teaching.types import Array, BadInput


def path(*turns: float, steps: int = 25) -> Array:
    """Straight lines between phases."""
    lines = [np.linspace(a, b, steps) for a, b in pairwise(turns)]
    return np.concatenate(lines)


KNOWN = [
    ((0.0, 1.0), 0),
    ((0.0, 0.5, 0.3, 1.0), 1),
    ((0.0, 0.5, 0.3, 0.5, 0.3, 1.0), 2),
    ((0.0, 0.5, 0.2, 0.5, 0.8, 0.5, 0.8, 0.4, 1.0), 3),
    ((0.0, 0.5, 0.3, 0.4, 0.3, 1.0), 1),
    ((0.0, 0.5, 0.48, 1.0), 0),
    ((0.0, 0.5, 0.3), 0),
    ((0.0, 0.6, 0.2, 0.5), 0),
    ((0.0, 0.5, *([0.3, 0.5] * 7), 1.0), 7),
]


@pytest.mark.parametrize(("turns", "count"), KNOWN)
@pytest.mark.parametrize("seed", [None, *range(5)])
def test_known_counts_also_under_noise(turns: tuple[float, ...], count: int, seed: int | None) -> None:
    phase = path(*turns)
    if seed is not None:
        phase = phase + 0.01 * np.random.default_rng(seed).standard_normal(len(phase))
    assert len(recoveries(phase)) == count


def test_where_it_was() -> None:
    (found,) = recoveries(path(0.0, 0.5, 0.3, 1.0), config=RecoveryConfig(smooth=1))
    assert found.start == pytest.approx(24, abs=1) and found.lowest == pytest.approx(49, abs=1)
    assert found.start < found.lowest < found.stop and not found.regrasp


def test_a_gripper_that_opens_inside_the_dip_is_a_regrasp() -> None:
    phase = path(0.0, 0.5, 0.3, 0.5, 0.3, 1.0)
    opened = np.zeros(len(phase), dtype=bool)
    opened[:10] = opened[40:50] = True
    assert [r.regrasp for r in recoveries(phase, opened)] == [True, False]


def test_smoothing_keeps_the_length_and_drops_a_spike() -> None:
    phase = np.full(20, 0.5)
    phase[10] = 0.0
    assert np.array_equal(smoothed(phase, 5), np.full(20, 0.5)) and not recoveries(phase)
    assert len(smoothed(np.zeros(0), 5)) == 0 and not recoveries(np.zeros(0))


def test_capped_successes_rise_with_the_cap() -> None:
    counts, succeeded = np.array([0, 1, 1, 2, 5]), np.array([True, True, False, True, True])
    assert [int(within(counts, succeeded, limit).sum()) for limit in (0, 1, 2, 5)] == [1, 2, 3, 4]


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="slack < fall"):
        RecoveryConfig(fall=0.03)
    with pytest.raises(BadInput, match="finite"):
        recoveries(np.array([0.0, np.nan]))
    with pytest.raises(BadInput, match="gripper"):
        recoveries(np.zeros(3), np.zeros(2, dtype=bool))
