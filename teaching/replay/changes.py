"""What events touched: the decisions and demonstrations to be written anew into the index's columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from teaching.feedback import Consequence
from teaching.replay.events import AMENDMENTS, ANSWERS, Event, Said, undone
from teaching.replay.fold import Folder
from teaching.replay.ledger import Ledger
from teaching.replay.library import Library
from teaching.replay.questions import Questions
from teaching.types import Answer, Decision, Demonstration, Kind

DIARY = (*AMENDMENTS, "drop", "segments", "training", "config", "note")
"""Events that are shown one by one."""


@dataclass(frozen=True)
class Line:
    """One decision as it stands, or the offline demonstrations of one step."""

    key: str
    episode: str
    step: int
    decision: Decision | None
    answer: Answer | None = None
    result: Consequence | None = None
    """None: it was withdrawn or left out, so nothing of it is shown."""
    offline: tuple[Demonstration, ...] = ()
    teacher: str = ""
    time: float = 0.0

    @property
    def demonstrations(self) -> tuple[Demonstration, ...]:
        """What is stored of it, excluded ones among them."""
        return self.offline + (() if self.result is None else self.result.demonstrations)


@dataclass(frozen=True)
class Change:
    """What some events changed, with everything that is needed to write it down."""

    sequence: int
    lines: tuple[Line, ...] = ()
    said: Said = field(default_factory=Said)
    lesson: Mapping[str, Any] | None = None
    """If its settings changed."""
    entries: tuple[Event, ...] = ()
    gone: tuple[int, ...] = ()
    """Numbers of diary entries that were taken back."""


def target(event: Event, events: Mapping[int, Event]) -> Event:
    """The event that an undo, or an undo of undos, is about in the end."""
    while event.kind == "undo":
        event = events[int(event.body["event"])]
    return event


@dataclass(frozen=True)
class History:
    """What a buffer has in memory."""

    ledger: Ledger
    library: Library
    questions: Questions
    folder: Folder
    lesson: Mapping[str, Any]

    def knows(self, event: Event) -> bool:
        """Whether an event can be written down: a commit's episode is taken in a moment after it is said."""
        name = str(event.body.get("episode"))
        return event.kind != "commit" or name in self.library.summaries or name in self.library.damaged

    def collect(self, new: Sequence[Event] | None = None) -> Change:
        """What some events touched; without them everything. Decisions count once committed or spoken of."""
        events = self.ledger.events
        ends = [target(e, events) for e in (events.values() if new is None else new)]
        keys = dict.fromkeys(self._keys(ends))
        if new is None:
            keys = dict.fromkeys([*(k for s in self.library.summaries.values() for k in s.keys), *keys])
        config = new is None or any(e.kind == "config" for e in ends)
        gone = undone(events.values()) if any(e.kind == "undo" for e in (new or events.values())) else set()
        told = {e.seq: e for e in ends if e.kind in DIARY}
        trained = [e for e in (new if new is not None else events.values()) if e.kind == "training"]
        others = [e for e in told.values() if e.kind != "training"]
        last = new[-1].seq if new else next(reversed(events), 0)
        return Change(
            last,
            tuple(self._lines(keys)),
            self.ledger.said,
            self.lesson if config else None,
            (*others, *trained),
            tuple(e.seq for e in others if e.seq in gone),
        )

    def _keys(self, ends: Iterable[Event]) -> Iterator[str]:
        for event in ends:
            if event.kind in (*ANSWERS, "withdraw", "failed"):
                yield str(event.body["decision"])
            elif event.kind in AMENDMENTS:
                yield str(event.body["demonstration"]).rpartition("-")[0]
            elif event.kind in ("commit", "drop") and event.body["episode"] in self.library.summaries:
                yield from self.library.summaries[event.body["episode"]].keys

    def _lines(self, keys: Iterable[str]) -> Iterator[Line]:
        said = self.ledger.said
        for key in keys:
            decision, episode, step = self._find(key)
            if decision is not None:
                kept = key not in said.withdrawn and decision.episode not in said.dropped
                result = self.folder.consequence(decision, said) if kept else None
                yield Line(key, decision.episode, decision.step, decision, said.answers.get(key), result)
            elif episode in self.library.summaries:
                summary = self.library.summaries[episode]
                there = () if episode in said.dropped else summary.demonstrations
                offline = tuple(d for d in there if d.kind is Kind.OFFLINE and d.decision == key)
                yield Line(key, episode, step, None, offline=offline, teacher=summary.teacher, time=summary.ended)

    def _find(self, key: str) -> tuple[Decision | None, str, int]:
        if key in self.library.where:
            episode, step = self.library.where[key]
            found = (d for d in self.library.summaries[episode].decisions if d.id == key)
            return next(found, None), episode, step
        open_step = self.questions.step(key)
        return (open_step.decision if open_step else None), "", 0
