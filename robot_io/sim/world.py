"""The physics: one PyBullet client with the arm, its suction cup and the things of a scene.

240 steps per second, four per control tick, no clock. What PyBullet's own saved state leaves out (motor targets, the
cup's constraint) travels in the snapshot, so that going on from one is bit for bit the same as never having stopped.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.arm import ArmError
from robot_io.sim import bodies
from robot_io.sim.bullet_file import lean
from robot_io.sim.panda import HOME as HOME
from robot_io.sim.panda import ORIGIN, Base, Panda
from robot_io.sim.panda import panda_chain as panda_chain
from robot_io.sim.probe import Probe
from robot_io.sim.scene import Layout, NoSuchScene, Recipe, Rules, lay_out, rules_of
from robot_io.sim.snapshot import BadSnapshot, Snapshot

Array = NDArray[Any]

STEP = 1 / 240
SUBSTEPS = 4
RATE = 1 / (STEP * SUBSTEPS)
"""Control ticks per second."""
_SETTLE = 240
MEMORY = Path("/dev/shm")
"""Where PyBullet's files, which nobody keeps, wait for no disk; systems without it use their temporary directory."""


class World:
    """A scene in a physics client of its own, with one arm at the origin or several."""

    def __init__(self, bases: Sequence[Base] = (ORIGIN,)) -> None:
        """Args: bases: where the arms stand."""
        self.client = -1
        self.probe = Probe()
        memory = MEMORY if os.access(MEMORY, os.W_OK) else None
        self._folder = tempfile.TemporaryDirectory(prefix="askback-world-", dir=memory)
        self._bases = tuple(bases)
        self.recipe: Recipe | None = None
        self.layout = Layout("", 0, ())
        self.rules: Rules | None = None
        self.bodies: list[int] = []
        self.arms: list[Panda] = []
        self.table = -1
        self.ticks = 0

    @property
    def robot(self) -> int:
        """The first arm's body."""
        return self.arms[0].robot

    @property
    def target(self) -> Array:
        """(7,) radians, of the first arm's motors."""
        return self.arms[0].target

    @property
    def gripper(self) -> float:
        """The first arm's, as it was told."""
        return self.arms[0].gripper

    @property
    def held(self) -> int | None:
        """Which thing the first arm's cup holds."""
        return self.arms[0].held

    def close(self) -> None:
        """Give the client back; twice is harmless."""
        if self.client >= 0:
            pybullet.disconnect(self.client)
            self.client = -1
        self.probe.close()
        self._folder.cleanup()

    def build(self, recipe: Recipe) -> None:
        """An empty client, the arms at home, the things where the recipe puts them, all at rest."""
        layout = lay_out(recipe)
        if layout.arms != len(self._bases):
            raise NoSuchScene(f"expected a task for {len(self._bases)} arm(s), got {recipe.task!r} for {layout.arms}")
        self.layout, self.recipe = layout, recipe
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
        several = len(self._bases) > 1
        self.arms = [Panda(c, base=base, meets_arms=several) for base in self._bases]
        self.table = bodies.add_table(c, solid=True, wide=several)

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

    def tick(self, joints: Array, gripper: float, *, others: Sequence[float] = ()) -> None:
        """One control tick: four physics steps towards the joints (7,) of each arm, one after the other.

        Args:
            joints: (7,) radians for one arm, (7 · arms,) for several.
            gripper: the last arm's; its cup is on from 0.5.
            others: those of the arms before it.
        """
        for arm, target, wanted in zip(self.arms, np.reshape(joints, (-1, 7)), (*others, gripper), strict=True):
            on, was = wanted >= 0.5, arm.gripper >= 0.5
            arm.gripper = float(wanted)
            if on and not was:
                self._take(arm)
            if not on:
                arm.let_go()
            arm.drive(target, (target - arm.target) / (STEP * SUBSTEPS))
        for _ in range(SUBSTEPS):
            pybullet.stepSimulation(physicsClientId=self.client)
        self.ticks += 1
        if self.rules is not None:
            self.rules.after(self)

    def stay(self) -> None:
        """The targets become the joints as they are, at no speed."""
        for arm in self.arms:
            arm.stay()

    def joints(self) -> Array:
        """(7,) radians of each arm, one after the other, as they really are."""
        return np.concatenate([arm.joints() for arm in self.arms])

    def tip(self) -> Array:
        """(3,) where the end of the first arm's fingers really is."""
        return self.arms[0].tip()

    def _take(self, arm: Panda) -> None:
        self.probe.look_at(self.poses())
        thing = self.probe.within_cup(arm.tip())
        if thing is not None:
            arm.take(thing, self.bodies[thing])

    def slipped(self) -> float:
        """Metres by which what the first arm holds is off from where it was taken; 0 if it holds nothing."""
        return self.arms[0].slipped()

    def let_go(self) -> None:
        """The first arm's cup lets go of what it holds."""
        self.arms[0].let_go()

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
            **({"held_by": [arm.held for arm in self.arms]} if len(self.arms) > 1 else {}),
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
        state = lean(path.read_bytes())
        path.unlink()
        rules = None if self.rules is None else self.rules.state
        kept = [arm.keep() for arm in self.arms]
        return Snapshot(self.recipe, state, self.ticks, self.joints(), self.poses(), kept, rules).pack()

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, of this client or another; BadSnapshot changes nothing of the scene's own."""
        saved = Snapshot.unpack(snapshot)
        if len(saved.arms) != len(self._bases):
            raise BadSnapshot(f"expected a state of {len(self._bases)} arm(s), got one of {len(saved.arms)}")
        if saved.recipe != self.recipe:
            self.build(saved.recipe)
        for arm in self.arms:
            arm.let_go()
        path = Path(self._folder.name) / "state.bullet"
        path.write_bytes(saved.state)
        try:
            pybullet.restoreState(fileName=str(path), physicsClientId=self.client)
        except pybullet.error as error:
            raise BadSnapshot(f"expected a state of {saved.recipe}, got another: {error}") from error
        finally:
            path.unlink()
        self.ticks = saved.ticks
        for arm, kept in zip(self.arms, saved.arms, strict=True):
            arm.resume(kept, self.bodies)
        if self.rules is not None and saved.rules is not None:
            self.rules.state = dict(saved.rules)
