"""A whole lesson on the arm in memory, with a novice that needs no training library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from robot_io.arm import Observation
from robot_io.fake import FakeArm
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.oracle import OracleTeacher
from teaching.plan_lesson import PlanLesson
from teaching.question import Question
from teaching.replay import ReplayBuffer
from teaching.task import make_task
from teaching.types import Alternative, Feedback, Plan


class BlindNovice:
    """A Policy that points at random and is as unsure as it was told to be."""

    def __init__(self, entropy: float = 5.0) -> None:
        self.version = 0
        self.entropy = entropy
        self.loaded: list[Path] = []

    def reset(self) -> None:
        pass

    def __call__(self, observation: Observation, goal: str, rng: np.random.Generator) -> Plan:
        def point() -> list[float]:
            return [float(rng.uniform(0.35, 0.65)), float(rng.uniform(-0.35, 0.35)), 0.04, 0.0]

        ghosts = (Alternative(np.array([point(), point()]), 0.2),)
        entropy = np.full(2, self.entropy)
        return Plan(np.array([point(), point()]), goal, ghosts, 0.5, entropy / 10, entropy, {}, self.version)

    def unknown_words(self, goal: str) -> tuple[str, ...]:
        return ("purple",) if "purple" in goal else ()

    def load(self, directory: Path) -> None:
        self.loaded.append(directory)
        self.version += 1


class MemoryTrainer:
    """The trainer's verbs without a process; `finish` says what it would."""

    def __init__(self) -> None:
        self.busy, self.orders = False, []  # type: ignore[var-annotated]
        self.post: Any = lambda message: None
        self.closed = False

    def train(self, steps: int, seed: int, update: int, **settings: Any) -> None:
        self.busy = True
        self.orders.append(update)

    def cancel(self) -> None:
        self.finish({"type": "cancelled", "message": "called off"})

    def finish(self, message: Mapping[str, Any]) -> None:
        self.busy = False
        self.post(message)

    def close(self) -> None:
        self.closed = True


class Oracle:
    """The scripted teacher as a lesson's."""

    def __init__(self, task: str = "put-block-in-bowl") -> None:
        self.oracle = OracleTeacher(make_task(task), np.random.default_rng(0))

    def __call__(self, question: Question) -> tuple[Feedback, float]:
        after = question.outcome.result() if question.outcome and "unreachable" not in question.details else None
        assert question.moment.truth is not None
        said = self.oracle.answer(question.decision, question.moment.truth, after.truth if after else None)
        return said.feedback, said.seconds


def make(directory: Path, *, oracle: bool = False, novice: BlindNovice | None = None, arm: FakeArm | None = None,
         trainer: Any = None, ahead: bool = True, **config: Any) -> PlanLesson:  # fmt: skip
    """A lesson that has not begun; `lesson.buffer` is open."""
    lesson_config = LessonConfig.from_json({"name": "test", "arm": "fake:table", "start": "nothing", **config})
    there = (directory / "lesson.json").exists()
    buffer = ReplayBuffer(directory) if there else ReplayBuffer.create(directory, lesson_config.to_json())
    if arm is None:
        arm = FakeArm()
        arm.connect()
    learning = Learning(trainer, lesson_config.training, lesson_config.seed)
    teacher = Oracle(lesson_config.task) if oracle else None
    return PlanLesson(buffer, arm, novice or BlindNovice(), learning, teacher=teacher, ahead=ahead)


def until_asked(lesson: PlanLesson, *, begun: bool = False, patience: int = 200) -> Question:
    """Drive the lesson on this thread until a question is open, with its relabels."""
    if not begun:
        lesson.begin()
        lesson._drain()
    for _ in range(patience):
        if lesson.question is not None and (lesson.question.relabels or "unreachable" in lesson.question.details):
            return lesson.question
        step(lesson)
    raise AssertionError(f"no question within {patience} events; phase {lesson.phase}, {lesson.message}")


def step(lesson: PlanLesson, timeout: float = 5.0) -> None:
    """One event."""
    kind, value = lesson.events.get(timeout=timeout)
    if kind == "request":
        lesson._reply(*value)
    else:
        lesson.handle(kind, value)
    lesson._drain()


def settle(lesson: PlanLesson, until: Any, patience: int = 200) -> None:
    """Drive it until a condition holds."""
    for _ in range(patience):
        if until():
            return
        step(lesson)
    raise AssertionError(f"it did not come about; phase {lesson.phase}, {lesson.message}")
