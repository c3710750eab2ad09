from __future__ import annotations

import numpy as np
import pytest

from teaching import uncertainty as un
from teaching.types import BadInput, Rows

EVEN, SURE = np.full((4, 5), 0.05), np.eye(20)[3].reshape(4, 5)


def test_entropies_over_their_running_maxima() -> None:
    scale, found = un.EntropyScale(), []
    for pair in [(10.8, 14.0), (10.0, 14.2), (8.0, 7.1), (10.9, 3.0)]:
        scale, _, u = scale.update(np.array(pair))
        found.append(u)
    assert found[0] == 1.0
    assert found == pytest.approx([1.0, 0.96296, 0.62037, 0.60563], abs=1e-5)
    assert found[1] == pytest.approx((10 / 10.8 + 1) / 2, abs=1e-12)
    assert scale.maxima == (10.9, 14.2)


def test_a_scale_does_not_change() -> None:
    first = un.EntropyScale()
    second = first.update(np.array([1.0, 2.0])).scale
    assert first.maxima == () and second.maxima == (1.0, 2.0) and second == un.EntropyScale((1.0, 2.0))


def test_per_step_and_no_entropy_at_all() -> None:
    _, per_step, u = un.EntropyScale((2.0, 4.0)).update(np.array([1.0, 1.0]))
    assert per_step.tolist() == [0.5, 0.25] and u == 0.375
    assert un.EntropyScale().update(np.zeros(2)).u == 1.0


@pytest.mark.parametrize("entropy", [[], [1.0], [1.0, -1.0], [1.0, np.nan], [1.0, 2.0, 3.0]])
def test_entropies_of_another_kind_are_refused(entropy: list[float]) -> None:
    with pytest.raises(BadInput, match="expected"):
        un.EntropyScale((1.0, 1.0)).update(np.array(entropy))


def test_softmax_of_a_whole_map() -> None:
    logits = np.array([[1000.0, 1000.0], [0.0, -1000.0]])
    np.testing.assert_allclose(un.softmax(logits), [[0.5, 0.5], [0.0, 0.0]], atol=1e-12)


def test_entropy_runs_from_nothing_to_the_logarithm_of_the_size() -> None:
    assert un.entropy(EVEN) == pytest.approx(np.log(20))
    assert un.entropy(SURE) == 0.0
    assert un.entropy(np.full((320, 160), 1 / 51200)) == pytest.approx(10.843, abs=1e-3)


def test_confidence_and_margin() -> None:
    p = np.array([0.5, 0.3, 0.2])
    assert un.one_minus_max(p) == pytest.approx(0.5) and un.one_minus_margin(p) == pytest.approx(0.8)
    assert un.one_minus_max(SURE) == un.one_minus_margin(SURE) == 0.0
    assert un.one_minus_margin(np.array([1.0])) == 0.0


def test_several_passes() -> None:
    split = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert un.consensus_entropy(split) == pytest.approx(np.log(2))
    assert un.vote_entropy(split) == pytest.approx(np.log(2))
    assert un.disagreement(split) == pytest.approx(np.log(2))
    assert un.variance(split) == pytest.approx(0.5)
    same = np.stack([EVEN] * 3)
    assert un.consensus_entropy(same) == pytest.approx(np.log(20))
    assert (un.vote_entropy(same), un.variance(same)) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert un.disagreement(same) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("p", [[0.5, 0.6], [1.5, -0.5], []])
def test_what_is_no_distribution_is_refused(p: list[float]) -> None:
    with pytest.raises(BadInput, match="sum to 1"):
        un.entropy(np.array(p))


def test_one_pass_is_not_several() -> None:
    with pytest.raises(BadInput, match="several"):
        un.variance(np.array([0.5, 0.5]))


# -- words -----------------------------------------------------------------------------------------------------------


def test_words_follow_the_threshold_and_the_history() -> None:
    history = np.linspace(0.0, 1.0, 101)
    assert [un.in_words(u, 0.5, history) for u in (0.4, 0.5, 0.7, 0.8, 1.0)] == [
        "sure", "unsure", "unsure", "guessing", "guessing",
    ]  # fmt: skip


def test_words_without_a_threshold_compare_with_the_median() -> None:
    history = np.append(np.linspace(0.0, 1.0, 101), np.nan)
    for threshold in (np.inf, -np.inf):
        assert [un.in_words(u, threshold, history) for u in (0.3, 0.6, 0.9)] == ["sure", "unsure", "guessing"]


def test_a_first_plan_is_a_guess() -> None:
    assert un.in_words(0.1, 0.1, np.zeros(0)) == "guessing"


# -- frequency -------------------------------------------------------------------------------------------------------


def judged(u: list[float], r: list[int]) -> Rows:
    return Rows(np.array(u), np.array(r), np.zeros(len(u), int))


def test_the_nearest_judged_plans_are_counted() -> None:
    u = [0.5 + 0.01 * i for i in range(10)] + [0.9] * 10 + [np.nan, 0.5]
    r = [1] * 7 + [-1] * 3 + [-1] * 10 + [1, 0]
    assert un.frequency(0.52, judged(u, r)) == (7, 10)
    assert un.frequency(0.95, judged(u, r)) == (0, 10)


def test_too_few_like_it_is_said() -> None:
    assert un.frequency(0.5, judged([0.5] * 9, [1] * 9)) is None
    assert un.frequency(0.1, judged([0.5] * 20, [1] * 20)) is None


def test_old_answers_are_forgotten() -> None:
    assert un.frequency(0.5, judged([0.5] * 200, [-1] * 100 + [1] * 100)) == (10, 10)
