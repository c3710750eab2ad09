"""Events: what was said and what superseded it. Nothing is edited; the state is what folding them in order gives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from teaching.replay import nouns
from teaching.types import Answer, BadInput

ANSWERS = ("answer", "verdict")
"""A whole Answer: given to a question, or late ("that was wrong")."""
AMENDMENTS = ("delete", "restore", "pin", "weight")
"""About one demonstration."""
KINDS = (
    *ANSWERS, "undo", *AMENDMENTS, "failed", "withdraw", "drop", "segments", "mark", "config", "training", "note",
    "commit", "quarantine",
)  # fmt: skip
"""`drop` leaves a whole episode out of training and counts; `mark` is what was said of one in motion, `segments` what
a person made of its segments and its end afterwards: all of them, so that the last one in force is what counts.
`failed`: the teacher's own act to a decision did not work. `withdraw` closes a question that nobody answered.
`config`, `training` and `note` are the lesson's diary, `commit` and `quarantine` the store's own."""
OWN = ("commit", "quarantine")
UNDOABLE = (*ANSWERS, "undo", *AMENDMENTS, "failed", "drop", "segments")


@dataclass(frozen=True)
class Event:
    """One line of the log."""

    seq: int
    kind: str
    body: Mapping[str, Any]
    time: float
    """Unix seconds."""
    undone: bool = False
    """An undo that is in force takes it back."""
    answer: Answer | None = None
    """What it says, if it is an answer or a verdict."""


@dataclass
class Said:
    """What all events together say."""

    answers: dict[str, Answer] = field(default_factory=dict)
    """Decision id → the last answer in force, in the order in which they were given."""
    deleted: set[str] = field(default_factory=set)
    """Demonstration ids."""
    pinned: set[str] = field(default_factory=set)
    weights: dict[str, float] = field(default_factory=dict)
    """Demonstration id → factor on its priority, set by hand."""
    withdrawn: set[str] = field(default_factory=set)
    """Decision ids."""
    dropped: set[str] = field(default_factory=set)
    """Episode ids."""
    failed: set[str] = field(default_factory=set)
    """Decision ids whose teacher's own act did not work."""
    told: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Episode id → `segments` and `end` of an episode in motion, in place of those in its file."""


def event_bytes(kind: str, body: Mapping[str, Any], time: float) -> bytes:
    """The payload of a log record."""
    return nouns.to_bytes({"kind": kind, "time": time, "body": body})


def event_of(seq: int, payload: bytes) -> Event:
    """The event of a payload; BadInput if it is none."""
    value = nouns.from_bytes(payload)
    if not isinstance(value, dict) or not isinstance(value.get("body"), dict) or not isinstance(value.get("kind"), str):
        raise BadInput(f"expected event {seq} to have a kind and a body, got {str(value)[:80]}")
    kind, body = value["kind"], value["body"]
    answer = nouns.answer_of(body) if kind in ANSWERS else None
    return Event(seq, kind, body, float(value.get("time", 0.0)), answer=answer)


def undone(events: Iterable[Event]) -> set[int]:
    """Numbers of the events that are taken back; an undo can itself be undone."""
    taken: set[int] = set()
    for event in sorted(events, key=lambda e: -e.seq):
        if event.kind == "undo" and event.seq not in taken:
            taken.add(int(event.body["event"]))
    return taken


def fold(events: Iterable[Event]) -> Said:
    """What is in force after all events, in the order of their numbers."""
    events = list(events)
    taken = undone(events)
    said = Said()
    for event in events:
        if event.seq not in taken:
            apply(said, event)
    return said


def apply(said: Said, event: Event) -> None:
    """Put one event over what is in force; an undo is `fold`'s."""
    if event.answer is not None:
        said.answers.pop(event.answer.decision, None)
        said.answers[event.answer.decision] = event.answer
    elif event.kind in AMENDMENTS:
        _amend(said, event.kind, str(event.body["demonstration"]), event.body)
    elif event.kind in ("withdraw", "failed"):
        (said.withdrawn if event.kind == "withdraw" else said.failed).add(str(event.body["decision"]))
    elif event.kind == "drop":
        said.dropped.add(str(event.body["episode"]))
    elif event.kind == "segments":
        said.told[str(event.body["episode"])] = told_of(event.body)


def told_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a `segments` event puts in place of an episode's facts; BadInput if it has not the fields."""
    segments = body["segments"]
    fields = {"kind", "start", "stop", "intervention"}
    if not isinstance(segments, list) or not all(isinstance(s, dict) and fields <= set(s) for s in segments):
        raise BadInput(f"expected segments with {', '.join(sorted(fields))}, got {str(segments)[:80]}")
    return {"segments": segments, "end": str(body["end"]), "amended": True}


def _amend(said: Said, kind: str, name: str, body: Mapping[str, Any]) -> None:
    if kind == "delete":
        said.deleted.add(name)
    elif kind == "restore":
        said.deleted.discard(name)
    elif kind == "pin":
        (said.pinned.add if body.get("pinned", True) else said.pinned.discard)(name)
    elif kind == "weight":
        weight = float(body["weight"])
        if not 0.0 <= weight < math.inf:
            raise BadInput(f"expected a weight of at least 0, got {weight}")
        said.weights[name] = weight


def checked_body(kind: str, body: Mapping[str, Any] | Answer, events: Mapping[int, Event]) -> dict[str, Any]:
    """The body as it is logged; BadInput before anything is written if it could not be folded later."""
    if kind not in KINDS:
        raise BadInput(f"expected an event kind among {', '.join(KINDS)}, got {kind!r}")
    if isinstance(body, Answer):
        if kind not in ANSWERS:
            raise BadInput(f"expected an Answer to be said as one of {', '.join(ANSWERS)}, got {kind!r}")
        return nouns.answer_json(body)  # it has checked itself
    try:
        if kind in ANSWERS:
            nouns.answer_of(body)
        elif kind == "undo":
            _check_undo(int(body["event"]), events)
        elif kind in ("withdraw", "failed"):
            str(body["decision"])
        elif kind in ("drop", "mark"):
            str(body["episode"])
        elif kind == "segments":
            str(body["episode"])
            told_of(body)
        elif kind in AMENDMENTS:
            _amend(Said(), kind, str(body["demonstration"]), body)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"expected the fields of {kind!r} in its body, got {sorted(body)}: {error!r}") from error
    return dict(body)


def _check_undo(seq: int, events: Mapping[int, Event]) -> None:
    target = events.get(seq)
    if target is None:
        raise BadInput(f"expected the number of an event to undo, got {seq}, which is none")
    if target.kind not in UNDOABLE:
        raise BadInput(f"expected an event that can be undone ({', '.join(UNDOABLE)}), got a {target.kind!r}")
    if seq in undone(events.values()):
        raise BadInput(f"expected an event that is in force, but event {seq} is already undone")
