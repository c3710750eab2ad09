"""Leader arms: a second arm that a person moves by hand, read through LeRobot, and taking over without a jolt.

`Leader` reads one and, where it has motors, drives it to where the follower is, so that a hand finds it there.
`Handover` glides over what gap is left: at its first moment the target is where the follower already is. `Relative` is
for leaders without motors: what the leader is turned by, the follower turns by.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from robot_io import feetech, lerobot_door, lerobot_units, so
from robot_io.driver import Pose
from robot_io.errors import (
    ArmError,
    MissingDriver,
    NoReply,
    NotCalibrated,
    NotConnected,
    Unplugged,
    Unsupported,
    WrongArm,
)
from robot_io.limits import Limits
from robot_io.naming import ArmName
from robot_io.port import PortLock

GLIDE = 1.5
"""Seconds in which a handover's gap closes."""
ALIGN_SPEED = 0.8
"""Radians per second at which a leader is driven."""
ALIGNED = 0.06
"""Radians within which it counts as there."""
PATIENCE = 8.0
"""Seconds that driving it may take."""
TICK = 1 / 30
OPEN_TRIES = 3
"""LeRobot asks a servo once only while it opens a bus, and a busy computer may be late."""
SO_LEADER = "so101_leader"
_HOPELESS = (Unplugged, NotCalibrated, MissingDriver, Unsupported, WrongArm)


@dataclass(frozen=True)
class Handover:
    """From the moment of taking over: where the follower and the leader were."""

    follower: Pose
    leader: Pose
    seconds: float = GLIDE

    @property
    def gap(self) -> float:
        """Radians between the two at the start, of the worst joint."""
        return float(np.max(np.abs(self.follower.joints - self.leader.joints)))

    def target(self, leader: Pose, elapsed: float) -> Pose:
        """What to ask of the follower `elapsed` seconds later, the leader then being at `leader`."""
        share = min(max(elapsed / self.seconds, 0.0), 1.0)
        left = 0.5 + 0.5 * math.cos(math.pi * share)
        joints = leader.joints + left * (self.follower.joints - self.leader.joints)
        gripper = leader.gripper + left * (self.follower.gripper - self.leader.gripper)
        return Pose(joints, min(max(gripper, 0.0), 1.0))


class Relative:
    """From the moment of taking over: the follower turns by what the leader is turned by, from where it is."""

    def __init__(self, follower: Pose, leader: Pose, limits: Limits) -> None:
        self._target, self._leader, self._limits = follower, leader, limits

    def target(self, leader: Pose, _: float = 0.0) -> Pose:
        """What to ask of the follower; at the end of a range, turning the leader further means nothing."""
        turned = self._target.joints + leader.joints - self._leader.joints
        gripper = self._target.gripper + leader.gripper - self._leader.gripper
        joints = np.clip(turned, self._limits.lower, self._limits.upper)
        self._target, self._leader = Pose(joints, min(max(gripper, 0.0), 1.0)), leader
        return self._target


class Leader:
    """A leader by name: `PORT[,type=so101_leader][,key=value…]`; of types other than SO's, the keys are its own."""

    def __init__(self, name: str, joints: tuple[str, ...] = so.JOINTS) -> None:
        parsed = ArmName.parse("leader", name, known=None)
        self._port, self._joints, self._lock = parsed.port, joints, PortLock(parsed.port)
        self._options = {key: value for key, value in parsed.options.items() if key not in ("type", "units")}
        self._type, self._units = parsed.options.get("type", SO_LEADER), parsed.options.get("units", "degrees")
        self._device: Any = None
        self._factors: Any = np.ones(len(joints))
        self._gripper = ""

    @property
    def port(self) -> str:
        """Where it is plugged in."""
        return self._port

    @property
    def has_motors(self) -> bool:
        """Whether it can be driven to the follower."""
        bus = getattr(self._device, "bus", None)
        return hasattr(bus, "enable_torque") and hasattr(bus, "sync_write")

    def prepare(self) -> None:
        """Load what it needs, which takes seconds the first time; touches no port."""
        lerobot_door.leader_class(self._type)

    def connect(self) -> None:
        """Take it, limp, so that a hand can move it."""
        for left in range(OPEN_TRIES - 1, -1, -1):
            self._lock.take()
            try:
                self._open()
                return
            except ArmError as error:
                self.disconnect()
                if not left or isinstance(error, _HOPELESS):
                    raise

    def _open(self) -> None:
        self._device = self._so_device() if self._is_so else self._any_device()
        with self._translated(), lerobot_door.no_questions():
            self._device.connect(calibrate=False)
        if self._is_so:
            feetech.tune(self._device.bus.port_handler)
        self._learn_units()

    @property
    def _is_so(self) -> bool:
        return self._type in (SO_LEADER, "so100_leader")

    def _so_device(self) -> Any:
        """Recognised by its servos, which carry its calibration, before LeRobot opens the port."""
        from robot_io import so_bus
        from robot_io.feetech_bus import FeetechBus

        bus = FeetechBus(self._port, self._lock)
        bus.open()
        try:
            spans = so_bus.identify(bus)
        finally:
            bus.close()
        so.features(self._type, spans)
        device = lerobot_door.make_leader(self._type, {"port": self._port, "use_degrees": True})
        lerobot_door.set_calibration(device, {name: vars(span) for name, span in spans.items()})
        return device

    def _any_device(self) -> Any:
        return lerobot_door.make_leader(self._type, {"port": self._port, **self._options})

    def _learn_units(self) -> None:
        """ArmError unless it has what the follower has."""
        told = list(self._device.action_features)
        missing = [joint for joint in self._joints if f"{joint}.pos" not in told]
        if missing:
            raise Unsupported(
                f"expected a leader with the joints of the arm, got {self._type} without {', '.join(missing)}; choose "
                "the leader that belongs to this arm"
            )
        self._gripper = next((key for key in told if "gripper" in key and key.endswith(".pos")), "")
        self._factors = lerobot_units.factors(self._device, self._joints, self._units)

    def read(self) -> Pose:
        """Where the person holds it; a reply that was lost is asked for once more."""
        try:
            seen = self._action()
        except NoReply:
            seen = self._action()
        joints = np.array([float(seen[f"{joint}.pos"]) for joint in self._joints]) / self._factors
        grip = 1.0 - float(seen[self._gripper]) / 100 if self._gripper else 0.0
        return Pose(joints, min(max(grip, 0.0), 1.0))

    def _action(self) -> Any:
        with self._translated():
            return self._need().get_action()

    def align(
        self,
        follower: Pose,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        wanted: Callable[[], bool] = lambda: True,
    ) -> float:
        """Drive it to where the follower is, slowly, and let go of it there; returns the gap that is left, in radians.

        Args:
            follower: where to.
            clock: seconds.
            sleep: waits so many of them.
            wanted: whether to go on; asked on every tick.

        Raises:
            Unsupported: it has no motors.
        """
        self._need()
        if not self.has_motors:
            raise Unsupported("expected a leader with motors, got one without; move it by hand near the follower")
        bus: Any = self._device.bus
        end = clock() + PATIENCE
        here = self.read()
        self._go(here)
        try:
            with self._translated():
                bus.enable_torque()
            target = here.joints
            while wanted() and clock() < end and np.max(np.abs(follower.joints - self.read().joints)) > ALIGNED:
                step = ALIGN_SPEED * TICK
                target = target + np.clip(follower.joints - target, -step, step)
                self._go(Pose(target, follower.gripper))
                sleep(TICK)
        finally:
            with self._translated():
                bus.disable_torque(num_retry=3)
        return float(np.max(np.abs(follower.joints - self.read().joints)))

    def disconnect(self) -> None:
        """Give it back; twice is harmless."""
        device, self._device = self._device, None
        if device is not None:
            port = getattr(getattr(device, "bus", None), "port_handler", None)
            try:
                with self._translated(device):
                    if device.is_connected:
                        device.disconnect()
                    if port is not None and port.is_open:  # LeRobot leaves it so when it fails to open a bus
                        port.closePort()
            except ArmError:
                if port is not None:
                    port.is_open = False
        self._lock.give()

    def _go(self, pose: Pose) -> None:
        goals = dict(zip(self._joints, pose.joints * self._factors, strict=True))
        if self._gripper:
            goals[self._gripper.removesuffix(".pos")] = 100.0 * (1.0 - pose.gripper)
        with self._translated():
            self._need().bus.sync_write("Goal_Position", {name: float(goal) for name, goal in goals.items()})

    def _need(self) -> Any:
        if self._device is None:
            raise NotConnected("expected a connected leader; call connect first")
        return self._device

    def _translated(self, device: Any = None) -> Any:
        bus = getattr(device or self._device, "bus", None)
        return lerobot_door.translated(self._port, getattr(bus, "port_handler", None))
