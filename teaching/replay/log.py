"""The event log: what was said, for good. Append-only records, each synced before it is acknowledged.

A record is `ABEV`, then length uint32, CRC-32 uint32, sequence number uint64 (little endian), then the payload. The
CRC is over length, sequence number and payload. A file that ends in the middle of a record was torn by a crash before
that record was acknowledged: its owner sets the tail aside and cuts it. Damage with whole records after it was not a
crash: the records around it are still read, the damage is told, and nothing is cut.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from teaching.replay.disk import Disk, DiskFull
from teaching.types import AskbackError, BadInput

MARK = b"ABEV"
_HEAD, _COUNTED = struct.Struct("<4sIIQ"), struct.Struct("<IQ")
MAX_PAYLOAD = 16 * 2**20


class LogError(AskbackError):
    """The log cannot be written: it has another owner, or the disk failed."""


@dataclass(frozen=True)
class Record:
    """One payload and its number, counted from 1."""

    seq: int
    payload: bytes
    end: int
    """Byte offset after it."""


@dataclass(frozen=True)
class Scan:
    """What a log file holds."""

    records: tuple[Record, ...]
    end: int
    """Byte offset after the last whole record."""
    torn: int
    """Bytes after that."""
    damage: tuple[str, ...]
    """Sentences about bytes between whole records that are none, and about numbers that are missing."""


def encode(seq: int, payload: bytes) -> bytes:
    """One record."""
    if len(payload) > MAX_PAYLOAD:
        raise BadInput(f"expected an event of at most {MAX_PAYLOAD} bytes, got {len(payload)}")
    return _HEAD.pack(MARK, len(payload), _crc(seq, payload), seq) + payload


def _crc(seq: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_COUNTED.pack(len(payload), seq)))


def _record_at(data: bytes, offset: int) -> Record | None:
    if offset + _HEAD.size > len(data):
        return None
    mark, length, crc, seq = _HEAD.unpack_from(data, offset)
    start = offset + _HEAD.size
    if mark != MARK or length > MAX_PAYLOAD or start + length > len(data):
        return None
    payload = data[start : start + length]
    return Record(seq, payload, start + length) if _crc(seq, payload) == crc else None


def _walk(data: bytes) -> Iterator[Record | tuple[int, int]]:
    """Records, and (start, stop) of the bytes between them that are none."""
    offset = 0
    while offset < len(data):
        record = _record_at(data, offset)
        if record is not None:
            yield record
            offset = record.end
            continue
        found = data.find(MARK, offset + 1)
        while found >= 0 and _record_at(data, found) is None:
            found = data.find(MARK, found + 1)
        stop = found if found >= 0 else len(data)
        yield offset, stop
        offset = stop


def scan(data: bytes, *, base: int = 0, seq: int = 0) -> Scan:
    """Read bytes of a log that begin at offset `base`, after the record numbered `seq`."""
    records: list[Record] = []
    damage: list[str] = []
    torn = 0
    for piece in _walk(data):
        if isinstance(piece, tuple):
            torn = piece[1] - piece[0]
            if piece[1] < len(data):
                damage.append(f"bytes {base + piece[0]} to {base + piece[1]} of the log are damaged")
            continue
        torn = 0
        if piece.seq <= seq:
            damage.append(f"event {piece.seq} follows event {seq}; it is left out")
            continue
        if piece.seq > seq + 1:
            damage.append(f"events {seq + 1} to {piece.seq - 1} are missing from the log")
        seq = piece.seq
        records.append(Record(piece.seq, piece.payload, base + piece.end))
    return Scan(tuple(records), base + len(data) - torn, torn, tuple(damage))


_TAIL = 2**16


def last_sequence(path: Path) -> int:
    """The number of the last whole record of a log, found from its end; 0 if there is none."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        back = min(size, _TAIL)
        while True:
            file.seek(size - back)
            numbers = [piece.seq for piece in _walk(file.read(back)) if isinstance(piece, Record)]
            if numbers or back >= size:
                return max(numbers, default=0)
            back = min(size, back * 8)


class EventLog:
    """The owner's end of a log: one per file, held by a lock for as long as it is open."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        """Take the log, set a torn tail aside, read the rest.

        Raises:
            LogError: another process owns it.
        """
        self.path = path
        self._disk = disk or Disk()
        self._failed: str | None = None
        new = not path.exists()
        self._descriptor = self._disk.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._disk.close(self._descriptor)
            raise LogError(
                f"expected to be the only writer of {path.parent}, but another process has it open; "
                "close that lesson first, or open it read-only"
            ) from error
        if new:
            self._disk.sync_directory(path.parent)
        self.found = scan(path.read_bytes())
        self.seq = self.found.records[-1].seq if self.found.records else 0
        self._end = self.found.end
        self.set_aside = self._cut_tail() if self.found.torn else None

    def _cut_tail(self) -> Path:
        """Keep the bytes of a torn tail in quarantine, then cut them off."""
        tail = self.path.read_bytes()[self._end :]
        aside = self.path.parent / "quarantine" / f"{self.path.name}.{self._end}"
        aside.parent.mkdir(exist_ok=True)
        self._disk.publish(aside, tail)
        self._disk.truncate(self._descriptor, self._end)
        self._disk.sync(self._descriptor)
        return aside

    def append(self, payload: bytes) -> int:
        """Add one record; its number. It is on the medium when this returns.

        Raises:
            DiskFull: no space; the log is as it was, a later append works once there is space.
            LogError: the disk failed in another way; nothing can be appended until the log is opened again.
        """
        if self._failed:
            raise LogError(f"the log failed before ({self._failed}); close this lesson and open it again")
        record = encode(self.seq + 1, payload)
        try:
            self._disk.write_all(self._descriptor, record)
            self._disk.sync_data(self._descriptor)
        except OSError as error:
            self._take_back(error)
        self.seq += 1
        self._end += len(record)
        return self.seq

    def _take_back(self, error: OSError) -> None:
        """Remove a record that was not acknowledged; always raises."""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        try:
            self._disk.truncate(self._descriptor, self._end)
            self._disk.sync_data(self._descriptor)
        except OSError as second:
            self._failed = str(second)
            raise LogError(
                f"the disk failed: {second}; nothing was saved, close this lesson and open it again"
            ) from error
        if not full:
            self._failed = str(error)
            raise LogError(
                f"the disk failed: {error}; nothing was saved, close this lesson and open it again"
            ) from error
        raise DiskFull(
            "expected room on the disk for what was said, got none; make space, then say it again"
        ) from error

    def close(self) -> None:
        """Let go of the log and its lock; twice is harmless."""
        if self._descriptor >= 0:
            self._disk.close(self._descriptor)
            self._descriptor = -1


class LogReader:
    """A reader's end: takes no lock, cuts nothing, follows the owner."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: tuple[str, ...] = ()
        self._end = 0
        self._seq = 0

    def more(self) -> tuple[bool, tuple[Record, ...]]:
        """Records since the last call; True if the log was rewound, so that these are all of them."""
        records = self._since(self._end, self._seq)
        if records is not None:
            return False, records
        self.damage, self._end, self._seq = (), 0, 0
        found = scan(self.path.read_bytes())
        self.damage = found.damage
        return True, self._advance(found)

    def _since(self, offset: int, seq: int) -> tuple[Record, ...] | None:
        """None if what is there does not continue what was read before."""
        with self.path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() < offset:
                return None
            file.seek(offset)
            data = file.read()
        found = scan(data, base=offset, seq=seq)
        if found.damage or (data and not found.records and not MARK.startswith(data[:4])):
            return None
        return self._advance(found)

    def _advance(self, found: Scan) -> tuple[Record, ...]:
        if found.records:
            self._end, self._seq = found.end, found.records[-1].seq
        return found.records
