"""An arm of Robotis' X-series servos on their own SDK: `dynamixel:/dev/ttyUSB0[,baud=1000000]`.

Six servos, 1 to 6 from the base on, the last one the gripper, as in the Koch arms. Where each joint ends is what its
servo keeps as its position limits (the calibration on the Arms page writes them there, or LeRobot's). These servos
have a watchdog: if this program dies or hangs for half a second, they keep still where they are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from robot_io import calibration as calibrations
from robot_io import dynamixel, parked, so, x_servos
from robot_io.arm import ArmNotFound, Features, JointPath, Limits
from robot_io.driver import Health, Pose, Written
from robot_io.dynamixel_bus import DynamixelBus
from robot_io.errors import ArmError, NotCalibrated
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


def make(rest: str) -> DynamixelArm:
    """The arm of `dynamixel:PORT[,baud=1000000]`."""
    name = ArmName.parse("dynamixel", rest, known=("baud",))
    try:
        baud = int(name.options.get("baud", "1000000"))
    except ValueError as error:
        raise ArmNotFound(f"expected baud=NUMBER, got {name.options['baud']!r}") from error
    return DynamixelArm(DynamixelDriver(name.port, baud), time.monotonic)


class DynamixelDriver(ServoDriver):
    """Six X-series servos by their maker's own calls."""

    bus: DynamixelBus
    present, goal, torque = dynamixel.PRESENT, dynamixel.GOAL, dynamixel.TORQUE

    def __init__(self, path: str, baud: int = 1_000_000, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(DynamixelBus(path, baud=baud), so.NUMBERS)
        self._clock, self._spoke = clock, -math.inf
        self._models: x_servos.Models = {}
        self.place: parked.Place | None = None
        """Where a person lets it park."""

    def describe(self) -> Features:
        """Its joints and their ranges, read from the servos."""
        self.bus.open()
        try:
            found, self._models = x_servos.identify(self.bus)
            raw = [name for name, span in found.items() if span.whole_turn and name != "wrist_roll"]
            if raw:
                raise NotCalibrated(
                    f"expected a calibrated arm, but {', '.join(raw)} may turn all round as from the factory; "
                    "calibrate it on the Arms page"
                )
        except ArmError:
            self.bus.close()
            raise
        self.calibration = found
        reach = np.array([found[joint].reach for joint in self.joints]) - so.MARGIN
        limits = Limits(-reach, reach, SPEED, BOX, SPEED / GATHER)
        self.place = parked.load(self.identity(), len(self.joints))
        can = frozenset({"parking"})
        return Features(name="Dynamixel arm", joints=self.joints, limits=limits, rate=so.RATE, capabilities=can)

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
        states = self.bus.read_all(self.numbers.values(), dynamixel.STATE, tries=2)
        kept = x_servos.kept_of(self.bus)
        at = dynamixel.WATCHDOG[0] - dynamixel.KEPT[0]
        if any(kept[n][at] == dynamixel.STOPPED for n in self.numbers.values()):
            self._spoke = -math.inf
        return x_servos.health_of(states, kept, self._models)

    def diagnose(self) -> str:
        """Which servos are silent."""
        return silent_words(self.bus)

    def at_rest(self, pose: Pose) -> bool:
        """Where a person said so; of no other place is it known that it does not fall there."""
        return self.place is not None and self.place.near(pose.joints)

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


class DynamixelArm(WiredArm):
    """Such an arm, and where it parks."""

    def __init__(self, driver: DynamixelDriver, clock: Callable[[], float]) -> None:
        super().__init__(driver, clock)
        self._x = driver

    @property
    def parks(self) -> bool:
        """Whether it was shown where."""
        return self._x.place is not None

    def park_here(self) -> None:
        """From now on it parks where it is, and goes limp there when it is let go of."""
        self._x.place = parked.save(self.identity(), self.observe()["joints"])

    def parking(self) -> JointPath:
        """The way there; none if it was never shown one."""
        seen = self.observe()
        if self._x.place is None:
            return JointPath(np.zeros((0, len(self.features.joints))), np.zeros(0))
        gripper, limits = float(seen["gripper"][0]), self.features.limits
        return parked.way(seen["joints"], gripper, self._x.place, limits, self.features.rate)
