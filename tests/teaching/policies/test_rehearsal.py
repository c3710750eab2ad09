"""What a starter was taught travels with it and is mixed into batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from teaching.policies import checkpoint
from teaching.policies.base import CheckpointError
from teaching.policies.rehearsal import FILE, Rehearsal
from teaching.policies.transporter import TransporterLearner, TransporterPolicy
from tests.contracts.policy_contract import GOAL, TABLE, batch

OLD = "put the blue blocks in a red bowl"


def rehearsal(count: int = 3) -> Rehearsal:
    old = batch(np.random.default_rng(7), count)
    return Rehearsal.of(old.colour, old.height, [OLD] * count, old.actions)


def test_it_is_mixed_in_and_weighs_like_the_rest() -> None:
    samples = batch(np.random.default_rng(0), 4)
    samples = replace(samples, weight=np.array([0.1, 0.2, 0.3, 0.4]))
    mixed = rehearsal().mixed_into(samples, 2, np.random.default_rng(1))
    assert mixed.goal == (GOAL,) * 4 + (OLD,) * 2
    assert mixed.colour.shape[0] == mixed.height.shape[0] == mixed.actions.shape[0] == 6
    np.testing.assert_allclose(mixed.weight, [0.1, 0.2, 0.3, 0.4, 0.25, 0.25])
    np.testing.assert_allclose(mixed.height.max(), 0.04, atol=5e-4)


def test_a_starter_is_small_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    learner = TransporterLearner(TABLE)
    learner.update(batch(np.random.default_rng(0)), np.random.default_rng(0))
    learner.rehearsal = rehearsal()
    after = replace(learner.config, learning_rate=1e-4)
    learner.save_starter(tmp_path / "starter", after, {"update": 0})
    assert {p.name for p in (tmp_path / "starter").iterdir()} == {checkpoint.MODEL, checkpoint.INFO, FILE}
    assert (tmp_path / "starter" / checkpoint.MODEL).stat().st_size < 1e6
    policy = TransporterPolicy(TABLE)
    policy.load(tmp_path / "starter")
    assert policy.version == 0 and not policy.unknown_words(GOAL)

    def go_on(path: Path) -> TransporterLearner:
        resumed = TransporterLearner(TABLE, seed=5)
        resumed.load(path)
        return resumed

    def step(learner: TransporterLearner, i: int) -> float:
        return learner.update(batch(np.random.default_rng(i)), np.random.default_rng(i))["loss"]

    straight, first = go_on(tmp_path / "starter"), go_on(tmp_path / "starter")
    assert straight.config.learning_rate == 1e-4 and straight.vocabulary.unknown(OLD) == ("blue",)
    losses = [step(straight, 1), step(straight, 2)]
    assert straight.vocabulary.unknown(OLD) == ()
    early = step(first, 1)
    first.save(tmp_path / "one", {"update": 1})
    assert [early, step(go_on(tmp_path / "one"), 2)] == losses


def test_what_does_not_belong_together_is_told() -> None:
    tensors = rehearsal().tensors()
    with pytest.raises(CheckpointError, match="actions"):
        Rehearsal.from_tensors({k: v for k, v in tensors.items() if k != "actions"}, [OLD] * 3)
    for goals in ([OLD] * 2, None, []):
        with pytest.raises(CheckpointError, match="goals"):
            Rehearsal.from_tensors(tensors, goals)
