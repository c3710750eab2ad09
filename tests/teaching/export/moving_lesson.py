"""A lesson in motion with one demonstration and one intervention, small, seeded, without an arm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from teaching.lesson import LessonConfig
from teaching.replay import Episode, ReplayBuffer
from teaching.replay.frames import Rollout
from teaching.segments import SegmentKind, Timeline, segments_of
from teaching.types import Array

GOAL = "put the peg in the slot and press the button"
SENSED = {"tip": 3, "held": 1, "peg": 3, "slot": 2, "button": 2, "peg_yaw": 2, "contact": 1, "trace": 1}


def columns(rng: np.random.Generator, kinds: list[SegmentKind], which: list[int]) -> dict[str, Array]:
    """(T, …) as a supervised episode has them; two ticks of a branch that was left come first."""
    rows = len(kinds)
    told = {f"observation.{n}": rng.normal(size=(rows, w)) for n, w in SENSED.items()}
    told |= {"observation.joints": rng.normal(size=(rows, 7)), "observation.gripper": np.zeros((rows, 1))}
    told |= {"observation.stage": np.eye(3)[rng.integers(0, 3, rows)]}
    doubt = np.where(np.array(kinds) == SegmentKind.POLICY, rng.random(rows), np.nan)
    return told | {
        "tick": np.arange(rows), "parent": np.arange(rows) - 1, "time": np.arange(rows) / 60.0,
        "executed": rng.normal(size=(rows, 8)), "requested": rng.normal(size=(rows, 8)),
        "clipped": np.arange(rows) % 3 == 0, "move": rng.normal(size=(rows, 5)) * 0.01,
        "novice_action": rng.normal(size=(rows, 5)) * 0.01, "uncertainty": doubt,
        "segment": np.array(kinds, np.uint8), "intervention_id": np.array(which, np.int32),
        "control": np.array([k.control for k in kinds], np.uint8), "stage": np.zeros(rows, np.uint8),
        "round": np.full(rows, 1, np.int32), "policy_id": np.full(rows, 1, np.int32), "live": np.arange(rows) >= 2,
    }  # fmt: skip


def episode(name: str, end: str, kinds: list[SegmentKind], which: list[int]) -> Episode:
    """A whole episode."""
    table = columns(np.random.default_rng(int(name)), kinds, which)
    found = segments_of(table["segment"][2:], table["intervention_id"][2:])
    assert Timeline(found, end)  # type: ignore[arg-type]
    facts: dict[str, Any] = {
        "task": "peg-and-button", "split": "seen", "protocol": "rac", "operator": "Ada", "round": 1, "policy": 1,
        "rate": 60.0, "every": 2, "subtasks": ["pick", "insert", "press"], "stage": 3, "progress": 1.0, "success": True,
        "frames": len(kinds) - 2, "left_frames": 2, "end": end, "n_interventions": max(which) + 1,
        "segments": [{"kind": s.kind.name.lower(), "start": s.start, "stop": s.stop, "intervention": s.intervention,
                      "marked": s.marked} for s in found],
    }  # fmt: skip
    return Episode(name, "peg-and-button", GOAL, 4, "seen", (), "Ada", rollout=Rollout(table, facts))


def make(directory: Path) -> Path:
    """A demonstration, an intervention, and one that was fumbled and counts nowhere."""
    lesson = LessonConfig.from_json({"kind": "rollout", "name": "moving", "arm": "sim:panda"})
    demo, policy = SegmentKind.DEMO, SegmentKind.POLICY
    back, right = SegmentKind.RECOVERY, SegmentKind.CORRECTION
    with ReplayBuffer.create(directory, lesson.to_json()) as buffer:
        buffer.append(episode("000000", "demonstrated", [demo] * 14, [-1] * 14))
        buffer.append(episode("000001", "intervened", [policy] * 8 + [back] * 4 + [right] * 6, [-1] * 8 + [0] * 10))
        buffer.append(episode("000002", "discarded", [policy] * 6, [-1] * 6))
    return directory
