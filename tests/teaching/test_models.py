"""Models on disk: their lineage, and going on from an earlier one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from teaching.learning import Learning, entry
from teaching.lesson import TrainingConfig
from teaching.models import models, promote
from teaching.policies import checkpoint
from teaching.policies.methods import make_learner
from teaching.replay import ReplayBuffer
from teaching.replay.glance import Glance
from teaching.training import Training
from teaching.types import BadInput
from tests.teaching.lesson_maker import MemoryTrainer, make, until_asked
from tests.teaching.replay_maker import LESSON, Maker


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lesson with two models."""
    path = tmp_path_factory.mktemp("models") / "lesson"
    with ReplayBuffer.create(path, {**LESSON, "training": {"batch": 2}}) as buffer:
        Maker(shape=(80, 160)).taught(buffer, "e0", ("valid", "both"))
        training = Training(buffer)
        for update in (1, 2):
            where, figures = training.train(steps=2, seed=3, update=update)
            buffer.say("training", entry({"type": "done", "checkpoint": str(where), "figures": figures}, update))
    return path


def test_lineage_leads_down_to_the_demonstrations(trained: Path) -> None:
    first, second = models(trained / "checkpoints")
    assert (first.name, first.parent, second.parent) == ("000001", None, "000001")
    assert set(second.demonstrations) == {"e0-0-validated", "e0-1-annotated", "e0-1-relabelled"}
    assert len(second.lineage["curve"]) == 2 and second.lineage["seconds"] >= 0
    assert sum(second.lineage["draws"].values()) == 4


def test_what_was_drawn_is_in_the_columns(trained: Path) -> None:
    with Glance(trained) as glance:
        assert int(glance.columns.demonstrations["drawn"].sum()) == 8
        assert [e.body["update"] for e in glance.diary("training")] == [2, 1]
        assert glance.diary("training")[0].body["demonstrations"] == 3


def test_a_promoted_model_is_the_newest_and_training_goes_on_from_it(trained: Path) -> None:
    checkpoints = trained / "checkpoints"
    made = promote(checkpoints, "000001", 3)
    newest = models(checkpoints)[-1]
    assert (newest.name, newest.parent, newest.promoted, newest.update) == ("000003", "000001", True, 3)
    learner = make_learner()
    assert learner.load(made)["parent"] == "000001"
    weights = [
        checkpoint.read_tensors(p, checkpoint.MODEL, checkpoint.read_info(p)) for p in (made, checkpoints / "000001")
    ]
    assert all((weights[0][n] == weights[1][n]).all() for n in weights[1])
    with ReplayBuffer(trained) as buffer:
        training = Training(buffer)
        assert training.version == 3 and training.last == made


def test_no_such_model(trained: Path) -> None:
    with pytest.raises(BadInput, match="expected a model among"):
        promote(trained / "checkpoints", "000099", 7)


def test_a_damaged_one_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "000001").mkdir()
    (tmp_path / "000001" / "checkpoint.json").write_text("{")
    assert models(tmp_path) == [] and models(tmp_path / "nowhere") == []


class Idle(MemoryTrainer):
    """One that says whether it lives."""

    pid = None


def test_the_diary_tells_why_and_how(tmp_path: Path) -> None:
    (tmp_path / "000001").mkdir()
    lineage = {"parent": None, "steps": 8, "curve": [2.0, 1.0], "draws": {"a": 3}, "demonstrations": ["a", "b"]}
    (tmp_path / "000001" / "checkpoint.json").write_text(json.dumps({"lineage": lineage}))
    trainer, told = Idle(), []
    learning = Learning(trainer, TrainingConfig(), 0)  # type: ignore[arg-type]
    learning.diary = told.append
    learning.connect(lambda kind, value: learning.handle(value))
    learning.stored(1)
    trainer.finish({"type": "done", "checkpoint": str(tmp_path / "000001"), "update": 1, "figures": {"loss": 1.5}})
    learning.wanted()
    trainer.finish({"type": "failed", "message": "no"})
    assert (told[0]["why"], told[0]["update"], told[0]["draws"]) == ("something new was stored", 1, {"a": 3})
    assert told[0]["demonstrations"] == 2 and told[0]["figures"] == {"loss": 1.5}
    assert told[1] == {"why": "asked for", "update": 2, "failed": "no"}


def test_a_model_is_not_chosen_during_a_training() -> None:
    trainer = Idle()
    learning = Learning(trainer, TrainingConfig(), 0, version=4)  # type: ignore[arg-type]
    trainer.busy = True
    with pytest.raises(BadInput, match="a training is under way"):
        learning.promote(lambda number: Path("nowhere"))
    trainer.busy = False
    assert learning.promote(lambda number: Path(str(number))) == 5
    assert learning.fresh == Path("5") and learning.status.version == 5


def test_a_lesson_rolls_back_and_writes_it_down(tmp_path: Path, trained: Path) -> None:
    import shutil

    lesson = make(tmp_path / "lesson")
    shutil.copytree(trained / "checkpoints", tmp_path / "lesson" / "checkpoints", dirs_exist_ok=True)
    lesson.learning.status = lesson.learning.status.__class__(version=9)
    until_asked(lesson)
    lesson.promote("000002")
    assert models(lesson.buffer.checkpoints)[-1].name == "000010"
    (said,) = [e for e in lesson.buffer.history() if e.kind == "training"]
    assert (said.body["parent"], said.body["update"], said.body["promoted"]) == ("000002", 10, True)
    lesson.end()
    lesson.buffer.close()
