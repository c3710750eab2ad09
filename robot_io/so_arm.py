"""The SO-100 and SO-101 through LeRobot: `so101:PORT[,id=NAME][,calibration=FOLDER]`.

Recognised by the calibration in their servos before LeRobot is even loaded, given a speed limit of their own, and taken
without a jolt. LeRobot's limit on a step, off by default, is on (as a float: it refuses whole numbers).
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from robot_io import calibration as calibrations
from robot_io import lerobot_door, so, so_bus, so_table
from robot_io.arm import Features
from robot_io.calibration import Calibration
from robot_io.driver import Pose
from robot_io.errors import ArmError
from robot_io.feetech_bus import FeetechBus
from robot_io.identity import fingerprint
from robot_io.lerobot_arm import LeRobotDriver
from robot_io.naming import ArmName
from robot_io.so_motion import SoArm
from robot_io.wired import REACH

BACKSTOP = 1.5
"""LeRobot's own limit on a step, as a multiple of ours: it should never bite."""


def make_so101(rest: str) -> SoArm:
    """The arm of `so101:PORT[,id=NAME][,calibration=FOLDER][,camera=NAME][,sight=FILE]`."""
    name = ArmName.parse("so101", rest)
    return so_table.made(SoDriver("SO-101", "so101_follower", name), name)


def make_so100(rest: str) -> SoArm:
    """The arm of `so100:PORT[,id=NAME][,calibration=FOLDER][,camera=NAME][,sight=FILE]`."""
    name = ArmName.parse("so100", rest)
    return so_table.made(SoDriver("SO-100", "so100_follower", name), name)


class SoDriver(LeRobotDriver):
    """An SO-100 or SO-101: recognised by its calibration before LeRobot is even loaded."""

    def __init__(self, title: str, kind: str, name: ArmName) -> None:
        super().__init__(ArmName(name.port, {"type": kind}))
        self._title, self._name = title, name
        self._calibration: Calibration | None = None
        self._holding = False

    def describe(self) -> Features:
        """Its joints and calibrated ranges, read from the servos."""
        self._calibration = self._identified(settled=False)
        return so.features(self._title, self._calibration)

    def open(self) -> None:
        """Goals where the joints are, a speed limit in the servos, and then LeRobot."""
        self.lock.take()
        try:
            self._calibration = self._identified(settled=True)
            folder = self._name.calibration_file("so_follower")
            step = {j: float(math.degrees(v * REACH * BACKSTOP)) for j, v in zip(so.JOINTS, so.SPEED, strict=True)}
            options: dict[str, Any] = {
                "port": self._name.port,
                "id": self._name.options.get("id"),
                "calibration_dir": folder.parent if folder else calibrations.folder() / "robots" / "so_follower",
                "max_relative_target": {**step, so.GRIPPER: 100.0},
                "disable_torque_on_disconnect": False,
                "use_degrees": True,
            }
            self.robot = None
            self.robot = lerobot_door.make_robot(self._type, options)
            lerobot_door.set_calibration(self.robot, {n: asdict(s) for n, s in self._calibration.items()})
            self.prepare(options)
            if self._holding:
                self.robot.configure = lambda: None  # it holds with the right settings; to set them would let it go
        except ArmError:
            self.lock.give()
            raise
        super().open()

    def identity(self) -> str:
        """By its calibration."""
        return fingerprint(self._calibration) if self._calibration is not None else ""

    def at_rest(self, pose: Pose) -> bool:
        """Whether it is folded."""
        return so.folded(pose.joints)

    def _identified(self, *, settled: bool) -> Calibration:
        bus = FeetechBus(self._name.port, self.lock)
        bus.open()
        try:
            found = so_bus.identify(bus)
            file = self._name.calibration_file("so_follower")
            known = calibrations.load(file) if file is not None else self._calibration or found
            so_bus.check_same(known, found, file)
            if settled:
                self._holding = so_bus.configured(bus)
                so_bus.settle(bus, known)
            return known
        except ArmError:
            self.lock.give()
            raise
        finally:
            bus.close()
