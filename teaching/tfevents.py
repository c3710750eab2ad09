"""Scalars in TensorBoard's event files, written exactly: its package is not needed to write them, only to look at them.

A file is a row of records: length uint64, masked CRC-32C of the length, an `Event` in protocol-buffer form, masked
CRC-32C of that (all little endian). An `Event` holds wall_time (1, double), step (2, varint), and either file_version
(3, text) or a summary (5) of values (1), each a tag (1, text) and a simple_value (2, float).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from teaching.types import BadInput

VERSION = "brain.Event:2"
_POLYNOMIAL = 0x82F63B78
_DELTA = 0xA282EAD8
_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")


def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    """As the record form has it: turned by 15 bits, plus a constant."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _DELTA) & 0xFFFFFFFF


def record(payload: bytes) -> bytes:
    """One record."""
    length = _LENGTH.pack(len(payload))
    return length + _CRC.pack(masked(length)) + payload + _CRC.pack(masked(payload))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(field: int, value: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(value)) + value


def event(time: float, step: int, values: Mapping[str, float] | None = None) -> bytes:
    """One `Event` with scalars; without values the one that begins a file.

    Args:
        time: Unix seconds.
        step: at least 0.
        values: tag → number.
    """
    if step < 0:
        raise BadInput(f"expected a step from 0, got {step}")
    head = b"\x09" + struct.pack("<d", time) + b"\x10" + _varint(step)
    if values is None:
        return head + _text(3, VERSION.encode())
    summary = b"".join(
        _text(1, _text(1, tag.encode()) + b"\x15" + struct.pack("<f", value)) for tag, value in values.items()
    )
    return head + _text(5, summary)


def whole(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(Offset after it, payload) of every record up to the first that is torn or damaged."""
    offset = 0
    while offset + 12 <= len(data):
        length = data[offset : offset + 8]
        size = _LENGTH.unpack(length)[0]
        end = offset + 12 + size + 4
        if _CRC.unpack_from(data, offset + 8)[0] != masked(length) or end > len(data):
            return
        payload = data[offset + 12 : end - 4]
        if _CRC.unpack_from(data, end - 4)[0] != masked(payload):
            return
        yield end, payload
        offset = end


def append(path: Path, events: Iterable[bytes], time: float) -> None:
    """Add events to a file; one that was torn by a crash is first cut back to its last whole record.

    Args:
        path: of the file; made, with its first event, if it is not there.
        events: of `event`.
        time: Unix seconds, of that first event.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(handle, "r+b") as file:
        data = file.read()
        end = max((at for at, _ in whole(data)), default=0)
        file.truncate(end)
        file.seek(end)
        first = b"" if end else record(event(time, 0))
        file.write(first + b"".join(record(one) for one in events))
