"""What the log says, in memory: events, commits, and what is in force. Both the owner and readers keep one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from teaching.replay.events import Event, Said, apply, event_of, fold, undone
from teaching.replay.log import Record
from teaching.replay.shelf import Commit
from teaching.types import BadInput


class Ledger:
    """Events in order, and what they amount to."""

    def __init__(self) -> None:
        self.events: dict[int, Event] = {}
        self.commits: dict[str, Commit] = {}
        """Episode id → its commit, in order."""
        self.config: dict[str, Any] = {}
        """Fields of the lesson that `config` events changed."""
        self.damage: list[str] = []
        self.said = Said()
        """What is in force."""

    def take(self, records: Iterable[Record]) -> None:
        """Read records of the log; one that is no event is told in `damage`."""
        for record in records:
            try:
                self.add(event_of(record.seq, record.payload))
            except (BadInput, KeyError, TypeError, ValueError) as error:
                self.damage.append(f"event {record.seq} of the log cannot be read: {error}")

    def add(self, event: Event) -> None:
        """One event more. Only an undo makes all be folded again."""
        if event.kind == "commit":
            commit = Commit.of(event.body)
            self.commits[commit.episode] = commit
        elif event.kind == "config":
            self.config |= event.body
        if event.kind == "undo":
            self.said = fold([*self.events.values(), event])
        else:
            apply(self.said, event)
        self.events[event.seq] = event

    def history(self) -> list[Event]:
        """All events, newest last, each marked if it is undone."""
        taken = undone(self.events.values())
        return [replace(e, undone=True) if e.seq in taken else e for e in self.events.values()]
