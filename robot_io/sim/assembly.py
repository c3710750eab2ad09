"""A long-horizon task and what every form of it offers: pick a peg, push it into a slot, press a button.

One mistake is not the end: a peg that meets the rim jams, a peg let go of can be picked again. What the arm perceives
of slot and button can be wrong; while the gripper is low it hides them, and only a new look from above perceives them
anew. `AssemblySpec.perfect()` is the control in which every look is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from robot_io.arm import Array
from robot_io.errors import ArmError

SUBTASKS = ("pick", "insert", "press")
NAME = "peg-and-button"


class BadScene(ArmError):
    """A scene that cannot be, or arrays that do not fit it."""


@dataclass(frozen=True)
class AssemblySpec:
    """What makes the task hard. Metres, and ticks of the control loop."""

    tolerance: tuple[float, float, float] = (0.05, 0.03, 0.03)
    """How near is near enough, per subtask."""
    step: float = 0.04
    """Largest move per axis and tick."""
    noise: float = 0.002
    """Standard deviation of what is added to each move."""
    rim: float = 0.15
    """Height of the plate that slot and button are sunk in."""
    depth: float = 0.08
    """Below this the peg is in, and the button pressed."""
    freed: float = 0.05
    """A jam ends this far above the rim."""
    look: float = 0.33
    """Rising through this height is a new look."""
    wrong: tuple[float, float] = (0.5, 0.4)
    """How often a look at slot and at button is wrong."""
    off: tuple[float, float] = (0.05, 0.10)
    """By how much a wrong look is off, at least and at most."""
    fade: float = 0.93
    """How much of the memory of a contact is left after a tick."""
    limit: int = 400
    """Ticks until time is out."""

    def __post_init__(self) -> None:
        if not all(0.0 <= p <= 1.0 for p in self.wrong) or not 0.0 <= self.off[0] <= self.off[1]:
            raise BadScene(
                f"expected shares of wrong looks in [0, 1] and 0 ≤ least ≤ most, got {self.wrong}, {self.off}"
            )
        if not 0.0 < self.depth < self.rim < self.rim + self.freed < self.look:
            raise BadScene(f"expected 0 < depth < rim < rim + freed < look, got {self}")

    @classmethod
    def perfect(cls) -> AssemblySpec:
        """The control: every look is right."""
        return cls(wrong=(0.0, 0.0))


@dataclass(frozen=True)
class AssemblyTruth:
    """Where everything really is, for a scripted teacher and for scores. N rollouts at once."""

    tool: Array
    """(N, 3) metres."""
    closed: Array
    """(N,) bool."""
    stage: Array
    """(N,) int: subtasks done."""
    target: Array
    """(N, 3) metres: where the current subtask ends."""
    jammed: Array
    """(N,) bool."""
    good_look: Array
    """(N,) bool: what is perceived of the current target is right."""
    looks: Array
    """(N,) int: new looks so far."""
    retries: Array
    """(N,) int: those of them that began a subtask again rather than a new one."""
    drops: Array
    """(N,) int: times that the peg was let go of outside the slot."""


@runtime_checkable
class Assembly(Protocol):
    """What every form of the task offers: N ≥ 1 rollouts side by side. Actions: dx, dy, dz in metres, grip."""

    spec: AssemblySpec
    columns: Mapping[str, slice]
    """Which columns of an observation are what."""

    def reset(self, seeds: Sequence[int]) -> Array:
        """N fresh scenes, one of each seed; returns the first observation (N, D). Same seed, same scene, same luck."""

    def observe(self) -> Array:
        """(N, D) what the arm perceives."""

    def step(self, actions: Array) -> Array:
        """One tick with (N, 4); returns what was really done, (N, 4), after clipping."""

    def truth(self) -> AssemblyTruth:
        """Where everything really is."""

    def snapshot(self) -> Mapping[str, Any]:
        """Everything that the future depends on."""

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Back to a snapshot, bit for bit."""
