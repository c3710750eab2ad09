"""Our own model of the SO-101: its published lengths and ranges as a URDF of plain shapes, and PyBullet motors for it.

No meshes: boxes and cylinders where the printed parts are, masses that add up to about the real arm's. Joint angles are
zero in the middle of each range, as everywhere here; the jaw is 0 closed to `JAW_OPEN` radians open.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pybullet

from robot_io import so
from robot_io.emulation.motors import Demand
from robot_io.so_motion import LOWER, PAN_X, ROLL_TO_TIP, SHOULDER, SIDE, UPPER, WRIST_TO_ROLL

JAW_OPEN = 1.7
JAW = (0.0202, -0.0188, 0.0234)
"""From the roll's origin to the jaw's hinge."""
TORQUE = 2.9
"""Newton metres at 12 V."""
FRICTION = 0.06
"""Newton metres of a limp joint's gears."""
STEP = 1 / 240
LONGEST = 0.25
"""Seconds that are caught up with at once; more is let go."""

_LINK = """<link name="{name}">
 <inertial><origin xyz="{at}"/><mass value="{mass}"/><inertia ixx="{i}" iyy="{i}" izz="{i}" ixy="0" ixz="0" iyz="0"/>
 </inertial>
 <visual><origin xyz="{at}"/><geometry><box size="{size}"/></geometry><material name="{colour}"/></visual>
 <collision><origin xyz="{at}"/><geometry><box size="{size}"/></geometry></collision>
</link>"""
_JOINT = """<joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/>
 <origin xyz="{origin}"/><axis xyz="{axis}"/>
 <limit lower="{lower}" upper="{upper}" effort="{effort}" velocity="4.9"/></joint>"""


def urdf() -> str:
    """The model as text, all links upright at zero: z up, x forward."""
    printed, motor = "printed", "motor"
    links = [
        ("base_link", (0.02, 0, 0.03), (0.11, 0.08, 0.06), 0.15, printed),
        ("shoulder_link", (0.015, 0, 0.03), (0.06, 0.05, 0.06), 0.10, motor),
        ("upper_arm_link", (UPPER[0] / 2, 0, UPPER[1] / 2), (0.03, 0.05, 0.10), 0.10, printed),
        ("lower_arm_link", (LOWER[0] / 2, 0, 0), (0.12, 0.045, 0.03), 0.10, printed),
        ("wrist_link", (WRIST_TO_ROLL / 2, 0, 0), (0.05, 0.045, 0.035), 0.08, motor),
        ("gripper_link", (ROLL_TO_TIP / 2, -0.012, 0), (ROLL_TO_TIP, 0.012, 0.03), 0.09, printed),
        ("jaw_link", (0.037, 0.004, 0), (0.075, 0.008, 0.025), 0.02, printed),
    ]
    places = [
        (PAN_X, 0, 0.0624), (SHOULDER[0], SIDE, SHOULDER[1] - 0.0624), (UPPER[0], 0, UPPER[1]),
        (LOWER[0], 0, LOWER[1]), (WRIST_TO_ROLL, 0, 0), (JAW[2], 0.008, 0),
    ]  # fmt: skip
    axes = ("0 0 -1", "0 1 0", "0 1 0", "0 1 0", "-1 0 0", "0 0 1")
    lower, upper = [*so.LOWER, 0.0], [*so.UPPER, JAW_OPEN]
    names = [name for name, *_ in links]
    parts = [
        _LINK.format(name=n, at=_text(at), size=_text(size), mass=mass, i=mass * 2e-3, colour=colour)
        for n, at, size, mass, colour in links
    ]
    parts += [
        _JOINT.format(
            name=name,
            parent=names[i],
            child=names[i + 1],
            origin=_text(places[i]),
            axis=axes[i],
            lower=lower[i],
            upper=upper[i],
            effort=TORQUE,
        )
        for i, name in enumerate(so.NUMBERS)
    ]
    colours = '<material name="printed"><color rgba="0.95 0.75 0.2 1"/></material>'
    colours += '<material name="motor"><color rgba="0.15 0.15 0.15 1"/></material>'
    return f'<?xml version="1.0"?>\n<robot name="so101">\n{colours}\n' + "\n".join(parts) + "\n</robot>\n"


def load(client: int) -> int:
    """The arm in a physics client, its base fixed at the origin; joints 0 to 5 are those of the bus."""
    with tempfile.TemporaryDirectory(prefix="askback-") as folder:
        path = Path(folder) / "so101.urdf"
        path.write_text(urdf())
        return int(pybullet.loadURDF(str(path), useFixedBase=True, physicsClientId=client))


class PhysicalMotors:
    """Motors of an emulated bus with a body behind them: gravity, a table to run into, joints that fall when limp."""

    def __init__(self, middles: Sequence[float], start: Sequence[float]) -> None:
        """`middles`: (6,) what each encoder reads at its joint's zero, radians; `start`: (6,) joint angles."""
        self._middles = list(middles)
        self.client = pybullet.connect(pybullet.DIRECT)
        pybullet.setGravity(0, 0, -9.81, physicsClientId=self.client)
        pybullet.setPhysicsEngineParameter(fixedTimeStep=STEP, physicsClientId=self.client)
        table = pybullet.createCollisionShape(pybullet.GEOM_PLANE, physicsClientId=self.client)
        pybullet.createMultiBody(0, table, physicsClientId=self.client)
        self.robot = load(self.client)
        pybullet.setCollisionFilterPair(self.robot, 0, -1, -1, 0, physicsClientId=self.client)
        for joint, angle in enumerate(start):
            pybullet.resetJointState(self.robot, joint, angle, physicsClientId=self.client)
        self.angles = [0.0] * 6
        self.loads = [0.0] * 6
        self._owed = 0.0
        self._look()

    def advance(self, seconds: float, demands: Sequence[Demand]) -> None:
        """Let time pass, in whole physics steps."""
        self._owed = min(self._owed + seconds, LONGEST)
        for joint, demand in enumerate(demands):
            self._drive(joint, demand)
        while self._owed >= STEP:
            pybullet.stepSimulation(physicsClientId=self.client)
            self._owed -= STEP
        self._look()

    def push(self, joint: int, angle: float) -> None:
        """A hand puts a joint somewhere."""
        pybullet.resetJointState(self.robot, joint, angle - self._middles[joint], physicsClientId=self.client)
        self._look()

    def close(self) -> None:
        """Give the client back."""
        pybullet.disconnect(self.client)

    def _drive(self, joint: int, demand: Demand) -> None:
        if demand.target is None:
            pybullet.setJointMotorControl2(
                self.robot, joint, pybullet.VELOCITY_CONTROL, force=FRICTION, physicsClientId=self.client
            )
            return
        pybullet.setJointMotorControl2(
            self.robot,
            joint,
            pybullet.POSITION_CONTROL,
            targetPosition=demand.target - self._middles[joint],
            force=TORQUE * demand.strength,
            maxVelocity=demand.speed,
            positionGain=0.2,
            velocityGain=1.0,
            physicsClientId=self.client,
        )

    def _look(self) -> None:
        for joint, state in enumerate(pybullet.getJointStates(self.robot, range(6), physicsClientId=self.client)):
            self.angles[joint] = state[0] + self._middles[joint]
            self.loads[joint] = max(-1.0, min(1.0, state[3] / TORQUE))


def _text(values: Sequence[float]) -> str:
    return " ".join(f"{value:.7g}" for value in values)
