"""ReplayBuffer: what was said holds, amendments supersede, a crash loses nothing that was acknowledged."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from teaching.replay import DiskFull, LogError, NotABuffer, ReadOnly, ReplayBuffer
from teaching.replay.disk import Disk
from teaching.replay.episode import Episode
from teaching.types import BadInput, Demonstration, Kind, Outcome
from tests.teaching.replay_maker import GOAL, LESSON, OTHER, Maker


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def buffer(tmp_path: Path):  # type: ignore[no-untyped-def]
    with ReplayBuffer.create(tmp_path / "lesson", LESSON, clock=lambda: 7.0) as made:
        yield made


def reopened(buffer: ReplayBuffer) -> ReplayBuffer:
    buffer.close()
    return ReplayBuffer(buffer.path)


def kinds(buffer: ReplayBuffer) -> list[str]:
    return [d.id for d in buffer.demonstrations()]


# -- saying ------------------------------------------------------------------------------------------------------------


def test_an_answer_counts_before_its_episode_ends(buffer: ReplayBuffer, maker: Maker) -> None:
    decision = maker.decision("e0", 0)
    buffer.ask(decision, maker.observation(), {"truth": {"objects": []}})
    assert buffer.say("answer", maker.answer(decision, "both")) == 1
    again = reopened(buffer)
    assert again.answers()["e0-0"].feedback.outcome is Outcome.FAILURE
    assert kinds(again) == ["e0-0-annotated", "e0-0-relabelled"]
    rows = again.rows()
    assert rows.outcome.tolist() == [-1, 0] and rows.decision == ("e0-0", "e0-0")
    assert again.demonstrations()[1].goal == OTHER
    pending = again.pending()[0]
    assert pending.decision.id == "e0-0" and pending.extra == {"truth": {"objects": []}} and pending.answer is not None
    again.close()


def test_relabelled_and_shown_share_one_observation(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("both",))
    mirror = buffer.mirror()
    colour, _, goals, actions = mirror.batch(kinds(buffer))
    assert np.array_equal(colour[0], colour[1]) and goals == (GOAL, OTHER)
    assert not np.array_equal(actions[0], actions[1])


def test_an_answer_to_nothing_is_refused(buffer: ReplayBuffer, maker: Maker) -> None:
    with pytest.raises(BadInput, match="ask or note it first"):
        buffer.say("answer", maker.answer(maker.decision("e0", 0)))
    assert buffer.last_sequence == 0


def test_a_late_verdict_on_a_plan_that_was_not_asked(buffer: ReplayBuffer, maker: Maker) -> None:
    alone = maker.decision("e0", 0, asked=False)
    buffer.note(alone, maker.observation())
    assert buffer.rows().outcome.tolist() == [0] and not buffer.pending()
    buffer.say("verdict", maker.answer(alone, "demonstration", late=True))
    again = reopened(buffer)
    assert kinds(again) == ["e0-0-annotated"] and again.observation("e0-0")["colour"].shape == (8, 16, 3)
    again.close()


def test_a_late_verdict_after_the_commit(buffer: ReplayBuffer, maker: Maker) -> None:
    alone = maker.decision("e0", 0, asked=False)
    seen = maker.observation()
    buffer.append(maker.episode("e0", [(alone, seen)]))
    assert kinds(buffer) == []
    buffer.say("verdict", maker.answer(alone, "wrong", late=True))
    buffer.say("verdict", maker.answer(alone, "demonstration", late=True))
    assert kinds(buffer) == ["e0-0-annotated"]
    assert np.array_equal(buffer.mirror().batch(["e0-0-annotated"])[0][0], seen["colour"])


def test_undo_and_undo_of_undo(buffer: ReplayBuffer, maker: Maker) -> None:
    decision = maker.decision("e0", 0)
    buffer.ask(decision, maker.observation())
    first = buffer.say("answer", maker.answer(decision, "valid"))
    second = buffer.say("answer", maker.answer(decision, "wrong"))
    assert buffer.answers()["e0-0"].feedback.outcome is Outcome.FAILURE
    taken = buffer.say("undo", {"event": second})
    assert buffer.answers()["e0-0"].feedback.outcome is Outcome.SUCCESS
    assert [e.undone for e in buffer.history()] == [False, True, False]
    assert buffer.spoken() == [(first, buffer.answers()["e0-0"])] or buffer.spoken()[0][0] == first
    buffer.say("undo", {"event": taken})
    assert buffer.answers()["e0-0"].feedback.outcome is Outcome.FAILURE
    with pytest.raises(BadInput, match="already undone"):
        buffer.say("undo", {"event": taken})
    with pytest.raises(BadInput, match="which is none"):
        buffer.say("undo", {"event": 99})


def test_undo_after_the_commit_supersedes_the_file(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("valid", "both"))
    assert len(kinds(buffer)) == 3
    buffer.say("undo", {"event": 1})
    again = reopened(buffer)
    assert kinds(again) == ["e0-1-annotated", "e0-1-relabelled"]
    assert again.read("e0").answers[0].feedback.outcome is Outcome.SUCCESS  # as it was when it ended
    again.close()


def test_ten_answers_can_be_undone(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("valid",) * 12)
    for seq, _ in reversed(buffer.spoken()[-10:]):
        buffer.say("undo", {"event": seq})
    assert len(buffer.answers()) == 2 and len(kinds(buffer)) == 2


def test_delete_restore_pin_weight(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("both", "valid"))
    buffer.say("delete", {"demonstration": "e0-0-relabelled"})
    buffer.say("delete", {"demonstration": "e0-1-validated"})
    assert kinds(buffer) == ["e0-0-annotated"]
    assert buffer.rows().demonstration == ("e0-0-annotated", None)  # the decision stays, for the gate
    buffer.say("restore", {"demonstration": "e0-0-relabelled"})
    buffer.say("pin", {"demonstration": "e0-0-annotated"})
    buffer.say("weight", {"demonstration": "e0-0-annotated", "weight": 2.5})
    again = reopened(buffer)
    assert kinds(again) == ["e0-0-annotated", "e0-0-relabelled"]
    assert again.deleted() == {"e0-1-validated"} and again.pins() == {"e0-0-annotated"}
    assert again.weights() == {"e0-0-annotated": 2.5}
    again.close()


def test_a_value_that_holds_itself_is_refused_and_the_log_goes_on(buffer: ReplayBuffer) -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    with pytest.raises(BadInput, match="plain values"):
        buffer.say("note", endless)
    assert buffer.say("note", {"text": "all is well"}) == 1


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("shout", {}, "event kind"),
        ("commit", {}, "the store's own"),
        ("answer", {"decision": "e0-0"}, "fields of 'answer'"),
        ("delete", {}, "fields of 'delete'"),
        ("weight", {"demonstration": "x", "weight": "much"}, "fields of 'weight'"),
        ("weight", {"demonstration": "x", "weight": -1}, "at least 0"),
        ("weight", {"demonstration": "x", "weight": "inf"}, "at least 0"),
        ("config", {"gate": object()}, "plain values"),
        ("config", {"x": float("nan")}, "plain values"),
    ],
)
def test_events_that_could_not_be_folded_are_refused(buffer: ReplayBuffer, kind: str, body: dict, why: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(BadInput, match=why):
        buffer.say(kind, body)
    assert buffer.last_sequence == 0


def test_config_events_are_folded_over_the_lesson(buffer: ReplayBuffer) -> None:
    buffer.say("config", {"gate": {"target": 0.8}})
    again = reopened(buffer)
    assert again.lesson == {**LESSON, "gate": {"target": 0.8}}
    again.close()


def test_a_withdrawn_question_leaves_no_trace_in_history(buffer: ReplayBuffer, maker: Maker) -> None:
    first, second = maker.decision("e0", 0), replace(maker.decision("e0", 0), id="e0-1")
    buffer.ask(first, maker.observation())
    buffer.say("withdraw", {"decision": "e0-0"})
    buffer.ask(second, maker.observation())
    buffer.say("answer", maker.answer(second))
    again = reopened(buffer)
    assert [p.decision.id for p in again.pending()] == ["e0-1"] and again.rows().decision == ("e0-1",)
    with pytest.raises(BadInput, match="is answered; undo it first"):
        again.say("withdraw", {"decision": "e0-1"})
    again.close()


def test_a_failed_act_of_the_teacher_is_not_learnt(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("both",))
    buffer.say("failed", {"decision": "e0-0"})
    assert kinds(buffer) == ["e0-0-relabelled"] and buffer.rows().outcome.tolist() == [-1, 0]


# -- episodes ----------------------------------------------------------------------------------------------------------


def test_an_episode_is_committed_with_what_was_said(buffer: ReplayBuffer, maker: Maker) -> None:
    made = maker.taught(buffer, "e0", ("valid", "demonstration"))
    assert not buffer.pending() and not list((buffer.path / "pending").iterdir())
    back = buffer.read("e0")
    assert [a.decision for a in back.answers] == ["e0-0", "e0-1"]
    assert [d.kind for d in back.demonstrations] == [Kind.VALIDATED, Kind.ANNOTATED]
    assert np.array_equal(back.steps[1].observation["height"], made.steps[1].observation["height"])
    assert [e.id for e in buffer.episodes()] == ["e0"] and buffer.next_episode() == "000001"


def test_ids_are_never_used_twice(buffer: ReplayBuffer, maker: Maker) -> None:
    episode = maker.taught(buffer, "e0", ("valid",))
    with pytest.raises(BadInput, match="never overwritten"):
        buffer.append(episode)
    with pytest.raises(BadInput, match="asked or committed before"):
        buffer.ask(maker.decision("e0", 0), maker.observation())


def test_an_episode_must_hold_its_answered_questions(buffer: ReplayBuffer, maker: Maker) -> None:
    for step in (0, 1):
        buffer.ask(decision := maker.decision("e0", step), maker.observation())
        buffer.say("answer", maker.answer(decision))
    with pytest.raises(BadInput, match="lacks e0-1"):
        buffer.append(maker.episode("e0", [(maker.decision("e0", 0), maker.observation())]))


def test_committing_in_the_background(buffer: ReplayBuffer, maker: Maker) -> None:
    episodes = [maker.episode(f"e{i}", [(maker.decision(f"e{i}", 0), maker.observation())]) for i in range(5)]
    futures = [buffer.append_soon(e) for e in episodes]
    assert len(buffer.rows().decision) == 5  # at once
    [f.result(10) for f in futures]
    assert [e.id for e in buffer.episodes()] == [f"e{i}" for i in range(5)]
    failed = buffer.append_soon(episodes[0])
    with pytest.raises(BadInput, match="never overwritten"):
        failed.result(10)
    last = buffer.append_soon(maker.episode("e9", [(maker.decision("e9", 0), maker.observation())]))
    buffer.close()
    assert last.done()


def test_saying_from_many_threads_while_committing(buffer: ReplayBuffer, maker: Maker) -> None:
    decisions = [maker.decision("e0", i) for i in range(8)]
    for decision in decisions:
        buffer.ask(decision, maker.observation())
    answers = [maker.answer(d) for d in decisions]
    threads = [threading.Thread(target=buffer.say, args=("answer", a)) for a in answers]
    future = buffer.append_soon(maker.episode("e1", [(maker.decision("e1", 0), maker.observation())]))
    [t.start() for t in threads]
    [t.join() for t in threads]
    future.result(10)
    again = reopened(buffer)
    assert len(again.answers()) == 8 and len(again.episodes()) == 1 and again.last_sequence == 9
    again.close()


def test_offline_demonstrations_come_with_their_episode(buffer: ReplayBuffer, maker: Maker) -> None:
    seen = maker.observation()
    offline = Demonstration("x-0-offline", "x-0", Kind.OFFLINE, GOAL, np.ones((2, 4)), float("nan"), Outcome.UNKNOWN, 0)
    step = replace(maker.episode("x", [(maker.decision("x", 0), seen)]).steps[0], decision=None)
    buffer.append(Episode("x", "put-block-in-bowl", GOAL, 0, "seen", (step,), demonstrations=(offline,)))
    assert kinds(buffer) == ["x-0-offline"] and np.isnan(buffer.rows().uncertainty).tolist() == [True]
    assert np.array_equal(buffer.mirror().batch(["x-0-offline"])[0][0], seen["colour"])


# -- opening -----------------------------------------------------------------------------------------------------------


def test_opening_what_is_no_lesson(tmp_path: Path) -> None:
    with pytest.raises(NotABuffer, match="create one first"):
        ReplayBuffer(tmp_path)
    (tmp_path / "lesson.json").write_text(json.dumps({"schema": 9, "lesson": {}}))
    with pytest.raises(NotABuffer, match=r"expected a lesson of schema 1 .* got 9; open it with the version"):
        ReplayBuffer(tmp_path)
    (tmp_path / "lesson.json").write_text("[]")
    with pytest.raises(NotABuffer):
        ReplayBuffer(tmp_path)


def test_creating_over_a_lesson_is_refused(buffer: ReplayBuffer) -> None:
    with pytest.raises(BadInput, match="already holds one"):
        ReplayBuffer.create(buffer.path, LESSON)


def test_two_writers(buffer: ReplayBuffer) -> None:
    with pytest.raises(LogError, match="another process has it open"):
        ReplayBuffer(buffer.path)


def test_a_reader_follows_and_may_not_write(buffer: ReplayBuffer, maker: Maker) -> None:
    reader = ReplayBuffer(buffer.path, readonly=True)
    assert not reader.refresh()
    maker.taught(buffer, "e0", ("valid",))
    buffer.ask(decision := maker.decision("e1", 0), maker.observation())
    buffer.say("answer", maker.answer(decision, "demonstration"))
    assert reader.refresh() and not reader.refresh()
    assert kinds(reader) == kinds(buffer) == ["e0-0-validated", "e1-0-annotated"]
    assert len(reader.mirror()) == 2 and [p.decision.id for p in reader.pending()] == ["e1-0"]
    buffer.append(maker.episode("e1", [(decision, maker.observation())]))
    assert reader.refresh() and not reader.pending() and kinds(reader) == kinds(buffer)
    with pytest.raises(ReadOnly):
        reader.say("undo", {"event": 1})
    with pytest.raises(ReadOnly):
        reader.append(maker.episode("e2", [(maker.decision("e2", 0), maker.observation())]))
    reader.close()


def test_a_reader_that_looks_while_questions_are_folded(buffer: ReplayBuffer, maker: Maker) -> None:
    buffer.ask(decision := maker.decision("e0", 0), seen := maker.observation())
    buffer.say("answer", maker.answer(decision))
    reader = ReplayBuffer(buffer.path, readonly=True)
    load = reader._questions.load

    def slowly(*arguments):  # type: ignore[no-untyped-def]
        if not buffer.episodes():
            buffer.append(maker.episode("e0", [(decision, seen)]))  # after the log was read, before the questions
        return load(*arguments)

    reader._questions.load = slowly  # type: ignore[method-assign]
    buffer.say("note", {"text": "something new"})
    assert reader.refresh() and kinds(reader) == ["e0-0-validated"] and reader.verify().whole
    reader.close()


def test_a_late_verdict_while_its_episode_is_committed(buffer: ReplayBuffer, maker: Maker) -> None:
    alone, seen = maker.decision("e0", 0, asked=False), maker.observation()
    buffer.note(alone, seen)
    publish = buffer._shelf.publish_pending

    def slowly(question: Episode) -> None:
        publish(question)
        buffer.append(maker.episode("e0", [(alone, seen)]))

    buffer._shelf.publish_pending = slowly  # type: ignore[method-assign]
    buffer.say("verdict", maker.answer(alone, "demonstration", late=True))
    assert not buffer.pending() and not list((buffer.path / "pending").iterdir())
    assert kinds(buffer) == ["e0-0-annotated"] and buffer.verify().whole


def test_the_index_may_be_deleted_or_garbage(buffer: ReplayBuffer, maker: Maker) -> None:
    for i in range(3):
        maker.taught(buffer, f"e{i}", ("valid",))
    was = [(s.id, s.keys, s.reward) for s in buffer.episodes()]
    buffer.close()
    for damage in (
        Path.unlink,
        lambda p: p.write_bytes(b"no database"),
        lambda p: p.write_bytes(p.read_bytes()[:5000]),
    ):
        for extra in ("-wal", "-shm"):
            (buffer.path / f"index.sqlite{extra}").unlink(missing_ok=True)
        damage(buffer.path / "index.sqlite")
        with ReplayBuffer(buffer.path) as again:
            assert [(s.id, s.keys, s.reward) for s in again.episodes()] == was
            report = again.verify()
            assert report.whole and report.rebuilt == ("the index of 3 episodes",)
            assert not again.verify().rebuilt


def test_a_stale_index_is_not_believed(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("valid",))
    buffer.close()
    import sqlite3

    connection = sqlite3.connect(buffer.path / "index.sqlite")
    connection.execute("UPDATE episodes SET sha256 = 'x', record = '{}'")
    connection.commit()
    connection.close()
    with ReplayBuffer(buffer.path) as again:
        assert again.episodes()[0].keys == ("e0-0",)


# -- crashes -----------------------------------------------------------------------------------------------------------


def test_temporaries_are_dropped(buffer: ReplayBuffer) -> None:
    buffer.close()
    for name in ("episodes/e0.h5.tmp", "pending/x.h5.tmp", "lesson.json.tmp"):
        (buffer.path / name).write_bytes(b"half")
    with ReplayBuffer(buffer.path) as again:
        assert not list(buffer.path.rglob("*.tmp")) and again.verify().whole


def test_a_whole_file_without_its_commit_line_is_adopted(buffer: ReplayBuffer, maker: Maker) -> None:
    buffer.ask(decision := maker.decision("e0", 0), seen := maker.observation())
    buffer.say("answer", maker.answer(decision))
    buffer._shelf.publish_episode(buffer._with_answers(maker.episode("e0", [(decision, seen)])))
    again = reopened(buffer)
    assert [e.id for e in again.episodes()] == ["e0"] and not again.pending()
    assert any("it is now" in p for p in again.problems) and again.verify().whole
    again.close()


def test_what_cannot_be_adopted_goes_to_quarantine_and_is_told(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("valid",))
    buffer.close()
    episodes = buffer.path / "episodes"
    (episodes / "e1.h5").write_bytes((episodes / "e0.h5").read_bytes()[:-20])
    shutil.copy(episodes / "e0.h5", episodes / "e2.h5")
    (episodes / "notes.txt").write_text("hello")
    with ReplayBuffer(buffer.path) as again:
        assert sorted(p.name for p in (buffer.path / "quarantine").iterdir()) == ["e1.h5", "e2.h5", "notes.txt"]
        assert sum("moved to quarantine" in p for p in again.problems) == 3
        report = again.verify()
        assert report.whole and len(report.quarantined) == 3
        assert [e.kind for e in again.history()][-3:] == ["quarantine"] * 3


def test_a_damaged_question_is_told_and_its_answer_missed(buffer: ReplayBuffer, maker: Maker) -> None:
    buffer.ask(decision := maker.decision("e0", 0), maker.observation())
    buffer.say("answer", maker.answer(decision))
    buffer.close()
    file = buffer.path / "pending" / "e0-0.h5"
    file.write_bytes(file.read_bytes()[:-1])
    with ReplayBuffer(buffer.path) as again:
        report = again.verify()
        assert not report.whole and "e0-0" in report.missing[0] and "e0-0.h5" in report.quarantined


@pytest.mark.parametrize("how", ["gone", "shorter", "flipped"])
def test_verify_sees_damaged_and_missing_episodes(buffer: ReplayBuffer, maker: Maker, how: str) -> None:
    maker.taught(buffer, "e0", ("valid",))
    maker.taught(buffer, "e1", ("valid",))
    buffer.close()
    file = buffer.path / "episodes" / "e0.h5"
    data = bytearray(file.read_bytes())
    data[2000] ^= 1
    file.unlink() if how == "gone" else file.write_bytes(bytes(data) if how == "flipped" else bytes(data[:-3]))
    with ReplayBuffer(buffer.path) as again:
        report = again.verify()
        assert not report.whole and len(report.damaged if how != "gone" else report.missing) >= 1
        assert "e0" in report.sentences()[1] and report.sentences()[0].startswith("NOT whole")
        with pytest.raises(Exception, match="e0"):
            again.read("e0")
        assert again.read("e1").id == "e1"
        maker.taught(again, "e2", ("valid",))


def test_a_damaged_log_is_told(buffer: ReplayBuffer, maker: Maker) -> None:
    maker.taught(buffer, "e0", ("valid", "valid", "valid"))
    buffer.close()
    log = buffer.path / "events.log"
    data = bytearray(log.read_bytes())
    data[40] ^= 1
    log.write_bytes(bytes(data))
    with ReplayBuffer(buffer.path) as again:
        report = again.verify()
        assert not report.whole and any("damaged" in d for d in report.damaged)
        assert sorted(again.answers()) == ["e0-1", "e0-2"]


def test_salvage_keeps_what_was_said_before_a_crash(buffer: ReplayBuffer, maker: Maker) -> None:
    for step in (0, 1):
        buffer.ask(
            decision := maker.decision("e0", step), maker.observation(), {"seed": 12, "split": "seen", "started": 3.0}
        )
        if step == 0:
            buffer.say("answer", maker.answer(decision, "demonstration"))
    again = reopened(buffer)
    saved = again.salvage()
    assert [e.id for e in saved] == ["e0"] and again.read("e0").end == "interrupted" and again.read("e0").seed == 12
    assert not again.pending() and kinds(again) == ["e0-0-annotated"] and again.verify().whole
    again.close()


# -- a full disk -------------------------------------------------------------------------------------------------------


class Small(Disk):
    """Room for so many bytes."""

    room = 10**9

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = super().write(descriptor, data[: self.room])
        self.room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 100, 4000])
def test_a_full_disk_loses_nothing_and_all_can_be_done_again(tmp_path: Path, maker: Maker, room: int) -> None:
    disk = Small()
    buffer = ReplayBuffer.create(tmp_path / "lesson", LESSON, disk=disk)
    decision, seen = maker.decision("e0", 0), maker.observation()
    disk.room = room
    with pytest.raises(DiskFull, match="make space"):
        buffer.ask(decision, seen)
    disk.room = 10**9
    buffer.ask(decision, seen)
    disk.room = min(room, 50)
    with pytest.raises(DiskFull, match="say it again"):
        buffer.say("answer", maker.answer(decision))
    assert not buffer.answers()
    disk.room = 10**9
    buffer.say("answer", maker.answer(decision))
    episode = maker.episode("e0", [(decision, seen)])
    size = len((buffer.path / "pending" / "e0-0.h5").read_bytes())
    for short in (room, size + 3000):  # too little for the file; enough for it, perhaps too little for its commit line
        disk.room = short
        try:
            buffer.append(episode)
        except DiskFull:
            assert not list((buffer.path / "episodes").iterdir()) and len(buffer.pending()) == 1
        else:
            break
    disk.room = 10**9
    if not buffer.episodes():
        buffer.append(episode)
    again = reopened(buffer)
    assert again.verify().whole and kinds(again) == ["e0-0-validated"] and not again.problems
    again.close()


def test_a_disk_that_fills_up_before_the_commit_line(tmp_path: Path, maker: Maker) -> None:
    class Stopping(Small):
        def sync_directory(self, path: Path) -> None:
            super().sync_directory(path)
            self.room = 0 if path.name == "episodes" else self.room

    disk = Stopping()
    buffer = ReplayBuffer.create(tmp_path / "lesson", LESSON, disk=disk)
    episode = maker.episode("e0", [(maker.decision("e0", 0), maker.observation())])
    with pytest.raises(DiskFull):
        buffer.append(episode)
    disk.room = 10**9
    assert not buffer.episodes() and not list((buffer.path / "episodes").iterdir())
    disk.sync_directory = Disk().sync_directory  # type: ignore[method-assign]
    buffer.append(episode)
    assert reopened(buffer).verify().whole
