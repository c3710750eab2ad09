"""A person moves the gripper: small moves become joint targets, relative to where the arm was told to be.

So taking over never jumps, and neither does going on after a pause: what was not carried out is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import BadAction

Array = NDArray[Any]
LARGEST = np.array([0.05, 0.05, 0.05, 0.3])
"""Metres and radians that one command may ask for, and that may wait at most."""
SPREAD = 3
"""Ticks over which a command is carried out: commands come at 20 to 30 Hz."""
SETTLE = 12
"""Ticks after the last command during which time goes on, so that what was let go of falls."""
OLDEST = 0.150
"""Seconds after which a command is too old to be carried out."""


@runtime_checkable
class Reaches(Protocol):
    """An arm that knows which joints move its tip a little."""

    def reach(self, joints: Array, move: Array) -> Array:
        """From joints (J,) by dx, dy, dz in metres and dyaw in radians, (4,) → joints (J,); as near as it gets."""


@runtime_checkable
class Several(Protocol):
    """Several arms that are one: what moves a tip has five numbers for each, the gripper of the last left out.

    Joints whose names end in "/gripper" are the grippers of all but the last arm, in order.
    """

    arms: int


@runtime_checkable
class Places(Protocol):
    """An arm that knows where joints bring its tip."""

    def places(self, joints: Array) -> Array:
        """Joints (N, J) → (N, 4): x, y, z in metres in the base frame, yaw in radians; four more for a further arm."""


@dataclass(frozen=True)
class Command:
    """One command of a person."""

    move: Array
    """(4,) dx, dy, dz in metres in the base frame, dyaw in radians."""
    gripper: float | None = None
    """0 open … 1 closed; None: as it is."""
    toggle: bool = False
    """Open what is closed, close what is open."""
    arm: int = 0
    """Which of several arms, from 0."""

    def __post_init__(self) -> None:
        move = np.array(self.move, dtype=np.float64)
        if move.shape != (4,) or not np.all(np.isfinite(move)) or np.any(np.abs(move) > LARGEST + 1e-9):
            raise BadAction(f"expected dx, dy, dz, dyaw within ±{LARGEST.tolist()}, got {move.tolist()}; move in steps")
        if self.gripper is not None and not 0.0 <= self.gripper <= 1.0:
            raise BadAction(f"expected a gripper in [0, 1], got {self.gripper}")
        object.__setattr__(self, "move", move)

    @classmethod
    def of(cls, delta: Any, gripper: Any = None, arm: Any = 0) -> Command:
        """From a message: delta (4 numbers), gripper a number, "toggle" or nothing, and which arm."""
        if gripper == "toggle":
            return cls(np.asarray(delta, dtype=np.float64), toggle=True, arm=int(arm))
        return cls(np.asarray(delta, dtype=np.float64), None if gripper is None else float(gripper), arm=int(arm))


class Teleop:
    """What a person asked for and was not done yet."""

    def __init__(self, arms: int = 1) -> None:
        self._arms = arms
        self.clear()

    @property
    def waits(self) -> bool:
        """Whether there is something to do on the next tick."""
        return self._left > 0 or self._settle > 0

    def push(self, command: Command) -> None:
        """One more command; moves add up, but never to more than one large one."""
        if not 0 <= command.arm < self._arms:
            raise BadAction(f"expected an arm from 0 to {self._arms - 1}, got {command.arm}")
        self._move[command.arm] = np.clip(self._move[command.arm] + command.move, -LARGEST, LARGEST)
        if command.gripper is not None:
            self._grip[command.arm] = command.gripper
        self._toggle[command.arm] ^= command.toggle
        self._left, self._settle = SPREAD, SETTLE

    def clear(self) -> None:
        """Forget what was not done."""
        self._move: Array = np.zeros((self._arms, 4))
        self._left = self._settle = 0
        self._grip: list[float | None] = [None] * self._arms
        self._toggle: list[bool] = [False] * self._arms

    def take(self, grippers: Sequence[float]) -> Array:
        """The next tick's row, (5,) for each arm: its move and its gripper; `grippers` are as they were told."""
        if self._left == 0:
            self._settle -= 1
            return np.column_stack([np.zeros((self._arms, 4)), grippers]).ravel()
        move = self._move / self._left
        self._move, self._left = self._move - move, self._left - 1
        wanted = [is_ if asked is None else asked for asked, is_ in zip(self._grip, grippers, strict=True)]
        turned = [float(is_ < 0.5) if flip else want
                  for flip, want, is_ in zip(self._toggle, wanted, grippers, strict=True)]  # fmt: skip
        self._grip, self._toggle = [None] * self._arms, [False] * self._arms
        return np.column_stack([move, turned]).ravel()
