"""The nouns of the house. Frozen; each checks itself when made. Letters: T time, A action, H W C picture, N rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

GOAL_LENGTH = 300
"""The longest goal, in characters."""


def explained(default: Any, text: str) -> Any:
    """A dataclass field with its one-line explanation, which is also the tooltip of the widget drawn from it."""
    return field(default=default, metadata={"help": text})


class AskbackError(Exception):
    """Says what was expected, what came and what to do."""


class BadInput(AskbackError, ValueError):
    """Something a person or a file gave that cannot be used; nothing was lost."""


class Outcome(IntEnum):
    """Of the novice's plan."""

    SUCCESS = 1
    UNKNOWN = 0
    FAILURE = -1


class Kind(StrEnum):
    """What a Demonstration is worth imitating for (FIER, section 3 of the paper)."""

    VALIDATED = "validated"
    RELABELLED = "relabelled"
    ANNOTATED = "annotated"
    OFFLINE = "offline"


def frozen(value: Any, shape: tuple[int | None, ...], name: str, dtype: Any = np.float64) -> Array:
    """A read-only copy of an array of the given shape (None: any length), or a BadInput that names both shapes."""
    array = np.array(value, dtype=dtype)
    if array.ndim != len(shape) or any(w is not None and w != g for w, g in zip(shape, array.shape, strict=True)):
        raise BadInput(f"expected {name} of shape {shape}, got {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadInput(f"expected finite numbers in {name}, got {array.tolist()}")
    array.setflags(write=False)
    return array


def checked_goal(goal: str) -> str:
    """A goal in one line without surrounding space; BadInput if it is empty, too long or holds control characters."""
    text = " ".join(str(goal).split())
    if not text:
        raise BadInput("expected a goal such as 'put the red blocks in a green bowl', got an empty one")
    if len(text) > GOAL_LENGTH:
        raise BadInput(f"expected a goal of at most {GOAL_LENGTH} characters, got {len(text)}; say it shorter")
    if not text.isprintable():
        raise BadInput("expected a goal of printable characters only")
    return text


@dataclass(frozen=True)
class Alternative:
    """Another mode of the novice's prediction: a ghost."""

    actions: Array
    """(T, A) like Plan.actions."""
    weight: float
    """Its share of the predicted probability, in [0, 1]."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "actions", frozen(self.actions, (None, None), "actions"))


@dataclass(frozen=True)
class Plan:
    """What the novice intends before it moves, or what a teacher demonstrates."""

    actions: Array
    """(T, A); pick-and-place: T = 2 (pick, place), A = 4 (x, y, z in metres, yaw in radians)."""
    goal: str
    alternatives: tuple[Alternative, ...] = ()
    uncertainty: float = 0.0
    """In [0, 1]; section 5 of the spec: mean of the per-step entropies, each over its running maximum."""
    per_step: Array = field(default_factory=lambda: np.zeros(0))
    """(T,) in [0, 1]."""
    entropy: Array = field(default_factory=lambda: np.zeros(0))
    """(T,) raw entropies in nats, kept so that running maxima can be rebuilt."""
    maps: Mapping[str, Array] = field(default_factory=dict)
    """Predicted probability in space, each (H, W) float32, scaled to a maximum of 1: "pick", "place"."""
    policy_version: int = 0
    """Number of model updates when it was made."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "actions", frozen(self.actions, (None, None), "actions"))
        object.__setattr__(self, "goal", checked_goal(self.goal))
        object.__setattr__(self, "per_step", frozen(self.per_step, (None,), "per_step"))
        object.__setattr__(self, "entropy", frozen(self.entropy, (None,), "entropy"))
        if not 0.0 <= self.uncertainty <= 1.0:
            raise BadInput(f"expected an uncertainty in [0, 1], got {self.uncertainty}")


@dataclass(frozen=True)
class Decision:
    """One plan weighed by the gate."""

    id: str
    """`EPISODE-STEP`, unique in a replay buffer."""
    episode: str
    step: int
    plan: Plan
    threshold: float
    """What the uncertainty was weighed against; may be infinite."""
    gated: bool
    """The gate asked: uncertainty ≥ threshold."""
    random: bool
    """A random query: U < p_rand."""
    update: int
    """Model updates done when it was made (k)."""
    reason: str = ""
    """Why it was asked or not, in words for the teacher."""
    time: float = 0.0
    """Unix seconds."""

    @property
    def asked(self) -> bool:
        """Whether it is a Query."""
        return self.gated or self.random


@dataclass(frozen=True)
class Feedback:
    """What a teacher says of a plan. An invalid plan may get a relabel, a demonstration, both or neither."""

    outcome: Outcome
    relabel: str | None = None
    """The goal that the plan would in fact achieve."""
    demonstration: Plan | None = None
    """What is right instead. With a valid plan: what the teacher would do, used only by a lesson without validation."""

    def __post_init__(self) -> None:
        if self.outcome != Outcome.FAILURE and self.relabel is not None:
            raise BadInput("expected a relabel only with an invalid plan; say that it is wrong first")
        if self.outcome == Outcome.UNKNOWN and self.demonstration is not None:
            raise BadInput("expected no demonstration from a teacher who cannot tell; say that it is wrong first")
        if self.relabel is not None:
            object.__setattr__(self, "relabel", checked_goal(self.relabel))


@dataclass(frozen=True)
class Answer:
    """One Feedback given by a teacher to one decision."""

    decision: str
    feedback: Feedback
    teacher: str
    seconds: float
    """From question shown to answer given."""
    late: bool = False
    """Given to a decision that was not asked, or after it ran ("that was wrong")."""
    blind: bool = False
    """The novice's confidence was hidden."""
    chosen: int = 0
    """Which ghost was confirmed; 0 is the plan itself."""
    time: float = 0.0


@dataclass(frozen=True)
class Demonstration:
    """One stored (observation, goal, plan) worth imitating."""

    id: str
    """`DECISION-KIND`, unique in a replay buffer."""
    decision: str
    kind: Kind
    goal: str
    actions: Array
    """(T, A)."""
    uncertainty: float
    """Of the decision; NaN for relabelled and offline ones (they are not decisions)."""
    outcome: Outcome
    """Of the novice's plan as PIER sees it: SUCCESS validated, FAILURE annotated, UNKNOWN otherwise."""
    update: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "actions", frozen(self.actions, (None, None), "actions"))


@dataclass(frozen=True)
class Rows:
    """The history as the gate and PIER read it: one row per decision, and one per extra pair (relabelled, offline).

    In the order of the decisions; extra rows follow their decision.
    """

    uncertainty: Array
    """(N,) float, NaN for rows that are not decisions."""
    outcome: Array
    """(N,) int in {+1, −1, 0}."""
    update: Array
    """(N,) int."""
    decision: tuple[str, ...] = ()
    """(N,) ids."""
    demonstration: tuple[str | None, ...] = ()
    """(N,) the id of the Demonstration that the row owns, if any."""

    def __post_init__(self) -> None:
        n = len(self.uncertainty)
        for name in ("outcome", "update"):
            if len(getattr(self, name)) != n:
                raise BadInput(f"expected {n} values in {name} like uncertainty, got {len(getattr(self, name))}")
