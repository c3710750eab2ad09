from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import make_arm
from teaching.headless import Scripted, evaluate
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.oracle import OracleTeacher
from teaching.plan_lesson import PlanLesson
from teaching.policies.transporter import TransporterPolicy
from teaching.replay import ReplayBuffer
from teaching.skills import skills
from teaching.task import Task, make_task
from teaching.tasks.sequence import STAGES, TASK, scene_of, stage_after, stages_of
from teaching.types import BadInput
from tests.teaching.making import moved, thing, truth

SHORT = "put-block-in-bowl/seen, packing-shapes/unseen"


def test_stages_follow_one_another_and_the_last_one_stays() -> None:
    assert isinstance(TASK, Task) and make_task("sequence") is TASK
    assert stages_of("seen") == STAGES and stages_of(SHORT) == ("put-block-in-bowl/seen", "packing-shapes/unseen")
    assert [stage_after(SHORT, n, 3) for n in (0, 2, 3, 99)] == [stages_of(SHORT)[i] for i in (0, 0, 1, 1)]
    assert scene_of("sequence", STAGES[1]) == ("packing-shapes", "unseen")
    assert scene_of("packing-shapes", "seen") == ("packing-shapes", "seen")


@pytest.mark.parametrize("split", ["unseen", "juggling/seen", "packing-shapes/", "", "packing-shapes/seen,"])
def test_stages_that_are_not_clear_are_refused(split: str) -> None:
    with pytest.raises(BadInput, match="expected a stage such as"):
        LessonConfig(task="sequence", split=split)


@pytest.mark.parametrize("name", ["stack-blocks", "packing-shapes", "put-block-in-bowl"])
def test_a_goal_belongs_to_the_task_that_understands_it(name: str) -> None:
    goal = make_task(name).example
    assert TASK.check(goal) == goal and skills("sequence", goal) == skills(name, goal) != ()


def test_what_nobody_understands_is_refused_with_examples() -> None:
    with pytest.raises(BadInput, match="star"):
        TASK.check("make tea")


def test_a_goal_of_another_stage_is_wrong_here_and_breaks_nothing() -> None:
    star = "pack the star in the brown box"
    there = [thing("box", (0.5, 0.2), "brown"), thing("shape", (0.4, -0.2), shape="star", grip=[0.4, -0.2, 0.025])]
    before = truth(star, *there) | {"task": "packing-shapes"}
    packed = moved(before, 1, (0.5, 0.2))
    assert TASK.progress(star, packed) == 1 and TASK.achieved(star, before, packed) == ()
    other = "put the red blocks in a green bowl"
    assert TASK.progress(other, packed) == TASK.reward(other, before, packed) == TASK.best_step(other, before) == 0
    assert TASK.achieved(other, before, packed) == (star,) and TASK.achieved(other, before, before) == ()
    assert TASK.demonstrate(other, before, np.random.default_rng(0)) is None
    assert TASK.demonstrate(star, before, np.random.default_rng(0)) is not None


def taught(directory: Path, storing: int) -> list[str]:
    """The splits of a lesson's episodes that stored something, once so many have."""
    config = LessonConfig(task="sequence", split=SHORT, stage_episodes=2, arm="fake:table", start="nothing", seed=3)
    arm = make_arm("fake:table")
    arm.connect()
    opened = ReplayBuffer(directory) if directory.exists() else ReplayBuffer.create(directory, config.to_json())
    with opened as buffer:
        teacher = Scripted(OracleTeacher(TASK, np.random.default_rng(0)), arm)  # type: ignore[arg-type]
        learning = Learning(None, config.training, config.seed)
        lesson = PlanLesson(buffer, arm, TransporterPolicy(), learning, teacher=teacher, ahead=False)  # type: ignore[arg-type]
        lesson.run(until=lambda: lesson.memory.storing_episodes >= storing)
        lesson.end()
        stored = {d.decision.split("-")[0] for d in buffer.demonstrations()}
        verbs = {(e.split, e.goal.split()[0]) for e in buffer.episodes()}
        assert verbs <= {(stages_of(SHORT)[0], "put"), (stages_of(SHORT)[1], "pack")}
        splits = [e.split for e in buffer.episodes() if e.id in stored]
    arm.disconnect()
    return splits


def test_the_task_shifts_under_one_novice_and_a_resumed_lesson_goes_on_in_its_stage(tmp_path: Path) -> None:
    first, second = stages_of(SHORT)
    before = taught(tmp_path / "lesson", 3)
    assert before[:2] == [first, first]
    after = taught(tmp_path / "lesson", 6)
    assert after[: len(before)] == before and set(after[len(before) :]) == {second}


def test_it_is_evaluated_stage_by_stage() -> None:
    arm = make_arm("fake:table")
    arm.connect()
    figures = evaluate(TransporterPolicy(), arm, TASK, "packing-shapes/unseen", 3, 0, oracle=True)  # type: ignore[arg-type]
    assert figures["reward_x100"] == 100.0 and figures["split"] == "packing-shapes/unseen"
    arm.disconnect()
