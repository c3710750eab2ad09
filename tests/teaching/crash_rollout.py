"""A short lesson in motion that uses every verb of the store it has, and its state as text to compare.

The episodes are drafts of the lesson itself, fed with ticks as an arm records them: a demonstration, an intervention
that was rewound and corrected, one that was fumbled, one that a stop cut short.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.replay.disk import Disk
from teaching.rollout_draft import RolloutDraft
from teaching.segments import End, SegmentKind

LESSON = LessonConfig.from_json({"kind": "rollout", "name": "in-motion"}).to_json()
FACTS = {
    "task": "peg-and-button", "split": "seen", "operator": "anna", "protocol": "rac", "round": 1, "policy": 1,
    "rate": 60.0, "progress": 0.5,
}  # fmt: skip
KINDS = {
    End.DEMONSTRATED: (SegmentKind.DEMO,),
    End.INTERVENED: (SegmentKind.POLICY, SegmentKind.RECOVERY, SegmentKind.CORRECTION),
    End.DISCARDED: (SegmentKind.POLICY, SegmentKind.RECOVERY),
    End.TRUNCATED: (SegmentKind.POLICY,),
}


def state_of(buffer: ReplayBuffer) -> str:
    """Everything that was acknowledged: what was said of episodes, and these with every number of every tick."""
    ticks = {}
    for summary in buffer.episodes():
        frames = buffer.frames(summary.id)
        ticks[summary.id] = hashlib.sha256(b"".join(frames[n].tobytes() for n in sorted(frames))).hexdigest()[:12]
    said = [[e.kind, dict(e.body), e.undone] for e in buffer.history() if e.kind in ("mark", "drop", "config")]
    state = {
        "said": said,
        "ticks": ticks,
        "facts": {s.id: dict(s.rollout or {}) for s in buffer.episodes()},
        "counted": [s.id for s in buffer.rollouts()],
        "dropped": sorted(buffer.dropped()),
        "lesson": buffer.lesson,
    }
    return json.dumps(state, sort_keys=True)


def play(path: Path, acknowledged: Callable[[str], None], disk: Disk | None = None, episodes: int = 4) -> None:
    """Supervise; after every verb, tell the state that it promised to keep."""
    rng = np.random.default_rng(7)
    buffer = ReplayBuffer.create(path, LESSON, disk=disk, clock=lambda: 1.0)
    acknowledged(state_of(buffer))

    def say(kind: str, body: dict[str, Any]) -> None:
        buffer.say(kind, body)
        acknowledged(state_of(buffer))

    for number, end in zip(range(episodes), list(KINDS) * episodes, strict=False):
        draft = RolloutDraft(f"{number:06d}", 2 * number, "press the button", 1.0, 1, 1)
        _supervise(draft, KINDS[end], rng, say)
        draft.finish(end, f"ended: {end}", {**FACTS, "frames": draft.length(), "n_interventions": 1}, None)
        buffer.append(draft.episode(2.0))
        acknowledged(state_of(buffer))
    say("drop", {"episode": "000000"})
    say("undo", {"event": buffer.last_sequence})
    say("config", {"gate": {"kind": "sag"}})
    buffer.close()


def _supervise(
    draft: RolloutDraft, kinds: tuple[SegmentKind, ...], rng: np.random.Generator, say: Callable[..., None]
) -> None:
    """Ticks and marks of one episode; a correction follows a way back by the time machine."""
    for kind in kinds:
        draft.intervention = 0 if kind.control else -1
        if kind is SegmentKind.CORRECTION:
            say("mark", {"episode": draft.id, "what": "rewind", "tick": draft.head, "to": draft.head - 3})
            draft.rewound(draft.head - 3)
            say("mark", {"episode": draft.id, "what": "recovered", "tick": draft.head, "at": draft.head})
            draft.marked.add(0)
        draft.add(_rows(draft.seen, draft.head, 6, rng), kind, None)
        draft.point(0.1, 0.9)
        say("mark", {"episode": draft.id, "what": kind.name.lower(), "tick": draft.head})


def _rows(seen: int, head: int, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Ticks as the arm tells them."""
    ticks = np.arange(seen + 1, seen + count + 1)
    return {
        "tick": ticks, "parent": np.array([head, *ticks[:-1]]), "time": ticks / 60, "controller": np.ones(count, int),
        "requested": rng.normal(size=(count, 8)), "executed": rng.normal(size=(count, 8)),
        "clipped": np.zeros(count, bool),
        "observation": {"joints": rng.normal(size=(count, 7)), "gripper": np.zeros((count, 1))},
    }  # fmt: skip
