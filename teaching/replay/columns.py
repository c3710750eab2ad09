"""The columns that pages draw: one fixed-size record per decision and per demonstration, read in one go.

They are what folding the log gives, kept in the index by the buffer's owner (`bookkeeper`) and made anew from nothing
when they are missing. Reading a hundred thousand of them opens no HDF5 file and parses no event.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from teaching.replay import nouns
from teaching.replay.blocks import read_all
from teaching.replay.log import last_sequence
from teaching.types import Answer, Array, BadInput, Demonstration

DECISION = np.dtype(
    [
        ("number", "<i8"), ("time", "<f8"), ("goal", "<i4"), ("update", "<i4"), ("uncertainty", "<f8"),
        ("threshold", "<f8"), ("gated", "?"), ("random", "?"), ("answered", "?"), ("outcome", "i1"), ("said", "u1"),
        ("late", "?"), ("blind", "?"), ("seconds", "<f8"), ("teacher", "<i4"), ("at", "<f8"),
    ]
)  # fmt: skip
"""One decision. `said` has a bit per part of the answer, in the order of `metrics.ANSWERS`; `at`: when it was given."""
DEMONSTRATION = np.dtype(
    [
        ("number", "<i8"), ("time", "<f8"), ("goal", "<i4"), ("kind", "<i4"), ("teacher", "<i4"), ("update", "<i4"),
        ("uncertainty", "<f8"), ("outcome", "i1"), ("excluded", "?"), ("pinned", "?"), ("weight", "<f8"),
        ("drawn", "<i8"), ("latest", "<i4"),
    ]
)  # fmt: skip
"""One demonstration, excluded ones among them. `drawn` counts how often training drew it, `latest` is the model that
did so last; 0 for never."""


@dataclass(frozen=True)
class Card:
    """One demonstration in full, and what was said to bring it about."""

    demonstration: Demonstration
    answer: Answer | None
    episode: str
    step: int


@dataclass(frozen=True)
class Entry:
    """One line of the diary: a training, or a change that a person made by hand."""

    seq: int
    kind: str
    time: float
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Columns:
    """Everything that the reading pages draw, as of one event of the log."""

    lesson: Mapping[str, Any]
    """With later changes of its settings over it."""
    decisions: Array
    """(N,) of DECISION, in the order of their time."""
    demonstrations: Array
    """(M,) of DEMONSTRATION, in the order of their time."""
    words: Mapping[int, str]
    """Code → goal, kind or teacher."""
    sequence: int
    """The last event that is in them."""
    behind: int = 0
    """Events of the log that are not: an episode is under way."""

    def word(self, code: int) -> str:
        """A goal, a kind or a teacher."""
        return self.words.get(int(code), "")

    @property
    def in_force(self) -> Array:
        """(M,) bool: demonstrations that training draws from."""
        return np.asarray(~self.demonstrations["excluded"])


def read_columns(connection: sqlite3.Connection, log: Path | None = None) -> Columns:
    """The columns of an index; `log` tells how far behind they are."""
    connection.execute("BEGIN")
    try:
        lesson = nouns.from_bytes(fact(connection, "lesson") or b"{}")
        sequence = int(fact(connection, "sequence") or 0)
        columns = [_table(connection, name, kind) for name, kind in _TABLES.items()]
        words = dict(connection.execute("SELECT code, word FROM words"))
    finally:
        connection.execute("ROLLBACK")
    newest = last_sequence(log) if log is not None else sequence
    return Columns(lesson, columns[0], columns[1], words, sequence, max(newest - sequence, 0))


_TABLES = {"decisions": DECISION, "demonstrations": DEMONSTRATION}


def _table(connection: sqlite3.Connection, name: str, kind: np.dtype[Any]) -> Array:
    rows = read_all(connection, name, kind)
    if np.all(np.diff(rows["time"]) >= 0):  # as nearly always: numbers are given in the order of time
        return rows
    ordered: Array = rows[np.argsort(rows["time"], kind="stable")]
    return ordered


def fact(connection: sqlite3.Connection, name: str) -> bytes | None:
    """One of the facts about the whole: `sequence`, `lesson`."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if found is None else bytes(found[0])


def card_of(connection: sqlite3.Connection, number: int) -> Card:
    """One demonstration by its number; BadInput if there is none."""
    found = connection.execute("SELECT body FROM cards WHERE number = ?", (int(number),)).fetchone()
    if found is None:
        raise BadInput(
            f"expected the number of a stored example, got {number}; look again, it may have been taken back"
        )
    body = nouns.from_bytes(bytes(found[0]))
    answer = None if body["answer"] is None else nouns.answer_of(body["answer"])
    return Card(nouns.demonstration_of(body["demonstration"]), answer, str(body["episode"]), int(body["step"]))


def number_of(connection: sqlite3.Connection, table: str, name: str) -> int | None:
    """The number of a decision or a demonstration by its id."""
    if table not in _TABLES:
        raise BadInput(f"expected one of {', '.join(_TABLES)}, got {table!r}")
    found = connection.execute(f"SELECT number FROM {table} WHERE id = ?", (name,)).fetchone()
    return None if found is None else int(found[0])


def ids_of(connection: sqlite3.Connection, table: str, numbers: Array) -> list[str]:
    """Ids of some decisions or demonstrations, in the order of their numbers as given."""
    if table not in _TABLES:
        raise BadInput(f"expected one of {', '.join(_TABLES)}, got {table!r}")
    ask = f"SELECT id FROM {table} WHERE number = ?"
    found = [connection.execute(ask, (int(n),)).fetchone() for n in numbers]
    return [str(row[0]) if row else "" for row in found]


def diary(connection: sqlite3.Connection, kinds: tuple[str, ...], most: int = 200) -> list[Entry]:
    """The latest entries of some kinds, newest first; those that were undone are not among them."""
    marks = ", ".join("?" * len(kinds))
    ask = f"SELECT seq, kind, time, body FROM diary WHERE kind IN ({marks}) ORDER BY seq DESC LIMIT ?"
    found = connection.execute(ask, (*kinds, most)).fetchall()
    return [Entry(seq, kind, time, nouns.from_bytes(bytes(body))) for seq, kind, time, body in found]


def stamp(path: Path) -> tuple[int, ...]:
    """Changes whenever the columns of a lesson may have changed."""
    files = (Path(path) / name for name in ("events.log", "index.sqlite", "index.sqlite-wal"))
    found = [file.stat() if file.exists() else None for file in files]
    return tuple(value for s in found for value in ((s.st_mtime_ns, s.st_size) if s else (0, 0)))
