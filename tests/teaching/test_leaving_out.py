"""Training again with and without one answer: what is trained on, what is kept, what is told, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from teaching import films, leaving_out
from teaching.__main__ import main
from teaching.comparing import Pair, comparisons
from teaching.films import policy_hash
from teaching.leaving_out import OTHER, WITH, WITHOUT, LeftOut, asked
from teaching.models import models
from teaching.replay import ReplayBuffer
from teaching.retraining import leave_out
from teaching.training import Training
from teaching.types import BadInput
from tests.teaching.replay_maker import Maker
from tests.teaching.test_comparing import taught

PAIR = Pair("000001", "000003", scenes=2)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models; e1, then e2, then e3 were answered before each."""
    path = taught(tmp_path_factory.mktemp("left") / "two")
    with ReplayBuffer(path) as buffer:
        Maker(5, shape=(80, 160)).taught(buffer, "e3", ("valid", "demonstration"))
        Training(buffer).train(steps=1, seed=0, update=3)
    return path


@pytest.fixture(scope="module")
def told(lesson: Path) -> dict:
    said: list[tuple[str, int, int]] = []
    found = leave_out(lesson, LeftOut(PAIR, "e2-0"), report=lambda *words: said.append(words))
    assert ("optimiser steps", 6, 6) in said and said[-1] == ("scenes played", 10, 10), said
    return found


def test_both_are_trained_like_the_later_model_and_only_one_lacks_the_answer(lesson: Path, told: dict) -> None:
    folder = LeftOut(PAIR, "e2-0").folder(lesson)
    later = models(lesson / "checkpoints")[-1]
    again, without = (models(folder / name)[-1] for name in (WITH, WITHOUT))
    assert again.demonstrations == later.demonstrations
    assert set(later.demonstrations) - set(without.demonstrations) == set(told["examples"])
    assert told["examples"] and all(name.startswith("e2-0") for name in told["examples"])
    assert again.update == without.update == 3 and told["trainings"] == 2
    assert policy_hash(folder / WITH / "000003") == policy_hash(lesson / "checkpoints" / "000003"), (
        "same seed, same data"
    )
    assert policy_hash(folder / OTHER / "000003") != policy_hash(folder / WITH / "000003"), "the same, drawn otherwise"
    assert policy_hash(folder / WITHOUT / "000003") != policy_hash(folder / WITH / "000003")


def test_the_scenes_are_those_of_the_comparison_and_the_lesson_keeps_its_models(lesson: Path, told: dict) -> None:
    assert told["repeat"]["fixed"] == told["repeat"]["broken"] == [] and told["repeat"]["difference"] == 0.0
    for model in told["left"]:
        for scene in range(2):
            head = films.read_head(LeftOut(PAIR, "e2-0").film(lesson, model, scene))
            assert (head.scene in told["solved"][model]) == head.solved
    assert [m.name for m in models(lesson / "checkpoints")] == ["000001", "000002", "000003"]
    assert not comparisons(lesson), "it is no comparison of two models of the lesson"


def test_what_is_there_is_not_made_again_and_the_command_keeps_what_pages_read(
    lesson: Path, told: dict, capsys
) -> None:
    place = LeftOut(PAIR, "e2-0").folder(lesson) / WITHOUT / "000003" / "checkpoint.json"
    made = place.stat().st_mtime_ns
    given = [
        "compare",
        str(lesson),
        "--before",
        "1",
        "--after",
        "3",
        "--episodes",
        "2",
        "--without",
        told["examples"][0],
    ]
    main([*given[:-1], "e2-0"])
    assert json.loads(capsys.readouterr().out) == told and place.stat().st_mtime_ns == made
    (one,) = asked(lesson)
    assert one.answer == "e2-0" and not one.running and one.figures == told


def test_an_answer_that_taught_the_later_model_nothing_is_refused(lesson: Path) -> None:
    with pytest.raises(BadInput, match="learnt from"):
        leave_out(lesson, LeftOut(PAIR, "e9-0"))
    with pytest.raises(BadInput, match="came after 000001"):
        leave_out(lesson, LeftOut(PAIR, "e1-0"))
    with pytest.raises(BadInput, match="an answer by its decision"):
        LeftOut(PAIR, "../x")
    with pytest.raises(BadInput, match="a model among"):
        leaving_out.start(lesson, LeftOut(Pair("000001", "000009"), "e2-0"))
