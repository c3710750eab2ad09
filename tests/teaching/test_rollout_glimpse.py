"""A lesson whose policy reads small pictures: what was seen is kept as it was, trained on and read again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from robot_io.arm import Observation, Unsupported
from teaching import rollout_task
from teaching.lesson import LessonConfig
from teaching.rollout_evaluate import rollout
from teaching.rollout_glimpse import AGE, GLIMPSE, RATE, SHAPE, Glimpser, beside
from teaching.rollout_training import RolloutTraining
from teaching.types import BadInput
from tests.teaching.reach_task import TASK, MemoryArm
from tests.teaching.test_rollout_scripted import teach


@pytest.fixture(autouse=True)
def reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rollout_task._TASKS, "reach", "tests.teaching.reach_task")


class DrawnArm(MemoryArm):
    """Two cameras from above: a bright spot where the tip is, seen in the second one from itself."""

    drawn = 0

    def glimpse(self, cameras: Any, width: int, height: int) -> tuple[int, Any]:
        self.drawn += 1
        seen = self.inner.observe()
        pictures = np.zeros((len(cameras), height, width, 3), np.uint8)
        for picture, (x, y) in zip(pictures, (seen["tip"][:2], seen["way"][:2]), strict=True):
            row, column = int(height * (0.5 + 0.4 * x)), int(width * (0.5 + 0.4 * y))
            picture[max(0, row - 2) : row + 2, max(0, column - 2) : column + 2] = 255
        return self.tick, pictures


class Blind(MemoryArm):
    def glimpse(self, cameras: Any, width: int, height: int) -> tuple[int, Any]:
        raise Unsupported("expected an arm that can be drawn small, got this one; read its state")


def test_pictures_come_at_their_rate_and_their_age_is_told():
    arm = DrawnArm()
    glimpser = Glimpser(arm, ("a", "b"), 60.0)
    ages = []
    for arm.tick in range(14):
        seen = glimpser.seen(Observation(0.0, {}), arm.tick)
        assert seen[GLIMPSE].shape == SHAPE
        ages.append(float(seen[AGE][0]))
    assert arm.drawn == 3 and RATE == 10.0
    np.testing.assert_allclose(ages, [t % 6 / 60 for t in range(14)])
    glimpser.forget()
    assert glimpser.seen(Observation(0.0, {}), 13)[AGE] == 0.0 and arm.drawn == 4


def test_during_ticks_the_policy_had_what_was_seen_before_them():
    seen = Observation(0.0, {GLIMPSE: np.full(SHAPE, 7, np.uint8), AGE: np.array([0.05])})
    columns = beside(seen, np.array([11, 12, 13]), 10, 60.0)
    assert columns[GLIMPSE].shape == (3, *SHAPE) and columns[GLIMPSE].max() == 7
    np.testing.assert_allclose(columns[AGE][:, 0], [0.05, 0.05 + 1 / 60, 0.05 + 2 / 60])


def test_a_lesson_keeps_what_was_seen_and_trains_on_it(tmp_path):
    arm = DrawnArm()
    lesson, buffer, trainer = teach(tmp_path / "l", 0, arm, observe="pictures", training={"steps": 8, "batch": 16})
    assert trainer.trained == [1] and lesson.policy.config.picture == SHAPE
    first = buffer.rollouts()[0]
    columns = buffer.frames(first.id, ["observation.glimpse", "observation.glimpse_age", "tick"])
    assert columns["observation.glimpse"].shape == (len(columns["tick"]), *SHAPE)
    assert columns["observation.glimpse"].dtype == np.uint8 and columns["observation.glimpse"].max() == 255
    assert columns["observation.glimpse_age"].max() < 0.2
    assert arm.drawn >= len(columns["tick"]) // 6
    assert buffer.verify().whole
    buffer.close()
    alone = DrawnArm()
    alone.inner.finishable = False
    alone.observe = alone.arm.observe  # type: ignore[attr-defined]
    alone.now = lambda: {"tick": alone.tick}  # type: ignore[attr-defined]
    alone.truth = alone.inner.truth  # type: ignore[attr-defined]
    alone.stream = lambda rows, **how: alone.stream_beat(rows, -1, every=how["every"])  # type: ignore[attr-defined]
    found = rollout(alone, TASK, lesson.policy, 3, "seen", np.random.default_rng(0))  # type: ignore[arg-type]
    assert found.rows >= TASK.limit and alone.drawn == pytest.approx(alone.tick / 6, rel=0.4)


def test_one_that_begins_from_state_cannot_go_on_from_pictures(tmp_path):
    lesson, buffer, _ = teach(tmp_path / "l", 0, DrawnArm())
    training = RolloutTraining(buffer)
    training.config = LessonConfig.from_json({**buffer.lesson, "observe": "pictures"})
    with pytest.raises(BadInput, match="senses 'glimpse_age'"):
        training.train(steps=1, seed=0, update=1)
    assert not lesson.policy.config.picture
    buffer.close()


def test_an_arm_that_draws_nothing_says_so_before_anything_begins(tmp_path):
    with pytest.raises(Unsupported, match="read its state"):
        teach(tmp_path / "l", 0, Blind(), observe="pictures")
    with pytest.raises(BadInput, match="expected to observe one of state, pictures"):
        LessonConfig.from_json({"kind": "rollout", "observe": "touch"})
