"""An SO arm on Feetech's own SDK, without LeRobot: `feetech:/dev/ttyACM0`. Starts in a moment and brings no torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from robot_io import calibration as calibrations
from robot_io import feetech, so, so_table
from robot_io.arm import Features
from robot_io.driver import Health, Pose
from robot_io.errors import ArmError
from robot_io.feetech_bus import FeetechBus
from robot_io.naming import ArmName
from robot_io.servo_arm import ServoDriver
from robot_io.so_bus import check_same, health_of, identify, need_health, settle, silent_words
from robot_io.so_motion import SoArm


def make(rest: str) -> SoArm:
    """The arm of `feetech:PORT[,id=NAME][,calibration=FOLDER][,camera=NAME][,sight=FILE]`."""
    name = ArmName.parse("feetech", rest)
    return so_table.made(FeetechDriver(name.port, name.calibration_file("so_follower")), name)


class FeetechDriver(ServoDriver):
    """An SO-100 or SO-101 by the vendor's own calls."""

    present, goal, torque = feetech.PRESENT, feetech.GOAL, feetech.TORQUE

    def __init__(self, path: str, file: Path | None = None) -> None:
        super().__init__(FeetechBus(path), so.NUMBERS)
        self._file = file

    def describe(self) -> Features:
        """Its joints and calibrated ranges, read from the servos."""
        self.bus.open()
        try:
            found = identify(self.bus)
            known = calibrations.load(self._file) if self._file is not None else found
            check_same(known, found, self._file)
            features = so.features("SO arm", known)
        except ArmError:
            self.bus.close()
            raise
        self.calibration = known
        return features

    def open(self) -> None:
        """With torque, still, and no faster than it should be."""
        expected = self.calibration
        self.describe()
        if expected is not None:
            check_same(expected, self._spans, self._file)
        try:
            self._take()
        except ArmError:
            self.bus.close()
            raise

    def _take(self) -> None:
        need_health(self.health())
        for name, number in so.NUMBERS.items():
            if not self.bus.read(number, feetech.TORQUE):
                self._configure(name, number)
        settle(self.bus, self._spans)
        for number in so.NUMBERS.values():
            self.bus.write(number, feetech.TORQUE, 1)

    def _configure(self, name: str, number: int) -> None:
        """A limp servo's settings, as LeRobot sets them: soft gains, quick answers, a gripper that protects itself."""
        wanted = {feetech.RETURN_DELAY: 0, feetech.MODE: 0, feetech.P_GAIN: 16, feetech.I_GAIN: 0}
        if name == so.GRIPPER:
            wanted |= {feetech.MAX_TORQUE: 500, feetech.PROTECTION_CURRENT: 250, feetech.OVERLOAD_TORQUE: 25}
        wrong = {register: value for register, value in wanted.items() if self.bus.read(number, register) != value}
        if wrong:
            for register, value in [(feetech.LOCK, 0), *wrong.items(), (feetech.LOCK, 1)]:
                self.bus.write(number, register, value)

    def health(self) -> Health:
        """From the servos' own sensors."""
        data = self.bus.read_all(so.NUMBERS.values(), feetech.STATE, tries=2)
        kept = self.bus.read_all(so.NUMBERS.values(), feetech.KEPT, tries=2)
        # A goal switches the torque on again, but the speed limit that we set is gone after the supply was off.
        limp = tuple(name for name, number in so.NUMBERS.items() if not kept[number][0] or not any(kept[number][6:]))
        return replace(health_of({name: data[number] for name, number in so.NUMBERS.items()}), limp=limp)

    def diagnose(self) -> str:
        """Which servos are silent."""
        return silent_words(self.bus)

    def at_rest(self, pose: Pose) -> bool:
        """Whether it may become limp."""
        return so.folded(pose.joints)
