"""What is the same for every arm of servos on a bus: goals and positions in encoder steps, the last servo a gripper."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import numpy as np

from robot_io.calibration import Calibration
from robot_io.driver import Pose, Written
from robot_io.errors import ArmError, NotConnected
from robot_io.identity import fingerprint
from robot_io.sdk_bus import Register, SdkBus
from robot_io.so import GRIPPER


class ServoDriver:
    """The half of a Driver that is the same for all of them."""

    present: Register
    """Where a servo keeps its position,"""
    goal: Register
    """its goal,"""
    torque: Register
    """and whether it holds."""

    def __init__(self, bus: SdkBus, numbers: Mapping[str, int]) -> None:
        self.bus = bus
        self.numbers = numbers
        """Joint → the number of its servo; the gripper is called "gripper"."""
        self.calibration: Calibration | None = None

    @property
    def joints(self) -> tuple[str, ...]:
        """All but the gripper."""
        return tuple(name for name in self.numbers if name != GRIPPER)

    def read(self) -> Pose:
        """Where it is."""
        return self._pose(self._steps())

    def write(self, pose: Pose) -> Written:
        """All goals at once."""
        self.bus.write_all(self.goal, self._goals(pose))
        return Written(pose)

    def hold(self) -> None:
        """Joints stay; the gripper keeps what it was told, so that it drops nothing."""
        goals = self._goals(self._pose(self._steps(tries=3)))
        del goals[self.numbers[GRIPPER]]
        self.bus.write_all(self.goal, goals)

    def identity(self) -> str:
        """By its calibration."""
        return fingerprint(self._spans)

    def close(self, *, limp: bool) -> None:
        """Torque off if asked to; the servos keep their last goal otherwise."""
        if limp:
            with contextlib.suppress(ArmError):
                for number in self.numbers.values():
                    self.bus.write(number, self.torque, 0)
        self.bus.close()

    def counted(self, raw: int) -> int:
        """Encoder steps of a position as the servo tells it."""
        return raw & 0x7FFF

    @property
    def _spans(self) -> Calibration:
        if self.calibration is None:
            raise NotConnected("expected an open arm; connect first")
        return self.calibration

    def _steps(self, tries: int = 1) -> dict[int, int]:
        data = self.bus.read_all(self.numbers.values(), self.present, tries)
        return {number: self.counted(int.from_bytes(raw, "little")) for number, raw in data.items()}

    def _goals(self, pose: Pose) -> dict[int, int]:
        spans = self._spans
        goals = {
            self.numbers[name]: spans[name].steps(angle) for name, angle in zip(self.joints, pose.joints, strict=True)
        }
        grip = spans[GRIPPER]
        goals[self.numbers[GRIPPER]] = round(grip.range_max - pose.gripper * (grip.range_max - grip.range_min))
        return goals

    def _pose(self, steps: Mapping[int, int]) -> Pose:
        spans = self._spans
        joints = np.array([spans[name].radians(steps[self.numbers[name]]) for name in self.joints])
        grip = spans[GRIPPER]
        share = (grip.range_max - steps[self.numbers[GRIPPER]]) / (grip.range_max - grip.range_min)
        return Pose(joints, min(max(share, 0.0), 1.0))
