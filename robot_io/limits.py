"""How far and how fast an arm may move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Limits:
    """What the safety layer enforces. Beyond it an action is clipped, and that is told."""

    lower: Array
    """(J,) radians."""
    upper: Array
    """(J,) radians."""
    speed: Array
    """(J,) radians per second."""
    workspace: Array
    """(2, 3) metres: the lowest and the highest corner that the gripper may reach, in the arm's base frame."""
    acceleration: Array | None = None
    """(J,) radians per second squared by which a joint may become faster; slower it may become at will, so that a stop
    is a stop. None: as fast as it likes.
    """

    def __post_init__(self) -> None:
        arrays = {n: np.array(getattr(self, n), dtype=np.float64) for n in ("lower", "upper", "speed", "workspace")}
        if self.acceleration is not None:
            arrays["acceleration"] = np.array(self.acceleration, dtype=np.float64)
        joints = arrays["lower"].shape
        for name in arrays.keys() - {"lower", "workspace"}:
            if arrays[name].shape != joints:
                raise ValueError(f"expected {name} of shape {joints} like lower, got {arrays[name].shape}")
        if arrays["workspace"].shape != (2, 3):
            raise ValueError(f"expected workspace of shape (2, 3), got {arrays['workspace'].shape}")
        if np.any(arrays["lower"] >= arrays["upper"]) or np.any(arrays["speed"] <= 0):
            raise ValueError("expected lower < upper and speed > 0 for every joint")
        if np.any(arrays.get("acceleration", np.ones(1)) <= 0):
            raise ValueError(f"expected acceleration > 0 for every joint, got {self.acceleration}")
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
