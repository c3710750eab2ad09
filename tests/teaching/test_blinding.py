"""Blind questions and repetitions: what they hide, what they keep, and that a second answer changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import TableView
from teaching.blinding import APART, NEVER, Blinding, Blinds
from teaching.replay.glance import Glance
from teaching.types import BadInput, Feedback, Outcome
from teaching.view import question_view
from tests.teaching.lesson_maker import make, step, until_asked

RIGHT, WRONG = Feedback(Outcome.SUCCESS), Feedback(Outcome.FAILURE)


def taught(lesson, n: int) -> None:
    """Answer n fresh questions, all wrong, so that the arm holds still."""
    for _ in range(n):
        question = until_asked(lesson, begun=lesson.draft is not None)
        lesson.answer(question, WRONG, seconds=1.0)
        lesson._drain()
        while lesson.question is None:
            step(lesson)


@pytest.fixture
def lesson(tmp_path: Path):
    made = make(tmp_path / "lesson")
    yield made
    if not made.ended:
        made.end()
    made.buffer.close()


def test_a_blind_question_tells_nothing_of_confidence_and_its_answer_says_so(lesson, tmp_path: Path) -> None:
    lesson.blinds = Blinds(Blinding(1.0, 0.0), np.random.default_rng(0))
    question = until_asked(lesson)
    view = question_view(question, TableView(), {})
    assert view["blind"] and view["uncertainty"] is None and view["threshold"] is None and view["reason"] == ""
    assert "words" not in view and "frequency" not in view
    lesson.answer(question, WRONG, seconds=1.0)
    assert lesson.buffer.answers()[question.decision.id].blind


def test_a_question_comes_once_more_and_its_second_answer_changes_nothing(lesson, tmp_path: Path) -> None:
    taught(lesson, APART)
    lesson.blinds = Blinds(Blinding(0.0, 0.5), np.random.default_rng(1))
    for _ in range(12):
        taught(lesson, 1)
        if lesson.revisits:
            break
    (again,) = lesson.revisits
    assert again.repeat and again.blind
    view = question_view(again, TableView(), {})
    assert not view["again"], "a teacher who knows that it is a repetition is no longer steady of their own accord"
    rows, answers = lesson.buffer.rows(), lesson.buffer.answers()
    lesson.answer(again, RIGHT, seconds=2.0)
    assert lesson.revisits == [] and list(lesson.buffer.answers()) == list(answers)
    assert np.array_equal(lesson.buffer.rows().outcome, rows.outcome)
    with Glance(lesson.buffer.path) as glance:
        (note,) = [e.body for e in glance.diary("note") if e.body.get("what") == "repeat"]
    assert (note["decision"], note["first"], note["second"], note["same"]) == (again.decision.id, -1, 1, False)


def test_never_the_same_twice_and_never_for_scripted_teachers(tmp_path: Path, lesson) -> None:
    taught(lesson, APART + 2)
    blinds, found = Blinds(Blinding(0.0, 0.5), np.random.default_rng(0)), []
    for _ in range(40):
        question = blinds.reopen(lesson.memory, 0.0)
        found += [question.decision.id] if question else []
    assert len(found) == len(set(found)) == 2
    scripted = make(tmp_path / "scripted", oracle=True)
    assert scripted.blinds.how == NEVER
    scripted.buffer.close()


@pytest.mark.parametrize("values", [{"hidden": 2.0}, {"repeated": 0.9}, {"often": 1}])
def test_settings_that_cannot_be(values) -> None:
    with pytest.raises(BadInput):
        Blinding.of({"blinding": values})
