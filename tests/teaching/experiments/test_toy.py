"""The table of numbers: its scenes, its novice, its lessons, and the gates that are compared on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from teaching.experiments.baseline_gates import Past, RandomAsker, SafeAsker, SagAsker, ThriftyAsker, failing
from teaching.experiments.short_lesson import at
from teaching.experiments.toy_lesson import Phase, ToyConfig, ToyLesson
from teaching.experiments.toy_table import SEEN, UNSEEN, Matcher, ToyNoviceConfig, ToyScenes, turned
from teaching.feedback import Fier
from teaching.sampling import Sampling
from teaching.types import BadInput

SHORT = ToyConfig(phases=(Phase(storing=12),))


def test_a_teachers_plan_is_right_and_scenes_hold_what_the_goal_names() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        scene = ToyScenes().draw(UNSEEN, rng)
        assert scene.valid(scene.shown()) and set(scene.goal) <= set(UNSEEN) and scene.goal[0] != scene.goal[1]
        take, put = scene.shown()
        assert scene.reached((put, take)) is None and scene.kinds[take] == 0 and scene.kinds[put] == 1


def test_turning_the_light_keeps_gray() -> None:
    np.testing.assert_allclose(turned(1.0) @ np.full(3, 0.5), np.full(3, 0.5), atol=1e-12)
    np.testing.assert_allclose(turned(0.7) @ turned(-0.7), np.eye(3), atol=1e-12)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    words, things, right, weight = (
        rng.integers(11, size=5),
        rng.random((5, 6, 4)),
        rng.integers(6, size=5),
        rng.random(5),
    )
    matcher = Matcher(ToyNoviceConfig(), rng)
    seen: list[list[np.ndarray]] = []
    matcher._adam = lambda gradients: seen.append([g.copy() for g in gradients])  # type: ignore[method-assign]
    matcher.learn(words, things, right, weight)

    def loss() -> float:
        p = matcher.probabilities(words, things)[np.arange(5), right]
        return float(np.sum(-np.log(p) * weight) / 5)

    for layer, spot in ((0, (2, 3)), (1, (4, 5)), (2, (3,)), (3, (2,)), (4, (int(words[0]), 1))):
        w = matcher._w[layer]
        kept = w[spot]
        w[spot] = kept + 1e-5
        high = loss()
        w[spot] = kept - 1e-5
        low = loss()
        w[spot] = kept
        assert seen[0][layer][spot] == pytest.approx((high - low) / 2e-5, abs=1e-6)


def test_a_lesson_stores_what_fier_says_and_is_the_same_again() -> None:
    first, again = (ToyLesson(SHORT, 3) for _ in range(2))
    tallies = [list(lesson.run())[-1][1] for lesson in (first, again)]
    assert tallies[0] == tallies[1] and tallies[0].storing == 12
    stored = tallies[0].stored
    assert (
        stored["validated"] + stored["annotated"] == tallies[0].answers and stored["relabelled"] <= stored["annotated"]
    )
    assert first.score(Phase(), 40) == again.score(Phase(), 40)


def test_active_dagger_shows_everything() -> None:
    active = replace(SHORT, fier=Fier(False, False), sampling=Sampling(prioritised=False))
    tally = list(ToyLesson(active, 0).run())[-1][1]
    assert tally.annotated == tally.answers == 12 and tally.seconds == 120


def test_a_novice_learns_and_relabels_teach_what_no_goal_named() -> None:
    taught = ToyLesson(replace(SHORT, phases=(Phase(storing=120),)), 1)
    before = taught.score(Phase(), 150)
    for _ in taught.run():
        pass
    assert taught.score(Phase(), 150) > before + 0.4
    assert any(set(pair.goal) - set(SEEN) for pair in taught.pairs)


def test_phases_follow_each_other_and_a_silent_gate_ends() -> None:
    config = replace(SHORT, phases=(Phase(storing=4), Phase(UNSEEN, storing=3)))
    assert [phase for phase, _ in ToyLesson(config, 0).run()] == [0] * 4 + [1] * 3
    silent = replace(SHORT, asker=RandomAsker(0.0, n_min=3), most=50, phases=(Phase(storing=40),))
    assert list(ToyLesson(silent, 0).run())[-1][1].decisions <= 50


def history(n: int = 200, fresh: int = 40) -> Past:
    rng = np.random.default_rng(0)
    z = rng.normal(size=n)
    outcome = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * z)), -1, 1)
    outcome[rng.random(n) < 0.3] = 0
    outcome[-fresh:] = 0
    return Past(1 / (1 + np.exp(-z)), outcome, np.zeros(n, dtype=int), np.c_[z, rng.normal(size=n)], z**2, fresh)


@pytest.mark.parametrize("asker", [SagAsker(), RandomAsker(), SafeAsker(), ThriftyAsker()])
def test_with_too_little_known_everything_is_asked(asker: object) -> None:
    past = history()
    nothing = replace(past, outcome=np.where(past.outcome < 0, 0, past.outcome))
    assert asker(nothing, np.random.default_rng(0)).all()  # type: ignore[operator]
    assert asker(past, np.random.default_rng(0)).shape == (40,)  # type: ignore[operator]


def test_what_looks_like_failure_is_asked_about() -> None:
    past, rng = history(), np.random.default_rng(0)
    z = past.features[-40:, 0]
    for asker in (SafeAsker(0.5), SagAsker(0.7, p_rand=0.0), ThriftyAsker(0.3)):
        asked = asker(past, rng)
        assert 0 < asked.sum() < 40 and z[asked].mean() > z[~asked].mean()
    assert ThriftyAsker(0.1)(past, rng).sum() < ThriftyAsker(0.6)(past, rng).sum()
    assert SafeAsker(0.8)(past, rng).sum() < SafeAsker(0.2)(past, rng).sum()


def test_the_classifier_finds_the_slope_and_refuses_other_shapes() -> None:
    past = history(2000, 1)
    p = failing(past.features, past.outcome)
    truth = 1 / (1 + np.exp(-2 * past.features[:, 0]))
    assert np.mean(np.abs(p - truth)) < 0.05
    with pytest.raises(BadInput, match="features"):
        failing(past.features[:, 0], past.outcome)


def test_between_points_of_a_curve() -> None:
    assert at([(0, 0), (10, 1)], 5) == 0.5 and np.isnan(at([(0, 0), (10, 1)], 11))
