"""A servo arm that is there to be calibrated: `calibrate:PORT[,id=NAME][,calibration=FOLDER][,servos=dynamixel]`.

It moves nothing: it goes limp, is turned by a hand, and keeps what it learnt of its joints. With an id the calibration
also goes into LeRobot's file of that name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import so
from robot_io.arm import Action, Features, Limits, Observation
from robot_io.calibrating import Calibrating, Seen, Step
from robot_io.calibration import STEP, Calibration
from robot_io.driver import Health
from robot_io.dynamixel_bus import DynamixelBus
from robot_io.errors import ArmError, ArmNotFound, NotCalibrated, NotConnected
from robot_io.feetech_bus import FeetechBus
from robot_io.identity import fingerprint
from robot_io.marks import HALF, DynamixelMarks, FeetechMarks, Marks
from robot_io.naming import OPTIONS, ArmName

Array = NDArray[Any]
FEATURES = Features(
    name="arm, to be calibrated",
    joints=so.JOINTS,
    limits=Limits(so.LOWER, so.UPPER, so.SPEED, so.WORKSPACE),
    rate=so.RATE,
    capabilities=frozenset({"calibrate"}),
)


def make(rest: str) -> CalibrationArm:
    """The arm of `calibrate:PORT[,id=NAME][,calibration=FOLDER][,servos=dynamixel][,baud=…]`."""
    return CalibrationArm(ArmName.parse("calibrate", rest, known=(*OPTIONS, "servos", "baud")), time.monotonic)


def marks_of(name: ArmName) -> Marks:
    """Whose servos they are."""
    servos, baud = name.options.get("servos", "feetech"), name.options.get("baud", "1000000")
    if servos not in ("feetech", "dynamixel") or not baud.isdigit():
        raise ArmNotFound(f"expected servos=feetech or servos=dynamixel and baud=NUMBER, got {servos!r}, {baud!r}")
    if servos == "dynamixel":
        return DynamixelMarks(DynamixelBus(name.port, baud=int(baud)))
    return FeetechMarks(FeetechBus(name.port))


class CalibrationArm:
    """An Arm that refuses to move; the walk's steps are its verbs."""

    def __init__(self, name: ArmName, clock: Callable[[], float]) -> None:
        self.features = FEATURES
        self._file, self._clock = name.calibration_file("so_follower"), clock
        self._marks = marks_of(name)
        self._bus = self._marks.bus
        self._walk = Calibrating(self._marks)
        self._connected = False
        self._steps: dict[str, int] = {}
        self._found: Calibration = {}
        self._seen: Mapping[str, Seen] = {}

    def connect(self) -> None:
        """Take the port; the arm stays as it is."""
        if self._connected:
            raise ArmError("expected one connect; this arm is connected already, disconnect it first")
        self._bus.open()
        try:
            self._read()
        except ArmError:
            self._bus.close()
            raise
        self._connected = True

    def disconnect(self) -> None:
        """Give the port back; a walk that was not finished leaves the old calibration."""
        if self._connected and self._walk.step in (Step.LIMP, Step.TURNING):
            self._walk.cancel()
        self._bus.close()
        self._connected = False

    def observe(self, *, pictures: bool = False) -> Observation:
        """Bare readings of the encoders, as angles from half a turn."""
        self._need_connection()
        if self._walk.step is not Step.DONE:
            self._read()
        steps = np.array([self._steps[name] for name in so.NUMBERS], dtype=np.float64)
        joints = (steps[:-1] - HALF) * STEP
        return Observation(self._clock(), {"joints": joints, "gripper": np.clip(steps[-1:] / (2 * HALF), 0.0, 1.0)})

    def send(self, action: Action) -> Action:
        """Refused."""
        raise NotCalibrated("expected a calibrated arm to move, but this one is being calibrated; finish or cancel it")

    def hold(self) -> None:
        """It does not move by itself."""
        self._need_connection()

    def stop(self) -> None:
        """Nothing moves."""

    def release(self) -> None:
        """Go on; after the cable was out the walk begins anew."""

    def health(self) -> Health:
        """From the servos' own sensors."""
        self._need_connection()
        if self._walk.step is Step.DONE:
            return Health()
        return self._marks.health()

    def identity(self) -> str:
        """By what was found; "" before the end."""
        return fingerprint(self._found) if self._found else ""

    def walk(self) -> Mapping[str, Any]:
        """The step, and each joint's low, now and high in encoder steps."""
        joints = {name: {**asdict(seen), "enough": seen.enough} for name, seen in self._seen.items()}
        return {"step": self._walk.step.value, "joints": joints}

    def calibrate(self, do: str) -> bool:
        """A step of the walk; whether that was the last one, so that the arm can be taken as what it is."""
        self._need_connection()
        steps: Mapping[str, Callable[[], Any]] = {
            "begin": self._walk.begin,
            "middle": self._walk.middle,
            "finish": self._finish,
            "cancel": self._walk.cancel,
        }
        if do not in steps:
            raise ArmError(f"expected a step among {', '.join(steps)}, got {do[:40]!r}")
        steps[do]()
        return do in ("finish", "cancel")

    def _finish(self) -> None:
        self._found = self._walk.finish(self._file)

    def _read(self) -> None:
        if self._walk.step is Step.TURNING:
            self._seen = self._walk.sample()
            self._steps = {name: seen.now for name, seen in self._seen.items()}
            return
        read = self._marks.positions(tries=8)
        self._steps = {name: read[number] for name, number in so.NUMBERS.items()}

    def _need_connection(self) -> None:
        if not self._connected:
            raise NotConnected("expected a connected arm; call connect first")
