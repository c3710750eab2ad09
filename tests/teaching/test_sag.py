"""The gate's threshold: worked cases, an independent slow version, and properties that hold for any history."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teaching.gating import sag_threshold
from teaching.sag import MODES, Sag
from teaching.types import BadInput

U = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
R = np.array([1, 1, 1, -1, 1, -1, 1, -1, -1, -1])
K = np.zeros(10, dtype=int)
INF = np.inf


def on_base(target: float, mode: str, p_rand: float = 0.0) -> float:
    return sag_threshold(U, R, K, target=target, mode=mode, p_rand=p_rand, n_min=1, impute=False)


# -- case 1: bootstrap -----------------------------------------------------------------------------------------------


def test_a_first_decision_is_asked_about() -> None:
    assert sag_threshold([0.7], [0], [0]) == 0.7


@pytest.mark.parametrize("outcome", [[-1, -1, -1, 0], [1, 1, 1, 0], [-1, 1, -1, 0]])
def test_without_both_labels_or_too_few_everything_is_asked_about(outcome: list[int]) -> None:
    n_min = 3 if 1 in outcome and -1 in outcome else 1
    assert sag_threshold([0.4, 0.3, 0.9, 0.6], outcome, [0, 0, 1, 2], n_min=n_min) == 0.3


def test_while_too_few_failures_are_known_the_threshold_is_the_running_minimum() -> None:
    rng = np.random.default_rng(3)
    u, r = rng.random(15), rng.choice([-1, 1], 15)
    found = [sag_threshold(u[: n + 1], np.append(r[:n], 0), np.arange(n + 1)) for n in range(15)]
    assert found == np.minimum.accumulate(u).tolist()


@pytest.mark.parametrize(("mode", "quantile"), [("sensitivity", 0.2), ("success", 0.2), ("specificity", 0.8)])
def test_the_other_fallback_is_a_quantile(mode: str, quantile: float) -> None:
    u = np.array([0.9, 0.1, 0.4, 0.7])
    found = sag_threshold(u, [0, 0, 0, 0], [0, 0, 0, 0], target=0.8, mode=mode, fallback="quantile")
    assert found == pytest.approx(float(np.quantile(u, quantile)), abs=1e-12)


# -- cases 2 to 5: the three curves ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "expected"),
    [(0.1, INF), (0.2, 0.9), (0.3, 0.85), (0.5, 0.75), (0.6, 0.6), (0.7, 0.55), (0.8, 0.4), (0.9, 0.35), (1.0, 0.05)],
)
def test_sensitivity(target: float, expected: float) -> None:
    assert on_base(target, "sensitivity") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("target", "expected"), [(0.9, 0.3625), (0.5, 0.8125), (0.36, INF), (0.3, INF), (0.1, INF)])
def test_sensitivity_with_random_queries(target: float, expected: float) -> None:
    assert on_base(target, "sensitivity", 0.2) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("target", "p_rand", "expected"),
    [
        (0.5, 0.0, 0.9),
        (0.6, 0.0, 0.8),
        (0.7, 0.0, 0.7),
        (0.75, 0.0, 0.65),
        (0.9, 0.0, 0.3),
        (1.0, 0.0, 0.0),
        (0.5, 0.2, 0.9),
        (0.7, 0.2, 0.775),
        (0.9, 0.2, 0.425),
        (0.1, 0.0, 0.9),
        (1.0, 0.2, 0.0),
    ],
)
def test_success(target: float, p_rand: float, expected: float) -> None:
    assert on_base(target, "success", p_rand) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("target", "p_rand", "expected"),
    [
        (0.2, 0.0, 0.1),
        (0.5, 0.0, 0.25),
        (0.8, 0.0, 0.6),
        (0.9, 0.0, 0.65),
        (1.0, 0.0, INF),
        (0.5, 0.1, 5 / 18),
        (0.8, 0.1, 29 / 45),
        (0.9, 0.1, INF),
        (0.95, 0.1, INF),
    ],
)
def test_specificity(target: float, p_rand: float, expected: float) -> None:
    assert on_base(target, "specificity", p_rand) == pytest.approx(expected, abs=1e-9)


# -- cases 7 to 9 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_rows_that_are_no_decisions_change_nothing(mode: str) -> None:
    u, r, k = (np.insert(a.astype(float), [0, 4, 10], v) for a, v in ((U, np.nan), (R, 0), (K, 0)))
    assert sag_threshold(u, r, k, mode=mode, n_min=1) == sag_threshold(U, R, K, mode=mode, n_min=1)


@pytest.mark.parametrize("mode", MODES)
def test_old_rows_outside_the_window_change_nothing(mode: str) -> None:
    u, r = np.append([0.01, 0.99, 0.5], U), np.append([-1, 1, 0], R)
    k = np.append([0, 1, 2], K + 3)
    assert sag_threshold(u, r, k, mode=mode, n_min=1) == sag_threshold(U, R, K, mode=mode, n_min=1)


def test_the_window_gives_up_once_it_spans_more_updates_than_it_holds_rows() -> None:
    u, r = [0.2, 0.8, 0.3, 0.5], [1, -1, 1, 0]
    assert sag_threshold(u, r, [0, 1, 2, 3], n_min=1, target=0.5, impute=False, normalise=False) > 0.8
    assert sag_threshold(u, r, [0, 1, 2, 9], n_min=1, target=0.5, impute=False, normalise=False) == 0.2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("drift", [-0.05, 0.013, 1.0])
def test_drift_shifts_the_threshold_by_what_it_came_to(mode: str, drift: float) -> None:
    rng = np.random.default_rng(1)
    u, r, k = rng.random(200), rng.choice([-1, 0, 1], 200), np.arange(200) // 5
    before = sag_threshold(u, r, k, mode=mode, impute=False, target=0.8, n_min=60)
    after = sag_threshold(u + drift * k, r, k, mode=mode, impute=False, target=0.8, n_min=60)
    if mode != "success" or after - before - drift * k[-1] > 1e-9:
        assert after - before == pytest.approx(drift * k[-1], abs=1e-9)


def test_values_that_drift_alone_made_differ_are_one_value() -> None:
    k = np.arange(30)
    u, r = 0.3 + 0.1 * k / 3, np.where(k % 2, 1, -1)
    assert sag_threshold(u, r, k, impute=False, n_min=15, target=1.0) == pytest.approx(u[-1], abs=1e-9)


def test_unlabelled_rows_are_imputed_from_labels_that_a_cut_separates() -> None:
    u = [0.1, 0.2, 0.3, 0.7, 0.8, 0.9, 0.15, 0.85]
    r = [1, 1, 1, -1, -1, -1, 0, 0]
    for seed in range(5):
        found = sag_threshold(u, r, np.zeros(8, int), target=0.9, n_min=1, rng=np.random.default_rng(seed))
        assert found == pytest.approx(0.74, abs=2e-3)


def test_imputation_recovers_what_hidden_labels_would_give() -> None:
    rng = np.random.default_rng(5)
    u = rng.random(4000)
    r = np.where(rng.random(4000) < u, -1, 1)
    seen = np.where(rng.random(4000) < 0.3, r, 0)
    full = sag_threshold(u, r, np.zeros(4000, int), target=0.8)
    assert sag_threshold(u, seen, np.zeros(4000, int), target=0.8, rng=rng) == pytest.approx(full, abs=0.04)


# -- an independent, slow version ------------------------------------------------------------------------------------


def slow(u: list[float], r: list[int], target: float, mode: str, p: float) -> float:
    """The spec's steps by counting, with numpy's own interpolation."""
    rows = list(zip(u, r, strict=True))
    cuts = sorted(set(u), reverse=True)
    wrong, right = [x for x, y in rows if y < 0], [x for x, y in rows if y > 0]
    if mode == "success":
        kept = [1 - sum(x <= t for x in wrong) / len(rows) for t in cuts] + [1.0]
        return float(np.interp(target, [s + p * (1 - s) for s in kept], [*cuts, 0.0]))
    cuts = [INF, *cuts]
    if mode == "sensitivity":
        rates = [sum(x >= t for x in wrong) / len(wrong) for t in cuts]
        return float(np.interp(target, [x + p * (1 - x) for x in rates], cuts))
    rates = [(1 - p) * sum(x < t for x in right) / len(right) for t in cuts]
    return float(np.interp(target, rates[::-1], cuts[::-1]))


HISTORY = st.lists(
    st.tuples(st.integers(0, 40).map(lambda i: i / 40), st.sampled_from([-1, 1])), min_size=2, max_size=30
).filter(lambda rows: len({r for _, r in rows}) == 2)
SHARE = st.floats(0.0, 1.0)


@settings(max_examples=300, deadline=None)
@given(HISTORY, SHARE, st.sampled_from(MODES), st.sampled_from([0.0, 0.1, 0.2]))
def test_it_agrees_with_the_slow_version(rows: list[tuple[float, int]], target: float, mode: str, p: float) -> None:
    u, r = [x for x, _ in rows], [y for _, y in rows]
    found = sag_threshold(u, r, [0] * len(u), target=target, mode=mode, p_rand=p, n_min=1)
    with np.errstate(invalid="ignore"):
        assert found == pytest.approx(slow(u, r, target, mode, p), abs=1e-7)


# -- case 6: monotone ------------------------------------------------------------------------------------------------

SIGNED = st.lists(
    st.tuples(st.floats(-1.0, 1.0), st.sampled_from([-1, 1]), st.integers(0, 3)), min_size=2, max_size=25
).filter(lambda rows: len({r for _, r, _ in rows}) == 2)


def columns(rows: list[tuple[float, int, int]]) -> tuple[list[float], list[int], list[int]]:
    return [u for u, _, _ in rows], [r for _, r, _ in rows], sorted(k for _, _, k in rows)


@settings(max_examples=200, deadline=None)
@given(SIGNED, SHARE, SHARE, st.sampled_from(MODES), st.sampled_from([0.0, 0.1]))
def test_the_threshold_is_monotone_in_the_target(
    rows: list[tuple[float, int, int]], a: float, b: float, mode: str, p: float
) -> None:
    low, high = sorted((a, b))
    u, r, k = columns(rows)
    before = sag_threshold(u, r, k, target=low, mode=mode, p_rand=p, n_min=1)
    after = sag_threshold(u, r, k, target=high, mode=mode, p_rand=p, n_min=1)
    assert (before <= after + 1e-9) if mode == "specificity" else (after <= before + 1e-9)


@settings(max_examples=200, deadline=None)
@given(SIGNED, SHARE, st.floats(0.0, 0.9), st.floats(0.0, 0.9), st.sampled_from(MODES))
def test_the_threshold_does_not_fall_with_random_queries(
    rows: list[tuple[float, int, int]], target: float, a: float, b: float, mode: str
) -> None:
    low, high = sorted((a, b))
    u, r, k = columns(rows)
    before = sag_threshold(u, r, k, target=target, mode=mode, p_rand=low, n_min=1)
    assert before <= sag_threshold(u, r, k, target=target, mode=mode, p_rand=high, n_min=1) + 1e-9


def test_success_ends_below_a_negative_uncertainty() -> None:
    found = [
        sag_threshold([-0.5, -0.2, 0.3], [-1, 1, 1], [0, 0, 0], mode="success", n_min=1, target=t) for t in (0.9, 1)
    ]
    assert found[1] < -0.5 and found[1] <= found[0]


# -- defects of the reference that are not here ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("impute", [True, False])
def test_every_mode_works_with_and_without_unlabelled_rows(mode: str, impute: bool) -> None:
    for outcome in (R, np.where(np.arange(10) % 5, R, 0)):
        assert not np.isnan(sag_threshold(U, outcome, K, mode=mode, impute=impute, n_min=1))


def test_no_global_generator_is_touched() -> None:
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    outcome = np.where(np.arange(10) % 3, R, 0)
    results = {sag_threshold(U, outcome, K, n_min=1, rng=np.random.default_rng(4)) for _ in range(5)}
    assert len(results) == 1
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_inputs_are_left_as_they_were() -> None:
    u, r, k = U.copy(), R.copy(), np.arange(10)
    sag_threshold(u, r, k, n_min=1)
    np.testing.assert_array_equal(u, U)
    np.testing.assert_array_equal(r, R)


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        ([0.1], [0, 1], [0]),
        ([], [], []),
        ([np.nan], [0], [0]),
        ([0.1], [2], [0]),
        ([np.inf], [0], [0]),
        ([[0.1]], [[0]], [[0]]),
    ],
)
def test_a_history_that_is_none_is_refused(values: tuple[list[float], list[int], list[int]]) -> None:
    with pytest.raises(BadInput, match="expected"):
        sag_threshold(*values)


@pytest.mark.parametrize(
    "setting",
    [{"target": 1.1}, {"p_rand": -0.1}, {"n_min": 0}, {"n_rep": 0}, {"mode": "budget"}, {"fallback": "never"}],
)
def test_a_setting_out_of_range_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="expected"):
        Sag(**setting)


# -- case 14, small: the promise on a drifting stream ----------------------------------------------------------------


@pytest.mark.parametrize(("mode", "target"), [("sensitivity", 0.9), ("specificity", 0.5), ("success", 0.9)])
def test_the_promise_is_kept_on_a_stream(mode: str, target: float) -> None:
    from benchmarks.gate import track

    found = track(mode, target, seeds=1, steps=100)
    assert found[mode] == pytest.approx(target, abs=0.05)
