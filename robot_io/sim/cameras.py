"""What is seen: a top-down colour and height map fused from three cameras, a larger picture, and a view from the side.

The pictures have clients of their own with bodies that can only be seen, moved to where the physics says. The top-down
client holds no arm: whenever pictures are taken the arm is at home, folded back out of these cameras' view of the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.arm import CameraView, TableView
from robot_io.heights import fuse as fuse
from robot_io.sim import bodies
from robot_io.sim.scene import Thing

Array = NDArray[Any]

LIGHT = (0.4, -0.3, 1.0)
EYES = {
    "side": ((1.35, 0.75, 0.85), (0.33, -0.02, 0.26)),
    "front": ((1.2, -1.0, 0.55), (0.38, 0.0, 0.2)),
    "close": ((0.26, 0.3, 0.24), (0.0, 0.0, -0.02)),
}
"""Where people look from, and where to, in metres; the first two, a right angle apart, show depth."""
FOLLOWS = ("close",)
"""Cameras that go with the tip: their metres are measured from it."""
SHAPE = (320, 240)
"""Width and height of what people see, pixels."""
_FLAGS = pybullet.ER_NO_SEGMENTATION_MASK


@dataclass(frozen=True)
class Camera:
    """A camera that looks from a point at a point."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float]
    width: int
    height: int
    frustum: tuple[float, float, float, float]
    """left, right, bottom, top: metres across if `parallel`, else per metre of depth."""
    near: float = 0.3
    far: float = 2.5
    parallel: bool = False

    def matrices(self) -> tuple[list[float], list[float]]:
        """(view, projection) as PyBullet takes them, column by column."""
        view = list(pybullet.computeViewMatrix(self.eye, self.target, self.up))
        left, right, bottom, top = self.frustum
        if self.parallel:
            n, f = self.near, self.far
            rows = np.diag([2 / (right - left), 2 / (top - bottom), -2 / (f - n), 1.0])
            rows[:3, 3] = -(right + left) / (right - left), -(top + bottom) / (top - bottom), -(f + n) / (f - n)
            return view, rows.T.ravel().tolist()
        sides = [v * self.near for v in (left, right, bottom, top)]
        return view, list(pybullet.computeProjectionMatrix(*sides, self.near, self.far))

    def shoot(self, client: int, *, shadow: bool = False) -> tuple[Array, Array]:
        """Colour (h, w, 3) uint8 and depth buffer (h, w) float32 in [0, 1]."""
        view, projection = self.matrices()
        _, _, colour, depth, _ = pybullet.getCameraImage(
            self.width,
            self.height,
            view,
            projection,
            lightDirection=LIGHT,
            shadow=int(shadow),
            renderer=pybullet.ER_TINY_RENDERER,
            flags=_FLAGS,
            physicsClientId=client,
        )
        shape = (self.height, self.width)
        return np.reshape(colour, (*shape, 4))[..., :3].astype(np.uint8), np.reshape(depth, shape)

    def metres(self, depth: Array) -> Array:
        """(h, w) metres along the axis, of a depth buffer (h, w)."""
        if self.parallel:
            return np.asarray(self.near + depth * (self.far - self.near))
        return np.asarray(self.near * self.far / (self.far - depth * (self.far - self.near)))

    def points(self, depth: Array) -> Array:
        """(h, w, 3) metres of what each pixel of a depth buffer (h, w) shows."""
        view, projection = (np.reshape(m, (4, 4)).T for m in self.matrices())
        inverse = np.linalg.inv(projection @ view)
        u = (np.arange(self.width) + 0.5) / self.width * 2 - 1
        v = 1 - (np.arange(self.height) + 0.5) / self.height * 2
        clip = np.empty((*depth.shape, 4))
        clip[..., 0], clip[..., 1] = np.broadcast_arrays(u[None], v[:, None])
        clip[..., 2], clip[..., 3] = depth * 2 - 1, 1.0
        world = clip @ inverse.T
        return np.asarray(world[..., :3] / world[..., 3:])


def _above(view: TableView, scale: int) -> Camera:
    """Straight from above, `scale` pixels per cell; rows follow x, columns follow y."""
    x, y = (view.x[0] + view.x[1]) / 2, (view.y[0] + view.y[1]) / 2
    height, width = (side * scale for side in view.shape)
    half = ((view.y[1] - view.y[0]) / 2, (view.x[1] - view.x[0]) / 2)
    # Image right is +y and image down is +x: looking down with "up" towards −x.
    return Camera(
        (x, y, 1.0), (x, y, 0.0), (-1, 0, 0), width, height, (-half[0], half[0], -half[1], half[1]), 0.5, 1.2, True
    )


def _oblique(y: float) -> Camera:
    return Camera((0.5, y, 0.95), (0.5, 0.0, 0.0), (0, 0, 1), 288, 208, (-0.5, 0.5, -0.36, 0.36))


class Studio:
    """Two clients that only render: the table from above without the arm, and from the side with it."""

    def __init__(self, view: TableView | None = None, scale: int = 4) -> None:
        self.view, self.scale = view or TableView(), scale
        self.cameras = (_above(self.view, scale), _oblique(0.95), _oblique(-0.95))
        self._top = bodies.connect()
        self._side = -1
        self._things: tuple[Thing, ...] = ()
        self._top_bodies: list[int] = []
        self._side_bodies: list[int] = []
        self._robot = -1

    def close(self) -> None:
        """Give the clients back; twice is harmless."""
        for client in (self._top, self._side):
            if client >= 0:
                pybullet.disconnect(client)
        self._top = self._side = -1

    def load(self, things: Sequence[Thing]) -> None:
        """Another scene. The side view follows when it is first asked for."""
        self._things = tuple(things)
        self._top_bodies = self._fill(self._top)
        self._side_bodies = []

    def _fill(self, client: int) -> list[int]:
        pybullet.resetSimulation(physicsClientId=client)
        bodies.add_table(client, solid=False)
        return [bodies.add_seen(thing, client) for thing in self._things]

    @staticmethod
    def _pose(client: int, ids: Sequence[int], poses: Array) -> None:
        for body, pose in zip(ids, poses, strict=True):
            pybullet.resetBasePositionAndOrientation(body, pose[:3], pose[3:], physicsClientId=client)

    def pictures(self, poses: Array) -> dict[str, Array]:
        """The map and the picture of things at poses (N, 7).

        Returns:
            colour (H, W, 3) uint8 and height (H, W) float32 in metres, of `TableView`; picture (scale·H, scale·W, 3)
            uint8, straight from above.
        """
        self._pose(self._top, self._top_bodies, poses)
        shots = [camera.shoot(self._top) for camera in self.cameras]
        colour, height = fuse(self.view, [(c, cam.points(d)) for cam, (c, d) in zip(self.cameras, shots, strict=True)])
        return {"colour": colour, "height": height, "picture": np.ascontiguousarray(shots[0][0])}

    def side(self, poses: Array, joints: Array, width: int = 320, height: int = 240, *, camera: str = "side") -> Array:
        """(height, width, 3) uint8: the table and the arm at joints (7,), from one of `EYES`."""
        if self._side < 0:
            self._side = bodies.connect()
        if not self._side_bodies:
            self._side_bodies = self._fill(self._side)
            self._robot = bodies.add_panda(self._side, solid=False)
        self._pose(self._side, self._side_bodies, poses)
        for joint, angle in enumerate(joints):
            pybullet.resetJointState(self._robot, joint, angle, physicsClientId=self._side)
        view = eye_of(camera, width, height, self._tip() if camera in FOLLOWS else np.zeros(3))
        return view.shoot(self._side, shadow=False)[0]

    def _tip(self) -> Array:
        """(3,) where the drawn arm's fingers end."""
        state = pybullet.getLinkState(self._robot, bodies.TIP_LINK, 0, 1, self._side)
        turn = np.reshape(pybullet.getMatrixFromQuaternion(state[5]), (3, 3))
        return np.asarray(state[4] + turn @ [0.0, 0.0, bodies.TIP_OFFSET])


def eye_of(name: str, width: int, height: int, origin: Array) -> Camera:
    """One of `EYES`, its metres measured from an origin (3,)."""
    eye, target = (tuple(float(v) for v in np.add(place, origin)) for place in EYES[name])
    half = 0.52
    frustum = (-half, half, -half * height / width, half * height / width)
    return Camera(eye, target, (0, 0, 1), width, height, frustum, 0.2, 4.0)  # type: ignore[arg-type]


@cache
def views() -> dict[str, CameraView]:
    """Where what people see lies; see `CameraView`."""
    found = {}
    for name in EYES:
        view, projection = (np.reshape(m, (4, 4)).T for m in eye_of(name, *SHAPE, np.zeros(3)).matrices())
        clip = (projection @ view)[[0, 1, 3]]
        shares = np.array([[0.5, 0.0, 0.5], [0.0, -0.5, 0.5], [0.0, 0.0, 1.0]]) @ clip
        found[name] = CameraView(shares.tolist(), follows=name in FOLLOWS)
    return found
