"""The columns of the index: whatever was said in whatever order, they are what folding the log gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from teaching.replay import ReplayBuffer
from teaching.replay.columns import stamp
from teaching.replay.glance import Glance
from teaching.types import BadInput, Kind
from tests.teaching.replay_maker import LESSON, Maker

KINDS = ("valid", "demonstration", "relabel", "both", "wrong", "unknown")


@pytest.fixture
def buffer(tmp_path: Path):  # type: ignore[no-untyped-def]
    with ReplayBuffer.create(tmp_path / "lesson", LESSON) as made:
        yield made


def shown(glance: Glance) -> tuple[dict[str, tuple[object, ...]], dict[str, tuple[object, ...]]]:
    """Decisions and demonstrations by id, words written out, numbers left away."""
    found = []
    for table in ("decisions", "demonstrations"):
        rows = getattr(glance.columns, table)
        words = [n for n in ("goal", "kind", "teacher") if n in rows.dtype.names]
        names = [n for n in rows.dtype.names if n not in ("number", *words)]
        ids = glance.ids(table, rows["number"])
        found.append(
            {
                i: (*(repr(r[n]) for n in names), *(glance.columns.word(r[n]) for n in words))
                for i, r in zip(ids, rows, strict=True)
            }
        )
    return found[0], found[1]


def anew(path: Path) -> Glance:
    """The columns as made in memory, without the index."""
    glance = Glance.__new__(Glance)
    Glance.__init__(glance, path)
    glance._connection.close()
    glance._connection = glance._in_memory()
    from teaching.replay.columns import read_columns

    glance.columns = read_columns(glance._connection)
    return glance


def test_columns_say_what_the_buffer_says(buffer: ReplayBuffer) -> None:
    maker = Maker()
    for i in range(4):
        maker.taught(buffer, f"e{i}", KINDS)
    buffer.say("delete", {"demonstration": "e1-0-validated"})
    buffer.say("pin", {"demonstration": "e2-1-annotated"})
    buffer.say("weight", {"demonstration": "e3-2-relabelled", "weight": 2.5})
    with Glance(buffer.path) as glance:
        columns = glance.columns
        ids = glance.ids("demonstrations", columns.demonstrations["number"])
        rows = dict(zip(ids, columns.demonstrations, strict=True))
        assert {i for i in ids if not rows[i]["excluded"]} == {d.id for d in buffer.demonstrations()}
        assert rows["e1-0-validated"]["excluded"] and rows["e2-1-annotated"]["pinned"]
        assert rows["e3-2-relabelled"]["weight"] == 2.5
        for stored in buffer.demonstrations():
            card = glance.card(int(rows[stored.id]["number"]))
            assert card.demonstration.id == stored.id and np.array_equal(card.demonstration.actions, stored.actions)
            assert card.answer is not None and card.answer.decision == stored.decision
            assert columns.word(rows[stored.id]["kind"]) == stored.kind
        known = dict(zip(glance.ids("decisions", columns.decisions["number"]), columns.decisions, strict=True))
        for decision in buffer.decisions():
            assert known[decision.id]["uncertainty"] == decision.plan.uncertainty
            assert known[decision.id]["answered"]
        assert columns.sequence == buffer.last_sequence and columns.behind == 0
        seen = glance.observation("e2", "e2-3")
        assert np.array_equal(seen["colour"], buffer.observation("e2-3")["colour"])


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_said_in_whatever_order(tmp_path: Path, seed: int) -> None:
    """Kept step by step, across openings, they equal what one fold of everything gives."""
    rng, maker = np.random.default_rng(seed), Maker(seed)
    buffer = ReplayBuffer.create(tmp_path / "lesson", LESSON)
    try:
        for turn in range(30):
            act = rng.choice(["teach", "delete", "restore", "pin", "weight", "undo", "late", "train", "drop", "reopen"])
            stored, decided = buffer.demonstrations(), buffer.decisions()
            if act == "teach" or not stored:
                maker.taught(buffer, f"e{turn}", tuple(rng.choice(KINDS, 3)))
            elif act in ("delete", "restore", "pin"):
                buffer.say(act, {"demonstration": stored[rng.integers(len(stored))].id})
            elif act == "weight":
                buffer.say(act, {"demonstration": stored[0].id, "weight": float(rng.integers(4))})
            elif act == "late":
                buffer.say("verdict", maker.answer(decided[rng.integers(len(decided))], "wrong", late=True))
            elif act == "drop":
                buffer.say("drop", {"episode": decided[rng.integers(len(decided))].episode})
            elif act == "train":
                buffer.say("training", {"update": turn, "draws": {d.id: 2 for d in stored[:3]}})
            elif act == "undo":
                kinds = ("answer", "verdict", "delete", "pin", "weight", "drop", "undo")
                said = [e for e in buffer.history() if e.kind in kinds and not e.undone]
                buffer.say("undo", {"event": said[rng.integers(len(said))].seq})
            else:
                buffer.close()
                buffer = ReplayBuffer(tmp_path / "lesson")
            with Glance(buffer.path) as kept, anew(buffer.path) as fresh:
                assert kept.columns.sequence == buffer.last_sequence
                assert shown(kept) == shown(fresh)
                in_force = kept.columns.demonstrations[kept.columns.in_force]["number"]
                assert set(kept.ids("demonstrations", in_force)) == {d.id for d in buffer.demonstrations()}
                entries = [
                    [(e.seq, e.kind) for e in g.diary("pin", "delete", "weight", "training")] for g in (kept, fresh)
                ]
                assert entries[0] == entries[1]
    finally:
        buffer.close()


def test_draws_are_counted_and_survive_a_rebuild(buffer: ReplayBuffer) -> None:
    Maker().taught(buffer, "e0", ("valid", "valid"))
    for update, n in ((1, 3), (2, 4)):
        buffer.say("training", {"update": update, "draws": {"e0-0-validated": n}})
    buffer.rebuild_index()
    with Glance(buffer.path) as glance:
        rows = glance.columns.demonstrations
        assert rows["drawn"].tolist() == [7, 0] and rows["latest"].tolist() == [2, 0]
        assert [e.body for e in glance.diary("training")] == [{"update": 2}, {"update": 1}]


def test_without_an_index_they_are_made_in_memory(buffer: ReplayBuffer) -> None:
    Maker().taught(buffer, "e0", KINDS)
    before = None
    with Glance(buffer.path) as glance:
        before = shown(glance)
    buffer.close()
    for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
        (buffer.path / name).unlink(missing_ok=True)
    with Glance(buffer.path) as glance:
        assert shown(glance) == before
    assert not (buffer.path / "index.sqlite").exists()


def test_outcomes_are_told_by_name_as_they_stand(buffer: ReplayBuffer) -> None:
    maker = Maker()
    maker.taught(buffer, "e0", ("valid", "wrong", "unknown"))
    maker.taught(buffer, "e1", ("valid",))
    buffer.say("drop", {"episode": "e1"})
    with Glance(buffer.path) as glance:
        wanted = ["e0-1", "e0-0", "e0-2", "e1-0", "none"]
        assert glance.outcomes(wanted) == {"e0-0": 1, "e0-1": -1, "e0-2": 0}
        assert glance.outcomes([]) == {} and glance.summary("e1").id == "e1"
        with pytest.raises(BadInput, match="stored episode"):
            glance.summary("e2")


def test_an_answer_in_an_episode_under_way_is_shown(buffer: ReplayBuffer) -> None:
    maker = Maker()
    decision = maker.decision("e0", 0)
    buffer.ask(decision, maker.observation())
    was = stamp(buffer.path)
    buffer.say("answer", maker.answer(decision))
    assert stamp(buffer.path) != was
    with Glance(buffer.path) as glance:
        (row,) = glance.columns.demonstrations
        assert glance.columns.word(row["kind"]) == Kind.VALIDATED
        assert glance.observation("e0", "e0-0")["colour"].shape == (8, 16, 3)


def test_what_is_there_no_more_is_told(buffer: ReplayBuffer) -> None:
    Maker().taught(buffer, "e0", ("valid",))
    with Glance(buffer.path) as glance:
        with pytest.raises(BadInput, match="number of a stored example"):
            glance.card(99)
        with pytest.raises(BadInput, match="found no such file"):
            glance.observation("e9", "e9-0")
        assert glance.number("demonstrations", "nothing") is None
