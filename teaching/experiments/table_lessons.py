"""Lessons on the simulated table for experiments: the lesson's own code, with everything in one process.

Each lesson is a cell: a replay buffer in a directory of its own, and its figures once it is over. A cell that is there
is not run again.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from robot_io.arm import Scene
from teaching import novice
from teaching.experiments.experiment import kept
from teaching.headless import Scripted, evaluate
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.metrics import effort
from teaching.oracle import OracleConfig, OracleTeacher
from teaching.plan_lesson import PlanLesson
from teaching.replay import ReplayBuffer
from teaching.task import make_task
from teaching.trainer import Trainer
from teaching.training import Training
from teaching.types import AskbackError, Kind


class TrainerInProcess(Trainer):
    """Trains where it stands, without a process of its own: for experiments, where nobody waits."""

    def __init__(self, buffer: ReplayBuffer) -> None:
        super().__init__(buffer.path)
        self.training = Training(buffer, keep=2)

    def train(self, steps: int, seed: int, update: int, **settings: Any) -> None:
        """Train, then post that it is done, or failed."""
        try:
            path, figures = self.training.train(steps=steps, seed=seed, update=update, settings=settings)
        except AskbackError as error:
            self.post({"type": "failed", "message": str(error)})
        else:
            self.post({"type": "done", "checkpoint": str(path), "update": update, "figures": figures})

    def cancel(self) -> None:
        """Nothing runs between two calls."""

    def close(self) -> None:
        """Nothing to end."""


@dataclass(frozen=True)
class Cell:
    """One lesson to run: what it is called, how it is set up, how long it goes on."""

    name: str
    config: LessonConfig
    storing: int
    """Storing episodes at its end."""
    marks: tuple[int, ...] = ()
    """Storing episodes after which the novice is evaluated; the end always."""
    splits: tuple[str, ...] = ("seen",)
    scenes: int = 30
    """Fresh scenes per evaluation and split."""
    oracle: OracleConfig = field(default_factory=OracleConfig)
    begin: Path | None = None
    """A lesson to go on from: its episodes, answers and novice."""


def run_cell(cell: Cell, work: Path, arm: Scene) -> list[dict[str, Any]]:
    """Run a cell, or read what it found: one row per mark.

    Raises:
        BadInput: the directory holds a cell of other settings.
    """
    return kept(work / f"{cell.name}.json", _settings(cell), lambda: _made(cell, work, arm))


def _made(cell: Cell, work: Path, arm: Scene) -> list[dict[str, Any]]:
    directory = work / cell.name
    shutil.rmtree(directory, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    if cell.begin is not None:
        shutil.copytree(cell.begin, directory)
    return [{"cell": cell.name, **row} for row in _teach(cell, directory, arm)]


def _settings(cell: Cell) -> dict[str, Any]:
    return {
        "config": cell.config.to_json(), "storing": cell.storing, "marks": list(cell.marks),
        "splits": list(cell.splits), "scenes": cell.scenes, "begin": cell.begin.name if cell.begin else None,
        "always_demonstrates": cell.oracle.always_demonstrates, "relabels": cell.oracle.relabels,
    }  # fmt: skip


def _teach(cell: Cell, directory: Path, arm: Scene) -> list[dict[str, Any]]:
    begun = time.process_time()
    there = directory.is_dir()
    with ReplayBuffer(directory) if there else ReplayBuffer.create(directory, cell.config.to_json()) as buffer:
        if there:
            buffer.say("config", cell.config.to_json())
        config = LessonConfig.from_json(buffer.lesson)
        novice.prepare(buffer, config)
        policy, _ = novice.load_novice(buffer.checkpoints, arm.features.table, config.seed, config.text_encoder)
        trainer, task = TrainerInProcess(buffer), make_task(config.task)
        rows: list[dict[str, Any]] = []
        for mark in [*(m for m in cell.marks if m < cell.storing), cell.storing]:
            learning = Learning(trainer, config.training, config.seed, sync=True, version=policy.version)
            luck = np.random.default_rng([config.seed, len(buffer.episodes()), 3])
            teacher = Scripted(OracleTeacher(task, luck, cell.oracle), arm)
            _until(mark, PlanLesson(buffer, arm, policy, learning, teacher=teacher, ahead=False))
            row: dict[str, Any] = {"storing": mark, **said(buffer)}
            for split in cell.splits:
                row[split] = evaluate(policy, arm, task, split, cell.scenes, config.seed)["reward_x100"]
            rows.append(row | {"cpu_seconds": round(time.process_time() - begun, 1)})
        return rows


def _until(storing: int, lesson: PlanLesson) -> None:
    lesson.run(until=lambda: lesson.memory.storing_episodes >= storing)
    if not lesson.ended:
        lesson.end()


def said(buffer: ReplayBuffer) -> dict[str, Any]:
    """What a lesson asked, what was said, what that would have cost a person, and how often the system failed."""
    answers = buffer.answers()
    spent = effort(answer.feedback for answer in answers.values())
    kept = buffer.demonstrations()
    decisions = buffer.decisions()
    return {
        "decisions": len(decisions), "answers": len(answers), "seconds": spent.seconds,
        **{kind.value: sum(d.kind is kind for d in kept) for kind in Kind},
    }  # fmt: skip
