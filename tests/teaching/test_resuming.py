"""A question outlives the host that asked it: the same scene, the same plan, once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot_io.fake import FakeArm
from robot_io.features import Features
from teaching.plan_lesson import PlanLesson
from teaching.replay import ReplayBuffer
from teaching.types import Answer, Feedback, Outcome
from tests.teaching.lesson_maker import make, settle, until_asked

RIGHT = Feedback(Outcome.SUCCESS)


def crashed(directory: Path, arm: FakeArm | None = None) -> PlanLesson:
    """A lesson whose host is gone while a question is on the screen: nothing more was written."""
    lesson = make(directory, arm=arm)
    until_asked(lesson)
    lesson.buffer.close()
    return lesson


def test_the_same_question_is_asked_and_its_answer_counts(tmp_path: Path) -> None:
    before = crashed(tmp_path / "l").question
    again = make(tmp_path / "l")
    question = until_asked(again)
    assert before is not None and question.decision.id == before.decision.id
    np.testing.assert_array_equal(question.decision.plan.actions, before.decision.plan.actions)
    assert question.moment.truth == before.moment.truth
    again.answer(question, RIGHT, seconds=1.0)
    again._drain()
    settle(again, lambda: len(again.buffer.episodes()) == 1)
    (episode,) = again.buffer.episodes()
    assert episode.id == before.decision.episode and question.decision.id in again.buffer.answers()
    assert [d.id for d in again.memory.decisions].count(before.decision.id) == 1
    following = until_asked(again, begun=True)
    assert following.decision.episode != episode.id
    again.end()
    again.buffer.close()
    with ReplayBuffer(tmp_path / "l", readonly=True) as buffer:
        assert buffer.verify().whole
        seeds = [e.seed for e in buffer.episodes()]
        assert seeds == sorted(set(seeds))  # no scene came twice


def test_it_is_taken_up_only_once(tmp_path: Path) -> None:
    before = crashed(tmp_path / "l").question
    crashed(tmp_path / "l")
    third = until_asked(make(tmp_path / "l"))
    assert before is not None and third.decision.episode != before.decision.episode


def test_one_that_was_answered_is_kept_not_asked(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    question = until_asked(lesson)
    lesson.buffer.say("answer", Answer(question.decision.id, RIGHT, "anna", 1.0))
    lesson.buffer.close()
    again = make(tmp_path / "l")
    assert until_asked(again).decision.episode != question.decision.episode
    assert again.buffer.episodes()[0].end == "interrupted" and question.decision.id in again.buffer.answers()


def test_another_scene_than_the_one_asked_about_withdraws_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = crashed(tmp_path / "l").question
    arm = FakeArm()
    arm.connect()
    lay = arm.reset
    monkeypatch.setattr(arm, "reset", lambda seed, task, split: lay(seed + 1, task, split))
    again = make(tmp_path / "l", arm=arm)
    question = until_asked(again)
    assert before is not None and question.decision.id != before.decision.id
    assert question.decision.episode == before.decision.episode
    assert before.decision.id not in {d.id for d in again.buffer.decisions()}


class Bench(FakeArm):
    """An arm that cannot lay a scene, as real ones."""

    @property
    def features(self) -> Features:
        return replace(super().features, capabilities=frozenset({"table"}))


def test_an_arm_without_scenes_keeps_it_as_interrupted(tmp_path: Path) -> None:
    crashed(tmp_path / "l")
    arm = Bench()
    arm.connect()
    lesson = make(tmp_path / "l", arm=arm)
    assert [e.end for e in lesson.buffer.episodes()] == ["interrupted"]
    lesson.buffer.close()
