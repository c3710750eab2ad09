"""An episode in motion as a recording: one row per tick of the branch on which it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from teaching.export.recording import Recording
from teaching.segments import NONE, End, SegmentKind
from teaching.types import Array, BadInput

if TYPE_CHECKING:
    from teaching.replay import ReplayBuffer

UNKNOWN = -1.0
"""An uncertainty that nobody asked for; those that were are in [0, 1]."""
_OWN = ("joints", "gripper")
_NUMBERS = ("stage", "round", "policy_id", "tick", "parent", "control", "controller", "intervention_id")
_MOVES = {"move": "move", "novice_action": "novice_move"}
"""Ours → the exported name: LeRobot takes every column that begins with "action" for something to predict."""


def counting(buffer: ReplayBuffer) -> list[str]:
    """Ids of the episodes that count: neither left out nor fumbled."""
    return [s.id for s in buffer.rollouts() if s.rollout is not None and s.rollout["end"] != End.DISCARDED]


def recording(buffer: ReplayBuffer, name: str) -> Recording:
    """One episode; BadInput if its recording lacks what every tool needs."""
    summary = next(s for s in buffer.rollouts() if s.id == name)
    facts: Mapping[str, Any] = summary.rollout or {}
    every = buffer.frames(name)
    if missing := {"executed", "live", "segment", "observation.joints"} - set(every):
        raise BadInput(f"expected {', '.join(sorted(missing))} in episode {name}, which has {', '.join(every)}")
    rate = float(facts["rate"])
    if rate != round(rate):
        raise BadInput(f"expected a whole number of ticks per second in episode {name}, got {rate}")
    live = {n: c[every["live"]] for n, c in every.items()}
    seen = {n.removeprefix("observation."): _rows(c) for n, c in live.items() if n.startswith("observation.")}
    kept = {n: _rows(live[n]) for n in ("executed", "requested") if n in live}
    width = kept["executed"].shape[1]
    return Recording(
        name, int(rate), (summary.goal,) * len(live["live"]),
        np.concatenate([seen[n] for n in _OWN if n in seen], axis=1),
        kept["executed"], (*(f"joint_{i}" for i in range(width - 1)), "gripper"),
        sensed={n: c for n, c in sorted(seen.items()) if n not in _OWN},
        columns=_columns(live, kept.get("requested")),
        words={"segment": tuple(SegmentKind(int(k)).name.lower() for k in live["segment"])},
        facts={"seed": summary.seed, "teacher": summary.teacher, "reason": summary.reason, **facts},
    )  # fmt: skip


def _rows(column: Array) -> Array:
    return np.asarray(column, np.float32).reshape(len(column), -1)


def _columns(live: Mapping[str, Array], requested: Array | None) -> dict[str, Array]:
    found: dict[str, Array] = {n: live[n].astype(np.int64) for n in _NUMBERS if n in live}
    found |= {new: _rows(live[old]) for old, new in _MOVES.items() if old in live}
    if requested is not None:
        found["requested"] = requested
    if "clipped" in live:
        found["clipped"] = live["clipped"].astype(bool)
    if "time" in live:
        found["time"] = live["time"].astype(np.float64)
    found["intervention"] = live["intervention_id"] > NONE
    doubt = live.get("uncertainty", np.full(len(live["live"]), np.nan)).astype(np.float32)
    found["uncertainty"] = np.where(np.isfinite(doubt), doubt, np.float32(UNKNOWN))
    found["next.done"] = np.arange(len(live["live"])) == len(live["live"]) - 1
    return found
