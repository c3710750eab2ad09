"""The simulated table."""

from __future__ import annotations

from robot_io.arm import Arm, ArmNotFound


def make(rest: str) -> Arm:
    """The arm of a name `sim:REST`: `sim:panda`, or `sim:panda2` for two of them."""
    if rest == "panda2":
        from robot_io.sim.pair import SimPair

        return SimPair()
    if rest != "panda":
        raise ArmNotFound(f"expected sim:panda or sim:panda2, got sim:{rest}")
    from robot_io.sim.table import SimTable

    return SimTable()
