"""A recorded episode in motion as points in space: where tips were, and things as the arm perceived them. Pure.

Nothing is simulated again: an observation tells the ways from a tip to things, and they are added to the tip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from teaching.replay.pictures import Pictures
from teaching.types import Array, BadInput

THINGS: Mapping[str, Mapping[str, int]] = {
    "peg-and-button": {"peg": 0, "slot": 0, "button": 0},
    "block-in-bowl": {"block": 0, "bowl": 0},
    "hold-and-insert": {"handle": 0, "peg": 1, "opening": 1},
}
"""Per task: what a way in its observations leads to, and from which arm's tip."""
MOST = 2_400
"""Moments of a film; of a longer episode every second, third, … tick."""
MOST_PICTURES = 600
"""Of a camera in a film: two minutes at five a second, some 2 MB."""


@dataclass(frozen=True)
class Tracks:
    """T moments of the branch on which an episode ended."""

    ticks: Array
    """(T,) which ticks of the branch, from 0."""
    tips: tuple[Array, ...]
    """Per arm (T, 3) metres."""
    grippers: tuple[Array, ...]
    """Per arm (T,) from 0, open, to 1."""
    things: Mapping[str, Array]
    """Name → (T, 3) metres; z is NaN where only the place on the table is perceived."""


@dataclass(frozen=True)
class Seen:
    """What one camera saw of the branch on which an episode ended."""

    camera: str
    seconds: tuple[float, ...]
    """(N,) from its beginning, growing."""
    jpegs: tuple[bytes, ...]


def seen(
    pictures: Pictures | None,
    columns: Mapping[str, Array],
    cameras: Sequence[str],
    rate: float,
    most: int = MOST_PICTURES,
) -> list[Seen]:
    """Camera by camera what there is to watch; of a long film every second, third, … picture.

    Args:
        pictures: of the episode, None if there are none.
        columns: with `tick` and `live`.
        cameras: their names, as the episode's facts tell.
        rate: ticks per second.
        most: pictures of a camera.
    """
    if pictures is None:
        return []
    live = np.asarray(columns["tick"])[np.asarray(columns["live"], bool)]
    at = np.searchsorted(live, pictures.ticks)
    there = (at < len(live)) & (live[np.minimum(at, len(live) - 1)] == pictures.ticks) if len(live) else at < 0
    found = []
    for number, camera in enumerate(cameras):
        rows = np.flatnonzero(there & (pictures.cameras == number))
        rows = rows[:: max(1, -(-len(rows) // most))]
        if len(rows):
            seconds = tuple(np.round((at[rows] + 1) / rate, 3).tolist())
            found.append(Seen(camera, seconds, tuple(pictures.jpegs[row] for row in rows)))
    return found


def names(task: str) -> tuple[str, ...]:
    """The columns that `tracks` reads, those that an episode may lack among them."""
    ways = (f"observation.{n}" for n in THINGS.get(task, {}))
    return ("live", "tick", "observation.tip", "observation.gripper", "observation.grippers", *ways)


def tracks(task: str, columns: Mapping[str, Array]) -> Tracks:
    """From the columns of an episode's file; BadInput where no tip is recorded."""
    if "observation.tip" not in columns:
        raise BadInput("expected an arm that tells where its tip is, got columns without observation.tip")
    live = np.flatnonzero(columns["live"])
    ticks = np.arange(0, len(live), max(1, -(-len(live) // MOST)))
    at = live[ticks]
    tips = columns["observation.tip"][at].reshape(len(at), -1, 3)
    grips = columns.get("observation.grippers", columns.get("observation.gripper", np.zeros((len(at), 0))))
    things = {}
    for name, arm in THINGS.get(task, {}).items():
        if f"observation.{name}" in columns:
            things[name] = _place(tips[:, arm], columns[f"observation.{name}"][at])
    grips = grips[at] if grips.shape[1] else np.zeros((len(at), tips.shape[1]))
    per_arm = (grips[:, min(n, grips.shape[1] - 1)] for n in range(tips.shape[1]))
    return Tracks(ticks, tuple(tips[:, n] for n in range(tips.shape[1])), tuple(per_arm), things)


def _place(tip: Array, way: Array) -> Array:
    there = np.full((len(tip), 3), np.nan)
    width = way.shape[1]
    there[:, :width] = tip[:, :width] + way
    return there
