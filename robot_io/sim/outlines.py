"""Outlines of the shapes to pack, as polygons cut into convex pieces. Numpy only; about 1 across."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pieces = list[Array]
"""Convex polygons, each (K, 2), counter-clockwise, that together fill the outline."""


def _rect(x0: float, y0: float, x1: float, y1: float) -> Array:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64)


def _bar(start: tuple[float, float], end: tuple[float, float], width: float) -> Array:
    a, b = np.array(start), np.array(end)
    side = np.array([a[1] - b[1], b[0] - a[0]]) / np.linalg.norm(b - a) * width / 2
    return np.array([a - side, b - side, b + side, a + side])


def _regular(n: int, radius: float = 0.5, turn: float = 0.0) -> Array:
    angle = np.arange(n) * 2 * np.pi / n + turn
    return np.column_stack([np.cos(angle), np.sin(angle)]) * radius


def _fan(rim: Array, centre: tuple[float, float] = (0.0, 0.0)) -> Pieces:
    """A star-shaped outline as triangles around a point of its inside."""
    return [np.array([centre, rim[i], rim[(i + 1) % len(rim)]]) for i in range(len(rim))]


def _star(points: int = 5) -> Pieces:
    rim = _regular(2 * points, turn=np.pi / 2)
    rim[1::2] *= 0.45
    core = [_regular(points, 0.225, np.pi / 2 + np.pi / points)]
    return core + [np.array([rim[i - 1], rim[i], rim[(i + 1) % len(rim)]])[::1] for i in range(0, len(rim), 2)]


def _ring() -> Pieces:
    """Eight pieces, round outside; few pieces keep the physics quick."""
    outer, inner = _regular(16), _regular(8, 0.27)
    return [
        np.array([outer[2 * i], outer[2 * i + 1], outer[(2 * i + 2) % 16], inner[(i + 1) % 8], inner[i]])
        for i in range(8)
    ]


def _heart() -> Pieces:
    """A square on its corner with half a disc on either upper side."""
    r = 0.29
    angle = np.linspace(0, np.pi, 9)
    half = np.column_stack([np.cos(angle), np.sin(angle)]) * r
    square = np.array([[0, -2 * r], [2 * r, 0], [0, 2 * r], [-2 * r, 0]]) / np.sqrt(2)
    lobes = []
    for turn, side in ((-np.pi / 4, 1.0), (np.pi / 4, -1.0)):
        c, s = np.cos(turn), np.sin(turn)
        lobes.append(half @ np.array([[c, s], [-s, c]]) + np.array([side, 1.0]) * r / np.sqrt(2))
    return [square, *lobes]


def _half_disc() -> Pieces:
    angle = np.linspace(0, np.pi, 13)
    return [np.column_stack([np.cos(angle), np.sin(angle)]) * 0.5]


_W = 0.28
_OUTLINES: dict[str, Pieces] = {
    # the 14 seen kinds
    "square": [_rect(-0.4, -0.4, 0.4, 0.4)],
    "rectangle": [_rect(-0.5, -0.25, 0.5, 0.25)],
    "bar": [_rect(-0.5, -0.14, 0.5, 0.14)],
    "disc": [_regular(20)],
    "half disc": _half_disc(),
    "triangle": [_regular(3, 0.55, np.pi / 2)],
    "diamond": [np.array([[0.32, 0], [0, 0.5], [-0.32, 0], [0, -0.5]])],
    "pentagon": [_regular(5, turn=np.pi / 2)],
    "trapezoid": [np.array([[-0.5, -0.28], [0.5, -0.28], [0.25, 0.28], [-0.25, 0.28]])],
    "star": _star(),
    "plus": [
        _rect(-0.5, -_W / 2, 0.5, _W / 2),
        _rect(-_W / 2, _W / 2, _W / 2, 0.5),
        _rect(-_W / 2, -0.5, _W / 2, -_W / 2),
    ],
    "T": [_rect(-0.5, 0.2, 0.5, 0.48), _rect(-_W / 2, -0.48, _W / 2, 0.2)],
    "U": [_rect(-0.45, -0.48, 0.45, -0.2), _rect(-0.45, -0.2, -0.17, 0.48), _rect(0.17, -0.2, 0.45, 0.48)],
    "Z": [_rect(-0.5, 0.14, 0.14, 0.42), _rect(-0.14, -0.14, 0.14, 0.14), _rect(-0.14, -0.42, 0.5, -0.14)],
    # the 6 unseen kinds
    "E": [
        _rect(-0.4, -0.5, -0.14, 0.5),
        _rect(-0.14, 0.28, 0.4, 0.5),
        _rect(-0.14, -0.11, 0.32, 0.11),
        _rect(-0.14, -0.5, 0.4, -0.28),
    ],
    "L": [_rect(-0.35, -0.5, -0.07, 0.5), _rect(-0.07, -0.5, 0.4, -0.22)],
    "ring": _ring(),
    "hexagon": [_regular(6)],
    "heart": _heart(),
    "M": [
        _rect(-0.5, -0.45, -0.26, 0.45),
        _rect(0.26, -0.45, 0.5, 0.45),
        np.array([[-0.26, 0.45], [-0.26, 0.1], [0.0, -0.25], [0.0, 0.1]]),
        np.array([[0.26, 0.45], [0.0, 0.1], [0.0, -0.25], [0.26, 0.1]]),
    ],
}
SEEN = tuple(list(_OUTLINES)[:14])
UNSEEN = tuple(list(_OUTLINES)[14:])


def _area(polygon: Array) -> float:
    x, y = polygon.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _centroid(polygon: Array) -> Array:
    following = np.roll(polygon, -1, axis=0)
    cross = polygon[:, 0] * following[:, 1] - following[:, 0] * polygon[:, 1]
    return np.asarray(((polygon + following) * cross[:, None]).sum(0) / (3 * cross.sum()))


@cache
def pieces(name: str) -> Pieces:
    """The convex pieces of an outline, counter-clockwise, moved so that the centre of area is the origin."""
    parts = [p if _area(p) > 0 else p[::-1] for p in _OUTLINES[name]]
    areas = np.array([_area(p) for p in parts])
    centre = (areas[:, None] * np.array([_centroid(p) for p in parts])).sum(0) / areas.sum()
    return [p - centre for p in parts]


def extent(name: str) -> Array:
    """(2,) width and depth of an outline."""
    every = np.concatenate(pieces(name))
    return np.asarray(np.ptp(every, axis=0))


def inside(name: str, points: Array) -> Array:
    """(N,) whether points (N, 2) lie on the outline's material."""
    hit = np.zeros(len(points), dtype=bool)
    for polygon in pieces(name):
        edge = np.roll(polygon, -1, axis=0) - polygon
        away = points[:, None] - polygon[None]
        hit |= np.all(edge[None, :, 0] * away[..., 1] - edge[None, :, 1] * away[..., 0] >= -1e-9, axis=1)
    return hit


def grip_point(name: str) -> tuple[float, float]:
    """Where there is most material around, (x, y): the best place to hold it; the centre if that is nearly as good."""
    axis = np.linspace(-0.55, 0.55, 45)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    material = inside(name, grid)
    holes, body = grid[~material], grid[material]
    depth = np.linalg.norm(body[:, None] - holes[None], axis=-1).min(1)
    score = depth - 0.15 * np.linalg.norm(body, axis=1)
    x, y = body[int(score.argmax())]
    return float(x), float(y)
