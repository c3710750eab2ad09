"""Guided calibration of the camera over an SO arm's table: a walk that a page can show, one call per step.

The arm is its own ruler. 1. `path` brings the tip to the next place, through the safety layer as any motion. 2. A
person clicks on the tip in the camera's picture: `click` keeps that pixel and where the joints say that the tip really
is; `undo` takes the last click back. 3. `finish` solves, refuses what does not fit, and keeps the rest in a file.
A person may jog the arm elsewhere before a click: it is the joints that count, not the place that was meant.

Two ways: "space" finds the whole camera from tips low and high, "flat" the table alone from tips on it: four points,
and two more that tell whether the four fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import hand_eye
from robot_io.arm import JointPath, Limits
from robot_io.camera_places import places, touch
from robot_io.errors import NotCalibrated
from robot_io.hand_eye import FEWEST, FEWEST_SPACE, FLAT, Sight
from robot_io.so_motion import chain

Array = NDArray[Any]
WAYS = ("space", "flat")


class CameraWalk:
    """The walk, for one camera over one arm."""

    def __init__(self, limits: Limits, picture: tuple[int, int], file: Path, way: str = "space") -> None:
        """Args: limits of the joints; picture: (H, W) of the camera; file: where the calibration is kept; way: one of
        `WAYS`.
        """
        if way not in WAYS:
            raise NotCalibrated(f"expected a way among {', '.join(WAYS)}, got {way[:20]!r}")
        self.way = way
        self.places = places(limits, flat=way == "flat")
        self._limits, self._picture, self._file = limits, picture, file
        self._chain = chain(limits)
        self._pixels: list[tuple[float, float]] = []
        self._tips: list[Array] = []

    @property
    def next(self) -> int:
        """Which of the places comes next; as many as there are, when all were clicked."""
        return min(len(self._pixels), len(self.places))

    def path(self, joints: Array, gripper: float) -> JointPath:
        """From joints (5,) up and down to the next place; the gripper stays as it is."""
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

    @property
    def enough(self) -> bool:
        """Whether there are clicks enough to finish."""
        return len(self._pixels) >= (FEWEST if self.way == "flat" else FEWEST_SPACE)

    def finish(self) -> Sight:
        """Solve and keep; NotCalibrated says which click does not fit, or what is missing; nothing is lost."""
        pixels, tips = self._clicked()
        high = int(np.argmax(tips[:, 2])) if len(tips) else 0
        if self.way == "flat" and len(tips) and tips[high, 2] > FLAT:
            raise NotCalibrated(
                f"expected every click with the tip on the table, but at number {high + 1} it was "
                f"{1000 * tips[high, 2]:.0f} mm above it; take it back, lower the tip and click again"
            )
        if self.way == "space" and not self.enough:
            raise NotCalibrated(f"expected at least {FEWEST_SPACE} clicks, got {len(tips)}; go on")
        sight = hand_eye.calibrate(pixels, tips, self._picture)
        hand_eye.save(sight, self._file)
        return sight

    def _clicked(self) -> tuple[Array, Array]:
        """Pixels (N, 2) and tips (N, 3)."""
        return np.array(self._pixels).reshape(-1, 2), np.array(self._tips).reshape(-1, 3)

    def told(self) -> Mapping[str, Any]:
        """Where the walk is, as plain values for a page; how far a click is off in pixels and in metres, if known."""
        pixels, tips = self._clicked()
        found = hand_eye.off_by(pixels, tips, self._picture)
        off = [[None, None]] * len(pixels) if found is None else np.column_stack(found).round(5).tolist()
        clicks = [
            {"pixel": list(pixel), "tip": [round(float(v), 4) for v in tip], "px": px, "m": m}
            for pixel, tip, (px, m) in zip(self._pixels, self._tips, off, strict=True)
        ]
        return {
            "way": self.way,
            "places": np.round(self.places[:, :3], 4).tolist(),
            "next": self.next,
            "clicks": clicks,
            "enough": self.enough,
            "worst": hand_eye.WORST,
        }
