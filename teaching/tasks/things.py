"""The things of a truth, and where to take hold of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from teaching.task import Truth
from teaching.types import Array

Thing = Mapping[str, Any]


def of_kind(truth: Truth, kind: str) -> list[Thing]:
    """The things of a kind, in the scene's order."""
    return [thing for thing in truth["objects"] if thing["kind"] == kind]


def flat(thing: Thing) -> Array:
    """(2,) the x and y of its centre, in metres."""
    return np.asarray(thing["position"][:2], dtype=np.float64)


def bottom(thing: Thing) -> float:
    """The height of its underside above the table, in metres."""
    return float(thing["position"][2]) - float(thing["size"][2]) / 2


def grip(thing: Thing) -> Array:
    """(3,) the point of its top to take hold of, in metres."""
    if "grip" in thing:
        return np.asarray(thing["grip"], dtype=np.float64)
    return np.append(flat(thing), thing["position"][2] + thing["size"][2] / 2)


def near(point: Array, radius: float, rng: np.random.Generator) -> Array:
    """A random point within a radius of a point (3,), at its height."""
    angle, away = rng.uniform(0.0, 2 * np.pi), radius * np.sqrt(rng.uniform())
    return np.asarray(point + np.array([np.cos(angle), np.sin(angle), 0.0]) * away)


def pick_and_place(pick: Array, place: Array) -> Array:
    """(2, 4) actions from two points (3,), without turning."""
    return np.array([[*pick, 0.0], [*place, 0.0]])


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return re.findall(r"[a-z]+", text.lower())
