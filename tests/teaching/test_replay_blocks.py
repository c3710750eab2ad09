"""Blocks of records: written one by one, read all at once, with holes where something was removed."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from teaching.replay.blocks import PER_BLOCK, Blocks, read_all
from teaching.replay.index import Index

KIND = np.dtype([("number", "<i8"), ("value", "<f8")])


@pytest.fixture
def connection() -> sqlite3.Connection:
    made = Index.fleeting().connection
    assert made is not None
    return made


def row(number: int, value: float) -> np.ndarray:
    return np.array([(number, value)], KIND)


def test_what_was_put_is_read_in_the_order_of_numbers_without_what_was_removed(connection) -> None:
    blocks = Blocks(connection, "decisions", KIND)
    wanted = [1, 2, PER_BLOCK, PER_BLOCK + 1, 3 * PER_BLOCK]
    for number in reversed(wanted):
        blocks.put(row(number, number / 2))
    blocks.flush()
    assert read_all(connection, "decisions", KIND)["number"].tolist() == wanted
    later = Blocks(connection, "decisions", KIND)
    later.remove(2)
    changed = later.get(PER_BLOCK)
    changed["value"] = -1.0
    later.put(changed)
    assert read_all(connection, "decisions", KIND)["number"].tolist() == wanted, "not before they are flushed"
    later.flush()
    found = read_all(connection, "decisions", KIND)
    assert found["number"].tolist() == [1, PER_BLOCK, PER_BLOCK + 1, 3 * PER_BLOCK]
    assert found["value"].tolist() == [0.5, -1.0, (PER_BLOCK + 1) / 2, 1.5 * PER_BLOCK]


def test_tables_do_not_mix(connection) -> None:
    one, other = Blocks(connection, "decisions", KIND), Blocks(connection, "demonstrations", KIND)
    one.put(row(1, 1.0))
    other.put(row(1, 2.0))
    one.flush()
    other.flush()
    assert read_all(connection, "decisions", KIND)["value"].tolist() == [1.0]
    assert read_all(connection, "demonstrations", KIND)["value"].tolist() == [2.0]
