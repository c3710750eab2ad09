"""A person moves the gripper: small moves become joint targets, relative to where the arm was told to be.

So taking over never jumps, and neither does going on after a pause: what was not carried out is forgotten.
"""

from __future__ import annotations

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
class Places(Protocol):
    """An arm that knows where joints bring its tip."""

    def places(self, joints: Array) -> Array:
        """Joints (N, J) → (N, 4): x, y, z in metres in the base frame, yaw in radians."""


@dataclass(frozen=True)
class Command:
    """One command of a person."""

    move: Array
    """(4,) dx, dy, dz in metres in the base frame, dyaw in radians."""
    gripper: float | None = None
    """0 open … 1 closed; None: as it is."""
    toggle: bool = False
    """Open what is closed, close what is open."""

    def __post_init__(self) -> None:
        move = np.array(self.move, dtype=np.float64)
        if move.shape != (4,) or not np.all(np.isfinite(move)) or np.any(np.abs(move) > LARGEST + 1e-9):
            raise BadAction(f"expected dx, dy, dz, dyaw within ±{LARGEST.tolist()}, got {move.tolist()}; move in steps")
        if self.gripper is not None and not 0.0 <= self.gripper <= 1.0:
            raise BadAction(f"expected a gripper in [0, 1], got {self.gripper}")
        object.__setattr__(self, "move", move)

    @classmethod
    def of(cls, delta: Any, gripper: Any = None) -> Command:
        """From a message: delta (4 numbers), gripper a number, "toggle" or nothing."""
        if gripper == "toggle":
            return cls(np.asarray(delta, dtype=np.float64), toggle=True)
        return cls(np.asarray(delta, dtype=np.float64), None if gripper is None else float(gripper))


class Teleop:
    """What a person asked for and was not done yet."""

    def __init__(self) -> None:
        self._move: Array = np.zeros(4)
        self._left = 0
        self._grip: float | None = None
        self._toggle = False
        self._settle = 0

    @property
    def waits(self) -> bool:
        """Whether there is something to do on the next tick."""
        return self._left > 0 or self._settle > 0

    def push(self, command: Command) -> None:
        """One more command; moves add up, but never to more than one large one."""
        self._move = np.clip(self._move + command.move, -LARGEST, LARGEST)
        self._grip = self._grip if command.gripper is None else command.gripper
        self._toggle ^= command.toggle
        self._left, self._settle = SPREAD, SETTLE

    def clear(self) -> None:
        """Forget what was not done."""
        self.__init__()  # type: ignore[misc]

    def take(self, gripper: float) -> tuple[Array, float]:
        """The next tick's move (4,), and the gripper."""
        if self._left == 0:
            self._settle -= 1
            return np.zeros(4), gripper
        move = self._move / self._left
        self._move, self._left = self._move - move, self._left - 1
        wanted = gripper if self._grip is None else self._grip
        if self._toggle:
            wanted = 0.0 if gripper >= 0.5 else 1.0
        self._grip, self._toggle = None, False
        return move, wanted
