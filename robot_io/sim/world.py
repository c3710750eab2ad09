"""The physics: one PyBullet client with the arm, its suction cup and the things of a scene.

240 steps per second, four per control tick, no clock. What PyBullet's own saved state leaves out (motor targets, the
cup's constraint) travels in the snapshot, so that going on from one is bit for bit the same as never having stopped.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.arm import ArmError
from robot_io.kinematics import Chain
from robot_io.motion import read_urdf
from robot_io.sim import bodies
from robot_io.sim.bodies import TIP_LINK, TIP_OFFSET
from robot_io.sim.peg_and_button import Rules
from robot_io.sim.probe import Probe
from robot_io.sim.scene import Layout, Recipe, lay_out, rules_of
from robot_io.sim.snapshot import BadSnapshot, Snapshot

Array = NDArray[Any]

STEP = 1 / 240
SUBSTEPS = 4
HOME = np.array([0.0, -1.17, 0.0, -2.616, 0.0, 1.446, np.pi / 4])
"""Folded back, out of the top-down cameras' view of the map."""
FORCE = np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0]) * 4
JOINTS = tuple(range(7))
FINGERS = (9, 10)
WORKSPACE = np.array([[0.0, -0.8, -0.01], [0.85, 0.8, 0.8]])
RATE = 1 / (STEP * SUBSTEPS)
"""Control ticks per second."""
_SETTLE = 240


def panda_chain() -> Chain:
    """The arm's joints, with the tip at the end of its closed fingers."""
    return read_urdf(bodies.PANDA, "panda_grasptarget", WORKSPACE, TIP_OFFSET)


class World:
    """A scene in a physics client of its own."""

    def __init__(self) -> None:
        self.client = -1
        self.probe = Probe()
        self._folder = tempfile.TemporaryDirectory(prefix="askback-world-")
        self.recipe: Recipe | None = None
        self.layout = Layout("", 0, ())
        self.rules: Rules | None = None
        self.bodies: list[int] = []
        self.robot = -1
        self.table = -1
        self.ticks = 0
        self.target: Array = HOME.copy()
        self.gripper = 0.0
        self.held: int | None = None
        self._frame: tuple[list[float], list[float]] | None = None
        self._constraint = -1
        self._velocity: Array = np.zeros(7)

    def close(self) -> None:
        """Give the client back; twice is harmless."""
        if self.client >= 0:
            pybullet.disconnect(self.client)
            self.client = -1
        self.probe.close()
        self._folder.cleanup()

    def build(self, recipe: Recipe) -> None:
        """An empty client, the arm at home, the things where the recipe puts them, all at rest."""
        self.layout, self.recipe = lay_out(recipe), recipe
        self._fresh()
        self.probe.load(self.layout.things)
        self.bodies = bodies.add_solids(self.layout.things, self.client)
        self._settle()
        self.ticks = 0
        self.rules = rules_of(recipe, self.layout)

    def _fresh(self) -> None:
        # A new client each time: bodies keep the same numbers then, and a saved state is looked up by these.
        if self.client >= 0:
            pybullet.disconnect(self.client)
        self.client = c = bodies.connect()
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=STEP,
            numSubSteps=0,
            numSolverIterations=15,
            deterministicOverlappingPairs=1,
            enableFileCaching=0,
            physicsClientId=c,
        )
        pybullet.setGravity(0, 0, -9.81, physicsClientId=c)
        self.robot = bodies.add_panda(c, solid=True)
        self.table = bodies.add_table(c, solid=True)
        for joint, angle in zip(JOINTS, HOME, strict=True):
            pybullet.resetJointState(self.robot, joint, angle, physicsClientId=c)
        pybullet.setJointMotorControlArray(
            self.robot, FINGERS, pybullet.POSITION_CONTROL, [0.0, 0.0], forces=[20.0, 20.0], physicsClientId=c
        )
        self.target, self.gripper = HOME.copy(), 0.0
        self.held, self._frame, self._constraint = None, None, -1
        self._drive(HOME, np.zeros(7))

    def _settle(self) -> None:
        for _ in range(_SETTLE):
            pybullet.stepSimulation(physicsClientId=self.client)
            if self.still():
                return

    def still(self) -> bool:
        """Whether every thing is at rest (5 mm/s, 0.05 rad/s)."""
        for body, thing in zip(self.bodies, self.layout.things, strict=True):
            if not thing.fixed:
                linear, angular = pybullet.getBaseVelocity(body, self.client)
                if max(map(abs, linear)) > 5e-3 or max(map(abs, angular)) > 5e-2:
                    return False
        return True

    def _drive(self, target: Array, velocity: Array) -> None:
        self._velocity = velocity
        pybullet.setJointMotorControlArray(
            self.robot,
            JOINTS,
            pybullet.POSITION_CONTROL,
            targetPositions=target.tolist(),
            targetVelocities=velocity.tolist(),
            forces=FORCE.tolist(),
            positionGains=[0.3] * 7,
            velocityGains=[1.0] * 7,
            physicsClientId=self.client,
        )

    def tick(self, joints: Array, gripper: float) -> None:
        """One control tick: four physics steps towards joints (7,), the cup on from 0.5."""
        velocity = (joints - self.target) / (STEP * SUBSTEPS)
        on, was = gripper >= 0.5, self.gripper >= 0.5
        self.target, self.gripper = np.array(joints), float(gripper)
        if on and not was:
            self._take()
        if not on:
            self.let_go()
        self._drive(self.target, velocity)
        for _ in range(SUBSTEPS):
            pybullet.stepSimulation(physicsClientId=self.client)
        self.ticks += 1
        if self.rules is not None:
            self.rules.after(self)

    def stay(self) -> None:
        """The targets become the joints as they are, at no speed."""
        self.target = self.joints()
        self._drive(self.target, np.zeros(7))

    def joints(self) -> Array:
        """(7,) radians, as they really are."""
        return np.array([s[0] for s in pybullet.getJointStates(self.robot, JOINTS, self.client)])

    def tip(self) -> Array:
        """(3,) where the end of the fingers really is."""
        state = pybullet.getLinkState(self.robot, TIP_LINK, physicsClientId=self.client)
        turn = np.reshape(pybullet.getMatrixFromQuaternion(state[5]), (3, 3))
        return np.asarray(state[4] + turn @ [0.0, 0.0, TIP_OFFSET])

    def _take(self) -> None:
        self.probe.look_at(self.poses())
        thing = self.probe.within_cup(self.tip())
        if thing is not None:
            self._attach(thing, self._relative(thing))

    def _relative(self, index: int) -> tuple[list[float], list[float]]:
        state = pybullet.getLinkState(self.robot, TIP_LINK, physicsClientId=self.client)
        inverse = pybullet.invertTransform(state[0], state[1])
        place = pybullet.getBasePositionAndOrientation(self.bodies[index], self.client)
        position, turn = pybullet.multiplyTransforms(*inverse, *place)
        return list(position), list(turn)

    def _attach(self, index: int, frame: tuple[list[float], list[float]]) -> None:
        body = self.bodies[index]
        self._constraint = pybullet.createConstraint(
            self.robot,
            TIP_LINK,
            body,
            -1,
            pybullet.JOINT_FIXED,
            [0, 0, 0],
            frame[0],
            [0, 0, 0],
            frame[1],
            physicsClientId=self.client,
        )
        pybullet.changeConstraint(self._constraint, maxForce=500, physicsClientId=self.client)
        self.held, self._frame = index, frame

    def slipped(self) -> float:
        """Metres by which what is held is off from where it was taken; 0 if nothing is."""
        if self.held is None or self._frame is None:
            return 0.0
        return float(np.linalg.norm(np.subtract(self._relative(self.held)[0], self._frame[0])))

    def let_go(self) -> None:
        """The cup lets go of what it holds."""
        if self.held is None:
            return
        pybullet.removeConstraint(self._constraint, self.client)
        self.held, self._frame, self._constraint = None, None, -1

    def truth(self) -> dict[str, Any]:
        """Where everything really is; see `robot_io.arm.Scene`."""
        if self.recipe is None:
            raise ArmError("expected a scene, got none yet; call reset first")
        return {
            "task": self.recipe.task,
            "goal": self.layout.goal,
            "seed": self.recipe.seed,
            "split": self.recipe.split,
            "max_steps": self.layout.max_steps,
            "objects": [self._object(i) for i in range(len(self.bodies))],
            "held": self.held,
            **(self.rules.truth() if self.rules is not None else {}),
        }

    def sense(self) -> dict[str, Array]:
        """What the scene's rules let the arm perceive, by name; nothing in most scenes."""
        return self.rules.sense(self) if self.rules is not None else {}

    def _object(self, index: int) -> dict[str, Any]:
        thing = self.layout.things[index]
        position, turn = pybullet.getBasePositionAndOrientation(self.bodies[index], self.client)
        matrix = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3))
        grip = position + matrix @ [*thing.grip, thing.size[2] / 2]
        return {
            "id": index,
            "kind": thing.kind,
            "colour": thing.colour,
            "shape": thing.shape,
            "position": list(position),
            "yaw": bodies.yaw_of(turn),
            "size": list(thing.size),
            "grip": grip.tolist(),
        }

    def poses(self) -> Array:
        """(N, 7) position and quaternion of every thing, for whoever draws them."""
        found = [pybullet.getBasePositionAndOrientation(b, self.client) for b in self.bodies]
        return np.array([[*p, *q] for p, q in found]).reshape(-1, 7)

    def snapshot(self) -> bytes:
        """The whole state as bytes."""
        if self.recipe is None:
            raise ArmError("expected a scene to take a snapshot of, got none; call reset first")
        path = Path(self._folder.name) / "state.bullet"
        pybullet.saveBullet(str(path), self.client)
        state = path.read_bytes()
        path.unlink()
        return Snapshot(
            self.recipe,
            state,
            self.ticks,
            self.joints(),
            self.poses(),
            self.target,
            self._velocity,
            self.gripper,
            self.held,
            self._frame,
            None if self.rules is None else self.rules.state,
        ).pack()

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, of this client or another; BadSnapshot changes nothing of the scene's own."""
        saved = Snapshot.unpack(snapshot)
        if saved.recipe != self.recipe:
            self.build(saved.recipe)
        self.let_go()
        path = Path(self._folder.name) / "state.bullet"
        path.write_bytes(saved.state)
        try:
            pybullet.restoreState(fileName=str(path), physicsClientId=self.client)
        except pybullet.error as error:
            raise BadSnapshot(f"expected a state of {saved.recipe}, got another: {error}") from error
        finally:
            path.unlink()
        self.ticks, self.gripper = saved.ticks, saved.gripper
        self.target = np.array(saved.target)
        self._drive(self.target, np.array(saved.velocity))
        if self.rules is not None and saved.rules is not None:
            self.rules.state = dict(saved.rules)
        if saved.held is not None and saved.frame is not None:
            self._attach(saved.held, (list(saved.frame[0]), list(saved.frame[1])))
