"""An SO arm on Feetech's own SDK, without LeRobot: `feetech:/dev/ttyACM0`. Starts in a moment and brings no torch."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from robot_io import calibration as calibrations
from robot_io import feetech, so, so_table
from robot_io.arm import Features
from robot_io.calibration import Calibration
from robot_io.driver import Health, Pose, Written
from robot_io.errors import ArmError, NotConnected
from robot_io.feetech_bus import FeetechBus
from robot_io.identity import fingerprint
from robot_io.naming import ArmName
from robot_io.so_bus import check_same, health_of, identify, need_health, settle, silent_words
from robot_io.so_motion import SoArm


def make(rest: str) -> SoArm:
    """The arm of `feetech:PORT[,id=NAME][,calibration=FOLDER][,camera=NAME][,sight=FILE]`."""
    name = ArmName.parse("feetech", rest)
    return so_table.made(FeetechDriver(name.port, name.calibration_file("so_follower")), name)


class FeetechDriver:
    """An SO-100 or SO-101 by the vendor's own calls."""

    def __init__(self, path: str, file: Path | None = None) -> None:
        self.bus = FeetechBus(path)
        self._file = file
        self._calibration: Calibration | None = None

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
        self._calibration = known
        return features

    def open(self) -> None:
        """With torque, still, and no faster than it should be."""
        expected = self._calibration
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

    def read(self) -> Pose:
        """Where it is."""
        return self._pose(self._steps())

    def write(self, pose: Pose) -> Written:
        """All goals at once."""
        self.bus.write_all(feetech.GOAL, self._goals(pose))
        return Written(pose)

    def hold(self) -> None:
        """Joints stay; the gripper keeps what it was told, so that it drops nothing."""
        here = self._pose(self._steps(tries=3))
        goals = self._goals(here)
        del goals[so.NUMBERS[so.GRIPPER]]
        self.bus.write_all(feetech.GOAL, goals)

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

    def identity(self) -> str:
        """By its calibration."""
        return fingerprint(self._spans)

    def at_rest(self, pose: Pose) -> bool:
        """Whether it may become limp."""
        return so.folded(pose.joints)

    def close(self, *, limp: bool) -> None:
        """Torque off if asked to; the servos keep their last goal otherwise."""
        if limp:
            with contextlib.suppress(ArmError):
                for number in so.NUMBERS.values():
                    self.bus.write(number, feetech.TORQUE, 0)
        self.bus.close()

    @property
    def _spans(self) -> Calibration:
        if self._calibration is None:
            raise NotConnected("expected an open arm; connect first")
        return self._calibration

    def _steps(self, tries: int = 1) -> dict[int, int]:
        data = self.bus.read_all(so.NUMBERS.values(), feetech.PRESENT, tries)
        return {number: int.from_bytes(raw, "little") & 0x7FFF for number, raw in data.items()}

    def _goals(self, pose: Pose) -> dict[int, int]:
        spans = self._spans
        goals = {so.NUMBERS[name]: spans[name].steps(angle) for name, angle in zip(so.JOINTS, pose.joints, strict=True)}
        grip = spans[so.GRIPPER]
        goals[so.NUMBERS[so.GRIPPER]] = round(grip.range_max - pose.gripper * (grip.range_max - grip.range_min))
        return goals

    def _pose(self, steps: Mapping[int, int]) -> Pose:
        spans = self._spans
        joints = np.array([spans[name].radians(steps[so.NUMBERS[name]]) for name in so.JOINTS])
        grip = spans[so.GRIPPER]
        share = (grip.range_max - steps[so.NUMBERS[so.GRIPPER]]) / (grip.range_max - grip.range_min)
        return Pose(joints, min(max(share, 0.0), 1.0))
