"""An emulated SO arm's body at a bench: PyBullet joints, jaws that take things, and the door behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import so
from robot_io.arm import Limits
from robot_io.emulation.back_door import Porter, Verbs
from robot_io.emulation.bench import Bench, packed
from robot_io.emulation.motors import Demand
from robot_io.sim.scene import Recipe
from robot_io.sim.so101 import PhysicalMotors
from robot_io.so_motion import chain

Array = NDArray[Any]
REACH = Limits(so.LOWER, so.UPPER, so.SPEED, so.WORKSPACE)


class BenchMotors(PhysicalMotors):
    """Motors with a body, and a bench before it."""

    def __init__(self, middles: Sequence[float], start: Sequence[float], bench: Bench | None = None) -> None:
        """As `PhysicalMotors`."""
        self.bench = bench or Bench()
        self._chain = chain(REACH)
        super().__init__(middles, start)

    def advance(self, seconds: float, demands: Sequence[Demand]) -> None:
        """Let time pass; what the jaws hold goes with them."""
        super().advance(seconds, demands)
        joints = self.joints
        self.bench.after(lambda: self._chain.pose(joints[:5]), float(joints[5]))

    @property
    def joints(self) -> Array:
        """(6,) radians from each joint's middle; the jaw's from shut."""
        return np.array(self.angles) - self._middles


def door(motors: BenchMotors, directory: Path, lock: RLock, more: Verbs | None = None) -> Porter:
    """Open the door behind a body: lay the table, tell where everything is, keep a state for a twin; `more` verbs."""
    bench = motors.bench

    def locked(work: Any) -> Any:
        def verb(**fields: Any) -> Any:
            with lock:
                return work(**fields)

        return verb

    def reset(seed: int, task: str, split: str) -> dict[str, Any]:
        bench.lay(Recipe(int(seed), str(task), str(split)))
        return bench.truth()

    verbs = {
        "reset": reset,
        "truth": bench.truth,
        "sense": bench.sense,
        "lens": lambda: bench.lens,
        "snapshot": lambda: packed(bench, motors.joints),
        **(more or {}),
    }
    return Porter(directory, {name: locked(work) for name, work in verbs.items()})
