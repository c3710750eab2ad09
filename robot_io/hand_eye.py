"""Where the table is in a camera's picture: from clicks on the arm's own tip, whose place the joints tell. Pure.

Four or more clicks at table height give the plane (a homography, by the direct linear transform with normalised
coordinates: Hartley and Zisserman, *Multiple View Geometry*, 2nd ed., algorithm 4.2); six or more at several heights
give the whole camera (algorithm 7.1). Pixels are (column, row), from the picture's upper left corner; metres in the
arm's base frame. Letters: N clicks, H W of the picture or the map.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.errors import NotCalibrated
from robot_io.table_view import TableView

Array = NDArray[Any]
FEWEST, FEWEST_SPACE = 4, 6
"""Clicks for the plane, and for the whole camera."""
FLAT = 0.015
"""Metres of height within which clicks count as one plane."""
WORST = 0.005
"""Metres by which a click may be off before the calibration is refused."""
USUAL = 1e-4
"""How much a lens as wide as its distance is liked, against what the table's axes tell."""
NARROW = 0.02
"""Metres: clicks closer to one line than this fix no plane."""


@dataclass(frozen=True)
class Sight:
    """What a calibrated camera knows: which pixel shows which point of the table."""

    plane: Array
    """(3, 3): table (x, y, 1) → pixel, up to scale."""
    picture: tuple[int, int]
    """(H, W) of the pictures that it is about."""
    error: float = 0.0
    """Metres on the table: the worst of the clicks that it was made from."""
    camera: Array | None = None
    """(3, 4): (x, y, z, 1) → pixel, up to scale; None: only the plane is known."""

    def __post_init__(self) -> None:
        for name, shape in (("plane", (3, 3)), ("camera", (3, 4))):
            value = getattr(self, name)
            if value is None:
                continue
            array = np.array(value, dtype=np.float64)
            if array.shape != shape or not np.all(np.isfinite(array)):
                raise NotCalibrated(f"expected a finite {name} of shape {shape}, got {array.shape}; calibrate anew")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if abs(float(np.linalg.det(self.plane))) < 1e-12 * np.linalg.norm(self.plane) ** 3:
            raise NotCalibrated("expected a camera that looks at the table from above, got one along it; move it")

    def pixel_of(self, points: Array) -> Array:
        """(N, 2) pixels of points (N, 2) on the table, or (N, 3) if the whole camera is known."""
        points = np.atleast_2d(np.asarray(points, dtype=np.float64))
        matrix = self.plane if points.shape[1] == 2 or self.camera is None else self.camera
        return _project(matrix, points[:, : matrix.shape[1] - 1])

    def table_of(self, pixels: Array) -> Array:
        """(N, 2) metres x, y on the table of pixels (N, 2)."""
        return _project(np.linalg.inv(self.plane), np.atleast_2d(np.asarray(pixels, dtype=np.float64)))

    def top_down(self, picture: Array, view: TableView, scale: int = 1) -> Array:
        """A picture (H, W, 3) seen from straight above: (scale · h, scale · w, 3) uint8; black where it does not reach.

        Raises:
            NotCalibrated: the picture has another size than the one that was calibrated.
        """
        if picture.shape[:2] != self.picture:
            raise NotCalibrated(
                f"expected pictures of {self.picture[1]} × {self.picture[0]} pixels as at the calibration, got "
                f"{picture.shape[1]} × {picture.shape[0]}; set the camera as it was, or calibrate it anew"
            )
        height, width = (side * scale for side in view.shape)
        x = view.x[0] + (np.arange(height) + 0.5) * view.pixel / scale
        y = view.y[0] + (np.arange(width) + 0.5) * view.pixel / scale
        cells = np.stack(np.meshgrid(x, y, indexing="ij"), -1).reshape(-1, 2)
        return _sampled(picture, self.pixel_of(cells)).reshape(height, width, 3)


def calibrate(pixels: Array, tips: Array, picture: tuple[int, int]) -> Sight:
    """From clicks on the tip.

    Args:
        pixels: (N, 2) where it was clicked, column and row.
        tips: (N, 3) where it really was, metres.
        picture: (H, W).

    Returns:
        The plane alone if all tips are within `FLAT` of the table, else the whole camera.

    Raises:
        NotCalibrated: too few clicks, on one line, or further than `WORST` from what fits the others; says which.
    """
    pixels, tips = np.asarray(pixels, dtype=np.float64), np.asarray(tips, dtype=np.float64)
    if pixels.ndim != 2 or pixels.shape[1:] != (2,) or tips.shape != (len(pixels), 3):
        raise NotCalibrated(f"expected pixels (N, 2) and tips (N, 3), got {pixels.shape} and {tips.shape}")
    space = _in_space(tips)
    fewest = FEWEST_SPACE if space else FEWEST
    if len(tips) < fewest:
        raise NotCalibrated(f"expected at least {fewest} clicks, got {len(tips)}; go on")
    _need_spread(tips)
    sight = _solved(pixels, tips, picture, space)
    away = _away(sight, pixels, tips)
    if not np.all(np.isfinite(away)) or float(np.max(away)) > WORST:
        suspect = _suspect(pixels, tips, picture, space)
        raise NotCalibrated(
            f"expected clicks that fit together within {1000 * WORST:g} mm, but number {suspect + 1} does not fit the "
            f"others (off by {1000 * float(away[suspect]):.0f} mm); take it back and click the tip again"
        )
    plane = sight.plane if space else lowered(sight.plane, float(np.mean(tips[:, 2])), picture)
    return replace(sight, plane=plane, error=float(np.max(away)))


def off_by(pixels: Array, tips: Array, picture: tuple[int, int]) -> tuple[Array, Array] | None:
    """How far clicks (N, 2) on tips (N, 3) are from what fits all of them: pixels (N,) and metres (N,).

    None while there are too few of them, or all along a line.
    """
    pixels, tips = np.asarray(pixels, dtype=np.float64), np.asarray(tips, dtype=np.float64)
    space = _in_space(tips)
    try:
        if len(tips) < (FEWEST_SPACE if space else FEWEST):
            return None
        _need_spread(tips)
        sight = _solved(pixels, tips, picture, space)
    except NotCalibrated:
        return None
    seen = sight.pixel_of(tips if space else tips[:, :2])
    return np.linalg.norm(seen - pixels, axis=1), _away(sight, pixels, tips)


def lowered(plane: Array, height: float, picture: tuple[int, int]) -> Array:
    """(3, 3): the table's plane, from that of points `height` metres above it.

    It takes a lens without distortion that looks along the picture's middle. How wide it looks follows from the plane
    itself where it is seen aslant; seen from straight above, a usual lens is assumed, which matters little for
    millimetres.
    """
    tall, wide = picture
    middle = np.array([[1.0, 0.0, -wide / 2], [0.0, 1.0, -tall / 2], [0.0, 0.0, 1.0]])
    centred = middle @ plane
    shares = np.geomspace(0.5, 3.0, 200)
    focal = wide * shares[int(np.argmin([_skewness(centred, wide * s) + USUAL * np.log(s) ** 2 for s in shares]))]
    inner = np.diag([focal, focal, 1.0])
    axes = np.linalg.inv(inner) @ centred
    axes = axes / np.mean(np.linalg.norm(axes[:, :2], axis=0))
    axes = axes if np.linalg.det(axes) < 0 else -axes  # the camera is above the table
    axes[:, 2] -= height * np.cross(axes[:, 0], axes[:, 1])
    found = np.linalg.inv(middle) @ inner @ axes
    return np.asarray(found / np.linalg.norm(found))


def _skewness(centred: Array, focal: float) -> float:
    """How far the table's axes would be from square for a lens."""
    axes = np.diag([1 / focal, 1 / focal, 1.0]) @ centred[:, :2]
    lengths = np.linalg.norm(axes, axis=0)
    square = axes[:, 0] @ axes[:, 1] / np.prod(lengths)
    return float(square**2 + np.log(lengths[0] / lengths[1]) ** 2)


def _in_space(tips: Array) -> bool:
    """Whether tips (N, 3) are not all on the table."""
    return bool(len(tips)) and float(np.max(np.abs(tips[:, 2]))) > FLAT


def _solved(pixels: Array, tips: Array, picture: tuple[int, int], space: bool) -> Sight:
    if not space:
        return Sight(_fitted(tips[:, :2], pixels), picture)
    camera = _fitted(tips, pixels)
    return Sight(camera[:, [0, 1, 3]], picture, camera=camera)


def _away(sight: Sight, pixels: Array, tips: Array) -> Array:
    """(N,) metres by which the table's point under each click moves to where its tip should have been seen."""
    found = sight.pixel_of(tips if sight.camera is not None else tips[:, :2])
    return np.asarray(np.linalg.norm(sight.table_of(found) - sight.table_of(pixels), axis=1))


def _suspect(pixels: Array, tips: Array, picture: tuple[int, int], space: bool) -> int:
    """The click without which the others fit best; without one to spare, the one that is off most."""
    if len(tips) <= (FEWEST_SPACE if space else FEWEST):
        return int(np.argmax(_away(_solved(pixels, tips, picture, space), pixels, tips)))
    left = []
    for out in range(len(tips)):
        kept = np.arange(len(tips)) != out
        sight = _solved(pixels[kept], tips[kept], picture, space)
        left.append(float(np.max(np.nan_to_num(_away(sight, pixels[kept], tips[kept]), nan=np.inf))))
    return int(np.argmin(left))


def _need_spread(tips: Array) -> None:
    flat = tips[:, :2] - tips[:, :2].mean(axis=0)
    if np.linalg.svd(flat, compute_uv=False)[-1] / np.sqrt(len(flat)) < NARROW:
        raise NotCalibrated("expected clicks all over the table, got them along one line; add some beside it")
    if float(np.max(tips[:, 2])) > FLAT and float(np.ptp(tips[:, 2])) < NARROW:
        raise NotCalibrated("expected clicks at several heights, or all of them on the table; add some on the table")


def _fitted(points: Array, pixels: Array) -> Array:
    """(3, D + 1) that projects points (N, D) onto pixels (N, 2): the direct linear transform."""
    here, there = _normalising(points), _normalising(pixels)
    a, b = _homogeneous(points) @ here.T, _homogeneous(pixels) @ there.T
    zero = np.zeros_like(a)
    rows = np.concatenate(
        [np.hstack([zero, -b[:, 2:] * a, b[:, 1:2] * a]), np.hstack([b[:, 2:] * a, zero, -b[:, :1] * a])]
    )
    matrix = np.linalg.svd(rows)[2][-1].reshape(3, -1)
    fitted = np.linalg.inv(there) @ matrix @ here
    return np.asarray(fitted / np.linalg.norm(fitted))


def _normalising(points: Array) -> Array:
    """The similarity that brings points (N, D) to mean 0 and mean distance √D."""
    middle, size = points.mean(axis=0), points.shape[1]
    scale = np.sqrt(size) / max(float(np.mean(np.linalg.norm(points - middle, axis=1))), 1e-12)
    matrix = np.diag([*([scale] * size), 1.0])
    matrix[:size, size] = -scale * middle
    return matrix


def _homogeneous(points: Array) -> Array:
    return np.column_stack([points, np.ones(len(points))])


def _project(matrix: Array, points: Array) -> Array:
    rows = _homogeneous(points) @ matrix.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(rows[:, :2] / rows[:, 2:])


def _sampled(picture: Array, pixels: Array) -> Array:
    """(N, 3) uint8 of a picture (H, W, 3) at pixels (N, 2), between four neighbours; black outside."""
    height, width = picture.shape[:2]
    at = np.nan_to_num(pixels, nan=-9.0, posinf=-9.0, neginf=-9.0) - 0.5  # a pixel's middle is at a half
    inside = (at[:, 0] > -0.5) & (at[:, 0] < width - 0.5) & (at[:, 1] > -0.5) & (at[:, 1] < height - 0.5)
    column, row = np.clip(at[:, 0], 0, width - 1), np.clip(at[:, 1], 0, height - 1)
    left, top = np.minimum(column.astype(int), width - 2), np.minimum(row.astype(int), height - 2)
    u, v = (column - left)[:, None], (row - top)[:, None]
    upper = (1 - u) * picture[top, left] + u * picture[top, left + 1]
    lower = (1 - u) * picture[top + 1, left] + u * picture[top + 1, left + 1]
    return np.asarray(np.where(inside[:, None], np.round((1 - v) * upper + v * lower), 0)).astype(np.uint8)


def save(sight: Sight, path: Path) -> None:
    """Write a camera's calibration, whole or not at all."""
    values = {
        "picture": list(sight.picture),
        "error": sight.error,
        "plane": sight.plane.tolist(),
        "camera": None if sight.camera is None else sight.camera.tolist(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("w") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load(path: Path) -> Sight:
    """The calibration of a file; NotCalibrated if there is none, or it is none."""
    try:
        values: Mapping[str, Any] = json.loads(path.read_text())
        height, width = (int(side) for side in values["picture"])
        return Sight(values["plane"], (height, width), float(values["error"]), values["camera"])
    except FileNotFoundError as error:
        raise NotCalibrated(
            f"expected where the camera looks in {path}, got no such file; calibrate the camera on the Arms page"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise NotCalibrated(
            f"expected a camera's calibration in {path}, got something else ({error}); make it anew"
        ) from error
