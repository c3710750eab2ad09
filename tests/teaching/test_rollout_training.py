"""What a training in motion sees of an episode file: rows of moves that never cross from the policy to a person."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.lesson import LessonConfig
from teaching.policies.flow import read_info
from teaching.replay import Episode, ReplayBuffer
from teaching.replay.frames import Rollout
from teaching.rollout_training import RolloutTraining, data_of, example, examples, selection_of
from teaching.segments import SegmentKind
from teaching.selection import Selection
from teaching.types import BadInput
from tests.teaching.reach_task import TASK

P, R, C, D = (int(SegmentKind[n]) for n in ("POLICY", "RECOVERY", "CORRECTION", "DEMO"))


@pytest.fixture(autouse=True)
def reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from teaching import rollout_task

    monkeypatch.setitem(rollout_task._TASKS, "reach", "tests.teaching.reach_task")


def rollout(kinds: list[int], end: str, *, parents: list[int] | None = None, live: list[bool] | None = None) -> Rollout:
    """An episode of one tick per kind; each tick moves by 1 mm times its number."""
    t = len(kinds)
    ticks = np.arange(1, t + 1)
    move = np.zeros((t, 5))
    move[:, 0], move[:, 4] = 0.001 * ticks, ticks % 2
    helping = np.isin(kinds, [R, C])
    columns = {
        "tick": ticks,
        "parent": np.array(parents) if parents else ticks - 1,
        "segment": np.array(kinds, np.uint8),
        "intervention_id": np.where(helping, 0, -1).astype(np.int32),
        "live": np.array(live) if live else np.ones(t, bool),
        "move": move,
        "uncertainty": np.full(t, 0.5),
        "observation.tip": np.column_stack([ticks, ticks, ticks]).astype(float),
        "observation.way": np.ones((t, 3)),
        "observation.gripper": np.zeros((t, 1)),
    }
    return Rollout(columns, {"end": end, "protocol": "rac", "round": 0, "policy": 0, "rate": 60.0, "segments": [],
                             "frames": t, "n_interventions": int(helping.any()), "success": None})  # fmt: skip


def rows(kinds: list[int], end: str, phase: int = 0, **how):
    one = rollout(kinds, end, **how)
    found = example(TASK, one.facts, one.columns, phase)
    assert found is not None
    return found


def test_a_row_sums_its_ticks_and_takes_the_last_gripper():
    found = rows([D] * 6, "demonstrated")
    np.testing.assert_allclose(found.actions[:, 0], [0.003, 0.007, 0.011])
    assert found.actions[:, 4].tolist() == [0, 0, 0]
    assert found.states[:, 0].tolist() == [1, 3, 5]
    assert rows([D] * 6, "demonstrated", phase=1).states[:, 0].tolist() == [2, 4]


def test_no_chunk_crosses_from_the_policy_to_the_person():
    found = rows([P] * 5 + [R] * 6 + [C] * 5, "intervened")
    data = data_of([found], 4, Selection())
    starts = data._states[data.index.frames[:, 0]][:, 0]
    assert starts.min() >= 7, "the row in which the person took over is the policy's"
    assert data._states[data.index.frames.max()][0] == 15
    kinds = [s.kind for s in found.timeline.segments]
    assert kinds == [SegmentKind.POLICY, SegmentKind.RECOVERY, SegmentKind.CORRECTION]


def test_help_too_short_for_a_row_teaches_nothing_and_stops_no_training():
    one = rollout([P] * 4 + [C] * 2 + [P] * 6, "intervened")
    found = example(TASK, one.facts, one.columns, 0)
    assert found is not None and SegmentKind.CORRECTION in {s.kind for s in found.timeline.segments}
    assert example(TASK, one.facts, one.columns, 1) is None


def test_a_recovery_flows_into_its_correction():
    found = rows([P] * 4 + [R] * 4 + [C] * 4, "intervened")
    data = data_of([found], 4, Selection())
    first = data.index.frames[0]
    assert not data.index.padded[0].any() and first.tolist() == [2, 3, 4, 5]


def test_no_chunk_crosses_a_way_back():
    kinds, parents = [P] * 8 + [C] * 8, [0, 1, 2, 3, 4, 5, 6, 7, 4, 9, 10, 11, 12, 13, 14, 15]
    found = rows(kinds, "intervened", parents=parents, live=[i < 4 or i >= 8 for i in range(16)])
    assert [s.kind for s in found.timeline.segments if len(s)] == [SegmentKind.POLICY, SegmentKind.CORRECTION]
    assert found.states[:, 0].tolist() == [1, 3, 9, 11, 13, 15]


@pytest.mark.parametrize("end", ["failed", "truncated", "discarded"])
def test_what_did_not_end_well_is_not_trained_on(tmp_path, end):
    buffer = make(tmp_path, [(rollout([P] * 8, end), "a")])
    assert examples(buffer, TASK) == []
    with pytest.raises(BadInput, match="show the task first"):
        RolloutTraining(buffer).train(steps=2, seed=0, update=1)
    buffer.close()


def test_an_episode_that_was_taken_back_is_not_trained_on(tmp_path):
    buffer = make(tmp_path, [(rollout([D] * 12, "demonstrated"), "a"), (rollout([D] * 12, "demonstrated"), "b")])
    assert len(examples(buffer, TASK)) == 4
    said = buffer.say("drop", {"episode": "b"})
    assert len(examples(buffer, TASK)) == 2
    buffer.say("undo", {"event": said})
    assert len(examples(buffer, TASK)) == 4
    buffer.close()


def test_it_trains_publishes_and_says_on_what(tmp_path):
    buffer = make(tmp_path, [(rollout([D] * 40, "demonstrated"), "a")])
    training = RolloutTraining(buffer)
    told: list[int] = []
    path, figures = training.train(steps=4, seed=0, update=1, report=lambda step, of, loss: told.append(step))
    assert path.name == "000001" and training.version == 1 and told == [4]
    assert figures["rows"] > 10 and np.isfinite(figures["last_loss"])
    from teaching.policies.flow import read_info

    assert read_info(path)["lineage"]["episodes"] == ["a"]
    again, _ = RolloutTraining(buffer, parent=tmp_path / "again").train(steps=4, seed=0, update=1)
    assert (again / "model.safetensors").read_bytes() == (path / "model.safetensors").read_bytes()
    buffer.close()


def test_weightings_by_their_names():
    config = {"kind": "rollout", "task": "reach"}
    assert selection_of(LessonConfig.from_json({**config, "weighting": "iwr"})).policy_frames
    assert selection_of(LessonConfig.from_json({**config, "recovery_auto": True})).recovery_auto
    assert not selection_of(LessonConfig.from_json(config)).recovery_auto
    with pytest.raises(BadInput, match="weighting among"):
        LessonConfig.from_json({**config, "weighting": "mine"})


def make(directory, episodes) -> ReplayBuffer:
    lesson = {"kind": "rollout", "task": "reach", "name": "t"}
    buffer = ReplayBuffer.create(directory / "lesson", lesson)
    for one, name in episodes:
        buffer.append(Episode(name, "reach", TASK.goal, 0, "seen", (), "t", "terminated", rollout=one))
    return buffer


def test_episodes_can_be_left_out(tmp_path):
    shown = [(rollout([D] * 12, "demonstrated"), name) for name in ("a", "b")]
    with make(tmp_path, shown) as buffer:
        every, some = examples(buffer, TASK), examples(buffer, TASK, only=frozenset({"b"}))
        assert len(every) == 2 * len(some) > 0
        training = RolloutTraining(buffer, parent=tmp_path / "apart")
        training.only = frozenset({"b"})
        path, _ = training.train(steps=1, seed=0, update=1)
        assert read_info(path)["lineage"]["episodes"] == ["b"]
