"""Scenes played by a policy alone, on film: the plan over the picture before, the motion, the picture after.

A simulated arm is filmed from the side by its twin, a process that draws from snapshots: taking a film changes nothing
of what the arm does. An arm without one is shown by its pictures from above.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from robot_io.arm import Observation, Pathed, Scene, Twin, Twinned, Unreachable, make_arm
from robot_io.pictures import jpeg
from robot_io.remote_stream import StreamArm
from teaching.films import Drawn, Head, Reel, spots
from teaching.policies.base import Policy
from teaching.policies.flow import FlowPolicy
from teaching.rollout_evaluate import rollout
from teaching.rollout_states import EVERY
from teaching.rollout_task import RolloutTask
from teaching.task import Task
from teaching.tasks.sequence import scene_of
from teaching.types import Array, Plan

THINKS, LOOKS = 2.0, 1.5
"""Seconds for which a plan, and what came of it, are shown."""
TICKS = 10
"""Between two pictures of a motion."""
SOLVED = 1.0 - 1e-6


@dataclass
class Eye:
    """Sees an arm from the side, where it has a twin."""

    twin: Twin | None
    camera: str

    def see(self, snapshot: bytes) -> bytes:
        """One JPEG."""
        assert self.twin is not None
        return self.twin.frame(self.camera, snapshot)


@contextlib.contextmanager
def eye_of(arm: str) -> Iterator[Eye]:
    """The eye of a simulated arm by its name; one that sees nothing for others."""
    one = make_arm(arm)
    if not (isinstance(one, Twinned) and one.features.simulated and one.features.cameras):
        yield Eye(None, "")
        return
    twin = one.twin()
    try:
        yield Eye(twin, one.features.cameras[0])
    finally:
        twin.close()


@dataclass(frozen=True)
class Asked:
    """One frozen scene."""

    scene: int
    seed: int
    split: str
    model: str
    policy_hash: str

    def head(self, task: str, goal: str, reward: float, solved: bool, said: str, reel: Reel | None) -> Head:
        """What is kept of it."""
        return Head(
            self.scene, self.seed, task, self.split, goal, self.model, self.policy_hash, round(reward, 6), solved,
            said, **(reel.parts() if reel else {}),
        )  # fmt: skip


def plan_scene(
    policy: Policy, arm: Scene, task: Task, asked: Asked, rng: np.random.Generator, eye: Eye, reel: Reel
) -> Head:
    """One scene of questions, played without asking; the reel holds its pictures afterwards.

    Args:
        policy: plans.
        arm: its table is known.
        task: rewards.
        asked: which scene.
        rng: of the policy.
        eye: sees the motion.
        reel: is filled.
    """
    truth = arm.reset(asked.seed, *scene_of(task.name, asked.split))
    goal, earned, said = str(truth["goal"]), 0.0, "out of steps"
    policy.reset()
    for step in range(int(truth["max_steps"])):
        since, before = reel.now, arm.observe(pictures=True)
        plan = policy(before, goal, rng)
        _show(reel, before, arm, plan)
        try:
            _perform(arm, np.array(plan.actions), eye, reel)
        except Unreachable:
            said = "it could not reach there"
            reel.mark(since, f"plan {step + 1}: out of reach", "wrong")
            break
        after = arm.truth()
        won = task.reward(goal, truth, after)
        earned, truth = earned + won, after
        _show(reel, arm.observe(pictures=True), arm)
        reel.mark(since, f"plan {step + 1}: earned {won:.2f}", "right" if won > 0 else "wrong")
        if task.progress(goal, truth) >= 1.0 - 1e-9:
            said = "done"
            break
    return asked.head(task.name, goal, earned, earned >= SOLVED, said, reel)


def _show(reel: Reel, seen: Observation, arm: Scene, plan: Plan | None = None) -> None:
    """The picture from above, and a plan over it."""
    picture = jpeg(np.asarray(seen["picture"] if "picture" in seen else seen["colour"]))
    if plan is None:
        reel.show(picture, LOOKS)
        return
    table = arm.features.table
    reel.plans.append(Drawn(spots(plan.actions, table.x, table.y), round(plan.uncertainty, 4)))
    reel.show(picture, THINKS, len(reel.plans) - 1)


def _perform(arm: Scene, actions: Array, eye: Eye, reel: Reel) -> None:
    """As the arm's own `perform`, tick by tick where it can be filmed; Unreachable."""
    if eye.twin is None or not isinstance(arm, Pathed):
        arm.perform(actions)
        return
    path, rate = arm.path(actions), arm.features.rate
    for tick in range(len(path)):
        arm.send(path[tick])
        if tick % TICKS == TICKS - 1:
            reel.show(eye.see(arm.snapshot()), TICKS / rate)


def motion_scene(
    policy: FlowPolicy, arm: StreamArm, task: RolloutTask, asked: Asked, rng: np.random.Generator, eye: Eye, reel: Reel
) -> Head:
    """One scene in motion, driven by the policy alone; arguments as in `plan_scene`."""
    stage, since = 0, 0.0
    names = (*task.subtasks, "done")

    def look(rows: int, truth: Any) -> None:
        nonlocal stage, since
        if eye.twin is not None:
            reel.show(eye.see(arm.snapshot()), rows * EVERY / arm.features.rate)
        if int(truth["stage"]) != stage:
            reel.mark(since, str(names[min(stage, len(names) - 1)]), "right" if int(truth["stage"]) > stage else "")
            stage, since = int(truth["stage"]), reel.now

    played = rollout(arm, task, policy, asked.seed, asked.split, rng, look=look)
    if reel.now > since:
        reel.mark(since, str(names[min(stage, len(names) - 1)]), "right" if played.success else "wrong")
    said = "done" if played.success else f"time was out in subtask {played.stage + 1} of {len(task.subtasks)}"
    return asked.head(task.name, task.goal, float(played.success), played.success, said, reel)
