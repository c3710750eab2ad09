"""Watches the control loop from another thread: a loop that hangs in motion is stopped, and that is told.

A hanging loop sends nothing, so a real arm comes to rest within its last short step by itself. The latch makes sure
that it does not go on where it was when the loop comes back: a person looks first.
"""

from __future__ import annotations

from robot_io.loop import Loop

LONGEST = 0.5
"""Seconds that a turn of the loop of a real arm may take while something moves."""


class Watchdog:
    """Looks when told to; `bites` counts."""

    def __init__(self, loop: Loop, longest: float = LONGEST) -> None:
        self._loop, self._longest = loop, longest
        self.bites = 0

    def look(self, now: float) -> bool:
        """Whether it had to stop the arm; `now` is the loop's clock."""
        loop = self._loop
        age = now - loop.turned_at
        in_motion = loop.moving or loop.heartbeat.driving
        if loop.arm.features.simulated or not in_motion or age <= self._longest or loop.arm.stopped is not None:
            return False
        self.bites += 1
        loop.stop(f"the control loop hung for {age:.1f} s; the computer may be too busy", 0.0)
        return True
