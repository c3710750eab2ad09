"""An arm of Robotis' X-series servos on their own SDK: `dynamixel:/dev/ttyUSB0[,baud=1000000]`.

Six servos, 1 to 6 from the base on, the last one the gripper, as in the Koch arms. Where each joint ends is what its
servo keeps as its position limits (LeRobot's calibration writes them there). These servos have a watchdog: if this
program dies or hangs for half a second, they keep still where they are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from robot_io import calibration as calibrations
from robot_io import dynamixel, so
from robot_io.arm import ArmNotFound, Features, Limits
from robot_io.calibration import Calibration, Span
from robot_io.driver import Health, Pose, Written
from robot_io.dynamixel_bus import DynamixelBus
from robot_io.errors import ArmError, NoReply, NotCalibrated, WrongArm
from robot_io.naming import ArmName
from robot_io.servo_arm import ServoDriver
from robot_io.so_bus import BACKSTOP, check_same, need_health, silent_words
from robot_io.wired import GATHER, WiredArm

SPEED = np.full(5, 1.5)
"""Radians per second; a quarter of what an XL430 turns at without load."""
WATCHDOG = 0.5
"""Seconds of silence on the bus after which the servos keep still."""
PAUSE = 0.8 * WATCHDOG
BOX = np.array([[-2.0, -2.0, -2.0], [2.0, 2.0, 2.0]])
"""Metres: of an arm of any build no lengths are known, so its joints' ranges are its limits."""


def make(rest: str) -> WiredArm:
    """The arm of `dynamixel:PORT[,baud=1000000]`."""
    name = ArmName.parse("dynamixel", rest, known=("baud",))
    try:
        baud = int(name.options.get("baud", "1000000"))
    except ValueError as error:
        raise ArmNotFound(f"expected baud=NUMBER, got {name.options['baud']!r}") from error
    return WiredArm(DynamixelDriver(name.port, baud), time.monotonic)


class DynamixelDriver(ServoDriver):
    """Six X-series servos by their maker's own calls."""

    bus: DynamixelBus
    present, goal, torque = dynamixel.PRESENT, dynamixel.GOAL, dynamixel.TORQUE

    def __init__(self, path: str, baud: int = 1_000_000, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(DynamixelBus(path, baud=baud), so.NUMBERS)
        self._clock, self._spoke = clock, -math.inf
        self._models: dict[str, int] = {}

    def describe(self) -> Features:
        """Its joints and their ranges, read from the servos."""
        self.bus.open()
        try:
            found = self._identified()
            raw = [name for name, span in found.items() if span.whole_turn and name != "wrist_roll"]
            if raw:
                raise NotCalibrated(
                    f"expected a calibrated arm, but {', '.join(raw)} may turn all round as from the factory; set the "
                    "servos' position limits with lerobot-calibrate, or with Robotis' Dynamixel Wizard"
                )
        except ArmError:
            self.bus.close()
            raise
        self.calibration = found
        reach = np.array([found[joint].reach for joint in self.joints]) - so.MARGIN
        limits = Limits(-reach, reach, SPEED, BOX, SPEED / GATHER)
        return Features(name="Dynamixel arm", joints=self.joints, limits=limits, rate=so.RATE)

    def open(self) -> None:
        """With torque, still, no faster than it should be, and with a watchdog."""
        expected = self.calibration
        self.describe()
        if expected is not None:
            check_same(expected, self._spans, None)
        try:
            for number in self.numbers.values():
                self.bus.write(number, dynamixel.WATCHDOG, 0)  # one that has bitten takes no goal
            need_health(self.health())
            for name, number in self.numbers.items():
                self._take(name, number)
            self._wake()
        except ArmError:
            self.bus.close()
            raise

    def _take(self, name: str, number: int) -> None:
        """Its goal where it is, before and after the torque comes on, so that nothing moves."""
        if not self.bus.read(number, dynamixel.TORQUE):
            mode = self.bus.read(number, dynamixel.MODE)
            if mode not in (dynamixel.POSITION, dynamixel.CURRENT_POSITION):
                self.bus.write(number, dynamixel.MODE, dynamixel.POSITION)
        self.bus.write(number, dynamixel.PROFILE_SPEED, int(SPEED.max() * BACKSTOP / dynamixel.SPEED_STEP))
        span = self._spans[name]
        here = self.counted(self.bus.read(number, dynamixel.PRESENT))
        self.bus.write(number, dynamixel.TORQUE, 1)
        self.bus.write(number, dynamixel.GOAL, min(max(here, span.range_min), span.range_max))

    def _wake(self) -> None:
        """Start the watchdogs anew: after a pause they have bitten, and a servo whose watchdog has takes no goal."""
        for number in self.numbers.values():
            self.bus.write(number, dynamixel.WATCHDOG, 0)
            self.bus.write(number, dynamixel.WATCHDOG, round(WATCHDOG / dynamixel.WATCHDOG_STEP))
        self._spoke = self._clock()

    def read(self) -> Pose:
        """Where it is."""
        pose = super().read()
        self._spoken()
        return pose

    def write(self, pose: Pose) -> Written:
        """All goals at once, to servos that are awake."""
        if self._clock() - self._spoke > PAUSE:
            self._wake()
        written = super().write(pose)
        self._spoken()
        return written

    def _spoken(self) -> None:
        """The servos have heard something, in time."""
        now = self._clock()
        if now - self._spoke <= PAUSE:
            self._spoke = now

    def health(self) -> Health:
        """From the servos' own sensors."""
        numbers = self.numbers.values()
        states = self.bus.read_all(numbers, dynamixel.STATE, tries=2)
        kept = self.bus.read_all(numbers, dynamixel.KEPT, tries=2)
        forces = [dynamixel.signed(int.from_bytes(states[n][:2], "little"), 16) for n in numbers]
        current = np.array([self._models[name] in dynamixel.MILLIAMPERES for name in self.numbers])
        faults = {name: dynamixel.fault_words(kept[n][6]) for name, n in self.numbers.items()}
        at, speed = (register[0] - dynamixel.KEPT[0] for register in (dynamixel.WATCHDOG, dynamixel.PROFILE_SPEED))
        if any(kept[n][at] == dynamixel.STOPPED for n in numbers):
            self._spoke = -math.inf
        return Health(
            temperature=np.array([float(states[n][20]) for n in numbers]),
            volts=np.array([int.from_bytes(states[n][18:20], "little") / 10 for n in numbers]),
            load=np.where(current, 0.0, np.array(forces) / 1000),
            amperes=np.where(current, np.array(forces) / 1000, 0.0),
            faults={name: words for name, words in faults.items() if words},
            limp=tuple(
                name for name, n in self.numbers.items() if not kept[n][0] or not any(kept[n][speed : speed + 4])
            ),
        )

    def diagnose(self) -> str:
        """Which servos are silent."""
        return silent_words(self.bus)

    def at_rest(self, pose: Pose) -> bool:
        """Never: where such an arm may become limp without falling is not known."""
        return False

    def close(self, *, limp: bool) -> None:
        """Without its watchdog, so that it holds as it is; see `ServoDriver.close`."""
        for number in self.numbers.values() if self.bus.is_open else ():
            try:
                self.bus.write(number, dynamixel.WATCHDOG, 0, tries=2)
            except ArmError:
                break  # then the servo's watchdog keeps it still, which is as good
        super().close(limp=limp)

    def counted(self, raw: int) -> int:
        """Encoder steps: a turn more or less is none for a joint."""
        steps = dynamixel.signed(raw, 32)
        return steps if abs(steps) < 1 << 15 else steps % (calibrations.RESOLUTION + 1)

    def _identified(self) -> Calibration:
        found: dict[str, Span] = {}
        for name, number in self.numbers.items():
            model = self.bus.ping(number)
            if model is None:
                raise NoReply(
                    f"expected servo {number} ({name}) to answer at {self.bus.baud} baud, got silence; check the power "
                    "supply, then the cable from the servo before it, or name another baud=…"
                )
            if model not in dynamixel.MODELS:
                known = ", ".join(sorted(dynamixel.MODELS.values()))
                raise WrongArm(f"expected servo {number} among {known}, got model {model}; choose another kind")
            self._models[name] = model
            limits = self.bus.read(number, dynamixel.RANGE)
            homing = dynamixel.signed(self.bus.read(number, dynamixel.HOMING), 32)
            mode = self.bus.read(number, dynamixel.DRIVE_MODE) & 1
            found[name] = Span(number, mode, homing, limits >> 32, limits & 0xFFFF_FFFF)
        return found
