from __future__ import annotations

import numpy as np
import pytest

from teaching.familiarity import Familiarity, FamiliarityConfig, rewind_point
from teaching.types import Array, BadInput


def curve(s: Array) -> Array:
    """A way through space, (T,) in [0, 1] → (T, 3)."""
    return np.stack([np.cos(2.5 * s), np.sin(2.5 * s), 0.6 * s], axis=1)


def demonstrations(n: int = 12, seed: int = 0, noise: float = 0.01) -> list[Array]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(80, 120, n)
    return [curve(np.linspace(0, 1, t)) + noise * rng.standard_normal((t, 3)) for t in sizes]


KNOWN = Familiarity(demonstrations())


def test_another_demonstration_is_familiar_at_the_rate_it_was_calibrated_to() -> None:
    fresh = np.concatenate(demonstrations(40, seed=1))
    assert KNOWN.familiar(fresh).mean() == pytest.approx(0.9, abs=0.03)
    assert KNOWN.bar(fresh).mean() == pytest.approx(0.5, abs=0.05)
    assert np.mean(KNOWN.familiar(fresh) == (KNOWN.bar(fresh) >= KNOWN.mark)) > 0.99


def test_a_strange_state_is_not() -> None:
    strange = curve(np.array([0.5])) + 0.2
    assert not KNOWN.familiar(strange)[0] and KNOWN.bar(strange)[0] == 0.0
    away = curve(np.full(5, 0.5)) + np.linspace(0, 0.1, 5)[:, None]
    assert np.all(np.diff(KNOWN.distance(away)) > 0) and np.all(np.diff(KNOWN.bar(away)) <= 0)


def test_a_demonstration_is_calibrated_on_the_others_not_on_itself() -> None:
    alone = [np.array([[0.0], [0.001]]), np.array([[5.0], [5.001]])]
    familiar = Familiarity(alone, FamiliarityConfig(neighbours=2), scale=np.ones(1))
    assert familiar.limit == pytest.approx(5.0, abs=0.01)


def test_distance_equals_brute_force() -> None:
    rng = np.random.default_rng(3)
    demos = [rng.standard_normal((n, 4)) for n in (5, 9, 7)]
    states = rng.standard_normal((30, 4))
    flat = np.concatenate(demos)
    far = np.linalg.norm((states[:, None] - flat) / flat.std(axis=0), axis=2)
    expected = np.sort(far, axis=1)[:, :3].mean(axis=1)
    assert Familiarity(demos, FamiliarityConfig(neighbours=3)).distance(states) == pytest.approx(expected)


def test_phase_follows_the_task() -> None:
    s = np.linspace(0.05, 0.95, 40)
    assert KNOWN.phase(curve(s)) == pytest.approx(s, abs=0.03)
    assert KNOWN.phase(np.zeros((0, 3))).shape == (0,)


def went_back(to: float, seed: int, off: float = 0.15) -> tuple[Array, Array, int]:
    """States before the take-over at 0.6, those of the intervention, and where its recovery truly ended."""
    rng = np.random.default_rng(seed)
    before = curve(np.full(10, 0.6)) + off * np.linspace(0, 1, 10)[:, None]
    back, onward = np.linspace(0.6, to, 20), np.linspace(to, 0.9, 40)
    drift = off * np.concatenate([np.linspace(1, 0, 15), np.zeros(45)])
    states = curve(np.concatenate([back, onward])) + drift[:, None] + 0.005 * rng.standard_normal((60, 3))
    return before, states, 20


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("to", [0.2, 0.4])
def test_boundary_is_found_where_the_way_back_turned(seed: int, to: float) -> None:
    before, states, truth = went_back(to, seed)
    found = KNOWN.boundary(states, before)
    assert found is not None and abs(found - truth) <= 3


def test_a_correction_straight_on_has_no_boundary() -> None:
    before = curve(np.full(5, 0.6)) + 0.1
    assert KNOWN.boundary(curve(np.linspace(0.6, 0.9, 30)), before) is None


def test_a_way_back_to_nowhere_has_no_boundary() -> None:
    before, states, _ = went_back(0.3, 0)
    assert KNOWN.boundary(states + 0.3, before) is None
    assert KNOWN.boundary(states[:2], before) is None


def test_rewind_point_is_familiar_and_before_the_rise() -> None:
    bar = np.concatenate([np.full(30, 0.6), np.full(20, 0.02), np.full(10, 0.5), np.full(20, 0.0)])
    doubt = np.concatenate([np.full(55, 0.1), np.linspace(0.1, 0.9, 25)])
    limits = {"familiar": 0.1, "sure": 0.3, "unsure": 0.6}
    assert rewind_point(bar, doubt, **limits) == 59
    assert rewind_point(np.where(np.arange(80) >= 50, 0.0, bar), doubt, **limits) == 29
    assert rewind_point(np.zeros(80), doubt, **limits) is None
    assert rewind_point(bar, np.zeros(80), **limits) == 59


def test_rewind_point_goes_by_the_last_rise() -> None:
    doubt = np.full(100, 0.1)
    doubt[20:30] = 0.9
    doubt[70:] = np.linspace(0.1, 0.9, 30)
    found = rewind_point(np.ones(100), doubt, familiar=0.1, sure=0.3, unsure=0.6)
    assert found == 70 + int(np.flatnonzero(doubt[70:] < 0.3)[-1])
    always = rewind_point(np.ones(10), np.ones(10), familiar=0.1, sure=0.3, unsure=0.6)
    assert always is None


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="two or more"):
        Familiarity([np.zeros((5, 2))])
    with pytest.raises(BadInput, match="of one D"):
        Familiarity([np.zeros((5, 2)), np.zeros((5, 3))])
    with pytest.raises(BadInput, match=r"\(N, 3\)"):
        KNOWN.distance(np.zeros(3))
    with pytest.raises(BadInput, match="quantile"):
        FamiliarityConfig(quantile=1.0)
    with pytest.raises(BadInput, match="two traces"):
        rewind_point(np.zeros(3), np.zeros(4), familiar=0.1, sure=0.3, unsure=0.6)
