"""Lessons without a browser: run one with a scripted teacher, train, evaluate. What the commands call."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from robot_io.arm import Scene, Unreachable, make_arm
from robot_io.launch import launch
from robot_io.remote import RemoteArm
from robot_io.watching import Watch
from teaching import novice
from teaching.learning import Learning
from teaching.lesson import LessonConfig, starter
from teaching.metrics import wilson
from teaching.oracle import OracleTeacher
from teaching.plan_lesson import PlanLesson
from teaching.policies.base import Policy
from teaching.question import Question
from teaching.replay import ReplayBuffer
from teaching.task import Task, Truth, make_task
from teaching.tasks.sequence import scene_of
from teaching.trainer import Trainer
from teaching.types import Array, BadInput, Feedback, Kind

Report = Callable[[str, int, int], None]
"""What, how many, of how many."""
EVALUATION_SEED = 10_001
"""Evaluation scenes have odd seeds from here, 500 to a run (section 6 of the spec)."""


def silent(what: str, done: int, of: int) -> None:
    """No progress shown."""


NOT_REAL = ("sim", "fake")
TELLING = "expected an arm whose table is known, such as sim:panda or an SO-101 on an emulated bench"


def simulated(name: str) -> Scene:
    """A connected arm that is a Scene; BadInput if it is none."""
    arm = make_arm(name)
    if "scene" not in arm.features.capabilities:
        raise BadInput(f"{TELLING}, since a scripted teacher must know the truth; got {name!r}")
    arm.connect()
    return arm  # type: ignore[return-value]


def arm_process(name: str, directory: Path) -> subprocess.Popen[bytes]:
    """An arm process that ends with this one; a real arm's in a session of its own, where it goes before all else."""
    if name.partition(":")[0] in NOT_REAL:
        return launch(name, directory)
    return launch(name, directory, own_session=True, patience=240.0, more=["--parent-pid", str(os.getpid())])


@contextlib.contextmanager
def known(name: str, directory: Path) -> Iterator[Scene]:
    """A connected arm whose table is known: a simulated one here, an emulated one in its process, under all limits."""
    if name.partition(":")[0] in NOT_REAL:
        arm = simulated(name)
        try:
            yield arm
        finally:
            arm.disconnect()
        return
    process, remote = arm_process(name, directory), RemoteArm(directory, session="lesson")
    try:
        remote.connect()
        if "laid" not in remote.features.capabilities:
            raise BadInput(f"{TELLING}, since a scripted teacher must know the truth; got {name!r}")
        with Watch(directory, release=remote.release):
            yield remote
    finally:
        remote.disconnect()
        process.terminate()
        process.wait(60)


@dataclass
class Scripted:
    """The oracle as a lesson's teacher."""

    oracle: OracleTeacher
    arm: Scene

    def __call__(self, question: Question) -> tuple[Feedback, float]:
        """Feedback to a question, from the truth, and what it would have cost a person, in seconds."""
        after = question.outcome.result() if question.outcome and "unreachable" not in question.details else None
        moment = question.moment
        assert moment.truth is not None

        def rehearse(actions: Array) -> Truth | None:
            try:
                return self.arm.rehearse(np.array(actions), moment.snapshot).truth
            except Unreachable:
                return None

        said = self.oracle.answer(question.decision, moment.truth, after.truth if after else None, rehearse)
        return said.feedback, said.seconds


def run(directory: Path, config: LessonConfig, storing_episodes: int, *, sync: bool = False, threads: int = 1,
        report: Report = silent) -> dict[str, Any]:  # fmt: skip
    """Run a lesson with the scripted teacher until so many episodes have stored something; resumes what is there.

    Returns:
        The figures of the whole run: answers by kind, human seconds under the cost model, wall time of this call.
    """
    begun = time.perf_counter()
    there = (directory / "lesson.json").is_file()
    if not there and config.start == "starter" and starter(config.task) is None:
        raise BadInput(f"expected --start nothing: there is no starter for {config.task}")
    opened = ReplayBuffer(directory) if there else ReplayBuffer.create(directory, config.to_json())
    with opened as buffer, contextlib.ExitStack() as held:
        config = LessonConfig.from_json(buffer.lesson)
        arm = held.enter_context(known(config.arm, directory))
        novice.prepare(buffer, config)
        policy, _ = novice.load_novice(buffer.checkpoints, arm.features.table, config.seed, config.text_encoder)
        trainer = Trainer(directory, threads=threads, nice=0 if sync else 19)
        learning = Learning(trainer, config.training, config.seed, sync=sync, version=policy.version)
        task = make_task(config.task)
        teacher = Scripted(OracleTeacher(task, np.random.default_rng([config.seed, len(buffer.episodes()), 3])), arm)
        lesson = PlanLesson(buffer, arm, policy, learning, teacher=teacher, ahead=False)
        lesson.changed = lambda: report("storing episodes", lesson.memory.storing_episodes, storing_episodes)
        try:
            lesson.run(until=lambda: lesson.memory.storing_episodes >= storing_episodes)
            if not lesson.ended:
                lesson.end()
        finally:
            learning.close()
        return figures_of(buffer, policy.version) | {"wall_seconds": round(time.perf_counter() - begun, 1)}


def figures_of(buffer: ReplayBuffer, updates: int) -> dict[str, Any]:
    """What a lesson has come to, after so many updates of its model."""
    decisions, demonstrations = buffer.decisions(), buffer.demonstrations()
    kinds = {kind.value: sum(d.kind is kind for d in demonstrations) for kind in Kind}
    asked = sum(d.asked for d in decisions)
    return {
        "storing_episodes": len({d.decision.split("-", 1)[0] for d in demonstrations}),
        "episodes": len(buffer.episodes()),
        "decisions": len(decisions),
        "asked": asked,
        "answers": len(buffer.answers()),
        **kinds,
        "human_seconds": round(sum(a.seconds for a in buffer.answers().values()), 1),
        "updates": updates,
        "mean_reward": round(float(np.mean([s.reward for s in buffer.episodes()] or [0.0])), 4),
    }


def evaluate(policy: Policy, arm: Scene, task: Task, split: str, episodes: int, seed: int, *, report: Report = silent,
             oracle: bool = False) -> dict[str, Any]:  # fmt: skip
    """Mean cumulative reward × 100 and share of whole successes on fresh scenes.

    Args:
        policy: acts without asking.
        arm: simulated.
        task: rewards.
        split: which objects; of a sequence, which stage.
        episodes: how many scenes.
        seed: the run; scenes are `EVALUATION_SEED + 500 * seed`, step 2.
        report: told (what, how many, of how many).
        oracle: let the scripted teacher act instead, on the same scenes.
    """
    rewards, goals = np.zeros(episodes), []
    seeds = [EVALUATION_SEED + 500 * seed + 2 * index for index in range(episodes)]
    rng = np.random.default_rng([seed, 11])
    for index in range(episodes):
        truth = arm.reset(seeds[index], *scene_of(task.name, split))
        goals.append(str(truth["goal"]))
        policy.reset()
        rewards[index] = _episode(policy, arm, task, truth, rng, oracle)
        report("evaluated scenes", index + 1, episodes)
    whole = int(np.sum(rewards >= 1.0 - 1e-6))
    interval = wilson(whole, episodes)
    return {
        "episodes": episodes,
        "reward_x100": round(100 * float(rewards.mean()), 2),
        "reward_x100_standard_error": round(100 * float(rewards.std() / np.sqrt(episodes)), 2),
        "success": whole / episodes,
        "success_interval": [round(interval.low, 4), round(interval.high, 4)],
        "rewards": [round(float(r), 4) for r in rewards],
        "goals": goals,
        "seeds": seeds,
        "seed": seed,
        "split": split,
        "updates": policy.version,
    }


def _episode(policy: Policy, arm: Scene, task: Task, truth: Truth, rng: np.random.Generator, oracle: bool) -> float:
    goal, earned = str(truth["goal"]), 0.0
    for _ in range(int(truth["max_steps"])):
        if oracle:
            plan = task.demonstrate(goal, truth, rng)
            if plan is None:
                break
        else:
            plan = policy(arm.observe(pictures=True), goal, rng)
        try:
            arm.perform(np.array(plan.actions))
        except Unreachable:
            break
        after = arm.truth()
        earned += task.reward(goal, truth, after)
        truth = after
        if task.progress(goal, truth) >= 1.0 - 1e-9:
            break
    return earned


def evaluate_directory(directory: Path, checkpoint: str, task: str | None, split: str, episodes: int, seed: int, *,
                       report: Report = silent, oracle: bool = False) -> Mapping[str, Any]:  # fmt: skip
    """`evaluate` with the novice of a lesson, "last" or of a named checkpoint."""
    with ReplayBuffer(directory, readonly=True) as buffer:
        config = LessonConfig.from_json(buffer.lesson)
        with known(config.arm, directory) as arm:
            table = arm.features.table
            policy, problems = novice.load_novice(buffer.checkpoints, table, config.seed, config.text_encoder)
            if checkpoint != "last":
                policy.load(Path(checkpoint) if Path(checkpoint).is_dir() else buffer.checkpoints / checkpoint)
            figures = evaluate(
                policy, arm, make_task(task or config.task), split, episodes, seed, report=report, oracle=oracle
            )
            return {**figures, "task": task or config.task, "problems": problems}
