"""The question-and-answer lesson on the arm in memory: what is asked, stored, undone, refused and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import TableView
from robot_io.fake import FakeArm
from teaching.phases import TRANSITIONS, Phase, after
from teaching.plan_lesson import REPLAN_AFTER
from teaching.question import spoken
from teaching.replay import DiskFull, ReplayBuffer
from teaching.types import BadInput, Feedback, Kind, Outcome, Plan
from tests.teaching.lesson_maker import BlindNovice, MemoryTrainer, make, settle, step, until_asked

RIGHT, WRONG, UNKNOWN = (Feedback(o) for o in (Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNKNOWN))


def said(lesson, verdict, **more):
    question = lesson.question
    feedback, chosen = spoken({"verdict": verdict, **more}, question, TableView())
    sequence = lesson.answer(question, feedback, seconds=1.0, chosen=chosen)
    lesson._drain()
    return sequence


def finished(directory):
    with ReplayBuffer(directory) as buffer:
        report = buffer.verify()
        assert report.whole, report
        return buffer.episodes(), buffer.demonstrations(), buffer.answers()


@pytest.mark.parametrize("ahead", [False, True])
def test_a_scripted_teacher_fills_the_buffer(tmp_path: Path, ahead: bool) -> None:
    lesson = make(tmp_path / "l", oracle=True, ahead=ahead)
    lesson.run(until=lambda: len(lesson.buffer.episodes()) >= 6)
    lesson.end()
    lesson.buffer.close()
    episodes, demonstrations, answers = finished(tmp_path / "l")
    assert len(episodes) >= 6
    assert sum(e.end == "terminated" for e in episodes) >= 5
    assert {d.kind for d in demonstrations} >= {Kind.ANNOTATED}
    assert all(d.asked for e in episodes for d in e.decisions)  # too few failures yet: it asks about everything
    assert set(answers) == {d.id for e in episodes for d in e.decisions}


def test_ahead_and_in_turn_store_the_same(tmp_path: Path) -> None:
    kept = []
    for ahead in (False, True):
        lesson = make(tmp_path / str(ahead), oracle=True, ahead=ahead)
        lesson.run(until=lambda lesson=lesson: len(lesson.buffer.episodes()) >= 4)
        lesson.end()
        lesson.buffer.close()
        _, demonstrations, _ = finished(tmp_path / str(ahead))
        kept.append({d.id: d.actions.tolist() for d in demonstrations if int(d.decision.split("-")[0]) < 4})
    assert kept[0] == kept[1]


def test_the_next_question_is_there_before_the_arm_has_finished(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    first = until_asked(lesson)
    said(lesson, "valid")
    assert lesson.question is not None and lesson.question is not first
    assert lesson.course.acting is not None


def test_an_answer_is_durable_before_the_arm_moves(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    question = until_asked(lesson)
    sequence = lesson.answer(question, RIGHT, seconds=1.0)
    assert lesson.course.acting is None
    with ReplayBuffer(tmp_path / "l", readonly=True) as reader:
        assert reader.answers()[question.decision.id].feedback.outcome is Outcome.SUCCESS
        assert reader.history()[-1].seq == sequence


def test_wrong_without_more_holds_still_and_ends_the_episode(tmp_path: Path) -> None:
    class CountingArm(FakeArm):
        performed = 0

        def perform(self, actions):
            self.performed += 1
            return super().perform(actions)

    arm = CountingArm()
    arm.connect()
    lesson = make(tmp_path / "l", arm=arm)
    question = until_asked(lesson)
    said(lesson, "invalid")
    settle(lesson, lambda: len(lesson.buffer.episodes()) == 1)
    assert arm.performed == 0
    assert lesson.buffer.episodes()[0].end == "truncated"
    assert lesson.buffer.demonstrations() == []
    assert lesson.buffer.rows().outcome[0] == -1
    assert lesson.question is None or lesson.question.decision.episode != question.decision.episode


def test_cannot_tell_stores_nothing_and_labels_nothing(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    until_asked(lesson)
    said(lesson, "unknown")
    settle(lesson, lambda: len(lesson.buffer.episodes()) == 1)
    assert lesson.buffer.demonstrations() == [] and lesson.buffer.rows().outcome[0] == 0


def test_one_answer_holds_a_relabel_and_a_demonstration(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    question = until_asked(lesson)
    other = question.relabels[0]
    shown = {"pick": [0.5, 0.1, 0.0], "place": [0.4, -0.2, 0.3]}
    said(lesson, "invalid", relabel=other, demonstration=shown)
    kinds = {d.kind: d for d in lesson.buffer.demonstrations()}
    assert set(kinds) == {Kind.ANNOTATED, Kind.RELABELLED}
    assert kinds[Kind.RELABELLED].goal == other
    assert kinds[Kind.ANNOTATED].actions[0, :2].tolist() == [0.5, 0.1]
    assert kinds[Kind.RELABELLED].actions.tolist() == question.decision.plan.actions.tolist()


def test_choosing_a_ghost_says_wrong_and_shows_the_ghost(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    ghost = until_asked(lesson).decision.plan.alternatives[0]
    said(lesson, "valid", choice=1)
    (stored,) = lesson.buffer.demonstrations()
    assert stored.kind is Kind.ANNOTATED and stored.outcome is Outcome.FAILURE
    assert np.array_equal(stored.actions, ghost.actions)


def test_an_answer_to_an_old_question_is_refused(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    old = until_asked(lesson)
    said(lesson, "valid")
    with pytest.raises(BadInput, match="no longer open"):
        lesson.open_question(old.decision.id)
    assert len(lesson.buffer.answers()) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"verdict": "perhaps"}, "expected a verdict"),
        ({"verdict": "valid", "choice": 7}, "expected a choice"),
        ({"verdict": "valid", "choice": "x"}, "number of a ghost"),
        ({"verdict": "valid", "relabel": "put it there"}, "only with an invalid plan"),
        ({"verdict": "invalid", "demonstration": {"pick": [0.5, 0.1]}}, "expected pick as"),
        ({"verdict": "invalid", "demonstration": {"pick": [9, 0, 0], "place": [0.5, 0, 0]}}, "click on the table"),
        ({"verdict": "invalid", "demonstration": {"pick": [float("nan"), 0, 0], "place": [0.5, 0, 0]}}, "finite"),
        ({"verdict": "invalid", "relabel": "x" * 10_000}, "at most 300 characters"),
    ],
)
def test_bad_answers_say_what_was_expected_and_leave_the_question_open(tmp_path: Path, values, words) -> None:
    lesson = make(tmp_path / "l")
    question = until_asked(lesson)
    with pytest.raises(BadInput, match=words):
        said(lesson, **values)
    assert lesson.question is question and lesson.buffer.answers() == {}


def test_undo_opens_the_question_again_and_moves_nothing(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l", trainer=MemoryTrainer())
    question = until_asked(lesson)
    said(lesson, "valid")
    moves = len(lesson.course.moves)
    lesson.undo()
    assert lesson.buffer.demonstrations() == [] and lesson.buffer.answers() == {}
    again = lesson.open_question(question.decision.id)
    assert again.again and np.array_equal(again.moment.observation["colour"], question.moment.observation["colour"])
    lesson.answer(again, WRONG, seconds=2.0)
    lesson._drain()
    assert len(lesson.course.moves) == moves
    assert lesson.buffer.answers()[question.decision.id].feedback.outcome is Outcome.FAILURE
    assert lesson.revisits == []


def test_undo_reaches_ten_answers_back_also_after_they_were_committed(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    until_asked(lesson)
    for _ in range(12):
        said(lesson, "invalid")
        until_asked(lesson, begun=True)
    for _ in range(10):
        lesson.undo()
    assert len(lesson.buffer.answers()) == 2 and len(lesson.revisits) == 10
    for _ in range(2):
        lesson.undo()
    with pytest.raises(BadInput, match="no answer to undo"):
        lesson.undo()


def test_a_late_verdict_on_an_unasked_plan_becomes_a_label(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l", gate={"kind": "never"})
    lesson.begin()
    settle(lesson, lambda: len(lesson.buffer.episodes()) >= 2)
    decision = lesson.memory.decisions[0].id
    lesson.judge(decision, Outcome.FAILURE)
    assert lesson.buffer.rows().outcome[0] == -1
    with pytest.raises(BadInput, match="a plan of this lesson"):
        lesson.judge("nonsense", Outcome.FAILURE)


def test_stop_voids_what_was_worked_out_ahead_and_keeps_what_was_said(tmp_path: Path) -> None:
    arm = FakeArm()
    arm.connect()
    lesson = make(tmp_path / "l", arm=arm)
    question = until_asked(lesson)
    arm.stop()
    said(lesson, "valid")
    settle(lesson, lambda: lesson.phase is Phase.STOPPED)
    assert lesson.question is None and "stop" in lesson.message
    settle(lesson, lambda: len(lesson.buffer.episodes()) == 1)
    assert lesson.buffer.episodes()[0].end == "interrupted"
    assert question.decision.id in lesson.buffer.answers()
    arm.release()
    lesson.handle("tick", None)
    lesson._drain()
    until_asked(lesson, begun=True)


def test_disk_full_keeps_the_question_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = make(tmp_path / "l")
    question = until_asked(lesson)

    def full(*_: object) -> int:
        raise DiskFull("the disk is full; make room and answer again")

    with monkeypatch.context() as patched:
        patched.setattr(lesson.buffer, "say", full)
        with pytest.raises(DiskFull):
            said(lesson, "valid")
    assert lesson.question is question
    assert said(lesson, "valid") > 0


def test_an_episode_that_could_not_be_committed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = make(tmp_path / "l")
    until_asked(lesson)
    publish = lesson.buffer._shelf.publish_episode

    def full(*_: object) -> None:
        raise DiskFull("the disk is full")

    monkeypatch.setattr(lesson.buffer._shelf, "publish_episode", full)
    said(lesson, "invalid")
    settle(lesson, lambda: "waits to be stored" in lesson.message)
    assert lesson.buffer.episodes() == []
    monkeypatch.setattr(lesson.buffer._shelf, "publish_episode", publish)
    lesson.handle("tick", None)
    settle(lesson, lambda: len(lesson.buffer.episodes()) == 1)


def test_pause_keeps_the_question_and_stops_planning(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    until_asked(lesson)
    lesson.pause()
    said(lesson, "invalid")
    settle(lesson, lambda: lesson.phase is Phase.PAUSED)
    assert lesson.question is None
    lesson.resume()
    lesson._drain()
    assert lesson.question is not None


def test_a_goal_of_ones_own_replaces_the_question(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    old = until_asked(lesson)
    goal = old.relabels[-1]
    lesson.try_goal(goal.upper())
    lesson._drain()
    assert lesson.question is not None and lesson.question.decision.plan.goal == goal
    assert len(lesson.buffer.decisions()) == 1
    with pytest.raises(BadInput):
        lesson.try_goal("make me a sandwich")
    said(lesson, "unknown")
    settle(lesson, lambda: len(lesson.buffer.episodes()) == 1)
    assert [d.plan.goal for d in lesson.buffer.episodes()[0].decisions] == [goal]


def test_a_better_novice_replaces_only_an_untouched_question(tmp_path: Path) -> None:
    now = [1000.0]
    trainer = MemoryTrainer()
    lesson = make(tmp_path / "l", trainer=trainer)
    lesson.clock = lambda: now[0]
    question = until_asked(lesson)
    for draft, wait, replaced in (
        (None, 1.0, False),
        ({"x": 1}, REPLAN_AFTER + 1, False),
        (None, REPLAN_AFTER + 1, True),
    ):
        question.draft, now[0] = draft, question.shown + wait
        trainer.finish({"type": "done", "checkpoint": "c", "update": 1})
        step(lesson)
        assert (lesson.question is not question) == replaced


def test_an_interrupted_lesson_keeps_its_answers_and_goes_on(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l")
    question = until_asked(lesson)
    lesson.buffer.say("answer", make_answer(question.decision.id))
    lesson.buffer.close()  # the process is gone: nothing more was written
    with ReplayBuffer(tmp_path / "l") as buffer:
        (saved,) = buffer.salvage()
        assert saved.end == "interrupted"
    again = make(tmp_path / "l")
    assert question.decision.id in again.buffer.answers()
    newer = until_asked(again)
    assert newer.decision.episode != question.decision.episode


def make_answer(decision: str):
    from teaching.types import Answer

    return Answer(decision, RIGHT, "anna", 1.0)


def test_uncertainty_is_scaled_over_the_whole_lesson_also_after_a_restart(tmp_path: Path) -> None:
    lesson = make(tmp_path / "l", novice=BlindNovice(8.0))
    assert until_asked(lesson).decision.plan.uncertainty == 1.0
    said(lesson, "invalid")
    lesson.end()
    lesson.buffer.close()
    again = make(tmp_path / "l", novice=BlindNovice(4.0))
    assert until_asked(again).decision.plan.uncertainty == pytest.approx(0.5)


def test_the_table_of_phases_has_no_dead_end_but_the_end() -> None:
    for phase in Phase:
        leaves = [event for (origin, event) in TRANSITIONS if origin is phase]
        assert bool(leaves) == (phase is not Phase.ENDED)
    with pytest.raises(AssertionError):
        after(Phase.ASKING, "moment")


def test_a_demonstration_that_is_a_plan_needs_two_points() -> None:
    with pytest.raises(BadInput):
        Plan(np.zeros((2, 2, 2)), "put the red blocks in a green bowl")


def test_a_move_that_was_held_ends_the_episode_and_the_lesson_goes_on(tmp_path: Path) -> None:
    from robot_io.arm import Report

    class HeldArm(FakeArm):
        held = True

        def perform(self, actions):
            return Report(False, "held by a person", 3) if self.held else super().perform(actions)

    arm = HeldArm()
    arm.connect()
    lesson = make(tmp_path / "l", arm=arm)
    until_asked(lesson)
    said(lesson, "valid")
    settle(lesson, lambda: lesson.phase is Phase.STOPPED)
    assert "held by a person" in lesson.message
    arm.held = False
    lesson.handle("tick", None)
    lesson._drain()
    until_asked(lesson, begun=True)
