from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from teaching.gating import KINDS, MODES, Gate, sag_threshold
from teaching.types import BadInput, Rows


def rows(n: int = 100, *, judged: float = 0.8, seed: int = 0, gap: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    u = rng.random(n)
    r = np.where(rng.random(n) < u, -1, 1)
    r[rng.random(n) > judged] = 0
    return Rows(u, r, np.arange(n) // 10 * (1 + gap))


EMPTY = Rows(np.zeros(0), np.zeros(0, int), np.zeros(0, int))


def test_sag_weighs_as_sag_threshold_does() -> None:
    history = rows(judged=1.0)
    found = Gate(impute=False).weigh(history, 0.4, 9, np.random.default_rng(0))
    u, r, k = np.append(history.uncertainty, 0.4), np.append(history.outcome, 0), np.append(history.update, 9)
    assert found.threshold == sag_threshold(u, r, k, p_rand=0.2, impute=False)
    assert found.gated == (found.threshold <= 0.4)


def test_trainings_without_a_decision_do_not_blind_the_gate() -> None:
    dense = Gate().weigh(rows(), 0.4, 10, np.random.default_rng(0))
    sparse = Gate().weigh(rows(gap=30), 0.4, 310, np.random.default_rng(0))
    assert sparse.threshold == pytest.approx(dense.threshold)


def test_rows_of_relabelled_pairs_change_nothing() -> None:
    history = rows(judged=1.0)
    more = Rows(*(np.insert(a.astype(float), [5, 50], v) for a, v in
                  ((history.uncertainty, np.nan), (history.outcome, 0), (history.update, 3))))  # fmt: skip
    first, second = (Gate().weigh(h, 0.4, 9, np.random.default_rng(0)) for h in (history, more))
    assert first == second


def test_the_first_plans_are_asked_about_and_it_says_why() -> None:
    found = Gate().weigh(EMPTY, 0.4, 0, np.random.default_rng(0))
    assert found.gated and found.threshold == 0.4
    assert "0 of 15 mistakes" in found.reason


def test_fixed_always_and_never() -> None:
    rng = np.random.default_rng(0)
    fixed = Gate(kind="fixed", level=0.5, p_rand=0.0)
    assert [fixed.weigh(EMPTY, u, 0, rng).gated for u in (0.49, 0.5, 0.51)] == [False, True, True]
    assert all(Gate(kind="always").weigh(EMPTY, u, 0, rng).gated for u in (0.0, 1.0))
    assert not any(Gate(kind="never", p_rand=1.0).weigh(EMPTY, u, 0, rng)[1:3] != (False, False) for u in (0.0, 1.0))


def test_random_queries_come_at_their_rate() -> None:
    gate, rng = Gate(kind="fixed", level=1.0, p_rand=0.2), np.random.default_rng(0)
    asked = np.mean([gate.weigh(EMPTY, 0.0, 0, rng).random for _ in range(4000)])
    assert asked == pytest.approx(0.2, abs=0.02)


def test_equal_generators_weigh_equally() -> None:
    found = [Gate().weigh(rows(judged=0.5), 0.6, 10, np.random.default_rng(7)) for _ in range(2)]
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_every_gate_tells_its_promise_and_its_reason(kind: str, mode: str) -> None:
    gate, rng = Gate(kind=kind, mode=mode), np.random.default_rng(0)
    assert gate.promise()
    for u in (0.05, 0.5, 0.99):
        assert gate.weigh(rows(), u, 10, rng).reason.endswith(".")


def test_promises_in_words() -> None:
    assert Gate().promise() == "catches at least 90 of 100 plans that would fail"
    assert "80 of 100" in Gate(target=0.8, mode="specificity").promise()
    assert "promises nothing" in Gate(kind="fixed").promise()


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (Gate(target=0.1), "at random only"),
        (Gate(target=0.2), "at random only"),
        (Gate(target=0.9, p_rand=0.1, mode="specificity"), "at random only"),
        (Gate(target=1.0), "nearly every plan"),
        (Gate(target=1.0, mode="success"), "nearly every plan"),
    ],
)
def test_a_promise_that_cannot_bind_is_told(gate: Gate, words: str) -> None:
    assert words in str(gate.feasibility())


@pytest.mark.parametrize("gate", [Gate(), Gate(mode="specificity", target=0.7), Gate(kind="never", target=0.1)])
def test_a_promise_that_can_be_kept_needs_no_note(gate: Gate) -> None:
    assert gate.feasibility() is None


def test_an_infeasible_promise_leaves_the_gate_silent() -> None:
    found = Gate(target=0.1, p_rand=0.2).weigh(rows(400), 0.99, 40, np.random.default_rng(1))
    assert found.threshold == np.inf and not found.gated


def test_every_setting_is_explained_in_a_line() -> None:
    for setting in fields(Gate):
        assert 10 < len(setting.metadata["help"]) < 120


@pytest.mark.parametrize(
    "setting", [{"kind": "often"}, {"mode": "x"}, {"target": 2}, {"p_rand": -1}, {"level": 2}, {"variant": "mine"}]
)
def test_a_setting_out_of_range_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="expected"):
        Gate(**setting)


def test_an_uncertainty_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="finite"):
        Gate().weigh(EMPTY, float("nan"), 0, np.random.default_rng(0))
