"""An arm in memory: a gantry over a table, without physics. Fast, exact, for tests of everything above an arm."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from robot_io import wire
from robot_io.arm import (
    Action,
    ArmError,
    ArmNotFound,
    Array,
    BadAction,
    Features,
    JointPath,
    Limits,
    NotConnected,
    Observation,
    Rehearsal,
    Report,
    Stopped,
    Unreachable,
)
from robot_io.fake_scene import TASKS, World, make_world

HOME = np.array([0.5, 0.0, 0.3, 0.0])
"""Where it waits: x, y, z in metres, yaw in radians."""
CRUISE = 0.2
"""Metres above the table at which it travels."""
LIMITS = Limits(
    lower=np.array([0.2, -0.6, 0.0, -2 * np.pi]),
    upper=np.array([0.8, 0.6, 0.4, 2 * np.pi]),
    speed=np.array([2.0, 2.0, 2.0, 10.0]),
    workspace=np.array([[0.2, -0.6, 0.0], [0.8, 0.6, 0.4]]),
)


def make(rest: str) -> FakeArm:
    """`fake:table` claims to be simulated; `fake:real` claims not to be, so that the rules for real arms hold."""
    if rest not in ("", "table", "real"):
        raise ArmNotFound(f"expected fake:table or fake:real, got fake:{rest}")
    return FakeArm(simulated=rest != "real")


class FakeArm:
    """A Scene whose joints are x, y, z (metres) and yaw; its motors obey at once."""

    def __init__(self, *, simulated: bool = True) -> None:
        self._features = Features(
            name="Fake",
            joints=("x", "y", "z", "yaw"),
            limits=LIMITS,
            cameras=("side",),
            capabilities=frozenset({"table", "scene"}),
            simulated=simulated,
            tasks=TASKS,
        )
        self._connected = False
        self._stopped = False
        self._joints = HOME.copy()
        self._gripper = 0.0
        self._ticks = 0
        self._world = World()

    @property
    def features(self) -> Features:
        """What it has."""
        return self._features

    def connect(self) -> None:
        """Take it."""
        if self._connected:
            raise ArmError("expected one connect; this arm is connected already, disconnect it first")
        self._connected = True

    def disconnect(self) -> None:
        """Let go."""
        self._connected = False

    def observe(self, *, pictures: bool = False) -> Observation:
        """Joints and gripper; with pictures the top-down map, too."""
        self._need_connection()
        arrays: dict[str, Array] = {"joints": self._joints.copy(), "gripper": np.array([self._gripper])}
        if pictures:
            arrays["colour"], arrays["height"] = self._world.heights(self._features.table)
        return Observation(self._ticks / self._features.rate, arrays)

    def send(self, action: Action) -> Action:
        """Be there."""
        self._need_connection()
        self._refuse_if_stopped()
        if action.joints.shape != self._joints.shape or not np.all(np.isfinite([*action.joints, action.gripper])):
            raise BadAction(f"expected 4 finite joints and a gripper, got {action.joints.tolist()}, {action.gripper}")
        sent = Action(np.clip(action.joints, LIMITS.lower, LIMITS.upper), min(max(action.gripper, 0.0), 1.0))
        self._joints = sent.joints.copy()
        self._ticks += 1
        self._grip(sent.gripper)
        return sent

    def hold(self) -> None:
        """Stay."""
        self._need_connection()

    def stop(self) -> None:
        """Latch."""
        self._stopped = True

    def release(self) -> None:
        """Unlatch."""
        self._stopped = False

    def tip(self, joints: Array) -> Array:
        """(J,) → (3,) metres."""
        return np.array(joints[:3])

    def places(self, joints: Array) -> Array:
        """(N, J) → (N, 4): they are the same."""
        return np.array(joints)

    def reach(self, joints: Array, move: Array) -> Array:
        """Its joints are its tip's place and yaw."""
        return np.clip(joints + move, LIMITS.lower, LIMITS.upper)

    def path(self, actions: Array) -> JointPath:
        """Over, down, grip, up; over, down, let go, up. Unreachable beyond the limits."""
        actions = np.asarray(actions, dtype=np.float64)
        if actions.shape != (2, 4) or not np.all(np.isfinite(actions)):
            raise BadAction(f"expected finite actions of shape (2, 4), got {actions.tolist()}")
        if np.any(actions < LIMITS.lower) or np.any(actions > LIMITS.upper):
            raise Unreachable(f"expected x, y, z, yaw within {LIMITS.lower} and {LIMITS.upper}, got {actions.tolist()}")
        above = actions.copy()
        above[:, 2] = np.maximum(CRUISE, actions[:, 2])
        stops = [(self._joints, self._gripper), (above[0], 0.0), (actions[0], 0.0), (actions[0], 1.0), (above[0], 1.0)]
        stops += [(above[1], 1.0), (actions[1], 1.0), (actions[1], 0.0), (above[1], 0.0), (HOME, 0.0)]
        legs = [self._leg(a, b, grip) for (a, _), (b, grip) in pairwise(stops)]
        return JointPath(np.concatenate([j for j, _ in legs]), np.concatenate([g for _, g in legs]))

    def parking(self) -> JointPath:
        """Straight home, letting go of nothing."""
        joints, gripper = self._leg(self._joints, HOME, self._gripper)
        return JointPath(joints, gripper)

    def perform(self, actions: Array) -> Report:
        """Follow `path`."""
        self._need_connection()
        path = self.path(actions)
        for tick in range(len(path)):
            self.send(path[tick])
        return Report(reached=True, ticks=len(path))

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """A fresh scene, the gantry at home."""
        self._need_connection()
        self._refuse_if_stopped()
        self._world = make_world(seed, task, split, self._features.table)
        self._joints, self._gripper, self._ticks = HOME.copy(), 0.0, 0
        return self.truth()

    def snapshot(self) -> bytes:
        """Everything, as msgpack."""
        self._need_connection()
        return wire.pack([self._joints, self._gripper, self._ticks, self._world.truth()])

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot."""
        self._need_connection()
        self._refuse_if_stopped()
        joints, gripper, ticks, truth = wire.unpack(snapshot)
        self._joints, self._gripper, self._ticks, self._world = joints.copy(), gripper, ticks, World.of(truth)

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """In a copy."""
        return self.twin().rehearse(actions, self.snapshot() if snapshot is None else snapshot)

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """In a copy."""
        return self.twin().preview(seed, task, split)

    def truth(self) -> Mapping[str, Any]:
        """Where everything is."""
        self._need_connection()
        return self._world.truth()

    def twin(self) -> FakeTwin:
        """A copy; without physics it needs no process of its own."""
        return FakeTwin()

    def _leg(self, start: Array, end: Array, grip: float) -> tuple[Array, Array]:
        """Ticks of one straight leg: joints (T, 4) and gripper (T,), within the speed limits."""
        step = LIMITS.speed / self._features.rate
        ticks = max(1, int(np.ceil(np.max(np.abs(end - start) / step) - 1e-9)))
        share = np.arange(1, ticks + 1)[:, None] / ticks
        return start + share * (end - start), np.full(ticks, grip)

    def _grip(self, gripper: float) -> None:
        closed, was = gripper >= 0.5, self._gripper >= 0.5
        self._gripper = gripper
        if closed and not was:
            self._world = self._world.taken(self._joints[:3])
        elif was and not closed and self._world.held is not None:
            self._world = self._world.dropped(self._joints[:3], float(self._joints[3]))

    def _need_connection(self) -> None:
        if not self._connected:
            raise NotConnected("expected a connected arm; call connect first")

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise Stopped("the arm is stopped; release it to go on")


class FakeTwin:
    """A second FakeArm that works from snapshots."""

    def __init__(self) -> None:
        self._arm = FakeArm()
        self._arm.connect()

    def observe(self, snapshot: bytes) -> Observation:
        """The map of a snapshot."""
        self._arm.restore(snapshot)
        return self._arm.observe(pictures=True)

    def frame(self, camera: str, snapshot: bytes) -> bytes:
        """The map again, as a JPEG."""
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(self.observe(snapshot)["colour"]).save(file, "JPEG", quality=80)
        return file.getvalue()

    def path(self, actions: Array, snapshot: bytes) -> JointPath:
        """The path from a snapshot."""
        self._arm.restore(snapshot)
        return self._arm.path(actions)

    def rehearse(self, actions: Array, snapshot: bytes) -> Rehearsal:
        """Perform it from a snapshot."""
        self._arm.restore(snapshot)
        report = self._arm.perform(actions)
        return self._seen(report)

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """Reset it."""
        self._arm.reset(seed, task, split)
        return self._seen(Report(reached=True))

    def close(self) -> None:
        """Nothing to end."""

    def _seen(self, report: Report) -> Rehearsal:
        arm = self._arm
        return Rehearsal(arm.observe(pictures=True), arm.truth(), arm.snapshot(), replace(report))
