"""The index: summaries of committed episodes in SQLite, so that opening a buffer opens no HDF5 file.

It may be deleted at any time; a row counts only while its SHA-256 is the one that the log committed. Beside them lie
the columns that pages draw (`columns`), so that a hundred thousand demonstrations are shown without opening a file.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = 3
TABLES = """
CREATE TABLE episodes (id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, record BLOB NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE words (code INTEGER PRIMARY KEY, word TEXT UNIQUE NOT NULL);
CREATE TABLE decisions (number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL);
CREATE TABLE demonstrations (number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, decision TEXT NOT NULL);
CREATE INDEX demonstrations_of ON demonstrations (decision);
CREATE TABLE blocks (kind TEXT, block INTEGER, records BLOB NOT NULL, PRIMARY KEY (kind, block));
CREATE TABLE cards (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE draws (id TEXT PRIMARY KEY, drawn INTEGER NOT NULL, latest INTEGER NOT NULL);
CREATE TABLE diary (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, time REAL NOT NULL, body BLOB NOT NULL);
"""


def open_readonly(path: Path, version: int = VERSION) -> sqlite3.Connection | None:
    """An index for reading; None if there is none of that version."""
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
        )
        found = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error:
        return None
    if found != version:
        connection.close()
        return None
    return connection


class Index:
    """A cache of records by episode id. Never the truth: whatever is wrong with it, it is made anew."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """Open or, for the owner, create; a reader without one has an empty index."""
        self.path = path
        self.rebuilt = False
        self._writing = threading.Lock()
        self._connection = open_readonly(path) if readonly else self._open()

    @classmethod
    def fleeting(cls) -> Index:
        """One in memory, which ends with the process."""
        made = cls.__new__(cls)
        made.path, made.rebuilt, made._writing = Path(":memory:"), False, threading.Lock()
        made._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        made._connection.executescript(TABLES)
        return made

    @property
    def connection(self) -> sqlite3.Connection | None:
        """For reading."""
        return self._connection

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.Error:
            self.rebuilt = True
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        """A connection; sqlite3.Error if the file is another version's or damaged."""
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                connection.executescript(f"BEGIN;{TABLES}PRAGMA user_version={VERSION};COMMIT;")
            elif version != VERSION:
                raise sqlite3.DatabaseError(f"index version {version}")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("damaged index")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def records(self) -> dict[str, tuple[str, bytes]]:
        """Episode id → (SHA-256 of its file, record as JSON)."""
        if self._connection is None:
            return {}
        try:
            rows = self._connection.execute("SELECT id, sha256, record FROM episodes").fetchall()
        except sqlite3.Error:
            return {}
        return {name: (digest, bytes(record)) for name, digest, record in rows}

    def put(self, rows: Iterable[tuple[str, str, bytes]]) -> bool:
        """Keep some (id, sha256, record); False if the index could not take them, which loses nothing."""
        try:
            with self.transaction() as connection:
                connection.executemany("INSERT OR REPLACE INTO episodes VALUES (?, ?, ?)", list(rows))
        except sqlite3.Error:
            return False
        return True

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one thread at a time; sqlite3.Error if it could not be kept."""
        with self._writing:
            if self._connection is None:
                raise sqlite3.OperationalError("the index is closed")
            self._connection.execute("BEGIN")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def clear(self) -> None:
        """Start over from nothing."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self._connection = self._connect()

    def close(self) -> None:
        """Let go of it; twice is harmless."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
