"""What the log says, in memory: events, commits, and what is in force. Both the owner and readers keep one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from teaching.replay.events import Event, Said, event_of, fold, undone
from teaching.replay.log import Record
from teaching.replay.shelf import Commit
from teaching.types import BadInput


class Ledger:
    """Events in order; folding is done again only after something was said."""

    def __init__(self) -> None:
        self.events: dict[int, Event] = {}
        self.commits: dict[str, Commit] = {}
        """Episode id → its commit, in order."""
        self.damage: list[str] = []
        self._said: Said | None = None

    def take(self, records: Iterable[Record]) -> None:
        """Read records of the log; one that is no event is told in `damage`."""
        for record in records:
            try:
                self.add(event_of(record.seq, record.payload))
            except (BadInput, KeyError, TypeError, ValueError) as error:
                self.damage.append(f"event {record.seq} of the log cannot be read: {error}")

    def add(self, event: Event) -> None:
        """One event more."""
        if event.kind == "commit":
            commit = Commit.of(event.body)
            self.commits[commit.episode] = commit
        self.events[event.seq] = event
        self._said = None

    @property
    def said(self) -> Said:
        """What is in force."""
        if self._said is None:
            self._said = fold(self.events.values())
        return self._said

    def history(self) -> list[Event]:
        """All events, newest last, each marked if it is undone."""
        taken = undone(self.events.values())
        return [replace(e, undone=True) if e.seq in taken else e for e in self.events.values()]
