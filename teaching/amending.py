"""What a person changes by hand: what is replayed, and which model goes on. Each is an event that can be taken back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from teaching.channel import Channel
from teaching.models import models, promote
from teaching.replay import ReplayBuffer
from teaching.replay.events import AMENDMENTS
from teaching.retelling import retold
from teaching.rollout_facts import plain, timeline_of
from teaching.supervisor import running
from teaching.types import Answer, BadInput, Feedback, Outcome

SEGMENTS = ("split", "merge", "rename", "weigh_segment", "end")
"""About the segments of an episode in motion, and how it ended."""
VERBS = ("exclude", "restore", "pin", "unpin", "weigh", "drop_episode", "judge", "take_back", *SEGMENTS)
UNDONE = (*AMENDMENTS, "drop", "verdict", "segments")
"""Events that take_back takes back."""
MOST = 100.0
"""The largest factor on a priority."""


def amend(buffer: ReplayBuffer, do: str, values: Mapping[str, Any], clock: Callable[[], float] = time.time) -> int:
    """Say one change; its number. The next training goes by it.

    Args:
        buffer: open for writing.
        do: one of VERBS.
        values: `demonstration` (an id), for weigh `weight` (0 to 100), for take_back `event` (a number), for
            drop_episode `episode`, for judge `decision`, `right` (a late verdict) and, if it was wrong, perhaps
            `goal` (what it would have been right for); for those of SEGMENTS `episode` and what
            `teaching.retelling.retold` takes; and `teacher`.
        clock: Unix seconds.

    Raises:
        BadInput: not such a change, or not of something that is there.
    """
    if do not in VERBS:
        raise BadInput(f"expected a change among {', '.join(VERBS)}, got {do!r}")
    if do == "take_back":
        return _take_back(buffer, values)
    if do == "drop_episode":
        return _drop(buffer, values)
    if do == "judge":
        return _judge(buffer, values, clock())
    if do in SEGMENTS:
        return _retell(buffer, do, values)
    name = str(values.get("demonstration"))
    there = name in buffer.deleted() if do == "restore" else any(d == name for d in buffer.rows().demonstration)
    if not there:
        raise BadInput(f"expected a stored example that is {'excluded' if do == 'restore' else 'in use'}, got {name!r}")
    body: dict[str, Any] = {"demonstration": name, "by": str(values.get("teacher") or "")}
    if do == "weigh":
        body["weight"] = _weight(values.get("weight"))
    if do in ("pin", "unpin"):
        body["pinned"] = do == "pin"
    kind = {"exclude": "delete", "restore": "restore", "weigh": "weight"}.get(do, "pin")
    return buffer.say(kind, body)


def _weight(value: object) -> float:
    try:
        weight = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise BadInput(f"expected a weight as a number, got {value!r}") from error
    if not 0.0 <= weight <= MOST:
        raise BadInput(f"expected a weight from 0 to {MOST:g}, got {weight:g}; to leave it out, exclude it")
    return weight


def _drop(buffer: ReplayBuffer, values: Mapping[str, Any]) -> int:
    name = str(values.get("episode"))
    if name not in {c.episode for c in buffer.commits()} - buffer.dropped():
        raise BadInput(f"expected an episode that is stored and not deleted, got {name!r}")
    return buffer.say("drop", {"episode": name, "by": str(values.get("teacher") or "")})


def _judge(buffer: ReplayBuffer, values: Mapping[str, Any], now: float) -> int:
    name, right = str(values.get("decision")), values.get("right")
    if not isinstance(right, bool) or all(d.id != name for d in buffer.decisions()):
        raise BadInput(f"expected a plan of this lesson and whether it was right, got {name!r} and {right!r}")
    goal = str(values.get("goal") or "").strip() or None
    said = Feedback(Outcome.SUCCESS if right else Outcome.FAILURE, relabel=goal)
    return buffer.say("verdict", Answer(name, said, str(values.get("teacher") or ""), 0.0, late=True, time=now))


def _retell(buffer: ReplayBuffer, do: str, values: Mapping[str, Any]) -> int:
    name = str(values.get("episode"))
    facts = next((s.rollout for s in buffer.rollouts() if s.id == name), None)
    if facts is None:
        raise BadInput(f"expected an episode in motion that is stored and not deleted, got {name!r}")
    after = retold(timeline_of(facts), do, values)
    segments = [plain(s) for s in after.segments]
    by = str(values.get("teacher") or "")
    return buffer.say("segments", {"episode": name, "what": do, "segments": segments, "end": str(after.end), "by": by})


def _take_back(buffer: ReplayBuffer, values: Mapping[str, Any]) -> int:
    try:
        number = int(values["event"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"expected the number of a change to take back, got {values.get('event')!r}") from error
    made = [e for e in buffer.history() if e.kind in UNDONE and not e.undone]
    found = next((e for e in made if e.seq == number), None)
    if found is None:
        raise BadInput(f"expected the number of a change made by hand that stands, got {number}")
    later = [e for e in made if e.kind == found.kind == "segments" and e.body["episode"] == found.body["episode"]]
    if later and later[-1].seq != number:  # each says how all segments are, so only the last one counts
        raise BadInput(f"expected the latest change of episode {found.body['episode']}, {later[-1].seq}, got {number}")
    return buffer.say("undo", {"event": number})


def amend_lesson(path: Path, do: str, values: Mapping[str, Any], *, session: str, teacher: str) -> int | None:
    """`amend`, through the lesson's host if it runs, else in the store itself."""
    if running(path):
        with Channel(path, session=session, teacher=teacher) as channel:
            return channel.intend(do, **values)
    with ReplayBuffer(path) as buffer:
        return amend(buffer, do, {**values, "teacher": teacher})


def go_on_from(path: Path, model: str, *, session: str, teacher: str) -> int | None:
    """Make an earlier model the one that goes on, through the lesson's host if it runs, else on disk."""
    if running(path):
        with Channel(path, session=session, teacher=teacher) as channel:
            return channel.intend("promote", checkpoint=model)
    with ReplayBuffer(path) as buffer:
        known = models(buffer.checkpoints)
        update = max((m.update for m in known), default=0) + 1
        made = promote(buffer.checkpoints, model, update)
        entry = {"update": update, "checkpoint": made.name, "parent": model, "promoted": True}
        return buffer.say("training", {"why": "chosen by hand", "by": teacher, **entry})
