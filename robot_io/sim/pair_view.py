"""What two simulated arms look like, from snapshots; `python -m robot_io.sim.pair_view` is a process that draws."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.arm import Observation, Unsupported
from robot_io.sim import bodies
from robot_io.sim.cameras import Camera
from robot_io.sim.hold_and_insert import BASES
from robot_io.sim.scene import Layout
from robot_io.sim.snapshot import Snapshot

Array = NDArray[Any]
EYES = {
    "side": ((0.55, -1.25, 0.42), (0.55, 0.0, 0.24)),
    "front": ((0.56, -0.7, 1.1), (0.55, 0.05, 0.1)),
}
"""Where people look from, and where to, in metres: along the table, and down on it."""
SHAPE = (320, 240)
"""Width and height, pixels."""


class PairView:
    """A client that only draws."""

    def __init__(self) -> None:
        self._client = bodies.connect()
        self._shown: Layout | None = None
        self._things: list[int] = []
        self._arms: list[int] = []

    def close(self) -> None:
        """Give the client back; twice is harmless."""
        if self._client >= 0:
            pybullet.disconnect(self._client)
        self._client = -1

    def _load(self, layout: Layout) -> None:
        pybullet.resetSimulation(physicsClientId=self._client)
        bodies.add_table(self._client, solid=False, wide=True)
        self._things = [bodies.add_seen(thing, self._client) for thing in layout.things]
        self._arms = [bodies.add_panda(self._client, solid=False, base=base) for base in BASES]
        self._shown = layout

    def draw(self, snapshot: bytes, camera: str, width: int = SHAPE[0], height: int = SHAPE[1]) -> Array:
        """(height, width, 3) uint8 of a snapshot; Unsupported names the cameras."""
        if camera not in EYES:
            raise Unsupported(f"expected a camera among {', '.join(EYES)}, got {camera!r}")
        saved = Snapshot.unpack(snapshot)
        layout = _layout_of(saved)
        if layout != self._shown:
            self._load(layout)
        for body, pose in zip(self._things, saved.poses, strict=True):
            pybullet.resetBasePositionAndOrientation(body, pose[:3], pose[3:], physicsClientId=self._client)
        for arm, joints in zip(self._arms, saved.joints.reshape(-1, 7), strict=True):
            for joint, angle in enumerate(joints):
                pybullet.resetJointState(arm, joint, angle, physicsClientId=self._client)
        return _eye(camera, width, height).shoot(self._client)[0]


def _layout_of(saved: Snapshot) -> Layout:
    from robot_io.sim.stage import layout_of

    return layout_of(saved.recipe)


def _eye(name: str, width: int, height: int) -> Camera:
    eye, target = EYES[name]
    half = 0.5
    frustum = (-half, half, -half * height / width, half * height / width)
    return Camera(eye, target, (0, 0, 1), width, height, frustum, 0.2, 4.0)


def _verbs() -> Mapping[str, Callable[[dict[str, Any]], Any]]:
    """What the process can do."""
    from robot_io.sim.pair import SimPair
    from robot_io.sim.stage import jpeg

    view, pair = PairView(), SimPair()

    def observe(asked: dict[str, Any]) -> Observation:
        saved = Snapshot.unpack(asked["snapshot"])
        joints = np.insert(saved.joints, 7, saved.gripper)
        arrays = {"joints": joints, "gripper": np.array([saved.arms[-1]["gripper"]])}
        return Observation(saved.ticks / 60.0, arrays | {"picture": view.draw(asked["snapshot"], "side")})

    def glimpse(cameras: Sequence[str], size: tuple[int, int], snapshot: bytes) -> Array:
        return np.stack([view.draw(snapshot, camera, *size) for camera in cameras])

    return {
        "observe": observe,
        "frame": lambda asked: jpeg(view.draw(asked["snapshot"], asked["camera"])),
        "frames": lambda a: [jpeg(one) for one in glimpse(a["cameras"], a["size"] or SHAPE, a["snapshot"])],
        "glimpse": lambda a: glimpse(a["cameras"], (a["width"], a["height"]), a["snapshot"]),
        "path": lambda asked: pair.path(asked["actions"]),
        "rehearse": lambda asked: pair.rehearse(asked["actions"]),
        "preview": lambda asked: pair.preview(asked["seed"], asked["task"], asked["split"]),
    }


def main() -> int:
    """Draw until stdin ends."""
    from robot_io.sim.twin import serve

    return serve(_verbs)


if __name__ == "__main__":
    sys.exit(main())
