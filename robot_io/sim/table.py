"""The simulated table: a Panda that picks and places, as an Arm, a Table and a Scene, all within this process.

Time passes only while it moves (`send`, and `perform`, which sends), never by a clock: standing still costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import (
    Action,
    ArmError,
    BadAction,
    Features,
    JointPath,
    NotConnected,
    Observation,
    Rehearsal,
    Report,
    Stopped,
    TableView,
)
from robot_io.sim.cameras import views
from robot_io.sim.scene import Recipe, tasks
from robot_io.sim.stage import CAMERAS, SIDE, Stage
from robot_io.sim.world import RATE, panda_chain

if TYPE_CHECKING:
    from robot_io.sim.twin import SimTwin

Array = NDArray[Any]


class SimTable:
    """A simulated Panda at a table; see `robot_io.arm.Scene`.

    Used by one thread at a time, but for `stop`. Pictures never show the arm: when pictures are wanted it is at home,
    out of the cameras' view of the map, and the client that draws them holds none.
    """

    def __init__(self, name: str = "sim:panda") -> None:
        self._name = name
        self._stage: Stage | None = None
        self._second: Stage | None = None
        self._chain = panda_chain()
        self._latched = Event()

    @property
    def features(self) -> Features:
        """What it has; readable before `connect`."""
        return Features(
            name=self._name,
            joints=self._chain.names,
            limits=self._chain.limits,
            rate=RATE,
            cameras=CAMERAS,
            views=views(),
            capabilities=frozenset({"table", "scene"}),
            table=TableView(),
            simulated=True,
            tasks=tasks(),
        )

    def connect(self) -> None:
        """Start the physics, with a first scene on the table."""
        if self._stage is not None:
            raise ArmError("expected one connect; this arm is connected already, disconnect it first")
        stage = Stage()
        stage.world.build(Recipe(0, tasks()[0]))
        self._stage = stage

    def disconnect(self) -> None:
        """End the physics; twice is harmless."""
        for stage in (self._stage, self._second):
            if stage is not None:
                stage.close()
        self._stage = self._second = None

    def observe(self, *, pictures: bool = False) -> Observation:
        """Joints (7,) and gripper (1,); with pictures colour (H, W, 3), height (H, W) and picture (4H, 4W, 3)."""
        return self._live.observe(pictures=pictures)

    def send(self, action: Action) -> Action:
        """One control tick of 1/60 s towards the action; returns what was sent, within the joints' limits."""
        world = self._live.world
        if action.joints.shape != (7,) or not np.all(np.isfinite([*action.joints, action.gripper])):
            raise BadAction(f"expected 7 finite joints and a gripper, got {action.joints.tolist()}, {action.gripper}")
        self._refuse_if_stopped()
        limits = self._chain.limits
        sent = Action(np.clip(action.joints, limits.lower, limits.upper), min(max(action.gripper, 0.0), 1.0))
        world.tick(sent.joints, sent.gripper)
        return sent

    def hold(self) -> None:
        """Stay: the targets become the joints as they are."""
        self._live.world.stay()

    def stop(self) -> None:
        """Latch. Without a tick no time passes, so it stands still at once."""
        self._latched.set()

    def release(self) -> None:
        """Unlatch; it stays where it was stopped."""
        if self._latched.is_set() and self._stage is not None:
            self._stage.world.stay()
        self._latched.clear()

    def tip(self, joints: Array) -> Array:
        """Where the tip would be, (3,) metres, for joints (7,)."""
        return self._chain.tip(joints)

    def skeleton(self, joints: Array) -> Array:
        """(J,) → (J + 2, 3) metres: the foot, the axes, the tip."""
        axes, pose = self._chain.skeleton(joints)
        return np.vstack([np.zeros(3), axes, pose[:3, 3]])

    def places(self, joints: Array) -> Array:
        """Where the tip would be, (N, 4) x, y, z, yaw, for joints (N, 7)."""
        return self._chain.places(joints)

    def reach(self, joints: Array, move: Array) -> Array:
        """Joints (7,) after the tip moved by dx, dy, dz, dyaw (4,) from joints (7,); as near as it gets."""
        return self._chain.nudge(joints, move)

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place from here; Unreachable moves nothing.

        z may be missing (NaN) and is a hint at most: every descent ends where it meets something.
        """
        return self._live.path(actions)

    def parking(self) -> JointPath:
        """The joint path home."""
        return self._live.parking()

    def perform(self, actions: Array) -> Report:
        """Carry out a pick and place, as fast as it computes."""
        self._refuse_if_stopped()
        path = self.path(actions)
        for tick in range(len(path)):
            self.send(path[tick])
        return Report(reached=True, ticks=len(path))

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """A fresh scene with the arm at home; returns its truth. Splits as in `robot_io.sim.scene.Recipe`."""
        world = self._live.world
        self._refuse_if_stopped()
        world.build(Recipe(seed, task, split))
        return self.truth()

    def truth(self) -> Mapping[str, Any]:
        """Where everything really is; objects also tell "grip", the point (3,) where they are best held."""
        return self._live.world.truth()

    def told(self) -> tuple[Array, Array]:
        """(7,) where it was last told to be, and (7,) the step that led there; both are part of a snapshot."""
        arm = self._live.world.arms[0]
        return arm.target.copy(), arm.step.copy()

    def snapshot(self) -> bytes:
        """The whole physical state."""
        return self._live.world.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, bit for bit."""
        world = self._live.world
        self._refuse_if_stopped()
        world.restore(snapshot)

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """Roll a pick and place forward in a second world, from a snapshot or from now."""
        start = self.snapshot() if snapshot is None else snapshot
        return self._other().rehearse(actions, start)

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """What `reset` would show."""
        return self._other().preview(Recipe(seed, task, split))

    def side(self, width: int = SIDE[0], height: int = SIDE[1]) -> Array:
        """(height, width, 3) uint8 from the side, with the arm."""
        return self._live.side(width, height)

    def twin(self) -> SimTwin:
        """A second table in a process of its own, which rehearses and draws from snapshots."""
        from robot_io.sim.twin import SimTwin

        return SimTwin()

    @property
    def _live(self) -> Stage:
        if self._stage is None:
            raise NotConnected("expected a connected arm; call connect first")
        return self._stage

    def _other(self) -> Stage:
        if self._second is None:
            self._second = Stage()
        return self._second

    def _refuse_if_stopped(self) -> None:
        if self._latched.is_set():
            raise Stopped("the arm is stopped; release it to go on")
