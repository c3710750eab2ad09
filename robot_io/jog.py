"""A person turns single joints by holding a button: rates that stand for a moment, and then for nothing.

A command says again and again that the button is still held. When none comes, the arm stands: no end has to arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import BadAction

Array = NDArray[Any]
STANDS = 0.15
"""Seconds for which a command stands; they come at 25 Hz."""
STROKES = 0.5
"""Full strokes of the gripper per second at rate 1."""
RAMP = 0.25
"""Seconds in which a joint gathers the speed that is asked for."""
LEAD = 0.1
"""Seconds of full speed that the target may be ahead of the arm: it stops soon after the button is let go."""


@dataclass(frozen=True)
class Rates:
    """How fast to turn what."""

    joints: Array
    """(J,) shares of each joint's full speed, -1 to 1."""
    gripper: float = 0.0
    """Share of full speed, positive closes."""

    @classmethod
    def of(cls, joints: Sequence[float], gripper: Any, count: int) -> Rates:
        """From a message; BadAction unless there are `count` finite shares within ±1."""
        rates, grip = np.array(joints, dtype=np.float64), float(gripper or 0.0)
        if rates.shape != (count,) or not np.all(np.abs([*rates, grip]) <= 1.0):
            raise BadAction(f"expected {count} shares of full speed within ±1 and one for the gripper, got {joints}")
        return cls(rates, grip)


class Jog:
    """What the person who jogs asks for now."""

    def __init__(self) -> None:
        self._rates: Rates | None = None
        self._until = 0.0
        self._gathered = 0.0

    def push(self, rates: Rates, now: float) -> None:
        """The button is held."""
        still = not np.any(rates.joints) and rates.gripper == 0.0
        if not self.waits(now):
            self._gathered = 0.0
        self._rates, self._until = (None, 0.0) if still else (rates, now + STANDS)

    def waits(self, now: float) -> bool:
        """Whether something is to turn on the next tick."""
        return self._rates is not None and now < self._until

    def clear(self) -> None:
        """Stand."""
        self._rates = None

    def take(self, told: Array, here: Array, gripper: float, speed: Array, seconds: float) -> tuple[Array, float]:
        """The next tick's joints (J,) in radians and the gripper, from where the arm was told to be and is."""
        if self._rates is None:
            return told, gripper
        self._gathered = min(self._gathered + seconds / RAMP, 1.0)
        joints = told + self._rates.joints * self._gathered * speed * seconds
        near = np.clip(joints, here - speed * LEAD, here + speed * LEAD)
        grip = min(max(gripper + self._rates.gripper * STROKES * seconds, 0.0), 1.0)
        return np.where(self._rates.joints != 0.0, near, told), grip
