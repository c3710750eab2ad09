"""A physical state as bytes: what PyBullet saves, what it leaves out, and what is needed to draw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import wire
from robot_io.arm import ArmError
from robot_io.sim.scene import Recipe

Array = NDArray[Any]
_ARRAYS = {"joints": (7,), "target": (7,), "velocity": (7,)}


class BadSnapshot(ArmError):
    """Bytes that are no snapshot of this simulator."""


@dataclass(frozen=True)
class Snapshot:
    """One state. Motor targets and the cup's constraint are not part of PyBullet's own."""

    recipe: Recipe
    state: bytes
    """PyBullet's file."""
    ticks: int
    joints: Array
    """(7,) radians, to draw."""
    poses: Array
    """(N, 7) position and quaternion of the things, to draw."""
    target: Array
    """(7,) radians, of the motors."""
    velocity: Array
    """(7,) radians per second, of the motors."""
    gripper: float
    held: int | None
    """Which thing the cup holds."""
    frame: tuple[list[float], list[float]] | None
    """How it holds it: position and quaternion of the thing in the tip's frame."""

    rules: dict[str, Any] | None = None
    """What the scene's rules remember."""

    def pack(self) -> bytes:
        """As bytes."""
        recipe = [self.recipe.seed, self.recipe.task, self.recipe.split]
        return wire.pack({**vars(self), "recipe": recipe})

    @classmethod
    def unpack(cls, data: bytes) -> Snapshot:
        """The snapshot of some bytes; BadSnapshot if they are none."""
        try:
            saved = wire.unpack(data)
            snapshot = cls(**{**saved, "recipe": Recipe(*saved["recipe"])})
            shapes = {name: getattr(snapshot, name).shape for name in _ARRAYS}
            if shapes != _ARRAYS or snapshot.poses.shape[1:] != (7,) or not isinstance(snapshot.state, bytes):
                raise ValueError(f"its arrays are of shapes {shapes} and {snapshot.poses.shape}")
        except (ArmError, wire.WireError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadSnapshot(f"expected a snapshot taken by this simulator, got other bytes: {error}") from error
        if not all(np.all(np.isfinite(getattr(snapshot, name))) for name in (*_ARRAYS, "poses")):
            raise BadSnapshot("expected a snapshot of finite numbers, got others")
        return snapshot
