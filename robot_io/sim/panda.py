"""One Panda with a suction cup, in a physics client: its motors, its tip, and what it holds.

Motor targets and the cup's constraint are not part of the state that PyBullet saves: whoever takes a snapshot asks
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.kinematics import Chain
from robot_io.motion import read_urdf
from robot_io.sim import bodies
from robot_io.sim.bodies import TIP_LINK, TIP_OFFSET

Array = NDArray[Any]
HOME = np.array([0.0, -1.17, 0.0, -2.616, 0.0, 1.446, np.pi / 4])
"""Folded back, out of the top-down cameras' view of the map."""
FORCE = np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0]) * 4
JOINTS = tuple(range(7))
FINGERS = (9, 10)
WORKSPACE = np.array([[0.0, -0.8, -0.01], [0.85, 0.8, 0.8]])
GRIP = 500
"""Newtons that the cup holds."""
Base = tuple[float, float, float]
"""Where an arm stands: x, y in metres, yaw in radians."""
ORIGIN: Base = (0.0, 0.0, 0.0)
Frame = tuple[list[float], list[float]]
"""Position and quaternion of a thing in the tip's frame."""


ACCELERATION = np.full(7, 120.0)
"""Radians per second squared: full speed in two ticks. Our plans need up to 82; a real Panda allows 7 to 20."""


def panda_chain() -> Chain:
    """The arm's joints, with the tip at the end of its closed fingers."""
    chain = read_urdf(bodies.PANDA, "panda_grasptarget", WORKSPACE, TIP_OFFSET)
    return replace(chain, limits=replace(chain.limits, acceleration=ACCELERATION))


class Panda:
    """Made anew with each scene; at home, its cup off."""

    def __init__(self, client: int, *, base: Base = ORIGIN, meets_arms: bool = False) -> None:
        """Args: meets_arms: another arm may be in its way."""
        self.client = client
        self.robot = bodies.add_panda(client, solid=True, base=base, meets_arms=meets_arms)
        self.target: Array = HOME.copy()
        self.velocity: Array = np.zeros(7)
        self.step: Array = np.zeros(7)
        """(7,) radians by which the last tick moved the target: how fast it was told to be."""
        self.gripper = 0.0
        self.held: int | None = None
        """Which of the scene's things the cup holds."""
        self.frame: Frame | None = None
        self._body = self._constraint = -1
        for joint, angle in zip(JOINTS, HOME, strict=True):
            pybullet.resetJointState(self.robot, joint, angle, physicsClientId=client)
        pybullet.setJointMotorControlArray(
            self.robot, FINGERS, pybullet.POSITION_CONTROL, [0.0, 0.0], forces=[20.0, 20.0], physicsClientId=client
        )
        self.drive(HOME, np.zeros(7))
        self.step = np.zeros(7)

    def drive(self, target: Array, velocity: Array) -> None:
        """The motors' targets: (7,) radians, and radians per second on the way."""
        self.step = np.asarray(target) - self.target
        self.target, self.velocity = np.array(target), np.array(velocity)
        pybullet.setJointMotorControlArray(
            self.robot,
            JOINTS,
            pybullet.POSITION_CONTROL,
            targetPositions=self.target.tolist(),
            targetVelocities=self.velocity.tolist(),
            forces=FORCE.tolist(),
            positionGains=[0.3] * 7,
            velocityGains=[1.0] * 7,
            physicsClientId=self.client,
        )

    def stay(self) -> None:
        """The targets become the joints as they are, at no speed."""
        self.drive(self.joints(), np.zeros(7))
        self.step = np.zeros(7)

    def joints(self) -> Array:
        """(7,) radians, as they really are."""
        return np.array([s[0] for s in pybullet.getJointStates(self.robot, JOINTS, self.client)])

    def _link(self) -> Any:
        """Of the tip, from the joints as they are now: left alone it lags behind by a step, but not after a restore."""
        return pybullet.getLinkState(self.robot, TIP_LINK, computeForwardKinematics=1, physicsClientId=self.client)

    def tip(self) -> Array:
        """(3,) where the end of the fingers really is."""
        state = self._link()
        turn = np.reshape(pybullet.getMatrixFromQuaternion(state[5]), (3, 3))
        return np.asarray(state[4] + turn @ [0.0, 0.0, TIP_OFFSET])

    def _relative(self, body: int) -> Frame:
        state = self._link()
        inverse = pybullet.invertTransform(state[0], state[1])
        place = pybullet.getBasePositionAndOrientation(body, self.client)
        position, turn = pybullet.multiplyTransforms(*inverse, *place)
        return list(position), list(turn)

    def take(self, index: int, body: int, frame: Frame | None = None) -> None:
        """Hold the scene's thing `index`, as it is now or in a given frame."""
        held = frame or self._relative(body)
        self._constraint = pybullet.createConstraint(
            self.robot,
            TIP_LINK,
            body,
            -1,
            pybullet.JOINT_FIXED,
            [0, 0, 0],
            held[0],
            [0, 0, 0],
            held[1],
            physicsClientId=self.client,
        )
        pybullet.changeConstraint(self._constraint, maxForce=GRIP, physicsClientId=self.client)
        self.held, self.frame, self._body = index, held, body

    def let_go(self) -> None:
        """The cup lets go of what it holds."""
        if self.held is None:
            return
        pybullet.removeConstraint(self._constraint, self.client)
        self.held, self.frame, self._constraint = None, None, -1

    def slipped(self) -> float:
        """Metres by which what is held is off from where it was taken; 0 if nothing is."""
        if self.held is None or self.frame is None:
            return 0.0
        return float(np.linalg.norm(np.subtract(self._relative(self._body)[0], self.frame[0])))

    def keep(self) -> dict[str, Any]:
        """What PyBullet's saved state leaves out, as plain values."""
        return {"target": self.target, "velocity": self.velocity, "step": self.step,
                "gripper": self.gripper, "held": self.held, "frame": self.frame}  # fmt: skip

    def resume(self, kept: dict[str, Any], things: Sequence[int]) -> None:
        """Back to what `keep` told, after PyBullet's own state was restored. It holds nothing before."""
        self.gripper = float(kept["gripper"])
        self.drive(kept["target"], kept["velocity"])
        self.step = np.array(kept.get("step", np.zeros(7)))  # older ones do not tell: it then starts softly
        if kept["held"] is not None and kept["frame"] is not None:
            self.take(kept["held"], things[kept["held"]], (list(kept["frame"][0]), list(kept["frame"][1])))
