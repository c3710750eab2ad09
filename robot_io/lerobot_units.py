"""What a number of LeRobot's means in radians: by the norm modes of a device's motors and their calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import calibration as calibrations
from robot_io import so
from robot_io.errors import NotCalibrated

Array = NDArray[Any]


def factors(device: Any, joints: Sequence[str], units: str = "degrees") -> Array:
    """(J,) LeRobot's units per radian; `units` of a device that has no bus of motors."""
    if units == "radians":
        return np.ones(len(joints))
    motors = getattr(getattr(device, "bus", None), "motors", {})
    modes = [getattr(motors.get(joint), "norm_mode", None) for joint in joints]
    hundred = np.array([getattr(mode, "name", "") == "RANGE_M100_100" for mode in modes])
    if not hundred.any():
        return np.full(len(joints), 180 / math.pi)
    return np.where(hundred, 100 / reach(device, joints), 180 / math.pi)


def reach(device: Any, joints: Sequence[str]) -> Array:
    """(J,) radians to either side, as calibrated."""
    bus = getattr(device, "bus", None)
    if bus is None:
        return np.full(len(joints), math.pi)
    try:
        spans = [bus.calibration[joint] for joint in joints]
    except KeyError as error:
        raise NotCalibrated(
            f"expected a calibration of {error} in {getattr(device, 'calibration_fpath', 'its file')}, got none; run "
            f"lerobot-calibrate for {getattr(device, 'name', 'it')}, and name its id here: …,id=NAME"
        ) from error
    return np.array([(s.range_max - s.range_min) / 2 * calibrations.STEP for s in spans]) - so.MARGIN
