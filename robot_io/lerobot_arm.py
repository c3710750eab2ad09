"""Any arm that LeRobot drives, plug-ins too: `lerobot:PORT,type=NAME[,key=value…]`.

LeRobot 0.4.4 (Python 3.11) and 0.6.1 (3.12) through what both have: the Robot class, its configuration by name, flat
dictionaries of `JOINT.pos`. Its questions on the terminal are refused, and its wire is given patience and a memory that
it lacks (`robot_io/feetech.py`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from robot_io import feetech, lerobot_door, lerobot_units, so
from robot_io.arm import ArmNotFound, Features, Limits
from robot_io.driver import Health, Pose, Written
from robot_io.errors import ArmError, BadReply, Unsupported, WireError
from robot_io.naming import ArmName
from robot_io.port import PortLock
from robot_io.wired import GATHER, WiredArm

OPEN_TRIES = 3
SPEED = 1.0
"""Radians per second for arms of which nothing is known."""
_FELT = ("Present_Temperature", "Present_Voltage", "Present_Load", "Present_Current")
BOX = np.array([[-2.0, -2.0, -2.0], [2.0, 2.0, 2.0]])


def make(rest: str) -> WiredArm:
    """The arm of `lerobot:PORT,type=NAME[,key=value…]`; the keys are those of the robot's own configuration."""
    name = ArmName.parse("lerobot", rest, known=None)
    if "type" not in name.options:
        raise ArmNotFound(f"expected lerobot:PORT,type=NAME, like lerobot:/dev/ttyACM0,type=koch_follower, got {rest}")
    return WiredArm(LeRobotDriver(name), time.monotonic)


class LeRobotDriver:
    """Any LeRobot Robot whose joints are `.pos` features and which has at most one gripper."""

    def __init__(self, name: ArmName) -> None:
        self.robot: Any = None
        self._options = {key: value for key, value in name.options.items() if key not in ("type", "units")}
        self._options["port"] = name.port
        self._type = name.options.get("type", "")
        self._units = name.options.get("units", "degrees")
        self.lock = PortLock(name.port)
        self._joints: tuple[str, ...] = ()
        self._gripper = ""
        self._factors: Any = np.zeros(0)
        self._grip = 0.0

    def describe(self) -> Features:
        """By its configuration and its calibration file; asks no motor."""
        self.prepare(self._options)
        reach = lerobot_units.reach(self.robot, self._joints)
        return Features(
            name=self._type,
            joints=self._joints,
            limits=Limits(-reach, reach, np.full(len(reach), SPEED), BOX, np.full(len(reach), SPEED / GATHER)),
            rate=so.RATE,
        )

    def open(self) -> None:
        """Connect, ask nothing of a terminal, stand still."""
        self.lock.take()
        for left in range(OPEN_TRIES - 1, -1, -1):
            try:
                with lerobot_door.translated(self._options["port"]), lerobot_door.no_questions():
                    self.robot.connect(calibrate=False)
                    self._tune()
                return
            except ArmError as error:
                self._shut()
                if not left or not isinstance(error, WireError):
                    self.lock.give()
                    raise

    def read(self) -> Pose:
        """Where it is."""
        with self._translated():
            seen = self.robot.get_observation()
        self._need_whole()
        grip = 1.0 - float(seen[self._gripper]) / 100 if self._gripper else 0.0
        joints = np.array([float(seen[f"{joint}.pos"]) for joint in self._joints]) / self._factors
        return Pose(joints, min(max(grip, 0.0), 1.0))

    def write(self, pose: Pose) -> Written:
        """One step; returns what LeRobot says it sent."""
        wanted = {f"{j}.pos": float(v) for j, v in zip(self._joints, pose.joints * self._factors, strict=True)}
        if self._gripper:
            wanted[self._gripper] = 100.0 * (1.0 - pose.gripper)
        with self._translated():
            sent: Mapping[str, Any] = self.robot.send_action(wanted)
        self._need_whole()
        self._grip = pose.gripper
        joints = np.array([float(sent[f"{joint}.pos"]) for joint in self._joints]) / self._factors
        return Written(Pose(joints, 1.0 - float(sent[self._gripper]) / 100 if self._gripper else 0.0))

    def hold(self) -> None:
        """Joints stay; the gripper keeps what it was told, so that it drops nothing."""
        for left in (2, 1, 0):
            try:
                self.write(Pose(self.read().joints, self._grip))
                return
            except WireError:
                if not left:
                    raise

    def health(self) -> Health:
        """From Feetech servos' sensors; other buses tell nothing here."""
        if not self._bus_has("Status"):
            return Health()
        names = [*self._joints, self._gripper.removesuffix(".pos")]
        with self._translated():
            told = {
                what: self.robot.bus.sync_read(what, normalize=False) for what in (*_FELT, "Status", "Torque_Enable")
            }
        self._need_whole(1)
        columns = {what: np.array([float(read[name]) for name in names]) for what, read in told.items()}
        faults = {name: feetech.fault_words(int(told["Status"][name])) for name in names}
        return Health(
            temperature=columns["Present_Temperature"],
            volts=columns["Present_Voltage"] / 10,
            load=columns["Present_Load"] / 1000,
            amperes=columns["Present_Current"] * feetech.AMPERE_STEP,
            faults={name: words for name, words in faults.items() if words},
            limp=tuple(name for name in names if not told["Torque_Enable"][name]),
        )

    def diagnose(self) -> str:
        """Which motors are silent."""
        ping = getattr(getattr(self.robot, "bus", None), "ping", None)
        if ping is None:
            return ""
        try:
            with self._translated():
                silent = [name for name in self.robot.bus.motors if ping(name) is None]
        except ArmError as error:
            return str(error)
        if len(silent) == len(self.robot.bus.motors):
            return "no motor answers: check the power supply"
        return f"silent: {', '.join(silent)}: check the cable" if silent else ""

    def at_rest(self, pose: Pose) -> bool:
        """Never: of an arm of any kind no resting place is known."""
        return False

    def close(self, *, limp: bool) -> None:
        """Torque off if asked to; the motors keep their last goal otherwise."""
        if self.robot is not None and self.robot.is_connected:
            if hasattr(self.robot.config, "disable_torque_on_disconnect"):
                self.robot.config.disable_torque_on_disconnect = limp
            with contextlib.suppress(ArmError), self._translated():
                self.robot.disconnect()
            self._shut()
        self.lock.give()

    def prepare(self, options: Mapping[str, Any]) -> None:
        """Make the robot, unless there is one, and learn its joints; touches no port."""
        self.robot = self.robot or lerobot_door.make_robot(self._type, options)
        positions = [key for key in self.robot.action_features if key.endswith(".pos")]
        grippers = [key for key in positions if "gripper" in key]
        if not positions or len(grippers) > 1:
            raise Unsupported(f"expected joints and at most one gripper, got {list(self.robot.action_features)}")
        self._gripper = grippers[0] if grippers else ""
        self._joints = tuple(key.removesuffix(".pos") for key in positions if key not in grippers)
        self._factors = lerobot_units.factors(self.robot, self._joints, self._units)

    def _bus_has(self, register: str) -> bool:
        tables = getattr(getattr(self.robot, "bus", None), "model_ctrl_table", {})
        models = getattr(getattr(self.robot, "bus", None), "models", ())
        return bool(models) and all(register in tables.get(model, {}) for model in models)

    def _translated(self) -> Any:
        bus = getattr(self.robot, "bus", None)
        return lerobot_door.translated(self._options["port"], getattr(bus, "port_handler", None))

    def _tune(self) -> None:
        port = getattr(getattr(self.robot, "bus", None), "port_handler", None)
        if getattr(port, "ser", None) is not None:
            feetech.tune(port)

    def _need_whole(self, length: int = 2) -> None:
        """The SDK takes a short answer for the number 0: refuse it."""
        reader = getattr(getattr(self.robot, "bus", None), "sync_reader", None)
        data = getattr(reader, "data_dict", {})
        short = [number for number, read in data.items() if len(read) != length]
        if short:
            raise BadReply(f"expected {length} bytes of servo {short[0]}, got {len(data[short[0]])}; check the cable")

    def _shut(self) -> None:
        """Close a port that LeRobot left open when it failed."""
        port = getattr(getattr(self.robot, "bus", None), "port_handler", None)
        if port is not None and port.is_open:
            with contextlib.suppress(ArmError), lerobot_door.translated(self._options["port"], port):
                port.closePort()
            port.is_open = False
