"""Lessons in motion without a browser: a scripted teacher supervises the simulated arm, round after round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robot_io.remote_stream import StreamArm
from robot_io.watching import Watch
from teaching.headless import NOT_REAL, TELLING, Report, arm_process, silent
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_metrics import supervision
from teaching.rollout_oracle import RolloutOracle, RolloutOracleConfig
from teaching.rollout_pilot import load_pilot
from teaching.rollout_scripted import ScriptedRollout
from teaching.rollout_task import make_rollout_task
from teaching.trainer import Trainer
from teaching.types import AskbackError, BadInput


@contextmanager
def arm_of(directory: Path, name: str, pace: float = 0.0) -> Iterator[StreamArm]:
    """An arm process of one's own, as fast as it can; ended afterwards. An emulated arm takes its time, watched.

    Raises:
        BadInput: nobody knows its table; it was ended.
    """
    process = arm_process(name, directory)
    arm = StreamArm(directory, session="teaching")
    try:
        arm.connect()
        if not {"laid", "scene"} & arm.features.capabilities:
            raise BadInput(f"{TELLING}, since a scripted teacher sees the truth; got {name}")
        if arm.features.simulated:
            arm.pace(pace)
            yield arm
            return
        with Watch(directory, release=arm.release):
            yield arm
    finally:
        arm.disconnect()
        process.terminate()
        process.wait(60)


def apart(directory: Path, arm: str) -> Path:
    """Where an arm of one's own may live while the lesson has its own: beside it for simulated ones."""
    return directory / "run" / "beside" if arm.partition(":")[0] in NOT_REAL else directory


def run(
    directory: Path,
    config: LessonConfig,
    rounds: int,
    *,
    threads: int = 1,
    oracle: RolloutOracleConfig | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """Demonstrations, then so many rounds, each trained on; what is there already is gone on from.

    Args:
        directory: the lesson.
        config: of a new lesson; one that is there keeps its own.
        rounds: after the demonstrations; 0: demonstrations alone.
        threads: of the trainer.
        oracle: how the scripted person behaves.
        report: told (what, how many, of how many).

    Returns:
        Figures of all rounds.
    """
    if rounds < 0:
        raise BadInput(f"expected rounds of at least 0, got {rounds}")
    begun = time.perf_counter()
    torch.set_num_threads(1)
    there = (directory / "lesson.json").is_file()
    with ReplayBuffer(directory) if there else ReplayBuffer.create(directory, config.to_json()) as buffer:
        config = LessonConfig.from_json(buffer.lesson)
        if config.kind != "rollout":
            raise BadInput(f"expected a lesson in motion in {directory}, got one of plans; use `run` for it")
        with arm_of(directory, config.arm) as arm:
            problems = _teach(buffer, config, arm, rounds, threads, oracle, report)
        return figures_of(buffer) | {"wall_seconds": round(time.perf_counter() - begun, 1), "problems": problems}


def _teach(
    buffer: ReplayBuffer,
    config: LessonConfig,
    arm: StreamArm,
    rounds: int,
    threads: int,
    oracle: RolloutOracleConfig | None,
    report: Report,
) -> list[str]:
    """Until the policy has been trained on every round; what was wrong with checkpoints."""
    task = make_rollout_task(config.task)
    policy, problems = load_pilot(buffer, task, config.training.steps, config.seed, config.observe)
    if policy.version > rounds:
        return problems
    trainer = Trainer(buffer.path, threads=threads, nice=0)
    learning = Learning(trainer, config.training, config.seed, sync=True, version=policy.version)
    rng = np.random.default_rng([abs(config.seed), int(buffer.next_episode()), 8])
    lesson = ScriptedRollout(buffer, arm, policy, learning, RolloutOracle(task, rng, oracle))

    def over() -> bool:
        report(f"round {policy.version}", lesson.rounds.collected(policy.version), lesson.rounds.wanted(policy.version))
        return policy.version > rounds

    try:
        lesson.run(until=over)
    finally:
        lesson.end()
    if policy.version <= rounds:
        raise AskbackError(f"the lesson ended in round {policy.version}: {lesson.message}; the same command goes on")
    return problems


def figures_of(buffer: ReplayBuffer) -> dict[str, Any]:
    """What the rounds cost and brought."""
    from teaching.rollout_rounds import Rounds

    rounds = Rounds(buffer, LessonConfig.from_json(buffer.lesson))
    timelines = [t for _, t in rounds.episodes()]
    figures = supervision(timelines)
    driven, watched = figures.seconds(60.0)
    return {
        "protocol": buffer.lesson.get("protocol", "rac"),
        "episodes": figures.episodes,
        "discarded": figures.discarded,
        "interventions": figures.interventions,
        "frames": rounds.frames(),
        "human_seconds": round(driven, 1),
        "watched_seconds": round(watched, 1),
        "rounds": rounds.table(),
    }
