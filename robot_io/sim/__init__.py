"""The simulated table."""

from __future__ import annotations

from robot_io.arm import Arm, ArmNotFound


def make(rest: str) -> Arm:
    """The arm of a name `sim:REST`; only `sim:panda` so far."""
    if rest != "panda":
        raise ArmNotFound(f"expected sim:panda, got sim:{rest}")
    from robot_io.sim.table import SimTable

    return SimTable()
