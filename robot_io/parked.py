"""Where a person lets an arm of unknown build park: shown once, kept by what the arm is recognised by.

Kept beside the calibrations (`CALIBRATION/parking/IDENTITY.json`), so it is found wherever that arm is used, and an arm
that was calibrated anew, whose angles mean something else, has none.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import JointPath
from robot_io.calibration import folder
from robot_io.limits import Limits

NEAR = 0.12
"""Radians within which it counts as parked."""
SHARE = 0.4
"""Of its speed, on the way there."""


@dataclass(frozen=True)
class Place:
    """Joints, in radians."""

    joints: tuple[float, ...]

    def near(self, joints: NDArray[Any]) -> bool:
        """Whether it is there."""
        return bool(np.max(np.abs(np.asarray(joints) - self.joints)) < NEAR)


def file_of(identity: str) -> Path:
    """Where the place of an arm lies."""
    return folder() / "parking" / f"{identity}.json"


def load(identity: str, count: int) -> Place | None:
    """The place of an arm with so many joints; None if there is none that can be used."""
    try:
        told = json.loads(file_of(identity).read_text())["joints"]
        joints = tuple(float(value) for value in told)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Place(joints) if len(joints) == count and np.all(np.isfinite(joints)) else None


def save(identity: str, joints: NDArray[Any]) -> Place:
    """Keep it, whole or not at all."""
    place, file = Place(tuple(round(float(value), 4) for value in joints)), file_of(identity)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".tmp")
    with beside.open("w") as opened:
        json.dump({"joints": place.joints}, opened)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
    return place


def way(start: NDArray[Any], gripper: float, place: Place, limits: Limits, rate: float) -> JointPath:
    """Straight there in the joints, slowly at both ends; (T, J) rows, a tick each."""
    goal = np.clip(place.joints, limits.lower, limits.upper)
    gap = goal - np.asarray(start)
    seconds = float(np.max(np.abs(gap) / (SHARE * limits.speed))) * np.pi / 2
    ticks = max(2, int(np.ceil(seconds * rate)))
    share = (1 - np.cos(np.pi * np.arange(1, ticks + 1) / ticks)) / 2
    return JointPath(np.asarray(start) + share[:, None] * gap, np.full(ticks, gripper))
