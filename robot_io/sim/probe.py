"""What lies under a point of the table: rays in a client of their own.

The live physics is not asked, since rays there meet the bodies where the last step left them, not where a restored
state puts them, and bringing these up to date disturbs the contacts. Here nothing moves but by `look_at`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io.sim import bodies, outlines
from robot_io.sim.packing_shapes import SCALE
from robot_io.sim.scene import Thing

Array = NDArray[Any]
CUP = 0.01
"""Metres around the tip's axis, and below it, in which the cup takes hold."""
_HIGH, _LOW = 0.4, -0.02
_AROUND = np.array([(0.0, 0.0), *((CUP * np.cos(a), CUP * np.sin(a)) for a in np.arange(8) * np.pi / 4)])

Found = tuple[int | None, float]
"""Which thing (None: the table), and the height of its surface in metres."""


class Probe:
    """Answers where surfaces are. Call `load` for a scene, `look_at` for the poses of its things, then ask."""

    def __init__(self) -> None:
        self._client = -1
        self._things: tuple[Thing, ...] = ()
        self._bodies: list[int] = []

    def close(self) -> None:
        """Give the client back; twice is harmless."""
        if self._client >= 0:
            pybullet.disconnect(self._client)
        self._client = -1

    def load(self, things: Sequence[Thing]) -> None:
        """Another scene; its bodies are made when they are first asked for."""
        self._things, self._bodies = tuple(things), []

    def look_at(self, poses: Array) -> None:
        """Move the things to poses (N, 7)."""
        if not self._bodies:
            self._fill()
        for body, pose in zip(self._bodies, poses, strict=True):
            pybullet.resetBasePositionAndOrientation(body, pose[:3], pose[3:], physicsClientId=self._client)
        pybullet.performCollisionDetection(physicsClientId=self._client)

    def _fill(self) -> None:
        self.close()
        self._client = bodies.connect()
        bodies.add_table(self._client, solid=True)
        self._bodies = bodies.add_solids(self._things, self._client)

    def surface(self, points: Array, skip: int | None = None, top: float = _HIGH) -> list[Found]:
        """What is uppermost at points (N, 2) below `top`; where `skip` is, what it stands on counts."""
        starts = np.column_stack([points, np.full(len(points), top)])
        ends = np.column_stack([points, np.full(len(points), _LOW)])
        hits = pybullet.rayTestBatch(starts.tolist(), ends.tolist(), numThreads=1, physicsClientId=self._client)
        index = {body: i for i, body in enumerate(self._bodies)}
        found = [(index.get(hit[0]), float(hit[3][2]) if hit[0] >= 0 else 0.0) for hit in hits]
        if skip is None:
            return found
        below = max(self._bounds(skip)[0][2], 0.0)
        return [(None, below) if thing == skip else (thing, height) for thing, height in found]

    def _bounds(self, thing: int) -> tuple[Array, Array]:
        low, high = pybullet.getAABB(self._bodies[thing], -1, self._client)
        return np.array(low), np.array(high)

    def under_cup(self, x: float, y: float) -> Found:
        """What the cup meets on its way straight down at (x, y), and at which height: as far as a guarded move gets."""
        found = self.surface(np.array([x, y]) + _AROUND)
        highest = max(height for _, height in found)
        return next((thing, highest) for thing, height in found if height > highest - CUP / 2)

    def within_cup(self, tip: Array) -> int | None:
        """The loose thing that a cup at tip (3,) takes hold of, the nearest to its axis first."""
        points = tip[:2] + _AROUND
        for point, (thing, height) in zip(points, self.surface(points, top=float(tip[2]) + CUP), strict=True):
            if thing is not None and height > tip[2] - CUP and self._can_hold(thing, point, height):
                return thing
        return None

    def _can_hold(self, thing: int, point: Array, height: float) -> bool:
        """Whether a thing is loose, and is more than hull there: nothing holds a ring by its hole."""
        what = self._things[thing]
        if what.fixed or what.shape is None:
            return not what.fixed
        place, turn = pybullet.getBasePositionAndOrientation(self._bodies[thing], self._client)
        own = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3)).T @ (np.array([*point, height]) - place)
        flat = abs(own[2]) > 0.8 * what.size[2] / 2  # seen on its face; on an edge there is material all along
        return not flat or bool(outlines.inside(what.shape, own[None, :2] / SCALE)[0])

    def footprint(self, thing: int) -> Array:
        """(N, 2) points of a thing's outline as seen from above; at least one."""
        low, high = self._bounds(thing)
        axes = [np.linspace(a, b, 9) for a, b in zip(low[:2], high[:2], strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
        mine = points[[found == thing for found, _ in self.surface(points)]]
        return mine if len(mine) else (low[None, :2] + high[None, :2]) / 2

    def thickness(self, thing: int, top: float) -> float:
        """Metres from a thing's lowest point up to a height."""
        return top - float(self._bounds(thing)[0][2])
