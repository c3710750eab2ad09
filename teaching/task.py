"""What a task means: its goals, its reward, and which other goal a result achieved. Pure.

A truth is the plain mapping that `robot_io.arm.Scene.truth` describes. Rewards follow section 6 of the paper's tasks:
a step's reward is the rise of the satisfied fraction of the goal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from teaching.types import BadInput, Plan

Truth = Mapping[str, Any]


@runtime_checkable
class Task(Protocol):
    """One family of goals in one scene."""

    name: str
    example: str
    """One of its goals, to begin with where nobody has given one."""

    def goals(self, truth: Truth) -> tuple[str, ...]:
        """Goals that make sense in this scene, for a person to choose from; the scene's own goal first."""

    def check(self, goal: str) -> str:
        """The goal in its standard wording; BadInput says what kind of goal was expected."""

    def progress(self, goal: str, truth: Truth) -> float:
        """The satisfied fraction of the goal, in [0, 1]."""

    def reward(self, goal: str, before: Truth, after: Truth) -> float:
        """What one plan earned: the rise in progress, never below 0."""

    def best_step(self, goal: str, before: Truth) -> float:
        """The reward of a flawless plan from here."""

    def achieved(self, goal: str, before: Truth, after: Truth) -> tuple[str, ...]:
        """Other goals that going from before to after was a right step for, likeliest first (relabelling)."""

    def demonstrate(self, goal: str, truth: Truth, rng: np.random.Generator) -> Plan | None:
        """What the scripted teacher would do; None when nothing is left to do."""


_TASKS = {
    "put-block-in-bowl": "teaching.tasks.put_block_in_bowl",
    "packing-shapes": "teaching.tasks.packing_shapes",
    "stack-blocks": "teaching.tasks.stack_blocks",
    "sequence": "teaching.tasks.sequence",
}


def tasks() -> tuple[str, ...]:
    """The names of the built-in tasks."""
    return tuple(_TASKS)


def make_task(name: str) -> Task:
    """The task of that name; BadInput lists the names."""
    import importlib

    if name not in _TASKS:
        raise BadInput(f"expected a task among {', '.join(_TASKS)}, got {name!r}")
    task: Task = importlib.import_module(_TASKS[name]).TASK
    return task


def is_valid(task: Task, goal: str, before: Truth, after: Truth) -> bool:
    """Section 1 of the spec: |full step reward − reward| < 0.01, and the step earned something."""
    full = task.best_step(goal, before)
    return full > 0 and abs(full - task.reward(goal, before, after)) < 0.01
