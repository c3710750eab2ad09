"""Leader arms: a second arm that a person moves by hand, read through LeRobot, and taking over without a jolt.

`Leader` reads one and, where it has motors, drives it to where the follower is, so that a hand finds it there.
`Handover` glides over what gap is left: at its first moment the target is where the follower already is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from robot_io import feetech, lerobot_door, so
from robot_io.driver import Pose
from robot_io.errors import ArmError, NoReply, NotConnected, Unsupported
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


class Leader:
    """An SO leader by name: `PORT[,id=NAME][,calibration=FOLDER][,type=so101_leader]`."""

    def __init__(self, name: str) -> None:
        parsed = ArmName.parse("leader", name, known=("id", "calibration", "type"))
        self._name, self._lock = parsed, PortLock(parsed.port)
        self._type = parsed.options.get("type", "so101_leader")
        self._device: Any = None

    def connect(self) -> None:
        """Take it, limp, so that a hand can move it."""
        from robot_io import so_bus
        from robot_io.feetech_bus import FeetechBus

        self._lock.take()
        bus = FeetechBus(self._name.port, self._lock)
        try:
            bus.open()
            spans = so_bus.identify(bus)
            so.features(self._type, spans)
            bus.close()
            self._device = lerobot_door.make_leader(self._type, {"port": self._name.port, "use_degrees": True})
            lerobot_door.set_calibration(self._device, {name: vars(span) for name, span in spans.items()})
            with self._translated(), lerobot_door.no_questions():
                self._device.connect(calibrate=False)
            feetech.tune(self._device.bus.port_handler)
        except ArmError:
            bus.close()
            self.disconnect()
            raise

    def read(self) -> Pose:
        """Where the person holds it; a reply that was lost is asked for once more."""
        try:
            seen = self._action()
        except NoReply:
            seen = self._action()
        joints = np.radians([float(seen[f"{joint}.pos"]) for joint in so.JOINTS])
        return Pose(joints, min(max(1.0 - float(seen["gripper.pos"]) / 100, 0.0), 1.0))

    def _action(self) -> Any:
        with self._translated():
            return self._need().get_action()

    def align(self, follower: Pose, clock: Callable[[], float], sleep: Callable[[float], None]) -> float:
        """Drive it to where the follower is, slowly, and let go of it there; returns the gap that is left, in radians.

        Raises:
            Unsupported: it has no motors.
        """
        bus: Any = getattr(self._need(), "bus", None)
        if not hasattr(bus, "enable_torque"):
            raise Unsupported("expected a leader with motors, got one without; move it by hand near the follower")
        end = clock() + PATIENCE
        here = self.read()
        self._go(here)
        try:
            with self._translated():
                bus.enable_torque()
            target = here.joints
            while clock() < end and np.max(np.abs(follower.joints - self.read().joints)) > ALIGNED:
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
        if device is not None and device.is_connected:
            try:
                with self._translated(device):
                    device.disconnect()
            except ArmError:
                device.bus.port_handler.is_open = False
        self._lock.give()

    def _go(self, pose: Pose) -> None:
        goals = dict(zip(so.JOINTS, np.degrees(pose.joints), strict=True))
        goals[so.GRIPPER] = 100.0 * (1.0 - pose.gripper)
        with self._translated():
            self._need().bus.sync_write("Goal_Position", {name: float(goal) for name, goal in goals.items()})

    def _need(self) -> Any:
        if self._device is None:
            raise NotConnected("expected a connected leader; call connect first")
        return self._device

    def _translated(self, device: Any = None) -> Any:
        bus = getattr(device or self._device, "bus", None)
        return lerobot_door.translated(self._name.port, getattr(bus, "port_handler", None))
