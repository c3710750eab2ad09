"""A look at a lesson that opens no log and no episode: its columns, and one card or picture at a time.

Pages that show a hundred thousand demonstrations read through this. Where the index lacks the columns, or lags behind
a short log, they are made in memory from the log and the files, which is right but takes as long as opening a buffer.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from robot_io.arm import Observation
from teaching.replay import columns as reading
from teaching.replay import nouns
from teaching.replay.bookkeeper import Bookkeeper
from teaching.replay.buffer import ReplayBuffer
from teaching.replay.columns import Card, Columns, Entry
from teaching.replay.disk import Disk
from teaching.replay.episode import Episode, Summary, as_told, checked_name
from teaching.replay.events import told_of
from teaching.replay.file import check_whole, read_episode, read_record, read_step, summary_of
from teaching.replay.frames import read_frames
from teaching.replay.index import Index, open_readonly
from teaching.replay.log import last_sequence
from teaching.replay.pictures import Pictures, read_pictures_of
from teaching.replay.shelf import Shelf
from teaching.types import Answer, Array, AskbackError, BadInput

EVERY_ENTRY = 1_000_000
"""More entries than a diary has."""
SHORT_LOG = 2 * 2**20
"""Bytes of a log that is folded anew, rather than shown as of a few events ago."""


def _records(buffer: ReplayBuffer) -> Iterator[tuple[str, str, bytes]]:
    """What an index keeps of every episode that can be read."""
    for commit in buffer.commits():
        try:
            yield commit.episode, commit.sha256, nouns.to_bytes(read_record(buffer.file_of(commit)))
        except (AskbackError, OSError, KeyError, ValueError):
            continue  # `problems` of a buffer tells


class Glance:
    """Read-only and thread-safe; what it shows is as of when it was made."""

    def __init__(self, path: Path) -> None:
        """Look at the lesson in a directory; NotABuffer if there is none."""
        self._shelf = Shelf(Path(path), Disk())
        self._shelf.lesson()
        self._lock = threading.Lock()
        self._connection = self._on_disk() or self._in_memory()
        self.columns: Columns = reading.read_columns(self._connection, self._shelf.log)

    def _on_disk(self) -> sqlite3.Connection | None:
        connection = open_readonly(self._shelf.index)
        if connection is None:
            return None
        try:
            written = reading.fact(connection, "sequence")
            log = self._shelf.log
            small = not log.exists() or log.stat().st_size < SHORT_LOG
            if written is not None and not (small and last_sequence(log) != int(written)):
                return connection
        except sqlite3.Error:
            pass  # damaged: its owner makes it anew, and so do we
        connection.close()
        return None

    def _in_memory(self) -> sqlite3.Connection:
        with ReplayBuffer(self._shelf.path, readonly=True) as buffer:
            change = buffer.everything()
            records = list(_records(buffer))
        index = Index.fleeting()
        index.put(records)
        Bookkeeper(index).write(change, anew=True)
        assert index.connection is not None
        return index.connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._connection.close()

    def card(self, number: int) -> Card:
        """One demonstration; BadInput if it is there no more."""
        with self._lock:
            return reading.card_of(self._connection, number)

    def number(self, table: str, name: str) -> int | None:
        """The number of a decision or a demonstration by its id."""
        with self._lock:
            return reading.number_of(self._connection, table, name)

    def ids(self, table: str, numbers: Array) -> list[str]:
        """Ids by number."""
        with self._lock:
            return reading.ids_of(self._connection, table, numbers)

    def diary(self, *kinds: str, most: int = 200) -> list[Entry]:
        """The latest trainings, settings or changes by hand that stand, newest first."""
        with self._lock:
            return reading.diary(self._connection, kinds, most)

    @property
    def episode_count(self) -> int:
        """Committed episodes."""
        with self._lock:
            return int(self._connection.execute("SELECT COUNT(*) FROM episodes").fetchone()[0])

    def episodes(self, goal: str = "", most: int = 200) -> list[Summary]:
        """The latest committed episodes, newest first, deleted ones too; with `goal`, those whose goal has it in it."""
        words, found = goal.strip().lower(), []
        with self._lock:
            for (record,) in self._connection.execute("SELECT record FROM episodes ORDER BY id DESC"):
                if words.encode() not in bytes(record).lower():
                    continue  # no need to parse what cannot match
                summary = summary_of(nouns.from_bytes(bytes(record)))
                if words in summary.goal.lower():
                    found.append(summary)
                if len(found) == most:
                    break
        return found

    def summary(self, name: str) -> Summary:
        """One committed episode; BadInput if there is none."""
        with self._lock:
            found = self._connection.execute("SELECT record FROM episodes WHERE id = ?", (name,)).fetchone()
        if found is None:
            raise BadInput(f"expected a stored episode, got {name!r}")
        return summary_of(nouns.from_bytes(bytes(found[0])))

    def outcomes(self, decisions: Sequence[str]) -> dict[str, int]:
        """Decision id → outcome as it stands now: +1, −1 or 0."""
        with self._lock:
            asked = [reading.number_of(self._connection, "decisions", name) for name in decisions]
        rows = self.columns.decisions
        wanted = np.isin(rows["number"], [n for n in asked if n is not None])  # the index may be newer than the columns
        known = dict(zip(rows["number"][wanted].tolist(), rows["outcome"][wanted].tolist(), strict=True))
        return {name: known[n] for name, n in zip(decisions, asked, strict=True) if n in known}

    def answers(self, decisions: Iterable[str]) -> dict[str, Answer]:
        """Decision id → the answer in force, of those of which something is stored."""
        ask = (
            "SELECT body FROM cards JOIN demonstrations ON cards.number = demonstrations.number "
            "WHERE demonstrations.decision = ? LIMIT 1"
        )
        with self._lock:
            rows = [(name, self._connection.execute(ask, (name,)).fetchone()) for name in decisions]
        bodies = {name: nouns.from_bytes(bytes(row[0]))["answer"] for name, row in rows if row}
        return {name: nouns.answer_of(answer) for name, answer in bodies.items() if answer is not None}

    def rollouts(self) -> list[Summary]:
        """Supervised episodes that count, oldest first, with what a person made of them since."""
        gone = {e.body["episode"] for e in self.diary("drop", most=EVERY_ENTRY)}
        told = {str(e.body["episode"]): told_of(e.body) for e in reversed(self.diary("segments", most=EVERY_ENTRY))}
        with self._lock:
            records = self._connection.execute("SELECT record FROM episodes ORDER BY id").fetchall()
        summaries = (summary_of(nouns.from_bytes(bytes(r))) for (r,) in records if b'"rollout"' in bytes(r))
        return [as_told(s, told) for s in summaries if s.rollout is not None and s.id not in gone]

    def draws(self) -> dict[str, tuple[int, int]]:
        """Of everything that training drew: how often, and last for which model."""
        with self._lock:
            found = self._connection.execute("SELECT id, drawn, latest FROM draws").fetchall()
        return {name: (int(drawn), int(latest)) for name, drawn, latest in found}

    def frames(self, name: str, columns: Iterable[str] | None = None) -> dict[str, Array]:
        """Columns of a supervised episode, by default all; EpisodeFileError if its file is damaged."""
        path = self._file(name)
        check_whole(path.read_bytes(), path.name)
        return read_frames(path, columns)

    def pictures(self, name: str) -> Pictures | None:
        """What cameras saw of an episode in motion, None if that was not recorded; EpisodeFileError as `frames`."""
        path = self._file(name)
        check_whole(path.read_bytes(), path.name)
        return read_pictures_of(path)

    def episode(self, name: str) -> Episode:
        """One whole episode with its pictures; EpisodeFileError if its file is damaged, BadInput if there is none."""
        path = self._file(name)
        check_whole(path.read_bytes(), path.name)
        return read_episode(path)

    def _file(self, name: str) -> Path:
        path = self._shelf.episodes / f"{checked_name(name, 'an episode id')}.h5"
        if not path.exists():
            raise BadInput(f"expected a stored episode, got {name!r}")
        return path

    def observation(self, episode: str, decision: str) -> Observation:
        """What was seen at a decision; EpisodeFileError if its file is damaged."""
        path = self._shelf.episodes / f"{episode}.h5"
        if not path.exists():
            pending = self._shelf.pending / f"{decision}.h5"
            if pending.exists():
                return self._shelf.read_pending(pending).steps[0].observation
            raise BadInput(f"expected what was seen at {decision} in {path.name}, found no such file")
        check_whole(path.read_bytes(), path.name)
        keys = [step["key"] for step in read_record(path)["steps"]]
        if decision not in keys:
            raise BadInput(f"expected {decision} in {path.name}, found {', '.join(keys)}")
        return read_step(path, keys.index(decision)).observation
