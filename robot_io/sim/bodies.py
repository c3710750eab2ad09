"""Things become bodies of a physics client: one place for the physics and for the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pybullet
import pybullet_data
from numpy.typing import NDArray

from robot_io.sim import meshes
from robot_io.sim.scene import Thing

PANDA = Path(pybullet_data.getDataPath()) / "franka_panda" / "panda.urdf"
TABLE = ((0.55, 0.75, 0.05), (0.35, 0.0, -0.05))
"""Half extents and centre of the table top, metres: its surface is z = 0."""
TABLE_RGB = (0.23, 0.25, 0.28)
MASS = {"block": 0.05, "shape": 0.06}


def quaternion(yaw: float) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a turn about z."""
    return 0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2))


def yaw_of(q: tuple[float, ...] | NDArray[Any]) -> float:
    """The turn about z of a quaternion (x, y, z, w), radians."""
    x, y, z, w = q
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def _collision(thing: Thing, client: int) -> int:
    half = [s / 2 for s in thing.size]
    if thing.kind == "box":
        halves, centres = meshes.box_parts(thing.size)
        return int(
            pybullet.createCollisionShapeArray(
                shapeTypes=[pybullet.GEOM_BOX] * len(halves),
                halfExtents=halves,
                collisionFramePositions=centres,
                physicsClientId=client,
            )
        )
    if thing.kind == "bowl":
        return _mesh(meshes.bowl_file(thing.size), client)
    if thing.kind == "shape":
        return _mesh(meshes.shape_file(str(thing.shape), thing.size[2]), client)
    return int(pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half, physicsClientId=client))


def _mesh(path: str, client: int) -> int:
    return int(pybullet.createCollisionShape(pybullet.GEOM_MESH, fileName=path, physicsClientId=client))


def _visual(thing: Thing, client: int) -> int:
    rgba = [*thing.rgb, 1.0]
    if thing.kind == "box":
        halves, centres = meshes.box_parts(thing.size)
        n = len(halves)
        return int(
            pybullet.createVisualShapeArray(
                shapeTypes=[pybullet.GEOM_BOX] * n,
                halfExtents=halves,
                rgbaColors=[rgba] * n,
                visualFramePositions=centres,
                physicsClientId=client,
            )
        )
    if thing.kind == "block":
        half = [s / 2 for s in thing.size]
        return int(
            pybullet.createVisualShape(pybullet.GEOM_BOX, halfExtents=half, rgbaColor=rgba, physicsClientId=client)
        )
    path = meshes.bowl_file(thing.size) if thing.kind == "bowl" else meshes.shape_file(str(thing.shape), thing.size[2])
    return int(pybullet.createVisualShape(pybullet.GEOM_MESH, fileName=path, rgbaColor=rgba, physicsClientId=client))


def add_table(client: int, *, solid: bool) -> int:
    """The table top; without `solid` only to be seen."""
    half, centre = TABLE
    look = solidity = -1
    if solid:
        solidity = pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half, physicsClientId=client)
    else:
        look = pybullet.createVisualShape(
            pybullet.GEOM_BOX, halfExtents=half, rgbaColor=[*TABLE_RGB, 1], physicsClientId=client
        )
    return int(pybullet.createMultiBody(0, solidity, look, centre, physicsClientId=client))


def add_thing(thing: Thing, client: int, *, solid: bool) -> int:
    """One body; with `solid` it is felt and not seen, else seen and not felt."""
    mass = 0.0 if thing.fixed or not solid else MASS[thing.kind]
    body = pybullet.createMultiBody(
        mass,
        _collision(thing, client) if solid else -1,
        -1 if solid else _visual(thing, client),
        thing.position,
        quaternion(thing.yaw),
        physicsClientId=client,
    )
    if solid:
        pybullet.changeDynamics(
            body,
            -1,
            lateralFriction=0.6,
            rollingFriction=0.001,
            spinningFriction=0.002,
            restitution=0.0,
            linearDamping=0.05,
            angularDamping=0.05,
            physicsClientId=client,
        )
    return int(body)


def add_panda(client: int, *, solid: bool) -> int:
    """The arm at the origin; with `solid` without its looks (they cost loading time)."""
    flags = pybullet.URDF_IGNORE_VISUAL_SHAPES if solid else pybullet.URDF_IGNORE_COLLISION_SHAPES
    return int(pybullet.loadURDF(str(PANDA), useFixedBase=True, flags=flags, physicsClientId=client))
