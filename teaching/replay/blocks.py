"""Records of fixed size in blocks of many: a hundred thousand are read as a few hundred rows.

Reading them row by row took most of a page's first drawing.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np

from teaching.types import Array

PER_BLOCK = 256
"""Records of a block: about 20 kB, so that an answer writes little."""


class Blocks:
    """The records of one table while a transaction lasts; `flush` writes the blocks that changed."""

    def __init__(self, connection: sqlite3.Connection, table: str, kind: np.dtype[Any]) -> None:
        """Args: table: whose records; kind: of one, with a field `number` from 1 on."""
        self._connection, self._table, self._kind = connection, table, kind
        self._open: dict[int, Array] = {}

    def put(self, row: Array) -> None:
        """Write one record, (1,) of the kind, at its number."""
        block, place = divmod(int(row["number"][0]) - 1, PER_BLOCK)
        self._block(block)[place] = row[0]

    def get(self, number: int) -> Array:
        """One record, (1,), to change and `put` back."""
        block, place = divmod(number - 1, PER_BLOCK)
        return self._block(block)[place : place + 1].copy()

    def remove(self, number: int) -> None:
        """Leave a hole."""
        block, place = divmod(number - 1, PER_BLOCK)
        self._block(block)[place] = np.zeros((), self._kind)

    def _block(self, block: int) -> Array:
        if block not in self._open:
            ask = "SELECT records FROM blocks WHERE kind = ? AND block = ?"
            found = self._connection.execute(ask, (self._table, block)).fetchone()
            rows = np.zeros(PER_BLOCK, self._kind) if found is None else np.frombuffer(found[0], self._kind).copy()
            self._open[block] = rows
        return self._open[block]

    def flush(self) -> None:
        """Into the database."""
        rows = [(self._table, block, records.tobytes()) for block, records in self._open.items()]
        self._connection.executemany("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?)", rows)
        self._open.clear()


def read_all(connection: sqlite3.Connection, table: str, kind: np.dtype[Any]) -> Array:
    """(N,) every record of a table, in the order of their numbers."""
    ask = "SELECT records FROM blocks WHERE kind = ? ORDER BY block"
    data = b"".join(row[0] for row in connection.execute(ask, (table,)))
    rows = np.frombuffer(data, kind)
    found: Array = rows[rows["number"] > 0]
    return found
