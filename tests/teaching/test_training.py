"""Training on a replay buffer, within this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from teaching.lesson import starter
from teaching.policies import checkpoint
from teaching.policies.methods import make_learner
from teaching.replay import ReplayBuffer
from teaching.sampling import Sampling
from teaching.task import tasks
from teaching.training import Cancelled, Training, TrainingFailed, last_good, train
from teaching.types import BadInput
from tests.teaching.replay_maker import LESSON, Maker


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[ReplayBuffer]:
    """A lesson with three demonstrations in one episode; pictures of the real size."""
    with ReplayBuffer.create(tmp_path / "lesson", {**LESSON, "training": {"batch": 2, "steps": 8}}) as made:
        Maker(shape=(80, 160)).taught(made, "000000", ("valid", "both", "wrong"))
        yield made


def weights(path: Path) -> bytes:
    return (path / checkpoint.MODEL).read_bytes()


def test_a_training_publishes_a_checkpoint_with_its_lineage(buffer: ReplayBuffer) -> None:
    seen: list[tuple[int, int]] = []
    training = Training(buffer)
    path, figures = training.train(
        steps=2, seed=3, update=1, report=lambda step, steps, loss: seen.append((step, steps))
    )
    assert path == buffer.checkpoints / "000001" and seen == [(1, 2), (2, 2)]
    assert figures["loss"] > 0 and figures["demonstrations"] == 3
    lineage = checkpoint.read_info(path)["lineage"]
    assert lineage["demonstrations"] == [d.id for d in buffer.demonstrations()]
    assert (lineage["update"], lineage["parent"], lineage["seed"], lineage["steps"]) == (1, None, 3, 2)
    assert lineage["config"]["batch"] == 2
    second, _ = training.train(steps=1, seed=3, update=2)
    assert checkpoint.read_info(second)["lineage"]["parent"] == "000001"


def test_the_same_training_gives_the_same_weights_also_after_a_restart(buffer: ReplayBuffer, tmp_path: Path) -> None:
    training = Training(buffer, parent=tmp_path / "one")
    straight = [weights(training.train(steps=1, seed=3, update=update)[0]) for update in (1, 2)]
    restarted = [
        weights(Training(buffer, parent=tmp_path / "two").train(steps=1, seed=3, update=update)[0]) for update in (1, 2)
    ]
    assert straight == restarted and straight[0] != straight[1]


def test_a_cancelled_training_publishes_nothing_and_changes_nothing(buffer: ReplayBuffer, tmp_path: Path) -> None:
    training = Training(buffer, parent=tmp_path / "a")
    training.train(steps=1, seed=3, update=1)
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        training.train(steps=5, seed=3, update=2, cancelled=lambda: next(asked))
    assert [p.name for p in checkpoint.checkpoints(tmp_path / "a")] == ["000001"]
    path, _ = training.train(steps=1, seed=3, update=2)
    other = Training(buffer, parent=tmp_path / "b")
    other.train(steps=1, seed=3, update=1)
    assert weights(path) == weights(other.train(steps=1, seed=3, update=2)[0])


def test_a_loss_that_is_no_number_fails(buffer: ReplayBuffer) -> None:
    training = Training(buffer)
    with torch.no_grad():
        next(p for n, p in training.learner.network.named_parameters() if n == "mix.weight").fill_(float("nan"))  # type: ignore[attr-defined]
    with pytest.raises(TrainingFailed, match="finite"):
        training.train(steps=1, seed=3, update=1)
    assert training.train(steps=1, seed=3, update=1)[1]["loss"] > 0


def test_nothing_to_train_on_is_told(tmp_path: Path) -> None:
    with ReplayBuffer.create(tmp_path / "lesson", LESSON) as empty, pytest.raises(BadInput, match="at least one"):
        Training(empty).train(steps=1, seed=0, update=1)
    with pytest.raises(BadInput, match="at least 1"):
        train(make_learner(), empty.mirror(), steps=0, seed=0, update=1)


def test_a_deleted_demonstration_is_not_trained_on_again(buffer: ReplayBuffer) -> None:
    training = Training(buffer)
    training.train(steps=1, seed=3, update=1)
    gone = buffer.demonstrations()[0].id
    buffer.say("delete", {"demonstration": gone})
    path, figures = training.train(steps=1, seed=3, update=2)
    assert figures["demonstrations"] == 2 and gone not in checkpoint.read_info(path)["lineage"]["demonstrations"]


def test_a_damaged_checkpoint_is_passed_over(buffer: ReplayBuffer) -> None:
    training = Training(buffer, keep=2)
    for update in (1, 2, 3):
        training.train(steps=1, seed=3, update=update)
    assert [p.name for p in checkpoint.checkpoints(buffer.checkpoints)] == ["000002", "000003"]
    (buffer.checkpoints / "000003" / checkpoint.OPTIMISER).write_bytes(b"nothing")
    path, problems = last_good(buffer.checkpoints, make_learner())
    assert path == buffer.checkpoints / "000002" and "damaged" in problems[0]


def test_fresh_weights_never_take_the_place_of_a_damaged_model(buffer: ReplayBuffer) -> None:
    Training(buffer).train(steps=1, seed=3, update=1)
    (buffer.checkpoints / "000001" / checkpoint.OPTIMISER).write_bytes(b"nothing")
    with pytest.raises(TrainingFailed, match="damaged"):
        Training(buffer).train(steps=1, seed=3, update=2)
    assert [p.name for p in checkpoint.checkpoints(buffer.checkpoints)] == ["000001"]


def test_every_shipped_starter_is_whole() -> None:
    shipped = [path for path in map(starter, tasks()) if path is not None]
    assert shipped
    for path in shipped:
        learner = make_learner()
        learner.load(path)
        assert learner.rehearsal is not None and sum(f.stat().st_size for f in path.iterdir()) <= 3_000_000


def test_settings_go_over_the_lessons_own() -> None:
    sampling = Sampling.of({"batch": 4, "alpha": 0.5, "steps": 9}, {"alpha": 0.0, "do": "train"})
    assert (sampling.batch, sampling.alpha, sampling.beta) == (4, 0.0, 1.0)


def test_sampling_is_by_priority(buffer: ReplayBuffer) -> None:
    drawn = buffer.mirror().sample(400, np.random.default_rng(0))
    assert len(drawn.goal) == 400 and 0 < drawn.weight.min() <= drawn.weight.max() <= 1
