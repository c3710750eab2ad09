"""What a rollout lesson knows of a task: what a policy reads, what counts as near, what a scripted person sees. Pure.

A task of this kind is done tick by tick, in rows of moves of the tip: dx, dy, dz in metres, dyaw in radians and the
gripper, (5,) for each arm. Rewards and subtasks come from the scene itself, in its truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from teaching.task import Truth
from teaching.types import Array, BadInput

ROW = 5
"""Numbers in a row of one arm: dx, dy, dz, dyaw, gripper."""
RATE = 30.0
"""Rows per second."""


class Sensed(Protocol):
    """An observation: named arrays."""

    def __getitem__(self, name: str) -> Array:
        """The array of that name."""


@dataclass(frozen=True)
class Sight:
    """What somebody who sees everything makes of one arm's part in the task, now."""

    tip: Array
    """(3,) metres."""
    target: Array
    """(3,) metres: where the tip has to be for the current subtask to be done."""
    over: float
    """Metres: the height of the rim or the surface above which it lines up before it comes down."""
    gripper: float
    """What the gripper should be now, once it is where it should be."""
    turn: float = 0.0
    """Radians by which to turn."""
    fits: float = 0.004
    """Metres beside the target within which it may come down."""
    idle: bool = False
    """Nothing to do for this arm: it stays."""


@runtime_checkable
class RolloutTask(Protocol):
    """One long task."""

    name: str
    arms: int
    subtasks: tuple[str, ...]
    goal: str
    """In words."""
    limit: int
    """Rows under the policy until time is out."""
    columns: Mapping[str, slice]
    """Which columns of a state are what."""
    width: int
    """Numbers in a state."""
    feels: int
    """Numbers that the arm feels of itself."""
    look: float
    """Metres: rising through this height is a new look."""

    def state(self, observation: Sensed) -> Array:
        """What a policy reads of an observation, (width,), told relative to what it is about."""

    def feel(self, observation: Sensed) -> Array:
        """What the arm feels of itself, (feels,): all that a policy reads beside its pictures."""

    def relative(self, states: Array) -> Array:
        """States (N, width) → (N, K) as `teaching.familiarity` compares them, with scale 1."""

    def sights(self, truth: Truth, observation: Sensed) -> tuple[Sight, ...]:
        """One for each arm."""


_TASKS = {
    "peg-and-button": "teaching.tasks.peg_and_button",
    "hold-and-insert": "teaching.tasks.hold_and_insert",
    "block-in-bowl": "teaching.tasks.block_in_bowl",
}
_FOR_TWO = ("hold-and-insert",)


def rollout_tasks(arms: int = 1) -> tuple[str, ...]:
    """The names of the tasks that are done tick by tick, by so many arms."""
    return tuple(name for name in _TASKS if (name in _FOR_TWO) == (arms == 2))


def make_rollout_task(name: str) -> RolloutTask:
    """The task of that name; BadInput lists the names."""
    import importlib

    if name not in _TASKS:
        raise BadInput(f"expected a task in motion among {', '.join(_TASKS)}, got {name!r}")
    task: Any = importlib.import_module(_TASKS[name]).TASK
    found: RolloutTask = task
    return found
