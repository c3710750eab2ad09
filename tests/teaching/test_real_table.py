"""A plan lesson on an arm that sees its table and knows nothing of it: goals, refusals, overrides, a lost camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robot_io.arm import Array, Features, Observation, Refused, Report
from robot_io.errors import ArmError, CameraError
from robot_io.fake import FakeArm
from teaching.phases import Phase
from teaching.plan_lesson import PlanLesson
from teaching.types import BadInput, Feedback, Outcome, Plan
from tests.teaching.lesson_maker import make, settle, step, until_asked

RIGHT = Feedback(Outcome.SUCCESS)


class SeenTable:
    """The arm in memory, seen by a camera only; `against` is what the rehearsal says of every motion."""

    def __init__(self) -> None:
        self._arm = FakeArm()
        self.against = self.blind = ""
        self.failing: type[ArmError] = ArmError
        self.performed: list[bool] = []
        self.cleared = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("reset", "truth", "snapshot", "rehearse", "preview", "restore"):
            raise AssertionError(f"a real table was asked to {name}")
        return getattr(self._arm, name)

    @property
    def features(self) -> Features:
        return replace(self._arm.features, capabilities=frozenset({"table"}), simulated=False)

    def observe(self, *, pictures: bool = False) -> Observation:
        if pictures and self.blind:
            raise self.failing(self.blind)
        return self._arm.observe(pictures=pictures)

    def check(self, actions: Array) -> None:
        if self.against:
            raise Refused(self.against)

    def clear(self) -> None:
        self.cleared += 1

    def perform(self, actions: Array, *, anyway: bool = False) -> Report:
        if not anyway:
            self.check(actions)
        self.performed.append(anyway)
        return Report(reached=True, ticks=1)


@pytest.fixture
def table() -> SeenTable:
    arm = SeenTable()
    arm.connect()
    return arm


@pytest.fixture
def lesson(tmp_path: Path, table: SeenTable) -> Iterator[PlanLesson]:
    made = make(tmp_path / "l", arm=table)  # type: ignore[arg-type]
    yield made
    made.end()
    made.buffer.close()


def asked(lesson: PlanLesson, *, begun: bool = False) -> Any:
    if not begun:
        lesson.begin()
        lesson._drain()
    settle(lesson, lambda: lesson.question is not None)
    return lesson.question


def answered(lesson: PlanLesson, feedback: Feedback = RIGHT, **more: Any) -> None:
    lesson.answer(lesson.question, feedback, seconds=1.0, **more)
    lesson._drain()


def test_it_begins_with_an_example_and_goes_on_with_the_person_s_goal(lesson, table):
    assert asked(lesson).decision.plan.goal == "put the red blocks in a green bowl"
    assert table.cleared == 1, "the arm went out of its own picture"
    lesson.try_goal("put the blue blocks into the pink bowl")
    lesson._drain()
    assert asked(lesson, begun=True).decision.plan.goal == "put the blue blocks in a pink bowl"
    answered(lesson)
    settle(lesson, lambda: table.performed and lesson.question is not None)
    assert lesson.question.decision.plan.goal == "put the blue blocks in a pink bowl"


def test_a_lesson_that_goes_on_keeps_its_goal(tmp_path, table):
    for wanted in ("put the red blocks in a green bowl", "put the white blocks in a brown bowl"):
        lesson = make(tmp_path / "again", arm=table)
        assert asked(lesson).decision.plan.goal == wanted
        lesson.try_goal("put the white blocks in a brown bowl")
        lesson._drain()
        answered(lesson)
        settle(lesson, lambda lesson=lesson: lesson.question is not None)
        lesson.end()
        lesson.buffer.close()
        table.performed.clear()


def test_a_plan_whose_rehearsal_goes_wrong_says_so_and_is_not_carried_out(lesson, table):
    table.against = "its gripper touched the table"
    question = until_asked(lesson)
    assert "touched the table" in question.details["unreachable"]
    assert question.details["refused"] is True
    answered(lesson)
    settle(lesson, lambda: lesson.question is not None and lesson.question is not question)
    assert table.performed == []
    assert "touched the table" in lesson.message
    assert lesson.buffer.answers()[question.decision.id].feedback is not None, "what was said is kept"


def test_a_person_may_want_it_anyway_and_that_is_recorded(lesson, table):
    table.against = "its gripper touched the table"
    question = until_asked(lesson)
    shown = Plan(np.array([[0.5, 0.1, 0.0, 0.0], [0.5, -0.1, 0.0, 0.0]]), question.decision.plan.goal)
    wrong = Feedback(Outcome.FAILURE, demonstration=shown)
    with pytest.raises(BadInput, match="tried in a simulated arm first"):
        answered(lesson, wrong)
    assert lesson.question is question, "it stays open"
    answered(lesson, wrong, anyway=True, teacher="Anna")
    settle(lesson, lambda: bool(table.performed))
    assert table.performed == [True]
    notes = [e.body for e in lesson.buffer.history() if e.kind == "note"]
    assert notes == [{"rehearsal": "overridden", "decision": question.decision.id, "teacher": "Anna"}]


def test_a_camera_that_fails_is_waited_for_where_the_lesson_is(lesson, table):
    first = asked(lesson)
    table.blind = "camera 0 has given no picture for 0.5 s; check its cable"
    table.failing = CameraError
    answered(lesson)
    settle(lesson, lambda: "goes on by itself" in lesson.message)
    assert lesson.phase is Phase.ACTING
    assert table.performed == [False], "what was answered is carried out once"
    table.blind = ""
    settle(lesson, lambda: lesson.question is not None and lesson.question is not first)
    assert lesson.message == ""
    assert table.performed == [False]
    assert len(lesson.buffer.answers()) == 1


def test_a_camera_that_goes_pauses_the_lesson_which_goes_on_when_it_is_back(lesson, table):
    asked(lesson)
    table.blind = "camera 0 is gone; plug it in again"
    answered(lesson)
    settle(lesson, lambda: lesson.phase is Phase.FAULT)
    assert lesson.message == table.blind
    lesson.post("tick", None)
    step(lesson)
    assert lesson.phase is Phase.FAULT, "it waits"
    table.blind = ""
    lesson.post("tick", None)
    settle(lesson, lambda: lesson.question is not None)
    assert lesson.message == ""
    assert len(lesson.buffer.answers()) == 1
