"""Rounds with the scripted person on an arm in memory, trained in this process."""

from __future__ import annotations

import numpy as np
import pytest

from teaching import rollout_task
from teaching.filmed import Asked, Eye, motion_scene
from teaching.films import Reel
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_evaluate import rollout
from teaching.rollout_headless import figures_of
from teaching.rollout_oracle import RolloutOracle, RolloutOracleConfig
from teaching.rollout_pilot import load_pilot
from teaching.rollout_scripted import ScriptedRollout
from teaching.rollout_training import RolloutTraining
from tests.teaching.reach_task import TASK, MemoryArm


@pytest.fixture(autouse=True)
def reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rollout_task._TASKS, "reach", "tests.teaching.reach_task")


class HereTrainer:
    """Trains at once, in this process."""

    def __init__(self, buffer: ReplayBuffer) -> None:
        self.buffer, self.busy, self.post = buffer, False, lambda message: None
        self.trained: list[int] = []

    def train(self, steps: int, seed: int, update: int) -> None:
        path, figures = RolloutTraining(self.buffer).train(steps=steps, seed=seed, update=update)
        self.trained.append(update)
        self.post({"type": "done", "checkpoint": str(path), "update": update, "figures": figures})

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing runs."""


def teach(directory, rounds: int, arm: MemoryArm | None = None, **config):
    """A lesson of so many rounds, resumed if it is there; the lesson and its buffer, both closed."""
    given = {"name": "t", "kind": "rollout", "task": "reach", "arm": "sim:reach", "wanted": 2,
             "training": {"steps": 30, "batch": 32}, "seed": 1, **config}  # fmt: skip
    there = (directory / "lesson.json").exists()
    settings = LessonConfig.from_json(given)
    buffer = ReplayBuffer(directory) if there else ReplayBuffer.create(directory, settings.to_json())
    policy, _ = load_pilot(buffer, TASK, 30, 1, settings.observe)
    trainer = HereTrainer(buffer)
    learning = Learning(trainer, settings.training, 1, sync=True, version=policy.version)  # type: ignore[arg-type]
    oracle = RolloutOracle(TASK, np.random.default_rng(4), RolloutOracleConfig(patience=30, travel=0.0))
    lesson = ScriptedRollout(buffer, arm or MemoryArm(), policy, learning, oracle)  # type: ignore[arg-type]
    lesson.run(until=lambda: policy.version > rounds)
    lesson.end()
    return lesson, buffer, trainer


def test_demonstrations_then_interventions_make_rounds(tmp_path):
    lesson, buffer, trainer = teach(tmp_path / "l", 1)
    ends = [s.rollout["end"] for s in buffer.rollouts()]
    assert trainer.trained == [1, 2] and lesson.policy.version == 2
    assert ends[:2] == ["demonstrated"] * 2 and {"demonstrated"} < set(ends)
    table = lesson.rounds.table()
    assert [row["round"] for row in table] == [0, 1]
    helped = [s for s in buffer.rollouts() if s.rollout["end"] == "intervened"]
    assert all(s.rollout["policy"] == 1 and s.rollout["labelled_boundary"] for s in helped)
    assert figures_of(buffer)["episodes"] == len([e for e in ends if e != "discarded"])
    assert lesson.sense.known is not None and lesson.sense.familiar(np.zeros((1, 7))) is not None
    assert buffer.verify().whole
    buffer.close()


class Released(MemoryArm):
    """Somebody releases it as soon as it has told that it was stopped."""

    def beat(self, since):
        told = super().beat(since)
        if self.arm.stopped is not None:
            self.arm.release()
        return told


def test_a_stop_costs_one_episode_and_it_goes_on_once_released(tmp_path):
    arm = Released()
    arm.at[5] = lambda stopped: stopped.arm.stop()
    lesson, buffer, _ = teach(tmp_path / "l", 0, arm)
    ends = [s.rollout["end"] for s in buffer.rollouts()]
    assert lesson.policy.version == 1 and ends.count("truncated") == 1 and ends.count("demonstrated") == 2
    buffer.close()


def test_a_run_goes_on_where_it_was(tmp_path):
    _, buffer, _ = teach(tmp_path / "l", 0)
    count = len(buffer.episodes())
    buffer.close()
    lesson, buffer, trainer = teach(tmp_path / "l", 1)
    assert trainer.trained == [2] and len(buffer.episodes()) > count and lesson.policy.version == 2
    buffer.close()


def test_demonstrations_alone(tmp_path):
    lesson, buffer, _ = teach(tmp_path / "l", 1, protocol="demos")
    assert {s.rollout["end"] for s in buffer.rollouts()} == {"demonstrated"}
    assert [row["interventions"] for row in lesson.rounds.table()] == [0, 0]
    buffer.close()


def test_the_same_seed_gives_the_same_episodes(tmp_path):
    _, one, _ = teach(tmp_path / "a", 0)
    _, two, _ = teach(tmp_path / "b", 0)
    for name in ("executed", "move", "segment"):
        np.testing.assert_array_equal(one.frames("000001")[name], two.frames("000001")[name])
    one.close()
    two.close()


def test_more_can_be_shown_at_first_than_is_helped_in_a_round(tmp_path):
    lesson, buffer, trainer = teach(tmp_path / "l", 1, first=3, wanted=1, training={"steps": 5, "batch": 16})
    of = {row["round"]: row for row in lesson.rounds.table()}
    assert trainer.trained == [1, 2] and of[0]["episodes"] == 3
    assert sum(s.rollout["end"] == "demonstrated" for s in buffer.rollouts()) == 3
    assert lesson.rounds.view(0)["wanted"] == 3 and lesson.rounds.view(1)["wanted"] == 1
    buffer.close()


def test_a_policy_alone_runs_until_time_is_out(tmp_path):
    lesson, buffer, _ = teach(tmp_path / "l", 0)
    arm = MemoryArm()
    arm.inner.finishable = False
    arm.observe = arm.arm.observe  # type: ignore[attr-defined]
    arm.truth = arm.inner.truth  # type: ignore[attr-defined]
    arm.stream = lambda rows, **how: arm.stream_beat(rows, -1, every=how["every"])  # type: ignore[attr-defined]
    found = rollout(arm, TASK, lesson.policy, 1, "seen", np.random.default_rng(0))  # type: ignore[arg-type]
    assert not found.success and found.rows >= TASK.limit and len(found.states) == len(found.doubt)

    class Sees:
        """Draws what it is given."""

        def frame(self, camera: str, snapshot: bytes) -> bytes:
            return snapshot

    reel, asked = Reel(), Asked(3, 1, "seen", "000001", "x")
    arm.snapshot = lambda: b"a picture"  # type: ignore[attr-defined]
    eye = Eye(Sees(), "side")  # type: ignore[arg-type]
    head = motion_scene(lesson.policy, arm, TASK, asked, np.random.default_rng(0), eye, reel)  # type: ignore[arg-type]
    assert (head.solved, head.reward, head.said) == (False, 0.0, f"time was out in subtask 1 of {len(TASK.subtasks)}")
    assert len(head.shots) == len(reel.pictures) and head.length == pytest.approx(found.rows * 2 / 60, abs=0.01)
    assert [b.kind for b in head.bands] == ["wrong"] and head.bands[0].until == pytest.approx(head.length, abs=0.01)
    buffer.close()
