"""An episode in motion as a capsule shows it: who drove when, how unsure the novice was, and the way of the tip."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from teaching.replay import Episode
from teaching.rollout_picture import seen
from teaching.types import Array

POINTS = 400
"""Of a curve, at most."""
MOST = 300
"""Pictures of one camera and episode."""
EXACT = ("tick", "parent", "executed", "observation.joints", "live")
"""Columns that going through it once more needs, bit for bit."""


def motion(episode: Episode, pictures: list[str]) -> dict[str, Any]:
    """One episode; times in seconds from its beginning; what cameras saw joins the capsule's pictures."""
    rollout = episode.rollout
    assert rollout is not None
    facts, columns = dict(rollout.facts), rollout.columns
    rate = float(facts.get("rate", 60.0))
    live = np.asarray(columns["live"], bool) if "live" in columns else np.ones(len(rollout), bool)
    rows = np.flatnonzero(live)
    taken = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), POINTS)).astype(int))] if len(rows) else rows
    return {
        "kind": "motion", "id": episode.id, "goal": episode.goal, "scene": episode.seed, "split": episode.split,
        "end": str(facts.get("end", episode.end)), "ending": episode.reason, "success": facts.get("success"),
        "policy": facts.get("policy"), "round": facts.get("round"), "teacher": episode.teacher,
        "time": episode.started, "seconds": len(rows) / rate, "left": int(len(rollout) - len(rows)),
        "bands": [
            {"at": s["start"] / rate, "until": s["stop"] / rate, "said": s["kind"], "who": int(s["intervention"])}
            for s in facts.get("segments", ())
        ],
        "curve": _curve(columns, taken, rows, rate), "subtasks": list(facts.get("subtasks", ())),
        "seen": _seen(episode, rate, pictures), "exact": exact(episode),
    }  # fmt: skip


def _curve(columns: Any, taken: Array, rows: Array, rate: float) -> dict[str, list[Any]]:
    """Columns at some ticks: seconds, doubt, stage, tip (x, y, z)."""
    found: dict[str, list[Any]] = {"at": (np.searchsorted(rows, taken) / rate).round(3).tolist()}
    if "uncertainty" in columns:
        doubt = np.asarray(columns["uncertainty"])[taken]
        found["doubt"] = [round(float(v), 4) if np.isfinite(v) else None for v in doubt]
    if "stage" in columns:
        found["stage"] = np.asarray(columns["stage"])[taken].astype(int).tolist()
    if "observation.tip" in columns:
        found["tip"] = np.asarray(columns["observation.tip"])[taken][:, :3].round(4).tolist()
    return found


def _seen(episode: Episode, rate: float, pictures: list[str]) -> list[dict[str, Any]]:
    """Camera by camera seconds, and which of the capsule's pictures was seen then."""
    rollout = episode.rollout
    assert rollout is not None
    cameras = [str(name) for name in dict(rollout.facts.get("film") or {}).get("cameras", ())]
    found = []
    for one in seen(rollout.pictures, rollout.columns, cameras, rate, MOST):
        first = len(pictures)
        pictures += [base64.b64encode(jpeg).decode() for jpeg in one.jpegs]
        found.append({"camera": one.camera, "at": list(one.seconds), "first": first})
    return found


def exact(episode: Episode) -> dict[str, Any]:
    """Columns as bytes: name → {"type", "shape", "data"}."""
    rollout = episode.rollout
    assert rollout is not None
    found = {}
    for name in EXACT:
        if name in rollout.columns:
            column = np.ascontiguousarray(rollout.columns[name])
            data = base64.b64encode(column.tobytes()).decode()
            found[name] = {"type": column.dtype.str, "shape": list(column.shape), "data": data}
    return found
