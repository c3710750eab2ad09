"""What an arm is doing, in one word and in a few."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What the arm is doing, in one word."""

    IDLE = "idle"
    MOVING = "moving"
    HELD = "held"
    STOPPED = "stopped"
    FAULT = "fault"


@dataclass(frozen=True)
class State:
    """What everybody may know at any time."""

    phase: Phase
    why: str
    name: str
    tick: int
    """Control ticks that moved the arm."""
    clipped: int
    pace: float
    since: float
    """On the loop's clock: when this phase began."""
    controller: str = "nobody"
    """Who drives tick by tick: "nobody", "policy", "human" or "retrace"."""
    note: str = ""
    """How the last one of these ended."""
    blind: str = ""
    """What is wrong with one of its cameras; whatever moves by itself is held until that is mended."""
