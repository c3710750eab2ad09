"""Things become bodies of a physics client: one place for the physics and for the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pybullet
import pybullet_data
from numpy.typing import NDArray

from robot_io.arm import ArmError
from robot_io.sim import meshes
from robot_io.sim.scene import Thing

PANDA = Path(pybullet_data.getDataPath()) / "franka_panda" / "panda.urdf"
TIP_LINK = 11
TIP_OFFSET = 0.0075
"""Metres from the grasp target's frame to the end of the closed fingers."""
TABLE = ((0.55, 0.75, 0.05), (0.35, 0.0, -0.05))
"""Half extents and centre of the table top, metres: its surface is z = 0."""
WIDE_TABLE = ((0.95, 0.75, 0.05), (0.55, 0.0, -0.05))
TABLE_RGB = (0.23, 0.25, 0.28)
THINGS, STILL, ARM = 1, 2, 8
"""Collision groups. What stands firm does not meet what stands firm, which halves the cost of a step."""
_MEETS = {THINGS: THINGS | STILL | ARM, STILL: THINGS | ARM, ARM: THINGS | STILL}
MASS = {"block": 0.05, "shape": 0.06, "socket": 0.06}


def connect() -> int:
    """A new physics client, without a window."""
    client = int(pybullet.connect(pybullet.DIRECT))
    if client < 0:
        raise ArmError("expected a physics client, got none: PyBullet holds too many already; close some")
    return client


def quaternion(yaw: float) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a turn about z."""
    return 0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2))


def yaw_of(q: tuple[float, ...] | NDArray[Any]) -> float:
    """The turn about z of a quaternion (x, y, z, w), radians."""
    x, y, z, w = q
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def _collision(thing: Thing, client: int) -> int:
    """What is felt: a convex body if it can move, one skin if it stands firm.

    Never several pieces of one link: PyBullet restores their contacts to within rounding only, not bit for bit.
    """
    if thing.kind == "block":
        return _box([s / 2 for s in thing.size], client)
    if thing.kind == "socket":
        return _box(meshes.socket_parts(thing.size)[0][0], client)
    if thing.kind == "shape":
        outline = meshes.hull(str(thing.shape), thing.size[2])
        return int(pybullet.createCollisionShape(pybullet.GEOM_MESH, vertices=outline, physicsClientId=client))
    path = meshes.bowl_file(thing.size) if thing.kind == "bowl" else meshes.box_file(thing.size)
    return int(
        pybullet.createCollisionShape(
            pybullet.GEOM_MESH, fileName=path, flags=pybullet.GEOM_FORCE_CONCAVE_TRIMESH, physicsClientId=client
        )
    )


def _visual(thing: Thing, client: int) -> int:
    rgba = [*thing.rgb, 1.0]
    if thing.kind == "block":
        half = [s / 2 for s in thing.size]
        return int(
            pybullet.createVisualShape(pybullet.GEOM_BOX, halfExtents=half, rgbaColor=rgba, physicsClientId=client)
        )
    path = _looks(thing)
    return int(pybullet.createVisualShape(pybullet.GEOM_MESH, fileName=path, rgbaColor=rgba, physicsClientId=client))


def _looks(thing: Thing) -> str:
    if thing.kind == "bowl":
        return meshes.bowl_file(thing.size)
    if thing.kind == "box":
        return meshes.box_file(thing.size)
    if thing.kind == "socket":
        return meshes.socket_file(thing.size)
    return meshes.shape_file(str(thing.shape), thing.size[2])


def _meets(client: int, body: int, group: int, links: int = 0, meets: int | None = None) -> None:
    for link in range(-1, links):
        pybullet.setCollisionFilterGroupMask(body, link, group, _MEETS[group] if meets is None else meets, client)


def add_table(client: int, *, solid: bool, wide: bool = False) -> int:
    """The table top, wide enough for two arms or not; without `solid` only to be seen."""
    half, centre = WIDE_TABLE if wide else TABLE
    if solid:
        shape = pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half, physicsClientId=client)
        body = pybullet.createMultiBody(0, shape, -1, centre, physicsClientId=client)
        _meets(client, body, STILL)
        return int(body)
    look = pybullet.createVisualShape(
        pybullet.GEOM_BOX, halfExtents=half, rgbaColor=[*TABLE_RGB, 1], physicsClientId=client
    )
    return int(pybullet.createMultiBody(0, -1, look, centre, physicsClientId=client))


def add_seen(thing: Thing, client: int) -> int:
    """A thing that is seen and not felt."""
    pose = thing.position, quaternion(thing.yaw)
    return int(pybullet.createMultiBody(0, -1, _visual(thing, client), *pose, physicsClientId=client))


def add_solids(things: Sequence[Thing], client: int) -> list[int]:
    """Things that are felt and not seen. Those of one form share it, which keeps a saved state small."""
    forms: dict[tuple[Any, ...], int] = {}
    out = []
    for thing in things:
        form = (thing.kind, thing.size, thing.shape)
        if form not in forms:
            forms[form] = _collision(thing, client)
        out.append(_add_solid(thing, forms[form], client))
    return out


def _add_solid(thing: Thing, form: int, client: int) -> int:
    """A tree of one node, since plain rigid bodies do not restore bit for bit."""
    pose = thing.position, quaternion(thing.yaw)
    mass = 0.0 if thing.fixed else MASS[thing.kind]
    walls = _walls(thing, client) if thing.kind == "socket" else {}
    body = pybullet.createMultiBody(mass, form, -1, *pose, **walls, physicsClientId=client)
    links = pybullet.getNumJoints(body, client)
    for link in range(-1, links):
        pybullet.changeDynamics(
            body,
            link,
            lateralFriction=0.6,
            rollingFriction=0.001,
            spinningFriction=0.002,
            restitution=0.0,
            linearDamping=0.05,
            angularDamping=0.05,
            physicsClientId=client,
        )
    _meets(client, body, STILL if thing.fixed else THINGS, links)
    return int(body)


def _walls(thing: Thing, client: int) -> dict[str, Any]:
    """The floor and the walls of a socket, each a link of its own: what is in pieces keeps one set of contacts each."""
    parts = meshes.socket_parts(thing.size)[1:]
    forms = [_box(half, client) for half, _ in parts]
    n = len(parts)
    return {
        "linkMasses": [0.01] * n,
        "linkCollisionShapeIndices": forms,
        "linkVisualShapeIndices": [-1] * n,
        "linkPositions": [list(centre) for _, centre in parts],
        "linkOrientations": [[0, 0, 0, 1]] * n,
        "linkInertialFramePositions": [[0, 0, 0]] * n,
        "linkInertialFrameOrientations": [[0, 0, 0, 1]] * n,
        "linkParentIndices": [0] * n,
        "linkJointTypes": [pybullet.JOINT_FIXED] * n,
        "linkJointAxis": [[0, 0, 1]] * n,
    }


def _box(half: Sequence[float] | NDArray[Any], client: int) -> int:
    return int(pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=list(half), physicsClientId=client))


def add_panda(
    client: int, *, solid: bool, base: tuple[float, float, float] = (0.0, 0.0, 0.0), meets_arms: bool = False
) -> int:
    """The arm, at base x, y, yaw; with `solid` without its looks (they cost loading time), else without anything else.

    It looks like its collision meshes: twenty times fewer corners, so that a picture takes a third of the time.
    """
    flags = pybullet.URDF_IGNORE_VISUAL_SHAPES if solid else pybullet.URDF_IGNORE_COLLISION_SHAPES
    path = str(PANDA) if solid else meshes.plain_arm(PANDA)
    place = [base[0], base[1], 0.0], quaternion(base[2])
    body = int(pybullet.loadURDF(path, *place, useFixedBase=True, flags=flags, physicsClientId=client))
    if solid:
        meets = _MEETS[ARM] | (ARM if meets_arms else 0)
        _meets(client, body, ARM, pybullet.getNumJoints(body, client), meets)
    return body
