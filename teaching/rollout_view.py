"""What a page may know of a rollout lesson: plain values, drawn anew whenever something changed (design note 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from teaching.rollout_episodes import Stand
from teaching.rollout_intents import meaningful
from teaching.rollout_phases import Phase
from teaching.view import disk_view

if TYPE_CHECKING:
    from teaching.rollout_lesson import RolloutLesson

POINTS = 400
"""Points of a trace, at most."""


def rollout_view(lesson: RolloutLesson, cache: dict[str, Any]) -> dict[str, Any]:
    """The whole view. Called on the lesson's thread only; `cache` keeps what changes seldom, by what it depends on."""
    config, draft, learning = lesson.config, lesson.draft, lesson.learning
    in_episode = lesson.stand is Stand.EPISODE
    return {
        "kind": "rollout",
        "lesson": {
            "name": config.name, "task": config.task, "arm": config.arm, "teacher": config.teacher,
            "protocol": config.protocol,
        },
        "phase": str(lesson.phase) if in_episode else str(lesson.stand),
        "message": lesson.message,
        "can": meaningful(lesson),
        "going": lesson.going,
        "episode": None if draft is None else _episode(lesson),
        "timeline": _timeline(lesson),
        "threshold": lesson.sense.threshold,
        "familiar": draft.points[-1].familiar if draft is not None and draft.points else None,
        "familiar_from": lesson.sense.known.mark if lesson.sense.known is not None else None,
        "proposal": _proposal(lesson, cache),
        "boundary": _boundary(lesson, cache),
        "branches": lesson.branches() if draft is not None and draft.restored else _trunk(lesson),
        "can_rewind": lesson.hand.can_rewind,
        "heat": lesson.heat(),
        **_history(lesson, cache),
        "gate": {
            "kind": lesson.sense.gate.kind, "target": lesson.sense.gate.target, "mode": lesson.sense.gate.mode,
            "threshold": lesson.sense.threshold, "promise": lesson.sense.waits or lesson.sense.gate.promise(),
        },
        "call": {"why": lesson.message, "since": lesson.called_at} if lesson.stand is Stand.CALLING else None,
        "training": {
            "state": learning.status.state, "progress": learning.status.progress, "message": learning.status.message,
            "version": learning.status.version, "running_version": lesson.policy.version,
        },
        "disk": disk_view(lesson.buffer.path),
        "saved": lesson.buffer.last_sequence,
    }  # fmt: skip


def _episode(lesson: RolloutLesson) -> dict[str, Any]:
    draft = lesson.draft
    assert draft is not None
    return {
        "number": int(draft.id), "goal": draft.goal, "rate": lesson.hand.features.rate, "tick": draft.head,
        "first": draft.first, "subtasks": list(lesson.task.subtasks), "stage": draft.stage,
        "progress": round(draft.progress, 3), "success": draft.success,
    }  # fmt: skip


def _timeline(lesson: RolloutLesson) -> dict[str, Any]:
    draft = lesson.draft
    if draft is None:
        return {"segments": [], "tick": [], "doubt": [], "familiar": []}
    on = set(draft.on_branch().tolist())
    points = [p for p in draft.points if p.tick in on]
    if len(points) > POINTS:
        points = [points[i] for i in np.linspace(0, len(points) - 1, POINTS).astype(int)]
    return {
        "segments": draft.segments(ticks=True),
        "tick": [p.tick for p in points],
        "doubt": [round(p.doubt, 4) for p in points],
        "familiar": [None if p.familiar is None else round(p.familiar, 4) for p in points],
    }


def _trunk(lesson: RolloutLesson) -> list[dict[str, Any]]:
    draft = lesson.draft
    if draft is None or not draft.ticks:
        return []
    return [{"first": draft.ticks[0], "last": draft.head, "parent": draft.parents[0], "live": True}]


def _proposal(lesson: RolloutLesson, cache: dict[str, Any]) -> dict[str, Any] | None:
    """Where to go back to: worked out once per take-over or call."""
    draft = lesson.draft
    helping = lesson.phase in (Phase.RECOVERY, Phase.RETRACING, Phase.CORRECTION) or lesson.stand is Stand.CALLING
    if draft is None or not helping:
        return None
    key = ("proposal", draft.id, draft.intervention, len(draft.restored), lesson.stand)
    if cache.get("proposal of") != key:
        cache["proposal of"], cache["proposal"] = key, lesson.sense.rewind(draft, lesson.hand.features.rate)
    found: dict[str, Any] | None = cache["proposal"]
    return found


def _boundary(lesson: RolloutLesson, cache: dict[str, Any]) -> dict[str, Any] | None:
    """Where the recovery seems to have ended: looked for anew every half second of driving."""
    draft = lesson.draft
    if draft is None or lesson.phase is not Phase.RECOVERY:
        return None
    key = (draft.id, draft.intervention, draft.head // 30)
    if cache.get("boundary of") != key:
        cache["boundary of"], cache["boundary"] = key, lesson.sense.boundary(draft)
    found: dict[str, Any] | None = cache["boundary"]
    return found


def _history(lesson: RolloutLesson, cache: dict[str, Any]) -> dict[str, Any]:
    key = (lesson.buffer.last_sequence, lesson.policy.version)
    if cache.get("history of") != key:
        cache["history of"] = key
        rounds = lesson.rounds
        cache["history"] = {
            "round": rounds.view(lesson.policy.version), "rounds": rounds.table(), "recent": rounds.recent(),
            "counts": {
                "episodes": len(rounds.episodes()), "answers": 0,
                "interventions": sum(t.interventions for _, t in rounds.episodes()),
                "demonstrations": rounds.demonstrations(),
            },
        }  # fmt: skip
    found: dict[str, Any] = cache["history"]
    return found
