"""What a wired arm's electronics can be asked: the part that differs from one real arm to the next.

A Driver is raw: it neither latches nor limits nor forgives; `robot_io/wired.py` does, once for all. Radians; the
gripper is 0 (open) to 1 (closed).
What fails raises an ArmError: `WireError` for what may pass, anything else for what may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import Features

Array = NDArray[Any]


@dataclass(frozen=True)
class Pose:
    """Where the arm is."""

    joints: Array
    """(J,) radians."""
    gripper: float
    """0 open … 1 closed."""

    def __post_init__(self) -> None:
        joints = np.array(self.joints, dtype=np.float64)
        if joints.ndim != 1 or not (np.all(np.isfinite(joints)) and np.isfinite(self.gripper)):
            raise ValueError(f"expected finite joints (J,) and a gripper, got {joints.tolist()}, {self.gripper}")
        joints.setflags(write=False)
        object.__setattr__(self, "joints", joints)


@dataclass(frozen=True)
class Written:
    """A command that went out."""

    sent: Pose
    """What was really sent."""
    here: Pose | None = None
    """Where the arm is, if the answer told."""


@dataclass(frozen=True)
class Health:
    """How an arm feels; the arrays hold one number per joint, the gripper last. Empty where it does not tell."""

    temperature: Array = field(default_factory=lambda: np.zeros(0))
    """°C."""
    volts: Array = field(default_factory=lambda: np.zeros(0))
    load: Array = field(default_factory=lambda: np.zeros(0))
    """Share of full torque, signed."""
    amperes: Array = field(default_factory=lambda: np.zeros(0))
    faults: Mapping[str, str] = field(default_factory=dict)
    """Joint → what is wrong, in words."""
    limp: tuple[str, ...] = ()
    """Joints without torque, as after a supply that was off for a moment."""


class Driver(Protocol):
    """The electronics of one arm."""

    def describe(self) -> Features:
        """What it has; may open the port, and leaves the arm as it is."""

    def open(self) -> None:
        """Take it: with torque, standing still where it is."""

    def read(self) -> Pose:
        """Where it is."""

    def write(self, pose: Pose) -> Written:
        """Go there."""

    def hold(self) -> None:
        """Its target becomes where it is."""

    def health(self) -> Health:
        """How it feels."""

    def diagnose(self) -> str:
        """What is wrong with the wire, in words, "" if nothing is found; may take a moment, never raises."""

    def at_rest(self, pose: Pose) -> bool:
        """Whether it may become limp there without falling."""

    def close(self, *, limp: bool) -> None:
        """Give the port back, with torque off or on; never raises, twice is harmless."""


@runtime_checkable
class Known(Protocol):
    """Electronics that tell which arm they are."""

    def identity(self) -> str:
        """The same for the same arm, once it was described."""
