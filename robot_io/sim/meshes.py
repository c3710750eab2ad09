"""Bodies of things: files for a physics client to load, made once per process in a folder that goes with it.

A collision mesh is a row of convex pieces (one `o` group each); a bowl and a box are walls and a floor.
"""

from __future__ import annotations

import itertools
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.sim import outlines
from robot_io.sim.packing_shapes import SCALE

Array = NDArray[Any]
SIDES = 16
"""Walls of a bowl."""
_FOLDER: tempfile.TemporaryDirectory[str] | None = None


def _folder() -> Path:
    global _FOLDER
    if _FOLDER is None:
        _FOLDER = tempfile.TemporaryDirectory(prefix="askback-meshes-")
    return Path(_FOLDER.name)


def prism(polygon: Array, low: float, high: float, top: float = 1.0) -> tuple[Array, list[list[int]]]:
    """A convex polygon (K, 2) raised to a solid: vertices (2K, 3) and faces, its top scaled."""
    k = len(polygon)
    vertices = np.concatenate(
        [np.column_stack([polygon, np.full(k, low)]), np.column_stack([polygon * top, np.full(k, high)])]
    )
    faces = [[0, i + 1, i] for i in range(1, k - 1)] + [[k, k + i, k + i + 1] for i in range(1, k - 1)]
    for i in range(k):
        j = (i + 1) % k
        faces += [[i, j, k + j], [i, k + j, k + i]]
    return vertices, faces


def _write(name: str, solids: list[tuple[Array, list[list[int]]]]) -> str:
    """An OBJ file of solids with a normal per face; returns its path."""
    lines, offset, normals = [], 1, 1
    for number, (vertices, faces) in enumerate(solids):
        lines.append(f"o piece{number}")
        lines += [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in vertices]
        for a, b, c in faces:
            normal = np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
            normal = normal / max(float(np.linalg.norm(normal)), 1e-12)
            lines.append("vn " + " ".join(f"{v:.6f}" for v in normal))
            lines.append(f"f {offset + a}//{normals} {offset + b}//{normals} {offset + c}//{normals}")
            normals += 1
        offset += len(vertices)
    path = _folder() / f"{name}.obj"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@cache
def shape_file(name: str, thick: float) -> str:
    """The OBJ of an extruded outline, its centre of area at the origin."""
    solids = [prism(p * SCALE, -thick / 2, thick / 2) for p in outlines.pieces(name)]
    return _write("shape-" + name.replace(" ", "-"), solids)


@cache
def plain_arm(urdf: Path) -> str:
    """An arm that looks like its collision meshes; returns the path of its URDF."""
    text = urdf.read_text(encoding="utf-8").replace("package://meshes/visual/", "package://meshes/collision/")
    path = _folder() / f"plain-{urdf.name}"
    path.write_text(text.replace("package://", f"{urdf.parent}/"), encoding="utf-8")
    return str(path)


def _bowl_rings(size: tuple[float, float, float]) -> tuple[float, float, float]:
    """(outer rim, outer foot, wall) in metres."""
    return size[0] / 2, size[0] * 0.34, 0.005


@cache
def bowl_file(size: tuple[float, float, float]) -> str:
    """The OBJ of a hollow bowl: a floor and sloping walls, each piece convex."""
    rim, foot, wall = _bowl_rings(size)
    low, high = -size[2] / 2, size[2] / 2
    angle = np.arange(SIDES + 1) * 2 * np.pi / SIDES
    around = np.column_stack([np.cos(angle), np.sin(angle)])
    floor = prism(around[:-1] * foot, low, low + wall)
    walls = []
    for a, b in itertools.pairwise(around):
        bottom = np.array([a * (foot - wall), a * foot, b * foot, b * (foot - wall)])
        top = np.array([a * (rim - wall), a * rim, b * rim, b * (rim - wall)])
        vertices, faces = prism(bottom, low, high)
        vertices[4:, :2] = top
        walls.append((vertices, faces))
    return _write("bowl-" + "-".join(f"{v * 1e4:.0f}" for v in size), [floor, *walls])


def hull(name: str, thick: float) -> list[list[float]]:
    """The corners (N, 3) of an extruded outline; their convex hull is what is felt."""
    flat = np.concatenate(outlines.pieces(name)) * SCALE
    return [[float(x), float(y), z] for z in (-thick / 2, thick / 2) for x, y in flat]


@cache
def box_file(size: tuple[float, float, float], wall: float = 0.005) -> str:
    """The OBJ of an open box; size is what lies between its walls, and their height."""
    x, y, z = size[0] / 2, size[1] / 2, size[2] / 2
    rectangles = [
        ((-x, -y, x, y), -z + wall),
        ((-x - wall, -y - wall, -x, y + wall), z),
        ((x, -y - wall, x + wall, y + wall), z),
        ((-x, -y - wall, x, -y), z),
        ((-x, y, x, y + wall), z),
    ]
    solids = [prism(np.array([[a, b], [c, b], [c, d], [a, d]]), -z, top) for (a, b, c, d), top in rectangles]
    return _write("box-" + "-".join(f"{v * 1e9:.0f}" for v in size), solids)


HANDLE = (0.146, 0.04)
"""Metres: length and width of a socket's handle."""
SOCKET_GRIP = -0.048
"""Metres along the handle, from its middle, where a socket is held."""


def socket_opening(size: tuple[float, float, float], wall: float = 0.005) -> float:
    """Metres along the handle, from its middle, to the middle of a socket's opening."""
    return HANDLE[0] / 2 + wall + size[0] / 2


def socket_parts(size: tuple[float, float, float], wall: float = 0.005) -> list[tuple[Array, Array]]:
    """The boxes of a socket on a handle, (half extents (3,), centre (3,)): handle, floor and four walls.

    Its origin is the handle's middle; size is what lies between the walls, and their height, which is the handle's too.
    """
    x, y, z = (v / 2 for v in size)
    away = socket_opening(size, wall)
    parts = [
        (np.array([HANDLE[0] / 2, HANDLE[1] / 2, z]), np.zeros(3)),
        (np.array([x, y, wall / 2]), np.array([away, 0.0, wall / 2 - z])),
    ]
    for sign in (1.0, -1.0):
        parts.append((np.array([wall / 2, y + wall, z]), np.array([away + sign * (x + wall / 2), 0.0, 0.0])))
        parts.append((np.array([x, wall / 2, z]), np.array([away, sign * (y + wall / 2), 0.0])))
    return parts


@cache
def socket_file(size: tuple[float, float, float]) -> str:
    """The OBJ of a socket on a handle."""
    solids = []
    for half, centre in socket_parts(size):
        square = centre[:2] + half[:2] * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        solids.append(prism(square, centre[2] - half[2], centre[2] + half[2]))
    return _write("socket-" + "-".join(f"{v * 1e4:.0f}" for v in size), solids)
