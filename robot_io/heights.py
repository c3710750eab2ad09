"""How high a table's things are: points that cameras see, as one map from above. Pure; of simulated and seen tables.

Letters: H W cells of the map, h w pixels of a camera. Metres in the arm's base frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.errors import NotCalibrated
from robot_io.hand_eye import Sight
from robot_io.table_view import TableView

Array = NDArray[Any]
HIGHEST = 0.3
"""Metres above or below the table beyond which a point is none of it."""


def fuse(view: TableView, clouds: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Several cameras' pictures as one map: mean colour over the cameras that see a cell, greatest height.

    Of one camera's pixels in a cell the uppermost counts.

    Args:
        view: the map, (H, W) cells.
        clouds: per camera colour (h, w, 3) uint8 and points (h, w, 3) metres.

    Returns:
        (H, W, 3) uint8 and (H, W) float32; cells that nobody sees are black and 0.
    """
    rows, columns = view.shape
    total: Array = np.zeros((rows * columns, 3))
    seen: Array = np.zeros(rows * columns)
    height: Array = np.zeros(rows * columns)
    for colour, points in clouds:
        flat: Array = points.reshape(-1, 3)
        rgb: Array = colour.reshape(-1, 3)
        row = np.floor((flat[:, 0] - view.x[0]) / view.pixel).astype(np.int64)
        column = np.floor((flat[:, 1] - view.y[0]) / view.pixel).astype(np.int64)
        keep = (row >= 0) & (row < rows) & (column >= 0) & (column < columns) & (np.abs(flat[:, 2]) < HIGHEST)
        cell, z, rgb = row[keep] * columns + column[keep], flat[keep, 2], rgb[keep]
        order = np.argsort(z, kind="stable")
        top = np.full(rows * columns, -1, dtype=np.int64)
        top[cell[order]] = order  # the last write, the uppermost pixel, stays
        mine = top >= 0
        total[mine] += rgb[top[mine]]
        seen[mine] += 1
        height[mine] = np.maximum(height[mine], z[top[mine]])
    fused = np.where(seen[:, None] > 0, total / np.maximum(seen, 1)[:, None], 0)
    return (
        np.round(fused).astype(np.uint8).reshape(rows, columns, 3),
        height.astype(np.float32).reshape(rows, columns),
    )


def points_of(sight: Sight, depth: Array) -> Array:
    """(h, w, 3) metres of what each pixel of a calibrated camera shows; NaN where it found no depth.

    Args:
        sight: where it looks, calibrated in space.
        depth: (h, w) metres along its axis; 0 where it found none.

    Raises:
        NotCalibrated: only the plane is known, or the picture has another size than the one that was calibrated.
    """
    if sight.camera is None or depth.shape != sight.picture:
        tall, wide = depth.shape
        raise NotCalibrated(
            f"expected a camera calibrated in space and depth of {sight.picture[1]} × {sight.picture[0]} pixels, got "
            f"{'a plane' if sight.camera is None else 'such a camera'} and {wide} × {tall}; calibrate it at two heights"
        )
    # The third row of a camera's matrix, scaled to a unit normal, tells how far along its axis a point lies.
    camera = sight.camera / np.linalg.norm(sight.camera[2, :3])
    camera = camera if np.linalg.det(camera[:, :3]) > 0 else -camera  # forwards is where it looks
    rows, columns = np.mgrid[: depth.shape[0], : depth.shape[1]] + 0.5
    far = np.where(depth > 0, depth, np.nan)
    rays = np.stack([columns * far, rows * far, far], -1) - camera[:, 3]
    return np.asarray(rays @ np.linalg.inv(camera[:, :3]).T)


def heights_of(view: TableView, points: Array) -> Array:
    """(H, W) float32 metres above the table: the highest point in each cell.

    A cell that no pixel fell into, as where a stereo camera found no depth, takes the mean of its neighbours that are
    known; without any it is bare table. So is whatever seems to lie below the table.

    Args:
        view: the map.
        points: (h, w, 3) metres; NaN where the camera found no depth.
    """
    there = np.isfinite(points).all(axis=-1)
    known: Array = points[there]
    marked, height = fuse(view, [(np.full((len(known), 3), 255, np.uint8), known)])
    return np.maximum(_filled(height, marked[..., 0] > 0), 0).astype(np.float32)


def _filled(height: Array, known: Array) -> Array:
    """(H, W): what is unknown takes the mean of its known neighbours, of the eight around it."""
    padded, weight = np.pad(np.where(known, height, 0.0), 1), np.pad(known.astype(float), 1)
    rows, columns = height.shape
    shifts = [(i, j) for i in range(3) for j in range(3)]
    total = sum(padded[i : i + rows, j : j + columns] for i, j in shifts)
    count = sum(weight[i : i + rows, j : j + columns] for i, j in shifts)
    return np.asarray(np.where(known, height, total / np.maximum(count, 1)))
