"""What a policy in motion sees: small pictures at a rate of their own, drawn beside the control loop, their age known.

Between two pictures it goes on with the last one; how old that is, it is told beside what the arm feels of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from robot_io.arm import Observation
from teaching.types import Array

RATE = 10.0
"""Pictures a second of the arm's own time."""
SIZE = (64, 48)
"""Width and height, pixels."""
EYES = 2
"""Cameras: the first and the last of the arm's. The last follows the tip where one does."""
SHAPE = (SIZE[1], SIZE[0], 3 * EYES)
"""Rows, columns and colours of what a policy reads, camera after camera."""
GLIMPSE = "glimpse"
"""The picture among the arrays of an observation, (H, W, C) uint8, by the name that a flow policy reads."""
AGE = "glimpse_age"
"""(1,) seconds since the picture, beside it."""


class Draws(Protocol):
    """As `StreamArm.glimpse`."""

    def glimpse(self, cameras: Sequence[str], width: int, height: int) -> tuple[int, Array]:
        """The tick and how it looked after it, (V, H, W, 3)."""


class Glimpser:
    """Keeps the newest picture; asks for another one when that is a period old."""

    def __init__(self, arm: Draws, cameras: Sequence[str], rate: float) -> None:
        """Args: cameras: the arm's; rate: its ticks a second."""
        self._arm, self._rate = arm, rate
        self._cameras = (cameras[0], cameras[-1])
        self._picture: Array | None = None
        self._tick = 0

    def forget(self) -> None:
        """The scene is another one."""
        self._picture = None

    def seen(self, observation: Observation, tick: int) -> Observation:
        """An observation of a tick with the newest picture and its age; Unsupported if the arm draws none."""
        if self._picture is None or (tick - self._tick) * RATE >= self._rate:
            self._tick, pictures = self._arm.glimpse(self._cameras, *SIZE)
            self._picture = np.concatenate(list(pictures), axis=2)
        age = np.array([max(0, tick - self._tick) / self._rate])
        return Observation(observation.time, {**observation.arrays, GLIMPSE: self._picture, AGE: age})


def beside(seen: Observation, ticks: Array, begun: int, rate: float) -> dict[str, Array]:
    """What was seen during ticks (T,) that followed tick `begun`, at which `seen` was: columns by name."""
    older = (np.asarray(ticks) - 1 - begun) / rate
    picture = np.asarray(seen[GLIMPSE])
    return {
        GLIMPSE: np.broadcast_to(picture, (len(older), *picture.shape)),
        AGE: np.maximum(0.0, seen[AGE] + older)[:, None],
    }
