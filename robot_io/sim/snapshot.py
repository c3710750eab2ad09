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
    """(7,) radians for each arm, one after the other, to draw."""
    poses: Array
    """(N, 7) position and quaternion of the things, to draw."""
    arms: list[dict[str, Any]]
    """What each arm keeps: see `robot_io.sim.panda.Panda.keep`."""
    rules: dict[str, Any] | None = None
    """What the scene's rules remember."""

    @property
    def gripper(self) -> float:
        """The first arm's, as it was told."""
        return float(self.arms[0]["gripper"])

    @property
    def held(self) -> int | None:
        """Which thing the first arm's cup holds."""
        held: int | None = self.arms[0]["held"]
        return held

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
            motors = [arm[name] for arm in snapshot.arms for name in ("target", "velocity")]
            motors += [arm["step"] for arm in snapshot.arms if "step" in arm]
            shapes = [snapshot.joints.shape, *(motor.shape for motor in motors)]
            if shapes != [(7 * len(snapshot.arms),)] + [(7,)] * len(motors) or not motors:
                raise ValueError(f"its arrays are of shapes {shapes}")
            if snapshot.poses.shape[1:] != (7,) or not isinstance(snapshot.state, bytes):
                raise ValueError(f"its things are of shape {snapshot.poses.shape}")
            held = [(arm["gripper"], arm["held"], arm["frame"]) for arm in snapshot.arms]
        except (ArmError, wire.WireError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadSnapshot(f"expected a snapshot taken by this simulator, got other bytes: {error}") from error
        numbers = [snapshot.joints, snapshot.poses, *motors, np.array([gripper for gripper, _, _ in held])]
        if not all(np.all(np.isfinite(array)) for array in numbers):
            raise BadSnapshot("expected a snapshot of finite numbers, got others")
        return snapshot
