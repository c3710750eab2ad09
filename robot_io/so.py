"""The SO-100 and SO-101: names, published ranges, and what they mean for the safety layer.

Angles are zero in the middle of each joint's range, as LeRobot's degrees are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import Features, Limits
from robot_io.calibration import Calibration
from robot_io.errors import NotCalibrated

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
GRIPPER = "gripper"
NUMBERS = {name: number for number, name in enumerate((*JOINTS, GRIPPER), 1)}
"""Servo numbers on the bus."""
LOWER = np.array([-1.92, -1.745, -1.69, -1.658, -2.744])
UPPER = np.array([1.92, 1.745, 1.69, 1.658, 2.841])
"""Radians, from the published model of the SO-101."""
SPEED = np.array([1.5, 1.5, 1.5, 1.8, 2.0])
"""Radians per second; a third of what the servo can do unloaded."""
ACCELERATION = np.full(5, 40.0)
"""Radians per second squared: our own plans need up to 37 when they begin to descend."""
WORKSPACE = np.array([[-0.25, -0.46, -0.01], [0.48, 0.46, 0.5]])
RATE = 30.0
MARGIN = 0.01
"""Radians that stay clear of the calibrated ends."""
REST = np.array([0.0, -1.7, 1.6, 0.7, 0.0])
"""Folded onto itself, low: where it may become limp without falling."""
REST_NEAR = 0.25
"""Radians within which it counts as folded."""


def features(name: str, calibration: Calibration) -> Features:
    """What such an arm has, its limits narrowed to what it was calibrated to.

    Raises:
        NotCalibrated: a joint is missing, or was never narrowed.
    """
    missing = [joint for joint in NUMBERS if joint not in calibration]
    if missing:
        raise NotCalibrated(f"expected a calibration of {', '.join(missing)}, got none; calibrate the arm")
    raw = [joint for joint in NUMBERS if calibration[joint].whole_turn and joint != "wrist_roll"]
    if raw:
        raise NotCalibrated(
            f"expected a calibrated arm, but {', '.join(raw)} may turn all round as from the factory; calibrate it on "
            "the Arms page, or with lerobot-calibrate"
        )
    reach = np.array([calibration[joint].reach for joint in JOINTS]) - MARGIN
    limits = Limits(np.maximum(LOWER, -reach), np.minimum(UPPER, reach), SPEED, WORKSPACE, ACCELERATION)
    return Features(name=name, joints=JOINTS, limits=limits, rate=RATE)


def folded(joints: NDArray[Any]) -> bool:
    """Whether joints (5,) are near enough to the resting pose to let go; turning the base or the wrist is no matter."""
    return bool(np.all(np.abs(joints[1:4] - REST[1:4]) < REST_NEAR))
