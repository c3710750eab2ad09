"""Recorded episodes in motion without an arm: columns and facts that agree, as a lesson writes them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from teaching.replay import Episode
from teaching.replay.frames import Rollout
from teaching.replay.pictures import Pictures
from teaching.segments import SegmentKind

P, R, C, D = (int(SegmentKind[n]) for n in ("POLICY", "RECOVERY", "CORRECTION", "DEMO"))


def recorded(
    name: str,
    kinds: list[int],
    end: str,
    *,
    task: str = "peg-and-button",
    round: int = 1,
    pictures: Pictures | None = None,
) -> Episode:
    """One tick per kind; the tip goes along x, things lie at places of their own."""
    t, kind = len(kinds), np.array(kinds)
    ticks, helping = np.arange(1, t + 1), np.isin(kinds, [R, C])
    tip = np.column_stack([0.4 + 0.001 * ticks, np.full(t, 0.1), np.full(t, 0.2)])
    move = np.zeros((t, 5))
    move[:, 0] = 0.001
    columns = {
        "tick": ticks, "parent": ticks - 1, "segment": kind.astype(np.uint8), "live": np.ones(t, bool), "move": move,
        "intervention_id": np.where(helping, 0, -1).astype(np.int32), "uncertainty": np.full(t, 0.5),
        "observation.tip": tip, "observation.gripper": np.ones((t, 1)), "observation.way": np.ones((t, 3)),
        "executed": np.zeros((t, 8)), "observation.joints": np.zeros((t, 7)),
        "observation.peg": np.array([0.5, 0.0, 0.02]) - tip, "observation.slot": np.array([0.6, 0.2]) - tip[:, :2],
        "observation.button": np.array([0.6, -0.2]) - tip[:, :2],
    }  # fmt: skip
    edges = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), t]
    segments = [
        {"kind": SegmentKind(kinds[a]).name.lower(), "start": a, "stop": b,
         "intervention": 0 if helping[a] else -1, "marked": False}
        for a, b in pairwise(edges)
    ]  # fmt: skip
    facts = {
        "end": end, "protocol": "rac", "round": round, "policy": round, "rate": 60.0, "segments": segments, "frames": t,
        "n_interventions": int(helping.any()), "success": None, "progress": 0.5, "operator": "Ada",
    }  # fmt: skip
    if pictures is not None:
        facts["film"] = {"cameras": ["side", "close"], "rate": 5.0, "dropped": 0}
    goal = "put the peg in the slot and press the button"
    return Episode(name, task, goal, 0, "seen", (), "Ada", "terminated", started=10.0, ended=20.0,
                   rollout=Rollout(columns, facts, pictures))  # fmt: skip
