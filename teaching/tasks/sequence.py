"""Several tasks one after the other, with one novice: what it was taught shifts under it. Pure.

Section 6 of the spec: packing shapes that it has seen, then unseen ones, then something else. Here the last two stages
are other tasks altogether. A stage is written `TASK/SPLIT`; `--task sequence` takes STAGES, or what `--split` lists:

    python -m teaching run --task sequence --split packing-shapes/seen,packing-shapes/unseen --stage-episodes 50 …
    python -m teaching evaluate DIR --split packing-shapes/unseen

An episode belongs to the task `sequence`, and its split says the stage. Every verb asks the truth which task its scene
is of. Where the next scene is laid out before the last episode is kept, a stage lasts one episode longer.
"""

from __future__ import annotations

import numpy as np

from teaching.task import Task, Truth
from teaching.tasks import packing_shapes, put_block_in_bowl, stack_blocks
from teaching.types import BadInput, Plan

NAME = "sequence"
STAGES = ("packing-shapes/seen", "packing-shapes/unseen", "put-block-in-bowl/seen", "stack-blocks/seen")
_TASKS: dict[str, Task] = {t.name: t for t in (stack_blocks.TASK, packing_shapes.TASK, put_block_in_bowl.TASK)}
"""In the order in which a goal is tried on them: what understands few goals comes first."""


def stages_of(split: str) -> tuple[str, ...]:
    """The stages that a lesson's split lists, STAGES for "seen"; BadInput if they are not clear."""
    if split == "seen":
        return STAGES
    stages = tuple(part.strip() for part in split.split(","))
    for stage in stages:
        scene_of(NAME, stage)
    return stages


def stage_after(split: str, storing_episodes: int, each: int) -> str:
    """The stage of the next scene, after so many episodes that stored something, `each` of them to a stage."""
    stages = stages_of(split)
    return stages[min(storing_episodes // each, len(stages) - 1)]


def scene_of(task: str, split: str) -> tuple[str, str]:
    """The task and split of the scene that an arm lays out; only a sequence's differ from what they are called."""
    if task != NAME:
        return task, split
    name, slash, rest = split.partition("/")
    if name not in _TASKS or not slash or not rest:
        raise BadInput(
            f"expected a stage such as {STAGES[1]} (a task among {', '.join(_TASKS)}, a slash, a split), got {split!r}"
        )
    return name, rest


def task_of(goal: str) -> Task:
    """The task that understands a goal; BadInput shows one of each."""
    for task in _TASKS.values():
        try:
            task.check(goal)
        except BadInput:
            continue
        return task
    shown = ", or ".join(repr(task.example) for task in _TASKS.values())
    raise BadInput(f"expected a goal such as {shown}, got {goal[:80]!r}")


def _of(truth: Truth) -> Task:
    return _TASKS[str(truth["task"])]


def _fits(goal: str, truth: Truth) -> bool:
    """Whether the scene's task understands a goal: a person may give one that belongs to another stage."""
    try:
        _of(truth).check(goal)
    except BadInput:
        return False
    return True


class Sequence:
    """Each scene is of one of its tasks."""

    name = NAME
    example = packing_shapes.TASK.example

    def goals(self, truth: Truth) -> tuple[str, ...]:
        """Those of the scene's task."""
        return _of(truth).goals(truth)

    def check(self, goal: str) -> str:
        """The goal in the standard words of the task that understands it."""
        return task_of(goal).check(goal)

    def progress(self, goal: str, truth: Truth) -> float:
        """As the scene's task has it; 0 for a goal of another stage."""
        return _of(truth).progress(goal, truth) if _fits(goal, truth) else 0.0

    def reward(self, goal: str, before: Truth, after: Truth) -> float:
        """As the scene's task has it; 0 for a goal of another stage."""
        return _of(before).reward(goal, before, after) if _fits(goal, before) else 0.0

    def best_step(self, goal: str, before: Truth) -> float:
        """As the scene's task has it; 0 for a goal of another stage."""
        return _of(before).best_step(goal, before) if _fits(goal, before) else 0.0

    def achieved(self, goal: str, before: Truth, after: Truth) -> tuple[str, ...]:
        """As the scene's task has it; of a goal of another stage, what the scene's own goal would leave, and that."""
        task, own = _of(before), str(before["goal"])
        if _fits(goal, before):
            return task.achieved(goal, before, after)
        first = (own,) if task.reward(own, before, after) > 0 else ()
        return first + task.achieved(own, before, after)

    def demonstrate(self, goal: str, truth: Truth, rng: np.random.Generator) -> Plan | None:
        """As the scene's task has it; nothing for a goal of another stage."""
        return _of(truth).demonstrate(goal, truth, rng) if _fits(goal, truth) else None


TASK = Sequence()
