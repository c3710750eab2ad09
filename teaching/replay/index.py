"""The index: summaries of committed episodes in SQLite, so that opening a buffer opens no HDF5 file.

It may be deleted at any time; a row counts only while its SHA-256 is the one that the log committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

VERSION = 1
_TABLES = """
CREATE TABLE episodes (id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, record BLOB NOT NULL);
"""


class Index:
    """A cache of records by episode id. Never the truth: whatever is wrong with it, it is made anew."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """Open or, for the owner, create; a reader without one has an empty index."""
        self.path = path
        self.rebuilt = False
        self._connection = self._open_readonly() if readonly else self._open()

    def _open_readonly(self) -> sqlite3.Connection | None:
        try:
            connection = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error:
            return None
        if version != VERSION:
            connection.close()
            return None
        return connection

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
                connection.executescript(f"BEGIN;{_TABLES}PRAGMA user_version={VERSION};COMMIT;")
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
        if self._connection is None:
            return False
        try:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO episodes VALUES (?, ?, ?)", list(rows))
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return False
        return True

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
