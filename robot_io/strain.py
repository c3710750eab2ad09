"""Does a joint work too hard? Loads and currents as an arm reports them, judged over a while. Pure.

A load that peaks is a start or a stop; one that stays means a weight that is too heavy, or something in the way. The
gripper is left out: it presses on what it holds, within the lower limits that its servo was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robot_io.driver import Health


@dataclass(frozen=True)
class StrainConfig:
    """From when on it is too much."""

    load: float = 0.92
    """Share of full torque."""
    amperes: float = 2.0
    """Of one servo; an STS3215 that is blocked draws 2.7."""
    seconds: float = 1.2
    """For so long without a pause; the servos' own protection acts after two seconds."""

    def __post_init__(self) -> None:
        if not (0 < self.load <= 1 and self.amperes > 0 and self.seconds > 0):
            raise ValueError(f"expected 0 < load ≤ 1 and amperes, seconds > 0, got {self}")


class Strain:
    """Remembers since when each joint has been working too hard."""

    def __init__(self, config: StrainConfig | None = None) -> None:
        self.config = config or StrainConfig()
        self._since: dict[str, float] = {}

    def feel(self, health: Health, joints: Sequence[str], now: float) -> str:
        """What is too much, in words, "" if nothing is; call it at every look."""
        for n, joint in enumerate(joints):
            load = abs(float(health.load[n])) if len(health.load) > n else 0.0
            amperes = abs(float(health.amperes[n])) if len(health.amperes) > n else 0.0
            if not (load >= self.config.load or amperes >= self.config.amperes):
                self._since.pop(joint, None)
            elif now - self._since.setdefault(joint, now) >= self.config.seconds:
                del self._since[joint]
                return (
                    f"expected {joint} to carry its load, but for {self.config.seconds:g} s it has worked at "
                    f"{np.round(100 * load):.0f} % of its torque ({amperes:.1f} A); take the load away, then release"
                )
        return ""
