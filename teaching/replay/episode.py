"""An episode as it is kept: one step per plan, with what was seen, decided, done and earned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from robot_io.arm import Observation
from teaching.replay.frames import Rollout
from teaching.types import Answer, Array, BadInput, Decision, Demonstration, checked_goal, frozen

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
ENDS = ("terminated", "truncated", "interrupted")
"""The task ended it; a limit or a person ended it; a crash ended it."""


def checked_name(name: str, what: str) -> str:
    """A name that is safe as a file name: letters, digits, `_`, `.`, `-`, at most 80, no leading dot."""
    if not _NAME.fullmatch(name):
        raise BadInput(f"expected {what} of letters, digits, '_', '.' or '-', at most 80, got {name[:90]!r}")
    return name


@dataclass(frozen=True)
class Step:
    """One plan and what came of it. A step without a decision is a teacher's own (offline)."""

    observation: Observation
    """Before acting; with pictures `colour` (H, W, 3) uint8 and `height` (H, W) float32."""
    decision: Decision | None = None
    executed: Array | None = None
    """(T, A) what was really done: the plan, or the teacher's; None if nothing was."""
    reward: float = 0.0
    truth: Mapping[str, Any] | None = None
    """Where everything was before acting, if a scene could tell."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Plain values that a lesson wants back, such as the snapshot's name or the goals offered for a relabel."""

    def __post_init__(self) -> None:
        if self.executed is not None:
            object.__setattr__(self, "executed", frozen(self.executed, (None, None), "executed actions"))


@dataclass(frozen=True)
class Episode:
    """Reset to terminated or truncated."""

    id: str
    task: str
    goal: str
    seed: int
    split: str
    steps: tuple[Step, ...]
    teacher: str = ""
    end: str = "terminated"
    """One of ENDS."""
    reason: str = ""
    """Why it ended, in words."""
    answers: tuple[Answer, ...] = ()
    """Those known when it ended; later ones are in the log."""
    demonstrations: tuple[Demonstration, ...] = ()
    """Those stored when it ended; what later amendments make of them, the buffer tells."""
    started: float = 0.0
    """Unix seconds."""
    ended: float = 0.0
    rollout: Rollout | None = None
    """Its ticks, if it was supervised in motion; it may then have no steps."""

    def __post_init__(self) -> None:
        checked_name(self.id, "an episode id")
        object.__setattr__(self, "goal", checked_goal(self.goal))
        if self.end not in ENDS:
            raise BadInput(f"expected an end among {', '.join(ENDS)}, got {self.end!r}")
        if not self.steps and not self.rollout:
            raise BadInput(f"expected at least one step in episode {self.id}, got none; drop an empty episode instead")
        keys = self.keys()
        if len(set(keys)) != len(keys):
            raise BadInput(f"expected each decision once in episode {self.id}, got {list(keys)}")

    def keys(self) -> tuple[str, ...]:
        """One name per step: its decision's id, or EPISODE-INDEX for a step without one."""
        return tuple(s.decision.id if s.decision else f"{self.id}-{i}" for i, s in enumerate(self.steps))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """In order."""
        return tuple(s.decision for s in self.steps if s.decision is not None)


@dataclass(frozen=True)
class Summary:
    """An episode without its arrays: what a list shows and what history is folded from."""

    id: str
    task: str
    goal: str
    seed: int
    split: str
    teacher: str
    end: str
    reason: str
    started: float
    ended: float
    reward: float
    """Sum over its steps."""
    keys: tuple[str, ...]
    """One per step."""
    decisions: tuple[Decision, ...]
    """Without maps."""
    answers: tuple[Answer, ...]
    demonstrations: tuple[Demonstration, ...]
    rollout: Mapping[str, Any] | None = None
    """The facts of a supervised episode, without its ticks."""


def as_told(summary: Summary, told: Mapping[str, Mapping[str, Any]]) -> Summary:
    """An episode in motion with what a person made of its segments and its end afterwards, if anybody did."""
    if summary.rollout is None or summary.id not in told:
        return summary
    return replace(summary, rollout={**summary.rollout, **told[summary.id]})
