"""Guided calibration of the camera over an SO arm's table: a walk that a page can show, one call per step.

The arm is its own ruler. 1. `path` brings the tip to the next place, through the safety layer as any motion. 2. A
person clicks on the tip in the camera's picture: `click` keeps that pixel and where the joints say that the tip really
is; `undo` takes the last click back. 3. `finish` solves, refuses what does not fit, and keeps the rest in a file.
A person may jog the arm elsewhere before a click: it is the joints that count, not the place that was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import hand_eye
from robot_io.arm import JointPath, Limits, Unreachable
from robot_io.errors import NotCalibrated
from robot_io.hand_eye import FEWEST_SPACE, Sight
from robot_io.so_motion import PAN_X, chain, solve, touch

Array = NDArray[Any]
LOW, HIGH = 0.01, 0.06
"""Metres above the table of the two layers of places."""
NEAR, FAR, FAR_HIGH = 0.12, 0.235, 0.2
"""Metres from the arm's upright axis."""
SIDES = (-0.85, 0.0, 0.85)
"""Radians from straight ahead."""
TOUCHING = 0.015
"""Metres of the lowest tip below which a click counts as one on the table."""


def places(limits: Limits) -> Array:
    """(N, 4) tips x, y, z, yaw that the arm can reach and that are all over its table, low and high."""
    rings = [(NEAR, LOW), (FAR, LOW), (NEAR, HIGH), (FAR_HIGH, HIGH)]
    every = [
        (PAN_X + away * np.cos(side), away * np.sin(side), z, side)
        for away, z in rings
        for side in (SIDES if z == LOW else SIDES[::2])
    ]
    return np.array([place for place in every if _reaches(np.array([place]), limits)])


def _reaches(place: Array, limits: Limits) -> bool:
    try:
        solve(place, limits)
    except Unreachable:
        return False
    return True


class CameraWalk:
    """The walk, for one camera over one arm."""

    def __init__(self, limits: Limits, picture: tuple[int, int], file: Path) -> None:
        """Args: limits of the joints; picture: (H, W) of the camera; file: where the calibration is kept."""
        self.places = places(limits)
        self._limits, self._picture, self._file = limits, picture, file
        self._chain = chain(limits)
        self._pixels: list[tuple[float, float]] = []
        self._tips: list[Array] = []

    @property
    def next(self) -> int:
        """Which of the places comes next; as many as there are, when all were clicked."""
        return min(len(self._pixels), len(self.places))

    def path(self, joints: Array, gripper: float) -> JointPath:
        """From joints (5,) up and down to the next place; the gripper shut, so that its tip is one point."""
        if self.next == len(self.places):
            raise NotCalibrated("expected no further place, all were clicked; finish, or take one back")
        return touch(self.places[self.next], joints, gripper, self._limits)

    def click(self, column: float, row: float, joints: Array) -> int:
        """The tip was seen at a pixel while the joints (5,) were there; how many clicks there are now."""
        height, width = self._picture
        if not (0 <= column <= width and 0 <= row <= height):
            raise NotCalibrated(f"expected a click in a picture of {width} × {height} pixels, got ({column}, {row})")
        self._pixels.append((float(column), float(row)))
        self._tips.append(self._chain.tip(joints))
        return len(self._pixels)

    def undo(self) -> int:
        """Take the last click back; how many are left."""
        if not self._pixels:
            raise NotCalibrated("expected a click to take back, there is none")
        self._pixels.pop()
        self._tips.pop()
        return len(self._pixels)

    def finish(self) -> Sight:
        """Solve and keep; NotCalibrated says which click does not fit, or what is missing; nothing is lost."""
        tips: Array = np.array(self._tips).reshape(-1, 3)
        if len(tips) and len(tips) < FEWEST_SPACE and float(np.max(tips[:, 2])) < TOUCHING:
            tips = tips * [1, 1, 0]
        sight = hand_eye.calibrate(np.array(self._pixels).reshape(-1, 2), tips, self._picture)
        hand_eye.save(sight, self._file)
        return sight

    def told(self) -> Mapping[str, Any]:
        """Where the walk is, as plain values for a page."""
        clicks = [
            {"pixel": list(pixel), "tip": [round(float(v), 4) for v in tip]}
            for pixel, tip in zip(self._pixels, self._tips, strict=True)
        ]
        return {
            "places": np.round(self.places[:, :3], 4).tolist(),
            "next": self.next,
            "clicks": clicks,
            "enough": len(clicks) >= FEWEST_SPACE,
            "file": str(self._file),
        }
