"""How an arm is, all of one instant: who drives, the ticks since one, and a scene's truth."""

from __future__ import annotations

from typing import Any

from robot_io.loop import Loop
from robot_io.messages import plain
from robot_io.sighted import Laid

TICKS = 2000
"""That one beat tells of, at most."""


def now(loop: Loop) -> dict[str, Any]:
    """{"tick", "end", "controller", "note", "driven", "phase", "why", "observation"}."""
    told = {"tick": loop.tick, "end": max(loop.flow.end, loop.tick), "controller": loop.flow.mode.value}
    state = loop.state
    told |= {"note": loop.flow.note, "driven": loop.heartbeat.driving, "phase": state.phase.value, "why": state.why}
    return {**told, "observation": plain(loop.arm.observe())}


def beat(loop: Loop, since: int) -> dict[str, Any]:
    """{"now", "frames": the ticks after one, "truth": of a table that is known, or None}."""
    arm = loop.arm.arm
    known = bool({"laid", "scene"} & loop.arm.features.capabilities)
    truth = arm.truth() if known and isinstance(arm, Laid) else None
    return {"now": now(loop), "frames": loop.memory.recording.since(since, TICKS), "truth": truth}
