"""How near two arms come to each other, and what keeps them apart: their links as capsules. Numpy only. Metres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BISECTIONS = 12
"""Halvings when a step is shortened: to a four-thousandth of it."""


def between_segments(a: Array, b: Array) -> Array:
    """Distances (N, M) between segments a (N, 2, 3) and b (M, 2, 3), ends included (Lumelsky 1985)."""
    p, q = a[:, None, 0], b[None, :, 0]
    d, e = a[:, None, 1] - p, b[None, :, 1] - q
    r = p - q
    dd, ee, de = (d * d).sum(-1), (e * e).sum(-1), (d * e).sum(-1)
    dr, er = (d * r).sum(-1), (e * r).sum(-1)
    flat = dd * ee - de * de
    s = np.clip(np.where(flat > 1e-12, (de * er - dr * ee) / np.maximum(flat, 1e-12), 0.0), 0.0, 1.0)
    t = (de * s + er) / np.maximum(ee, 1e-12)
    outside = (t < 0.0) | (t > 1.0)
    t = np.clip(t, 0.0, 1.0)
    s = np.where(outside, np.clip((de * t - dr) / np.maximum(dd, 1e-12), 0.0, 1.0), s)
    gap = r + s[..., None] * d - t[..., None] * e
    found: Array = np.sqrt((gap * gap).sum(-1))
    return found


def between(a: Array, b: Array, radii: Array) -> float:
    """The room left between two rows of capsules, segments (N, 2, 3) with the same radii (N,); below 0: they meet."""
    return float((between_segments(a, b) - radii[:, None] - radii[None, :]).min())


def kept_apart(target: Array, last: Array, room: Callable[[Array], float], nearest: float) -> Array:
    """The part of the step `last` → `target`, both (J,), on which there is room enough between two arms.

    Bit for bit the target if there is. Arms that are too near already may only part.
    """
    left = room(target)
    if left >= nearest:
        return target
    allowed = min(nearest, room(last))
    if left >= allowed:
        return target
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if room(last + middle * (target - last)) >= allowed:
            low = middle
        else:
            high = middle
    return np.asarray(last + low * (target - last))
