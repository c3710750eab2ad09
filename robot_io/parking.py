"""The way to an arm's parking place, with an end: an arm that is to be let go of must not take for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

from robot_io.arm import JointPath, Stopped
from robot_io.safety import SafeArm

LONGEST = 10.0
"""Seconds; whoever ends an arm process waits longer than that before it insists."""


def park(
    arm: SafeArm,
    path: JointPath,
    period: float,
    clock: Callable[[], float],
    *,
    longest: float = LONGEST,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Follow the path, a tick every `period` seconds.

    Raises:
        Stopped: somebody stopped it on the way, or it took longer than `longest` seconds; what is left is not done.
    """
    end = clock() + longest
    for tick in range(len(path)):
        if clock() > end:
            raise Stopped(f"expected to be parked within {longest:g} s, got to tick {tick} of {len(path)}")
        arm.send(path[tick])
        sleep(period)
