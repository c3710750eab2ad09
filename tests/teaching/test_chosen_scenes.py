"""A lesson that chooses what its next scene is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import make_arm
from teaching.headless import Scripted
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.memory import Memory
from teaching.oracle import OracleTeacher
from teaching.plan_lesson import PlanLesson
from teaching.policies.transporter import TransporterPolicy
from teaching.replay import ReplayBuffer
from teaching.skills import named
from teaching.task import make_task
from teaching.types import BadInput

CONFIG = LessonConfig(arm="fake:table", start="nothing", scenes="weak", seed=3)


def taught(directory: Path, config: LessonConfig, episodes: int, *, ahead: bool) -> list[tuple[str, str]]:
    """(split, goal) of the first episodes of a lesson that learns nothing."""
    arm = make_arm("fake:table")
    arm.connect()
    with ReplayBuffer.create(directory, config.to_json()) as buffer:
        teacher = Scripted(OracleTeacher(make_task(config.task), np.random.default_rng(0)), arm)  # type: ignore[arg-type]
        learning = Learning(None, config.training, config.seed)
        lesson = PlanLesson(buffer, arm, TransporterPolicy(), learning, teacher=teacher, ahead=ahead)  # type: ignore[arg-type]
        lesson.run(until=lambda: len(buffer.episodes()) >= episodes)
        lesson.end()
        arm.disconnect()
        return [(episode.split, episode.goal) for episode in buffer.episodes()[:episodes]]


@pytest.mark.parametrize("ahead", [False, True])
def test_goals_are_about_the_word_that_was_chosen(tmp_path: Path, ahead: bool) -> None:
    found = taught(tmp_path / "lesson", CONFIG, 8, ahead=ahead)
    chosen = [(split.removeprefix("only:"), goal) for split, goal in found if split.startswith("only:")]
    assert 1 <= len(chosen) < 8 and found[0][0] == "seen"
    assert all(word in named(CONFIG.task, [goal]) for word, goal in chosen)


def test_it_is_the_same_however_often_it_is_asked(tmp_path: Path) -> None:
    taught(tmp_path / "lesson", CONFIG, 3, ahead=False)
    with ReplayBuffer(tmp_path / "lesson", readonly=True) as buffer:
        splits = []
        for begun in range(3, 40):
            memory = Memory(buffer, CONFIG)
            memory.begun = begun
            assert memory.next_split == memory.next_split
            splits.append(memory.next_split)
        even = Memory(buffer, replace(CONFIG, scenes="random"))
    assert even.next_split == "seen"
    assert 8 < sum(split.startswith("only:") for split in splits) < 30


def test_what_cannot_be_chosen_is_told() -> None:
    with pytest.raises(BadInput, match="random, weak, unsure"):
        replace(CONFIG, scenes="hard")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="whole split"):
        replace(CONFIG, split="only:red")
