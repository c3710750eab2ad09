"""An emulated arm of X-series servos: two XL430 and four XL330 in a row, as in the Koch v1.1, calibrated with care."""

from __future__ import annotations

import math
from collections.abc import Mapping

from robot_io.emulation.motors import Lagging, Motors
from robot_io.emulation.servo import STEPS
from robot_io.emulation.x_bus import XBus
from robot_io.emulation.x_servo import XServo

RANGES: Mapping[str, tuple[int, int]] = {
    "shoulder_pan": (760, 3335),
    "shoulder_lift": (870, 3225),
    "elbow_flex": (905, 3190),
    "wrist_flex": (925, 3170),
    "wrist_roll": (0, 4095),
    "gripper": (1990, 3080),
}
"""Lowest and highest step of each joint, in the order of their numbers on the bus."""
HOMING = (85, -120, 40, -15, 200, -60)
"""Steps that are added to each encoder."""
MODELS = (1060, 1060, 1200, 1200, 1200, 1200)
REST = (0.0, -1.2, 1.2, 0.6, 0.0, 0.2)
"""Radians from each joint's middle: half folded, as somebody left it."""


def middle(joint: int) -> float:
    """Radians on the encoder of a joint's middle."""
    low, high = list(RANGES.values())[joint]
    return ((low + high) / 2 - HOMING[joint] - STEPS / 2) * 2 * math.pi / STEPS


def koch(motors: Motors | None = None, now: float = 0.0) -> XBus:
    """The bus of such an arm at rest, limp as after power-on."""
    servos = [
        XServo(number, model=model, low=low, high=high, homing=homing)
        for number, (model, (low, high), homing) in enumerate(zip(MODELS, RANGES.values(), HOMING, strict=True), 1)
    ]
    return XBus(servos, motors or Lagging([rest + middle(joint) for joint, rest in enumerate(REST)]), now)
