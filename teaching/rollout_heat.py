"""Where demonstrated grippers were, as a camera sees it: what counts as familiar, laid over its picture.

RaC shows its operators such a map (Hu et al. 2025, arXiv 2509.07953, section 4 of our notes), made from masks of the
gripper. Here the places are known, and the camera's view of them, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from robot_io.arm import CameraView
from teaching.types import Array
from teaching.view import data_url

SIZE = (60, 80)
"""Rows and columns; the page stretches it over the picture."""
BLUR = (1, 4, 6, 4, 1)
COLOUR = (255, 190, 60)
MOST = 150
"""Opacity, of 255, where they were most."""


def heat(tips: Array, views: Mapping[str, CameraView]) -> dict[str, Any] | None:
    """The map over the first camera that stands still.

    Args:
        tips: (N, 3) metres in the base frame.
        views: of the arm's cameras, by name.

    Returns:
        {"camera", "image": PNG with alpha as a data URL}; None without tips or such a camera.
    """
    fixed = [name for name, view in views.items() if not view.follows]
    if not fixed or not len(tips):
        return None
    share = shares(tips, np.array(views[fixed[0]].matrix))
    alpha = (MOST * np.sqrt(share / max(float(share.max()), 1e-9))).astype(np.uint8)
    pixels = np.concatenate([np.broadcast_to(np.array(COLOUR, np.uint8), (*SIZE, 3)), alpha[..., None]], axis=2)
    return {"camera": fixed[0], "image": data_url(pixels)}


def shares(tips: Array, matrix: Array) -> Array:
    """How many of the tips (N, 3) each cell of `SIZE` holds, blurred; those out of the picture count nowhere."""
    seen = np.column_stack([tips, np.ones(len(tips))]) @ matrix.T
    ahead = seen[:, 2] > 1e-9
    at = seen[ahead, :2] / seen[ahead, 2:]
    counts, _, _ = np.histogram2d(at[:, 1], at[:, 0], bins=SIZE, range=((0.0, 1.0), (0.0, 1.0)))
    kernel = np.array(BLUR) / sum(BLUR)
    for axis in (0, 1):
        counts = np.apply_along_axis(lambda line: np.convolve(line, kernel, mode="same"), axis, counts)
    found: Array = counts
    return found
