"""A recorded episode in motion as points in space: where tips were, and things as the arm perceived them. Pure.

Nothing is simulated again: an observation tells the ways from a tip to things, and they are added to the tip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from teaching.types import Array, BadInput

THINGS: Mapping[str, Mapping[str, int]] = {
    "peg-and-button": {"peg": 0, "slot": 0, "button": 0},
    "block-in-bowl": {"block": 0, "bowl": 0},
    "hold-and-insert": {"handle": 0, "peg": 1, "opening": 1},
}
"""Per task: what a way in its observations leads to, and from which arm's tip."""
MOST = 2_400
"""Moments of a film; of a longer episode every second, third, … tick."""


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


def names(task: str) -> tuple[str, ...]:
    """The columns that `tracks` reads, those that an episode may lack among them."""
    ways = (f"observation.{n}" for n in THINGS.get(task, {}))
    return ("live", "observation.tip", "observation.gripper", "observation.grippers", *ways)


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
