"""Segments cut, joined, renamed and weighed afterwards: events that the next training obeys and that come back."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.amending import amend
from teaching.replay import ReplayBuffer
from teaching.replay.glance import Glance
from teaching.retelling import ends, retold
from teaching.rollout_facts import timeline_of
from teaching.rollout_training import RolloutTraining, data_of, examples
from teaching.segment_shares import spans
from teaching.segments import End, Segment, SegmentKind, Timeline
from teaching.selection import SELECTIONS, Selection
from teaching.types import BadInput
from tests.teaching.moving_maker import C, D, P, R, recorded
from tests.teaching.reach_task import TASK

HELPED = Timeline(
    (Segment(SegmentKind.POLICY, 0, 20), Segment(SegmentKind.RECOVERY, 20, 30, 0, True),
     Segment(SegmentKind.CORRECTION, 30, 50, 0)), End.INTERVENED,
)  # fmt: skip


@pytest.fixture(autouse=True)
def reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from teaching import rollout_task

    monkeypatch.setitem(rollout_task._TASKS, "reach", "tests.teaching.reach_task")


@pytest.fixture
def buffer(tmp_path):
    lesson = {"kind": "rollout", "task": "reach", "name": "t"}
    with ReplayBuffer.create(tmp_path / "lesson", lesson) as made:
        made.append(recorded("a", [D] * 40, "demonstrated", task="reach", round=0))
        made.append(recorded("b", [P] * 20 + [R] * 10 + [C] * 20, "intervened", task="reach"))
        yield made


def plain(timeline: Timeline) -> list[tuple[str, int, int]]:
    return [(s.kind.name, s.start, s.stop) for s in timeline.segments]


def test_a_cut_and_a_join_are_each_others_opposite():
    cut = retold(HELPED, "split", {"frame": 5})
    assert plain(cut)[:2] == [("POLICY", 0, 5), ("POLICY", 5, 20)]
    assert retold(cut, "merge", {"segment": 0}) == HELPED
    joined = retold(HELPED, "merge", {"segment": 1})
    assert plain(joined)[1:] == [("RECOVERY", 20, 50)]


def test_a_boundary_moves_by_a_cut_and_a_name():
    moved = retold(retold(HELPED, "split", {"frame": 25}), "rename", {"segment": 2, "kind": "correction"})
    assert plain(moved)[1:] == [("RECOVERY", 20, 25), ("CORRECTION", 25, 30), ("CORRECTION", 30, 50)]


@pytest.mark.parametrize(
    ("do", "values", "said"),
    [
        ("split", {"frame": 20}, "inside a segment"),
        ("split", {}, "fields of 'split'"),
        ("merge", {"segment": 0}, "one driver and one intervention"),
        ("merge", {"segment": 2}, "segment from 0 to 2, got 3"),
        ("rename", {"segment": 0, "kind": "correction"}, "that a person drove"),
        ("weigh_segment", {"segment": 0, "factor": -1}, "factor from 0 to 100"),
        ("end", {"how": "auto_success"}, "end among intervened"),
        ("turn", {}, "expected split"),
    ],
)
def test_what_cannot_be_is_refused_in_words(do, values, said):
    values = {"segment": 0, **values} if do == "turn" else values
    with pytest.raises(BadInput, match=said):
        retold(HELPED, do, values)


def test_whoever_drove_drove():
    assert ends(HELPED) == (End.INTERVENED, End.FAILED, End.DISCARDED)
    alone = Timeline((Segment(SegmentKind.POLICY, 0, 5),), End.FAILED)
    assert retold(alone, "end", {"how": "auto_success"}).success


def rows(buffer: ReplayBuffer) -> int:
    return len(data_of(examples(buffer, TASK), 4, Selection()))


def test_what_is_left_out_is_not_trained_on_and_comes_back(buffer):
    before = rows(buffer)
    amend(buffer, "split", {"episode": "a", "frame": 20, "teacher": "Ada"})
    assert rows(buffer) == before
    said = amend(buffer, "weigh_segment", {"episode": "a", "segment": 0, "factor": 0, "teacher": "Ada"})
    data = data_of(examples(buffer, TASK), 4, Selection())
    assert len(data) == before - 20
    assert data._states[data.index.frames][..., 0].min() > 0.4 + 0.001 * 20, "no chunk reaches into it"
    amend(buffer, "take_back", {"event": said})
    assert rows(buffer) == before


def test_a_factor_is_how_much_more_often_it_is_drawn(buffer):
    amend(buffer, "weigh_segment", {"episode": "b", "segment": 2, "factor": 3})
    found = spans(buffer.rollouts(), SELECTIONS["rac"])
    weight = {(s.episode, s.number): s.weight for s in found}
    assert weight["b", 2] == pytest.approx(3 * weight["b", 1]) and weight["b", 0] == 0.0
    assert sum(s.share for s in found) == pytest.approx(1.0)
    data = data_of(examples(buffer, TASK), 4, Selection())
    assert data.index.weight.max() == pytest.approx(3 * data.index.weight.min())


def test_an_episode_that_did_not_end_well_after_all_is_not_trained_on(buffer):
    said = amend(buffer, "end", {"episode": "b", "how": "failed"})
    assert {s.id: s.rollout["end"] for s in buffer.rollouts()} == {"a": "demonstrated", "b": "failed"}
    assert all(len(e.states) == 20 or len(e.states) == 19 for e in examples(buffer, TASK))
    amend(buffer, "take_back", {"event": said})
    assert len(examples(buffer, TASK)) == 4


def test_only_the_latest_change_of_an_episode_is_taken_back(buffer):
    first = amend(buffer, "split", {"episode": "a", "frame": 10})
    second = amend(buffer, "split", {"episode": "a", "frame": 20})
    with pytest.raises(BadInput, match=f"the latest change of episode a, {second}"):
        amend(buffer, "take_back", {"event": first})
    for event in (second, first):
        amend(buffer, "take_back", {"event": event})
    assert timeline_of(buffer.rollouts()[0].rollout).segments == (Segment(SegmentKind.DEMO, 0, 40),)
    with pytest.raises(BadInput, match="that stands"):
        amend(buffer, "take_back", {"event": first})


def test_it_survives_opening_and_a_look_tells_the_same(buffer, tmp_path):
    amend(buffer, "split", {"episode": "b", "frame": 5, "teacher": "Ada"})
    wanted = [dict(s.rollout) for s in buffer.rollouts()]
    with Glance(tmp_path / "lesson") as glance:
        assert [dict(s.rollout) for s in glance.rollouts()] == wanted
    buffer.close()
    with ReplayBuffer(tmp_path / "lesson") as again:
        assert [dict(s.rollout) for s in again.rollouts()] == wanted
        with pytest.raises(BadInput, match="expected segments with"):
            again.say("segments", {"episode": "b", "segments": [{}], "end": "intervened"})


def test_training_tells_how_often_each_segment_was_drawn(buffer):
    path, _ = RolloutTraining(buffer).train(steps=3, seed=0, update=1)
    from teaching.learning import entry

    told = entry({"type": "done", "checkpoint": str(path)}, 1)
    assert sum(told["draws"].values()) == 3 * 256 and set(told["draws"]) == {"a@0:40", "b@20:30", "b@30:50"}
    buffer.say("training", told)
    with Glance(buffer.path) as glance:
        found = spans(glance.rollouts(), SELECTIONS["rac"], glance.draws())
    assert {s.number: s.drawn for s in found if s.episode == "b"}[2] == told["draws"]["b@30:50"]
    assert next(s for s in found if s.number == 0 and s.episode == "b").latest == 0


@pytest.mark.parametrize("name", sorted(SELECTIONS))
def test_shares_are_those_that_training_draws_by(buffer, name):
    selection = SELECTIONS[name]
    data = data_of(found := examples(buffer, TASK), 4, selection)
    starts = np.cumsum([0, *(len(e.states) for e in found)])
    frames = data.index.frames[:, 0]
    which = np.searchsorted(starts, frames, side="right") - 1
    names = [found[w].names[found[w].spans[f - starts[w]]] for w, f in zip(which, frames, strict=True)]
    for span in spans(buffer.rollouts(), selection):
        mine = [n == f"{span.episode}@{span.segment.start}:{span.segment.stop}" for n in names]
        assert span.share == pytest.approx(float(data.index.weight[mine].sum() / data.index.weight.sum()))
