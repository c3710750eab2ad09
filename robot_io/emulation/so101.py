"""An emulated SO-101: six STS3215 in a row, calibrated as one that was put together with care."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from robot_io.emulation.motors import Lagging, Motors
from robot_io.emulation.servo import STEPS, Servo, sign_magnitude
from robot_io.emulation.servo_bus import ServoBus

RANGES: Mapping[str, tuple[int, int]] = {
    "shoulder_pan": (760, 3335),
    "shoulder_lift": (870, 3225),
    "elbow_flex": (905, 3190),
    "wrist_flex": (925, 3170),
    "wrist_roll": (0, 4095),
    "gripper": (1990, 3480),
}
"""Lowest and highest step of each joint, in the order of their numbers on the bus: within the published ranges."""
HOMING = (85, -120, 40, -15, 200, -60)
"""Steps that each servo's encoder is off, as no two arms are put together alike."""
LEADER_HOMING = (-30, 75, -95, 60, -140, 20)
"""The same of a leader arm, which is another arm."""
REST = (0.0, -1.2, 1.2, 0.6, 0.0, 0.2)
"""Radians from each joint's middle: half folded, as somebody left it."""


def middle(joint: int, homing: Sequence[int] = HOMING) -> float:
    """Radians on the encoder of a joint's middle."""
    low, high = list(RANGES.values())[joint]
    return ((low + high) / 2 + homing[joint] - STEPS / 2) * 2 * math.pi / STEPS


def middles() -> list[float]:
    """Radians on the encoders at each joint's zero; the gripper's where it is shut."""
    shut = (RANGES["gripper"][0] + HOMING[-1] - STEPS / 2) * 2 * math.pi / STEPS
    return [*(middle(joint) for joint in range(5)), shut]


def physical(now: float = 0.0, *, bench: bool = False) -> ServoBus:
    """The same with a body behind it: PyBullet, gravity and a table; with `bench` also things to take."""
    from robot_io.sim.so101 import PhysicalMotors
    from robot_io.sim.so_bench import BenchMotors

    body = BenchMotors if bench else PhysicalMotors
    bus = so101(body(middles(), [*REST[:5], 0.5]), now)
    bus.period = 1 / 60
    return bus


def so101(motors: Motors | None = None, now: float = 0.0, homing: Sequence[int] = HOMING) -> ServoBus:
    """The bus of an SO-101 at rest, limp as after power-on."""
    servos = []
    for number, ((low, high), offset) in enumerate(zip(RANGES.values(), homing, strict=True), 1):
        servo = Servo(number, low=low, high=high)
        servo.write(55, b"\0")
        servo.write(31, sign_magnitude(offset, 11).to_bytes(2, "little"))
        servo.write(55, b"\1")
        servos.append(servo)
    angles = [rest + middle(joint, homing) for joint, rest in enumerate(REST)]
    return ServoBus(servos, motors or Lagging(angles), now)


def leader(now: float = 0.0) -> ServoBus:
    """The bus of a leader arm, which lies there as somebody left it; hands turn it."""
    return so101(now=now, homing=LEADER_HOMING)
