"""Keeps the index's columns abreast of the log: after an event, what it touched is folded and written anew.

Everything here can be derived again, so a failure loses nothing: the columns then stay as of the event before, and the
next write, or the next opening, takes up from there.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from teaching.feedback import Consequence
from teaching.metrics import ANSWERS as PARTS
from teaching.metrics import kinds
from teaching.replay import nouns
from teaching.replay.blocks import Blocks
from teaching.replay.changes import Change, History, Line
from teaching.replay.columns import DECISION, DEMONSTRATION
from teaching.replay.events import Event, Said
from teaching.replay.index import Index
from teaching.types import Array, Decision, Demonstration


class Bookkeeper:
    """Writes changes into the tables, one transaction each."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._codes: dict[str, int] = {}
        self._unwritten: list[Event] = []
        self._turn = threading.Lock()

    def take(self, event: Event) -> None:
        """An event more; it is written down with the next `catch_up`."""
        self._unwritten.append(event)

    def open(self, history: History) -> None:
        """What was not written down when the buffer was open the last time."""
        written, events = self.sequence(), history.ledger.events
        self._unwritten = [e for e in events.values() if written is None or e.seq > written]
        anew = written is None or written > next(reversed(events), 0)
        self.catch_up(lambda: history, threading.RLock(), anew=anew)

    def catch_up(
        self, history: Callable[[], History], lock: AbstractContextManager[Any], *, anew: bool = False
    ) -> None:
        """Write down what events touched since the last time; what fails is tried again the next time.

        Args:
            history: what is in memory, asked for while `lock` is held.
            lock: guards it, and `take`.
            anew: write everything.
        """
        with self._turn:
            with lock:
                now = history()
                ready = list(itertools.takewhile(now.knows, self._unwritten))
                if not ready and not anew:
                    return
                self._unwritten = self._unwritten[len(ready) :]
                change = now.collect(None if anew else ready)
            if not self.write(change, anew=anew):
                with lock:
                    self._unwritten = ready + self._unwritten

    def sequence(self) -> int | None:
        """The last event that is written down; None if nothing ever was."""
        try:
            with self._index.transaction() as connection:
                found = connection.execute("SELECT value FROM facts WHERE name = 'sequence'").fetchone()
        except sqlite3.Error:
            return None
        return None if found is None else int(found[0])

    def write(self, change: Change, *, anew: bool = False) -> bool:
        """Write a change, or everything from nothing; False if the index could not take it, which loses nothing."""
        try:
            with self._index.transaction() as connection:
                self._write(connection, change, anew)
        except sqlite3.Error:
            self._codes.clear()
            return False
        return True

    def _write(self, connection: sqlite3.Connection, change: Change, anew: bool) -> None:
        if anew:
            for name in ("decisions", "demonstrations", "blocks", "cards", "draws", "diary"):
                connection.execute(f"DELETE FROM {name}")
        self._codes = {word: code for code, word in connection.execute("SELECT code, word FROM words")}
        self._decided = Blocks(connection, "decisions", DECISION)
        self._stored = Blocks(connection, "demonstrations", DEMONSTRATION)
        for event in change.entries:
            if event.kind == "training":
                _count(connection, event)
        self._lines(connection, change)
        self._decided.flush()
        self._stored.flush()
        _fill_diary(connection, change)
        facts = {"sequence": str(change.sequence).encode()}
        if change.lesson is not None:
            facts["lesson"] = nouns.to_bytes(dict(change.lesson))
        connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def _lines(self, connection: sqlite3.Connection, change: Change) -> None:
        drawn = {d for e in change.entries if e.kind == "training" for d in e.body.get("draws", {})}
        free = {n: _free_number(connection, n) for n in ("decisions", "demonstrations")}
        touched = {d.id for line in change.lines for d in line.demonstrations}
        for line in change.lines:
            self._decision(connection, line, free)
            self._demonstrations(connection, line, change.said, free)
        for name in drawn - touched:
            self._redraw(connection, name)

    def _decision(self, connection: sqlite3.Connection, line: Line, free: dict[str, int]) -> None:
        if line.decision is None:
            return
        if line.result is None:
            found = connection.execute("SELECT number FROM decisions WHERE id = ?", (line.key,)).fetchone()
            if found is not None:
                self._decided.remove(int(found[0]))
                connection.execute("DELETE FROM decisions WHERE number = ?", found)
            return
        number = _number(connection, "decisions", line.key, free)
        self._decided.put(self._decision_row(line, line.decision, line.result, number, connection))
        connection.execute("INSERT OR REPLACE INTO decisions VALUES (?, ?)", (number, line.key))

    def _decision_row(
        self, line: Line, decision: Decision, result: Consequence, number: int, connection: sqlite3.Connection
    ) -> Array:
        row, answer = np.zeros(1, DECISION), line.answer
        row["number"], row["time"], row["goal"] = number, decision.time, self._code(connection, decision.plan.goal)
        row["update"], row["uncertainty"] = decision.update, decision.plan.uncertainty
        row["threshold"], row["gated"], row["random"] = decision.threshold, decision.gated, decision.random
        row["outcome"], row["seconds"], row["at"] = int(result.outcome), np.nan, np.nan
        if answer is not None:
            row["answered"], row["late"], row["blind"] = True, answer.late, answer.blind
            row["said"] = sum(1 << PARTS.index(part) for part in kinds(answer.feedback))
            row["seconds"], row["at"] = answer.seconds, answer.time
            row["teacher"] = self._code(connection, answer.teacher)
        return row

    def _demonstrations(self, connection: sqlite3.Connection, line: Line, said: Said, free: dict[str, int]) -> None:
        there = dict(connection.execute("SELECT id, number FROM demonstrations WHERE decision = ?", (line.key,)))
        for name in there.keys() - {d.id for d in line.demonstrations}:
            connection.execute("DELETE FROM cards WHERE number = ?", (there[name],))
            connection.execute("DELETE FROM demonstrations WHERE number = ?", (there[name],))
            self._stored.remove(there[name])
        for one in line.demonstrations:
            number = there.get(one.id) or _number(connection, "demonstrations", one.id, free)
            self._stored.put(self._stored_row(line, one, said, number, connection))
            connection.execute("INSERT OR REPLACE INTO demonstrations VALUES (?, ?, ?)", (number, one.id, line.key))
            connection.execute("INSERT OR REPLACE INTO cards VALUES (?, ?)", (number, _card(line, one)))

    def _stored_row(
        self, line: Line, one: Demonstration, said: Said, number: int, connection: sqlite3.Connection
    ) -> Array:
        row, answer = np.zeros(1, DEMONSTRATION), line.answer
        row["number"], row["goal"] = number, self._code(connection, one.goal)
        row["time"] = answer.time if answer else line.time
        row["kind"] = self._code(connection, str(one.kind))
        row["teacher"] = self._code(connection, answer.teacher if answer else line.teacher)
        row["update"], row["uncertainty"], row["outcome"] = one.update, one.uncertainty, int(one.outcome)
        row["excluded"], row["pinned"] = one.id in said.deleted, one.id in said.pinned
        row["weight"] = said.weights.get(one.id, 1.0)
        row["drawn"], row["latest"] = _draws(connection, one.id)
        return row

    def _redraw(self, connection: sqlite3.Connection, name: str) -> None:
        """Put the count of draws into a demonstration that changed in nothing else."""
        found = connection.execute("SELECT number FROM demonstrations WHERE id = ?", (name,)).fetchone()
        if found is None:
            return
        row = self._stored.get(int(found[0]))
        row["drawn"], row["latest"] = _draws(connection, name)
        self._stored.put(row)

    def _code(self, connection: sqlite3.Connection, word: str) -> int:
        if word not in self._codes:
            done = connection.execute("INSERT INTO words (word) VALUES (?)", (word,))
            self._codes[word] = int(done.lastrowid or 0)
        return self._codes[word]


def _card(line: Line, one: Demonstration) -> bytes:
    answer = None if line.answer is None else nouns.answer_json(line.answer)
    body = {"demonstration": nouns.demonstration_json(one), "answer": answer}
    return nouns.to_bytes({**body, "episode": line.episode, "step": line.step})


def _free_number(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT COALESCE(MAX(number), 0) + 1 FROM {table}").fetchone()[0])


def _number(connection: sqlite3.Connection, table: str, name: str, free: dict[str, int]) -> int:
    """The number that an id has, or a free one."""
    found = connection.execute(f"SELECT number FROM {table} WHERE id = ?", (name,)).fetchone()
    if found is not None:
        return int(found[0])
    free[table] += 1
    return free[table] - 1


def _count(connection: sqlite3.Connection, event: Event) -> None:
    update = int(event.body.get("update", 0))
    rows = [(name, int(n), update) for name, n in event.body.get("draws", {}).items()]
    connection.executemany(
        "INSERT INTO draws VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET drawn = drawn + excluded.drawn, latest = excluded.latest",
        rows,
    )


def _draws(connection: sqlite3.Connection, name: str) -> tuple[int, int]:
    found = connection.execute("SELECT drawn, latest FROM draws WHERE id = ?", (name,)).fetchone()
    return (0, 0) if found is None else (int(found[0]), int(found[1]))


def _fill_diary(connection: sqlite3.Connection, change: Change) -> None:
    connection.executemany("DELETE FROM diary WHERE seq = ?", [(seq,) for seq in change.gone])
    gone = set(change.gone)
    rows = [(e.seq, e.kind, e.time, nouns.to_bytes(_shown(e))) for e in change.entries if e.seq not in gone]
    connection.executemany("INSERT OR REPLACE INTO diary VALUES (?, ?, ?, ?)", rows)


def _shown(event: Event) -> dict[str, Any]:
    """Draws are counted, not listed."""
    return {k: v for k, v in event.body.items() if k != "draws"}
