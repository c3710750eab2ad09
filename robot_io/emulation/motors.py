"""What turns behind an emulated wire: joints that follow their targets.

Radians and seconds. A motor is a first-order lag below a speed limit; that is what a small geared servo looks like from
outside. `Motors` is the seam: a physics engine can stand behind it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

LAG = 0.05
"""Seconds in which an unhurried joint closes 63 % of its gap."""


@dataclass(frozen=True)
class Demand:
    """What one motor is asked to do."""

    target: float | None
    """Radians; None: limp."""
    speed: float
    """Radians per second at most."""
    strength: float = 1.0
    """Share of its torque that it may use."""


class Motors(Protocol):
    """Joints in the world."""

    angles: list[float]
    """Radians, where they really are."""
    loads: list[float]
    """Share of full torque in use, signed."""

    def advance(self, seconds: float, demands: Sequence[Demand]) -> None:
        """Let time pass."""

    def push(self, joint: int, angle: float) -> None:
        """A hand puts a joint somewhere."""


def approach(angle: float, target: float, seconds: float, speed: float, lag: float = LAG) -> float:
    """Where a joint is after some seconds: at full speed while far, then closing exponentially."""
    gap = target - angle
    far = abs(gap) - speed * lag
    if far > 0:
        travel = min(seconds * speed, far)
        angle += math.copysign(travel, gap)
        seconds -= travel / speed
        gap = target - angle
    return angle if seconds <= 0 else target - gap * math.exp(-seconds / lag)


class Lagging:
    """Joints without a body: each follows its own target. `stuck` joints do not move, whatever they are asked; a hand
    is stronger than any of them.
    """

    def __init__(self, angles: Sequence[float], *, lag: float = LAG) -> None:
        self.angles = list(angles)
        self.loads = [0.0] * len(self.angles)
        self.stuck: set[int] = set()
        self._hands: dict[int, tuple[float, float]] = {}
        self._lag = lag

    def advance(self, seconds: float, demands: Sequence[Demand]) -> None:
        """Let time pass."""
        for joint, demand in enumerate(demands):
            if joint in self._hands:
                self._turned(joint, seconds)
                continue
            if demand.target is None:
                self.loads[joint] = 0.0
                continue
            if joint not in self.stuck and demand.strength > 0:
                self.angles[joint] = approach(self.angles[joint], demand.target, seconds, demand.speed, self._lag)
            gap = demand.target - self.angles[joint]
            self.loads[joint] = max(-demand.strength, min(demand.strength, 4.0 * gap))

    def push(self, joint: int, angle: float) -> None:
        """A hand puts a joint somewhere."""
        self.angles[joint] = angle

    def turn(self, joint: int, by: float, speed: float) -> None:
        """A hand begins to turn a joint by so many radians, at so many per second."""
        self._hands[joint] = (self.angles[joint] + by, speed)

    def _turned(self, joint: int, seconds: float) -> None:
        to, speed = self._hands[joint]
        gap = to - self.angles[joint]
        self.angles[joint] += math.copysign(min(abs(gap), speed * seconds), gap)
        self.loads[joint] = 0.0
        if self.angles[joint] == to:
            del self._hands[joint]
