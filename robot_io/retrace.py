"""Backwards along a recorded joint path, slowly, and only while a key is held.

It stops before the gripper would have to undo what it did, and where the arm does not get to where it is told: what
takes hold, lets go or touches is undone by a person.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import BadAction

Array = NDArray[Any]
SPEED = 1 / 3
"""Share of the speed at which the path was made."""
KEY = 0.150
"""Seconds without a sign of the held key after which it pauses."""
OFF = 0.12
"""Radians by which a joint may lag behind before something is in the way."""


class Retrace:
    """A path to go back along."""

    def __init__(self, joints: Array, gripper: Array) -> None:
        """Args: joints (K, J) radians and gripper (K,) or (K, arms), newest first, from where it was told to be."""
        if len(joints) < 2:
            raise BadAction("expected a recorded path to go back along, got none; record first, and move")
        self._joints, self._gripper = np.asarray(joints, dtype=np.float64), np.asarray(gripper, dtype=np.float64)
        self._at = 0.0
        self._key = -math.inf
        self.ended = ""
        """Why it ended; empty: it has not."""

    def held(self, now: float) -> None:
        """The key is held."""
        self._key = now

    def waits(self, now: float) -> bool:
        """Whether it goes on: the key is held, and it did not end."""
        return not self.ended and now - self._key < KEY

    def take(self, actual: Array, told: Array) -> Array | None:
        """The next tick's joints (J,), from where they are and where they were told to be; None: it ended."""
        if np.max(np.abs(actual - told)) > OFF:
            self.ended = "something is in the way: go on by hand"
            return None
        following = min(self._at + SPEED, len(self._joints) - 1.0)
        row = int(np.ceil(following))
        if np.any((self._gripper[row] >= 0.5) != (self._gripper[row - 1] >= 0.5)):
            self.ended = "the gripper opened or closed here: go on by hand"
            return None
        self._at = following
        if following >= len(self._joints) - 1:
            self.ended = "it is back"
        share = following - (row - 1)
        return np.asarray(self._joints[row - 1] + share * (self._joints[row] - self._joints[row - 1]))
