"""Where an SO arm holds its tip so that a camera above the table sees it, for calibrating that camera. Pure.

A gripper that points straight down hides its own tip from above: here it leans outwards, away from the base, and its
tip is the outermost thing of the arm. Letters: N tips, T ticks; metres and radians in the arm's base frame.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import JointPath, Limits, Unreachable
from robot_io.so_motion import (
    CARRY,
    LOWER,
    PACE,
    PAN_X,
    ROLL_TO_TIP,
    ROLL_ZERO,
    SHOULDER,
    TIP,
    UPPER,
    WRIST_TO_ROLL,
    swing,
    two_bars,
)

Array = NDArray[Any]
LEAN = 0.6
"""Radians from straight down."""
SIDES = (-0.72, 0.0, 0.72)
"""Radians from straight ahead."""
TABLE, LOW, HIGH = 0.007, 0.02, 0.07
"""Metres above the table: a bead in the jaws lies on it; a little above it; well above it."""
NEAR, FAR, NEAR_HIGH, FAR_HIGH = 0.15, 0.26, 0.18, 0.25
"""Metres from the arm's upright axis."""
ABOVE = 0.04
"""Metres of straight descent, unhurried."""
CAMERA = np.array([0.21, 0.0, 0.6])
"""Metres: about where a camera is put."""
AGAIN = 0.05
"""Radians."""
UP = np.array([0.0, 0.0, 1.0])


def places(limits: Limits, *, flat: bool = False) -> Array:
    """(N, 3) tips that the arm reaches, all over its table: at two heights, or all `flat` on it."""
    rings = [(NEAR, TABLE), (FAR, TABLE)] if flat else [(NEAR, LOW), (FAR, LOW), (NEAR_HIGH, HIGH), (FAR_HIGH, HIGH)]
    every = [
        np.array([PAN_X + away * math.cos(side), away * math.sin(side), z])
        for away, z in rings
        for side in (SIDES if z != HIGH else SIDES[::2])
    ]
    return np.array([place for place in every if _reached(place, limits)]).reshape(-1, 3)


def leaning(places: Array, limits: Limits) -> Array:
    """Joints (N, 5) that hold the tip at places (N, 3), to some millimetres, the gripper leaning outwards.

    Raises:
        Unreachable: says which place.
    """
    x, y, z = np.atleast_2d(places).T
    long, low = WRIST_TO_ROLL + ROLL_TO_TIP, -TIP[0] * math.cos(ROLL_ZERO)
    forward = np.hypot(x - PAN_X, y) - long * math.sin(LEAN) + low * math.cos(LEAN) - SHOULDER[0]
    up = z + long * math.cos(LEAN) + low * math.sin(LEAN) - SHOULDER[1]
    first, second = two_bars(forward, up)
    lift = math.atan2(UPPER[1], UPPER[0]) - first
    elbow = math.atan2(LOWER[1], LOWER[0]) - second - lift
    wrist = math.pi / 2 - LEAN - lift - elbow
    azimuth = np.arctan2(y, x - PAN_X)
    joints = np.column_stack([-azimuth, lift, elbow, wrist, _facing(np.column_stack([x, y, z]), azimuth)])
    inside = np.all((joints >= limits.lower) & (joints <= limits.upper), axis=1)  # NaN is not
    if not np.all(inside):
        x, y, z = np.atleast_2d(places)[int(np.argmin(inside))]
        raise Unreachable(
            f"the gripper cannot lean outwards at x = {x:.3f} m, y = {y:.3f} m, z = {z:.3f} m; turn it to another place"
        )
    return joints


def _facing(tips: Array, azimuth: Array) -> Array:
    """(N,) rolls of the wrist that let a camera above the table's middle look between the jaws."""
    to_camera = CAMERA - tips
    left = -np.sin(azimuth) * to_camera[:, 0] + np.cos(azimuth) * to_camera[:, 1]
    out = np.cos(azimuth) * to_camera[:, 0] + np.sin(azimuth) * to_camera[:, 1]
    return np.asarray(np.arctan2(left, math.cos(LEAN) * out + math.sin(LEAN) * to_camera[:, 2]))


def touch(place: Array, start: Array, gripper: float, limits: Limits) -> JointPath:
    """From joints (5,) up, above a place (3,), and straight down to it; the jaws stay as they are.

    An arm that is turned to it already was let go on the way, and does not go all the way up again.

    Raises:
        Unreachable: nothing moved.
    """
    ticks = math.ceil(math.pi / 2 * ABOVE / PACE.tip_speed * PACE.rate)
    heights = ABOVE * (0.5 + 0.5 * np.cos(np.linspace(0.0, math.pi, ticks + 1)))
    down = leaning(place + heights[:, None] * UP, limits)
    over, up = np.array([down[0, 0], *CARRY, down[0, 4]]), np.array([start[0], *CARRY, start[4]])
    ways = [start, down[0]] if abs(start[0] - down[0, 0]) < AGAIN else [start, up, over, down[0]]
    legs = [swing(a, b, limits, PACE) for a, b in pairwise(ways)]
    rows = np.concatenate([*legs, down[1:]])
    return JointPath(rows, np.full(len(rows), gripper))


def _reached(place: Array, limits: Limits) -> bool:
    try:
        leaning(np.array([place, place + ABOVE * UP]), limits)
    except Unreachable:
        return False
    return True
