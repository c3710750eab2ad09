"""Episodes in motion in the store: adopted after a crash, vetted, verified; moves of one arm and of two."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.lesson import LessonConfig
from teaching.replay import Episode, ReplayBuffer
from teaching.replay.file import read_episode
from teaching.replay.frames import Rollout
from teaching.replay.vet import vet
from teaching.rollout_draft import moves
from teaching.rollout_facts import timeline_of
from teaching.rollout_states import grippers, per_tick, summed
from teaching.types import BadInput

FACTS = {
    "end": "intervened", "protocol": "rac", "round": 1, "policy": 1, "rate": 60.0, "success": None,
    "frames": 30, "n_interventions": 1,
    "segments": [
        {"kind": "policy", "start": 0, "stop": 10, "intervention": -1, "marked": False},
        {"kind": "recovery", "start": 10, "stop": 20, "intervention": 0, "marked": True},
        {"kind": "correction", "start": 20, "stop": 30, "intervention": 0, "marked": False},
    ],
}  # fmt: skip


def episode(name: str = "000000", ticks: int = 30) -> Episode:
    rng = np.random.default_rng(1)
    columns = {"tick": np.arange(ticks), "executed": rng.normal(size=(ticks, 8)), "live": np.ones(ticks, bool)}
    rollout = Rollout(columns, FACTS)
    return Episode(name, "peg-and-button", "press the button", 2, "seen", (), "anna", "terminated", rollout=rollout)


@pytest.fixture
def buffer(tmp_path):
    lesson = LessonConfig.from_json({"kind": "rollout", "name": "t"})
    with ReplayBuffer.create(tmp_path / "lesson", lesson.to_json()) as made:
        yield made


def test_ticks_and_facts_come_back_as_they_were(buffer):
    buffer.append(episode())
    back = buffer.read("000000")
    assert back.rollout is not None and dict(back.rollout.facts) == FACTS and len(back.rollout) == 30
    np.testing.assert_array_equal(back.rollout.columns["executed"], episode().rollout.columns["executed"])
    assert timeline_of(buffer.rollouts()[0].rollout).interventions == 1
    with pytest.raises(BadInput, match="expected the columns nothing"):
        buffer.frames("000000", ["nothing"])


def test_the_index_and_the_file_tell_the_same(buffer, tmp_path):
    buffer.append(episode())
    buffer.close()
    (tmp_path / "lesson" / "index.sqlite").unlink()
    with ReplayBuffer(tmp_path / "lesson") as again:
        assert again.rollouts()[0].rollout == FACTS
        assert again.verify().whole


def test_a_whole_file_without_its_commit_is_adopted(buffer, tmp_path):
    buffer._shelf.publish_episode(episode())  # power fails here: the file is whole, the log does not know it
    path = tmp_path / "lesson" / "episodes" / "000000.h5"
    vet(path)
    buffer.close()
    with ReplayBuffer(tmp_path / "lesson") as again:
        assert [s.id for s in again.rollouts()] == ["000000"] and again.verify().whole


def test_a_changed_byte_is_found(buffer, tmp_path):
    buffer.append(episode())
    path = tmp_path / "lesson" / "episodes" / "000000.h5"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert not buffer.verify().whole


def test_an_episode_without_steps_needs_ticks():
    with pytest.raises(BadInput, match="at least one step"):
        Episode("a", "t", "g", 0, "seen", (), "anna")
    with pytest.raises(BadInput, match="columns of one length"):
        Rollout({"a": np.zeros(2), "b": np.zeros(3)}, {})


def test_files_without_ticks_read_as_before(buffer, tmp_path):
    buffer.append(episode())
    assert read_episode(tmp_path / "lesson" / "episodes" / "000000.h5").steps == ()


def test_a_row_is_what_its_ticks_add_up_to():
    row = np.array([0.02, -0.01, 0.004, 0.1, 1.0, 0.0, 0.002, 0.0, 0.0, 0.0])
    ticks = np.stack([per_tick(row), per_tick(row)])
    np.testing.assert_allclose(summed(ticks[None])[0], row)


def test_moves_of_two_arms_follow_a_branch():
    places = np.arange(32, dtype=float).reshape(4, 8)
    told = moves(places, np.array([1, 2, 3]), np.array([0, 1, 1]), np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]))
    assert told.shape == (3, 10)
    np.testing.assert_allclose(told[0, :3], 8.0)
    np.testing.assert_allclose(told[2, :3], 16.0)  # from tick 1, not from tick 2
    np.testing.assert_allclose(told[:, [4, 9]], [[0, 1], [0, 1], [1, 0]])
    assert grippers(("a/1", "left/gripper", "b/1")) == [1, 3] and grippers(("j1", "j2")) == [2]


def test_a_lesson_of_two_arms_can_be_set_up():
    config = LessonConfig.from_json({"kind": "rollout", "task": "hold-and-insert", "arm": "sim:panda2"})
    assert config.gate.kind == "never" and config.start == "nothing" and config.training.steps == 2000
    with pytest.raises(BadInput, match="expected a task among"):
        LessonConfig.from_json({"kind": "rollout", "task": "put-block-in-bowl"})
