"""What an arm has, and where its cameras look from; plain values that are known before it is connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from robot_io.limits import Limits
from robot_io.table_view import TableView


@dataclass(frozen=True)
class CameraView:
    """How points become places in a camera's picture."""

    matrix: tuple[tuple[float, float, float, float], ...]
    """3 rows: (x, y, z, 1) in metres → (u, v, 1) times a factor; u and v are shares of the picture's width and height,
    v downwards."""
    follows: bool = False
    """The camera goes with the tip: x, y and z are measured from it, not from the base."""

    def __post_init__(self) -> None:
        rows = tuple(tuple(float(value) for value in row) for row in self.matrix)
        if len(rows) != 3 or any(len(row) != 4 for row in rows):
            raise ValueError(f"expected a matrix of 3 rows of 4, got {self.matrix}")
        object.__setattr__(self, "matrix", rows)


@dataclass(frozen=True)
class Features:
    """What an arm has; true before it is connected, too."""

    name: str
    joints: tuple[str, ...]
    limits: Limits
    rate: float = 60.0
    """Control ticks per second."""
    cameras: tuple[str, ...] = ()
    capabilities: frozenset[str] = field(default_factory=frozenset)
    """Any of "table" (pictures and `perform`), "laid" (reset, snapshot, rehearse, truth), "scene" (those, restore and
    preview), "calibrate" (it is there for that alone), "sight" (its cameras can be calibrated by it)."""
    table: TableView = field(default_factory=TableView)
    simulated: bool = False
    tasks: tuple[str, ...] = ()
    """Names of the scenes that `reset` knows."""
    views: Mapping[str, CameraView] = field(default_factory=dict)
    """Where what is seen lies, of the cameras that know it."""
