"""What a policy in motion does alone, on scenes that nothing was learned from. Time-outs are failures that count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from robot_io.remote_stream import StreamArm
from teaching.headless import Report, silent
from teaching.lesson import LessonConfig
from teaching.metrics import wilson
from teaching.policies.flow import FlowPolicy
from teaching.recoveries import RecoveryConfig, recoveries, within
from teaching.replay import ReplayBuffer
from teaching.rollout_glimpse import Glimpser
from teaching.rollout_headless import apart, arm_of
from teaching.rollout_metrics import evaluation, stalls
from teaching.rollout_pilot import Pilot, load_pilot
from teaching.rollout_rounds import PER_SEED
from teaching.rollout_sense import Sense
from teaching.rollout_shape import flow_config
from teaching.rollout_states import EVERY, sensed
from teaching.rollout_task import RolloutTask, make_rollout_task
from teaching.types import Array, BadInput

COUNTING = RecoveryConfig(fall=0.04)
STILL = (60, 0.01)
"""Beats and metres: a rollout that stays within so little for so long at its end has stalled."""


@dataclass(frozen=True)
class Unaided:
    """One rollout of the policy alone."""

    success: bool
    stage: int
    rows: int
    retries: int
    """Subtasks begun again, as the scene counted them."""
    states: Array
    """(B, width) at every beat."""
    tips: Array
    """(B, 3) metres."""
    doubt: Array
    """(B,)"""


def rollout(
    arm: StreamArm,
    task: RolloutTask,
    policy: FlowPolicy,
    seed: int,
    split: str,
    rng: Any,
    *,
    look: Callable[[int, Mapping[str, Any]], None] = lambda rows, truth: None,
) -> Unaided:
    """Until the task is done or time is out; `look` hears the rows that were just driven, and the truth after them."""
    arm.reset(seed, task.name, split)
    pilot = Pilot(policy, task, rng)
    pilot.forget()
    glimpser = Glimpser(arm, arm.features.cameras, arm.features.rate) if policy.config.picture else None
    states, tips, doubt, rows = [], [], [], 0
    truth: Mapping[str, Any] = arm.truth()
    while not truth["success"] and rows < task.limit:
        observation = arm.observe()
        if glimpser is not None:
            observation = glimpser.seen(observation, int(arm.now()["tick"]))
        plan = pilot.ready(observation)
        states.append(sensed(task, observation.arrays)[0])
        tips.append(np.asarray(observation["tip"]))
        doubt.append(plan.uncertainty)
        chunk = pilot.take()
        arm.stream(chunk, every=EVERY, kind="tip", wait=0)
        rows += len(chunk)
        truth = arm.truth()
        look(len(chunk), truth)
    return Unaided(
        bool(truth["success"]), int(truth["stage"]), rows, int(truth.get("retries", 0)),
        np.array(states), np.array(tips), np.array(doubt),
    )  # fmt: skip


def evaluate(
    directory: Path,
    checkpoint: str,
    split: str,
    episodes: int,
    seed: int,
    *,
    most: int | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """Success of a lesson's policy on fresh scenes, and with recoveries capped.

    Args:
        directory: the lesson.
        checkpoint: "last", a name among its checkpoints, or a path.
        split: of the scenes.
        episodes: how many.
        seed: which scenes: odd ones, no lesson is taught on them.
        most: caps 0 … most are reported: a rollout with more recoveries counts as ended at the first beyond.
        report: told (what, how many, of how many).
    """
    with ReplayBuffer(directory, readonly=True) as buffer:
        config = LessonConfig.from_json(buffer.lesson)
        task = make_rollout_task(config.task)
        policy, problems = load_pilot(buffer, task, config.training.steps, config.seed, config.observe)
        if checkpoint != "last":
            policy.load(Path(checkpoint) if Path(checkpoint).is_dir() else buffer.checkpoints / checkpoint)
        if policy.config.reads != (wanted := flow_config(task, 1, config.observe).reads):
            raise BadInput(
                f"expected a policy that reads {wanted}, got {policy.config.reads} in {checkpoint}: it was trained "
                "before what it reads was changed; train again"
            )
        if not policy.version:
            raise BadInput(f"expected a trained policy in {directory}, found none; train first")
        found = []
        rng = np.random.default_rng([abs(seed), 11])
        with arm_of(apart(directory, config.arm), config.arm) as arm:
            for index in range(episodes):
                scene = 2 * (PER_SEED * abs(seed) + index) + 1
                found.append(rollout(arm, task, policy, scene, split, rng))
                report("evaluated scenes", index + 1, episodes)
        counts = _recoveries(found, Sense(buffer, task))
        return _figures(found, counts, most) | {
            "policy": policy.version, "seed": seed, "split": split, "problems": problems
        }  # fmt: skip


def _recoveries(found: list[Unaided], sense: Sense) -> Array:
    """(N,) of each rollout: by phase among the demonstrations, or what the scene counted."""
    known = sense.known
    if known is None:
        return np.array([r.retries for r in found])
    return np.array([len(recoveries(known.phase(sense.task.relative(r.states)), config=COUNTING)) for r in found])


def _figures(found: list[Unaided], counts: Array, most: int | None) -> dict[str, Any]:
    success = np.array([r.success for r in found])
    retries = np.array([r.retries for r in found])
    figures = evaluation(
        success, np.array([r.stage for r in found]), counts,
        np.array([not r.success and stalls(r.tips, window=STILL[0], radius=STILL[1]) for r in found]),
        np.array([r.rows for r in found]),
    )  # fmt: skip
    interval = wilson(figures.success.hits, figures.success.n)
    told: dict[str, Any] = {
        "episodes": len(found), "successes": figures.success.hits, "success": figures.success.value,
        "success_interval": [round(interval.low, 4), round(interval.high, 4)], "progress": figures.progress,
        "recoveries": figures.recoveries, "retries": float(retries.mean()), "stalled": figures.stalled.hits,
        "median_rows": figures.median_length, "rewards": [float(s) for s in success],
    }  # fmt: skip
    if most is not None:
        told["capped"] = {str(cap): int(within(counts, success, cap).sum()) for cap in range(most + 1)}
        told["capped_by_looks"] = {str(cap): int(within(retries, success, cap).sum()) for cap in range(most + 1)}
    return told
