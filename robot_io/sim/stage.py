"""A world, its cameras and its paths: what doing, rehearsing and showing share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import BadAction, JointPath, Observation, Rehearsal, Report, Unsupported
from robot_io.kinematics import Chain
from robot_io.motion import Pace, parking, pick_and_place
from robot_io.pictures import jpeg as jpeg
from robot_io.sim.cameras import EYES, SHAPE, Studio
from robot_io.sim.scene import Layout, Recipe, lay_out
from robot_io.sim.snapshot import Snapshot
from robot_io.sim.world import HOME, RATE, World, panda_chain

Array = NDArray[Any]
CAMERAS = tuple(EYES)
SIDE = SHAPE
_GAP = 0.001
"""Metres between the cup and what it takes, and between what it sets down and what is below."""

layout_of = lru_cache(maxsize=8)(lay_out)


class Stage:
    """Everything about one table but the arm's verbs. Used by one thread at a time."""

    def __init__(self) -> None:
        self.world = World()
        self.chain: Chain = panda_chain()
        self.pace = Pace(rate=RATE)
        self._studio: Studio | None = None
        self._shown: Layout | None = None

    def close(self) -> None:
        """Give everything back; twice is harmless."""
        self.world.close()
        if self._studio is not None:
            self._studio.close()
            self._studio = None

    def _ready(self, layout: Layout) -> Studio:
        if self._studio is None:
            self._studio = Studio()
        if self._shown != layout:
            self._studio.load(layout.things)
            self._shown = layout
        return self._studio

    def observe(self, *, pictures: bool) -> Observation:
        """Joints and gripper of the live world, and the pictures."""
        arrays: dict[str, Array] = {"joints": self.world.joints(), "gripper": np.array([self.world.gripper])}
        arrays |= self.world.sense()
        if pictures:
            arrays |= self._ready(self.world.layout).pictures(self.world.poses())
        return Observation(self.world.ticks / RATE, arrays)

    def observe_snapshot(self, snapshot: bytes) -> Observation:
        """What `observe` with pictures gives in the state of a snapshot; the live world stays as it is."""
        saved = Snapshot.unpack(snapshot)
        arrays: dict[str, Array] = {"joints": saved.joints, "gripper": np.array([saved.gripper])}
        arrays |= self._ready(layout_of(saved.recipe)).pictures(saved.poses)
        return Observation(saved.ticks / RATE, arrays)

    def side(self, width: int, height: int) -> Array:
        """(height, width, 3) uint8: the live world from the side, with the arm."""
        return self._ready(self.world.layout).side(self.world.poses(), self.world.joints(), width, height)

    def frame(self, camera: str, snapshot: bytes) -> bytes:
        """One JPEG of a snapshot from a camera; Unsupported names them."""
        return self.frames([camera], None, snapshot)[0]

    def frames(self, cameras: Sequence[str], size: Sequence[int] | None, snapshot: bytes) -> list[bytes]:
        """One JPEG of a snapshot from each camera, of a width and height in pixels; None is `SIDE`."""
        width, height = size or SIDE
        return [jpeg(picture) for picture in self.glimpse(cameras, width, height, snapshot)]

    def glimpse(self, cameras: Sequence[str], width: int, height: int, snapshot: bytes) -> Array:
        """(V, height, width, 3) uint8 of a snapshot, one from each camera; Unsupported names them."""
        if wrong := [camera for camera in cameras if camera not in CAMERAS]:
            raise Unsupported(f"expected cameras among {', '.join(CAMERAS)}, got {', '.join(wrong)}")
        saved = Snapshot.unpack(snapshot)
        studio = self._ready(layout_of(saved.recipe))
        return np.stack([studio.side(saved.poses, saved.joints, width, height, camera=camera) for camera in cameras])

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place from where the arm is told to be."""
        return pick_and_place(self.chain, self._guarded(actions), self.world.target, HOME, self.pace)

    def parking(self) -> JointPath:
        """The joint path home, up first, letting go of nothing."""
        return parking(self.chain, self.world.target, self.world.gripper, HOME, self.pace)

    def _guarded(self, actions: Array) -> Array:
        """Actions (2, 4) whose z is where the tip meets something on its way down, whatever z they came with.

        At the place the thing that will be held is what meets something first.
        """
        out = np.array(actions, dtype=np.float64)
        if out.shape != (2, 4) or not np.all(np.isfinite(out[:, [0, 1, 3]])):
            raise BadAction(f"expected (2, 4) finite numbers, pick and place as x, y, z, yaw, got {out.tolist()}")
        probe = self.world.probe
        probe.look_at(self.world.poses())
        thing, height = probe.under_cup(*out[0, :2])
        out[0, 2] = height + _GAP
        if thing is None or self.world.layout.things[thing].fixed:
            out[1, 2] = probe.under_cup(*out[1, :2])[1] + _GAP
            return out
        turn = out[1, 3] - out[0, 3]
        c, s = np.cos(turn), np.sin(turn)
        moved = (probe.footprint(thing) - out[0, :2]) @ np.array([[c, s], [-s, c]]) + out[1, :2]
        under = max(height for _, height in probe.surface(moved, skip=thing))
        out[1, 2] = under + probe.thickness(thing, out[0, 2]) + _GAP
        return out

    def rehearse(self, actions: Array, snapshot: bytes) -> Rehearsal:
        """Carry out a pick and place here, from a snapshot."""
        self.world.restore(snapshot)
        path = self.path(actions)
        for joints, gripper in zip(path.joints, path.gripper, strict=True):
            self.world.tick(joints, float(gripper))
        return self._now(Report(reached=True, ticks=len(path)))

    def preview(self, recipe: Recipe) -> Rehearsal:
        """Build a scene here."""
        self.world.build(recipe)
        return self._now(Report(reached=True))

    def _now(self, report: Report) -> Rehearsal:
        return Rehearsal(self.observe(pictures=True), self.world.truth(), self.world.snapshot(), report)
