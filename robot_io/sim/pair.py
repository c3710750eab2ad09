"""Two simulated Pandas face to face as one Arm, `sim:panda2`: one stream, one recording, one STOP for both.

To the Arm protocol it is one arm of fifteen joints: seven, then the first arm's gripper as a joint in [0 open, 1
closed], then seven; the protocol's own gripper is the second arm's. So limits, recordings, the time machine and the
hand-over need no second kind of action. A row of tip moves has ten numbers: dx, dy, dz, dyaw, gripper of each arm, in
the frame of the first. It takes no plans: there is no top-down map and no pick-and-place.
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
    Limits,
    NotConnected,
    Observation,
    Rehearsal,
    Report,
    Stopped,
    Unsupported,
)
from robot_io.clearance import between, kept_apart
from robot_io.sim.hold_and_insert import BASES
from robot_io.sim.panda import ACCELERATION, panda_chain
from robot_io.sim.scene import Recipe, tasks
from robot_io.sim.world import RATE, World

if TYPE_CHECKING:
    from robot_io.sim.pair_view import PairView
    from robot_io.sim.twin import SimTwin

Array = NDArray[Any]
ARMS = ("left", "right")
GRIP = 7
"""Which of the joints is the first arm's gripper."""
LEFT, RIGHT = slice(0, 7), slice(8, 15)
WORKSPACE = np.array([[0.15, -0.8, -0.01], [0.95, 0.8, 0.8]])
"""Metres, in the first arm's frame, for either tip."""
CAMERAS = ("side", "front")
_RADII = np.array([0.07, 0.07, 0.055, 0.035, 0.04])


class SimPair:
    """Two Pandas and what stands between them; see `robot_io.arm.Scene`.

    Used by one thread at a time, but for `stop`.
    """

    nearest = 0.02
    """Metres of room that is kept between the arms at least: a step is shortened to that."""
    arms = len(ARMS)

    def __init__(self, name: str = "sim:panda2") -> None:
        self._name = name
        self._world: World | None = None
        self._view: PairView | None = None
        self._chain = panda_chain()
        self._latched = Event()
        one = self._chain.limits
        joints = [f"{arm}/{joint}" for arm in ARMS for joint in self._chain.names]
        joints.insert(GRIP, "left/gripper")
        self._limits = Limits(
            np.concatenate([one.lower, [0.0], one.lower]),
            np.concatenate([one.upper, [1.0], one.upper]),
            np.concatenate([one.speed, [RATE], one.speed]),
            WORKSPACE,
            np.concatenate([ACCELERATION, [2 * RATE**2], ACCELERATION]),  # a gripper is on or off
        )
        self._joints = tuple(joints)

    @property
    def features(self) -> Features:
        """What it has; readable before `connect`."""
        return Features(
            name=self._name,
            joints=self._joints,
            limits=self._limits,
            rate=RATE,
            cameras=CAMERAS,
            capabilities=frozenset({"scene"}),
            simulated=True,
            tasks=tasks(arms=2),
        )

    def connect(self) -> None:
        """Start the physics, with a first scene between the arms."""
        if self._world is not None:
            raise ArmError("expected one connect; this arm is connected already, disconnect it first")
        world = World(BASES)
        world.build(Recipe(0, tasks(arms=2)[0]))
        self._world = world

    def disconnect(self) -> None:
        """End the physics; twice is harmless."""
        for part in (self._world, self._view):
            if part is not None:
                part.close()
        self._world = self._view = None

    @property
    def _live(self) -> World:
        if self._world is None:
            raise NotConnected("expected a connected arm; call connect first")
        return self._world

    def observe(self, *, pictures: bool = False) -> Observation:
        """Joints (15,), the second gripper (1,) and what the scene lets perceive; with pictures `picture` (H, W, 3)."""
        world = self._live
        joints = np.insert(world.joints(), GRIP, world.arms[0].gripper)
        arrays: dict[str, Array] = {"joints": joints, "gripper": np.array([world.arms[1].gripper])}
        arrays |= world.sense()
        if pictures:
            arrays["picture"] = self.side()
        return Observation(world.ticks / RATE, arrays)

    def send(self, action: Action) -> Action:
        """One control tick of 1/60 s towards the action; returns what was sent: within limits, the arms apart."""
        world = self._live
        if action.joints.shape != (15,) or not np.all(np.isfinite([*action.joints, action.gripper])):
            raise BadAction(f"expected 15 finite joints and a gripper, got {action.joints.tolist()}, {action.gripper}")
        self._refuse_if_stopped()
        joints = np.clip(action.joints, self._limits.lower, self._limits.upper)
        told = np.concatenate([world.arms[0].target, joints[[GRIP]], world.arms[1].target])
        joints = kept_apart(joints, told, self.clearance, self.nearest)
        sent = Action(joints, min(max(action.gripper, 0.0), 1.0))
        world.tick(np.delete(sent.joints, GRIP), sent.gripper, others=(float(sent.joints[GRIP]),))
        return sent

    def hold(self) -> None:
        """Stay: the targets become the joints as they are."""
        self._live.stay()

    def stop(self) -> None:
        """Latch. Without a tick no time passes, so both stand still at once."""
        self._latched.set()

    def release(self) -> None:
        """Unlatch; they stay where they were stopped."""
        if self._latched.is_set() and self._world is not None:
            self._world.stay()
        self._latched.clear()

    def tip(self, joints: Array) -> Array:
        """Where the tips would be, (2, 3) metres in the first arm's frame, for joints (15,)."""
        return np.stack([_placed(self._chain.tip(joints[part]), i) for i, part in enumerate((LEFT, RIGHT))])

    def places(self, joints: Array) -> Array:
        """Where the tips would be, (N, 8) for joints (N, 15): x, y, z of each in the first arm's frame, yaw in its own.

        So a tip that points ahead has yaw 0 and not π, where moves would jump.
        """
        parts = [self._chain.places(joints[:, part]) for part in (LEFT, RIGHT)]
        for arm, part in enumerate(parts):
            part[:, :3] = _placed(part[:, :3], arm)
        return np.concatenate(parts, axis=1)

    def clearance(self, joints: Array) -> float:
        """Metres of room that would be left between the arms, for joints (15,)."""
        left, right = (self._capsules(joints[part], i) for i, part in enumerate((LEFT, RIGHT)))
        return between(left, right, _RADII)

    def _capsules(self, joints: Array, arm: int) -> Array:
        """(5, 2, 3): upper arm, forearm, wrist, flange to tip, and the hand across."""
        points, tip = self._chain.skeleton(joints)
        hand = tip[:3, 3] - 0.09 * tip[:3, 2]
        across = 0.09 * tip[:3, 1]
        row = np.array([points[1], points[3], points[5], points[6], tip[:3, 3]])
        segments = np.concatenate([np.stack([row[:-1], row[1:]], axis=1), [[hand - across, hand + across]]])
        return _placed(segments, arm)

    def reach(self, joints: Array, move: Array) -> Array:
        """Joints (15,) after the tips moved from joints (15,), as near as they get.

        Args:
            joints: radians, and the first gripper.
            move: (9,) dx, dy, dz, dyaw, gripper of the first arm, then dx, dy, dz, dyaw of the second.
        """
        out = np.array(joints, dtype=np.float64)
        for part, own in ((LEFT, move[:4]), (RIGHT, move[5:] * [-1.0, -1.0, 1.0, 1.0])):
            if np.any(own):
                out[part] = self._chain.nudge(joints[part], own)
        out[GRIP] = min(max(float(move[4]), 0.0), 1.0)
        return out

    def perform(self, actions: Array) -> Report:
        """Unsupported: two arms take no plans."""
        raise Unsupported(f"expected an arm at a table for a plan, got {self._name}; stream rows to it")

    def path(self, actions: Array) -> JointPath:
        """Unsupported: two arms take no plans."""
        raise Unsupported(f"expected an arm at a table for a plan, got {self._name}; stream rows to it")

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """Unsupported: two arms take no plans."""
        raise Unsupported(f"expected an arm at a table for a plan, got {self._name}; stream rows to it")

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """A fresh scene with both arms at home; returns its truth. Splits as in `robot_io.sim.scene.Recipe`."""
        world = self._live
        self._refuse_if_stopped()
        world.build(Recipe(seed, task, split))
        return self.truth()

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """What `reset` would show."""
        other = SimPair(self._name)
        other.connect()
        try:
            truth = other.reset(seed, task, split)
            return Rehearsal(other.observe(pictures=True), truth, other.snapshot(), Report(reached=True))
        finally:
            other.disconnect()

    def truth(self) -> Mapping[str, Any]:
        """Where everything really is; "held_by" tells which thing each arm holds."""
        return self._live.truth()

    def told(self) -> tuple[Array, Array]:
        """(15,) where they were last told to be, and the step that led there; of the first gripper no speed is kept."""
        left, right = self._live.arms
        targets = np.concatenate([left.target, [left.gripper], right.target])
        return targets, np.concatenate([left.step, [0.0], right.step])

    def snapshot(self) -> bytes:
        """The whole physical state."""
        return self._live.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, bit for bit."""
        world = self._live
        self._refuse_if_stopped()
        world.restore(snapshot)

    def side(self, width: int = 320, height: int = 240, *, camera: str = "side") -> Array:
        """(height, width, 3) uint8 from one of its cameras, with both arms."""
        from robot_io.sim.pair_view import PairView

        if self._view is None:
            self._view = PairView()
        return self._view.draw(self.snapshot(), camera, width, height)

    def twin(self) -> SimTwin:
        """A process of its own that draws from snapshots."""
        from robot_io.sim.twin import SimTwin

        return SimTwin(module="robot_io.sim.pair_view")

    def _refuse_if_stopped(self) -> None:
        if self._latched.is_set():
            raise Stopped("the arm is stopped; release it to go on")


def _placed(points: Array, arm: int) -> Array:
    """Points (…, 3) of an arm's own frame, in the frame of the first."""
    x, y, yaw = BASES[arm]
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(points @ turn + [x, y, 0.0])
