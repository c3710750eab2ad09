"""The modes of predicted maps: peaks that stand apart, each with the probability gathered around it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from teaching.types import Array


@dataclass(frozen=True)
class Mode:
    """One peak."""

    row: int
    column: int
    weight: float
    """Probability within the radius, in [0, 1]; pixels already counted for a stronger mode are left out."""


def smooth(probability: Array, radius: int) -> Array:
    """The sum over a (2·radius + 1)² window around each pixel of (H, W); outside counts as 0."""
    size = 2 * radius + 1
    padded = np.pad(probability.astype(np.float64), radius + 1)[:-1, :-1].cumsum(0).cumsum(1)
    height, width = probability.shape
    wide = np.pad(padded, ((0, size), (0, size)), mode="edge")
    summed: Array = (
        wide[size : size + height, size : size + width]
        - wide[:height, size : size + width]
        - wide[size : size + height, :width]
        + wide[:height, :width]
    )
    return summed


def modes(probability: Array, *, radius: int = 7, core: int = 2, limit: int = 5, least: float = 0.02) -> list[Mode]:
    """Peaks by non-maximum suppression, strongest first; at least one.

    Args:
        probability: (H, W), sums to 1.
        radius: pixels that belong to a peak.
        core: half the window over which probability is gathered when peaks are compared, so that a broad hill
            beats a lone spike and its middle beats its rim.
        limit: most modes returned.
        least: weight below which a mode is not worth mentioning (the first always is).
    """
    left = probability.astype(np.float64)
    rows, columns = np.ogrid[: left.shape[0], : left.shape[1]]
    found: list[Mode] = []
    while len(found) < limit:
        row, column = np.unravel_index(int(np.argmax(smooth(left, core))), left.shape)
        disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
        weight = float(left[disc].sum())
        if found and weight < least:
            break
        found.append(Mode(int(row), int(column), weight))
        left = np.where(disc, 0.0, left)
    return found


def paired(
    picks: list[Mode], places: list[Mode], *, limit: int = 5, least: float = 0.02
) -> list[tuple[Mode, Mode, float]]:
    """Pick and place together: the strongest of both first, then the others by the product of their weights.

    Returns:
        (pick, place, weight) of the first and of up to `limit` − 1 others with a weight of at least `least`.
    """
    first, *others = ((a, b, a.weight * b.weight) for a in picks for b in places)
    others.sort(key=lambda pair: -pair[2])
    return [first, *(pair for pair in others if pair[2] >= least)][:limit]


def entropy(probability: Array) -> float:
    """Shannon entropy in nats of an array of probabilities."""
    p = probability[probability > 0]
    return float(-(p * np.log(p)).sum())


def to_map(probability: Array) -> Array:
    """(H, W) float32 scaled to a maximum of 1, to be drawn."""
    scaled: Array = probability / probability.max()
    return scaled.astype(np.float32)
