"""The event log: durable, never silently wrong, one owner."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teaching.replay.disk import Disk, DiskFull
from teaching.replay.log import MARK, EventLog, LogError, LogReader, encode, scan
from teaching.types import BadInput


def filled(path: Path, payloads: list[bytes], disk: Disk | None = None) -> EventLog:
    log = EventLog(path, disk)
    for payload in payloads:
        log.append(payload)
    return log


def test_numbers_count_from_one_and_survive_reopening(tmp_path: Path) -> None:
    log = filled(tmp_path / "events.log", [b"a", b"bb"])
    log.close()
    again = EventLog(tmp_path / "events.log")
    assert [(r.seq, r.payload) for r in again.found.records] == [(1, b"a"), (2, b"bb")]
    assert again.append(b"c") == 3
    again.close()


def test_synced_before_it_returns(tmp_path: Path) -> None:
    calls: list[str] = []

    class Watched(Disk):
        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            calls.append("write")
            return super().write(descriptor, data)

        def sync_data(self, descriptor: int) -> None:
            calls.append("sync")
            super().sync_data(descriptor)

    log = filled(tmp_path / "events.log", [b"a"], Watched())
    assert calls == ["write", "sync"]
    log.close()


@pytest.mark.parametrize("cut", range(1, 24))
def test_torn_tail_is_cut_and_kept(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "events.log"
    filled(path, [b"first", b"tail"]).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    log = EventLog(path)
    assert [r.payload for r in log.found.records] == [b"first"]
    assert not log.found.damage
    if cut < len(encode(2, b"tail")):
        assert log.set_aside is not None and log.set_aside.read_bytes() == encode(2, b"tail")[:-cut]
    assert log.append(b"again") == 2
    log.close()
    assert [r.payload for r in scan(path.read_bytes()).records] == [b"first", b"again"]


def test_zeros_at_the_end_are_a_torn_tail(tmp_path: Path) -> None:
    path = tmp_path / "events.log"
    filled(path, [b"first"]).close()
    path.write_bytes(path.read_bytes() + bytes(4096))
    log = EventLog(path)
    assert len(log.found.records) == 1 and not log.found.damage
    log.close()


@given(where=st.integers(0, 10**6), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_any_flipped_bit_in_the_middle_is_told_and_costs_one_event(where: int, bit: int) -> None:
    parts = [encode(i + 1, f"event {i} {MARK.decode()}".encode()) for i in range(5)]
    data = bytearray(b"".join(parts))
    where %= len(data) - len(parts[-1])
    data[where] ^= 1 << bit
    found = scan(bytes(data))
    assert [r.seq for r in found.records] == [s for s in range(1, 6) if s != where // len(parts[0]) + 1]
    assert found.damage and found.torn == 0


def test_damage_in_the_middle_cuts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.log"
    filled(path, [b"one", b"two", b"three"]).close()
    data = bytearray(path.read_bytes())
    data[25] ^= 1
    path.write_bytes(bytes(data))
    log = EventLog(path)
    assert [r.payload for r in log.found.records] == [b"one", b"three"]
    assert any("damaged" in d for d in log.found.damage)
    assert log.append(b"four") == 4
    log.close()
    assert path.read_bytes().startswith(bytes(data))


def test_two_owners_are_refused(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.log")
    with pytest.raises(LogError, match="another process has it open"):
        EventLog(tmp_path / "events.log")
    log.close()
    EventLog(tmp_path / "events.log").close()


class Full(Disk):
    """Takes so many bytes more, then none."""

    def __init__(self) -> None:
        self.room = 10**9
        self.error = errno.ENOSPC

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self.room <= 0:
            raise OSError(self.error, os.strerror(self.error))
        taken = super().write(descriptor, data[: self.room])
        self.room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 1, 10, 22])
def test_full_disk_saves_nothing_and_later_saves_again(tmp_path: Path, room: int) -> None:
    disk = Full()
    log = filled(tmp_path / "events.log", [b"before"], disk)
    disk.room = room
    with pytest.raises(DiskFull, match="make space"):
        log.append(b"too much")
    assert not scan(log.path.read_bytes()).torn
    disk.room = 10**9
    assert log.append(b"after") == 2
    log.close()
    assert [r.payload for r in scan(log.path.read_bytes()).records] == [b"before", b"after"]


def test_a_failing_disk_ends_the_log(tmp_path: Path) -> None:
    disk = Full()
    log = filled(tmp_path / "events.log", [b"before"], disk)
    disk.room, disk.error = 3, errno.EIO
    with pytest.raises(LogError, match="nothing was saved"):
        log.append(b"x")
    disk.room = 10**9
    with pytest.raises(LogError, match="open it again"):
        log.append(b"y")
    log.close()
    assert [r.payload for r in EventLog(log.path).found.records] == [b"before"]


def test_too_long_an_event_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at most"):
        encode(1, bytes(16 * 2**20 + 1))


def test_a_reader_follows_and_waits_for_half_records(tmp_path: Path) -> None:
    path = tmp_path / "events.log"
    log = filled(path, [b"a"])
    reader = LogReader(path)
    assert [r.payload for r in reader.more()[1]] == [b"a"]
    with path.open("ab") as file:
        record = encode(2, b"half")
        file.write(record[:9])
        file.flush()
        assert reader.more() == (False, ())
        file.write(record[9:])
    assert [r.payload for r in reader.more()[1]] == [b"half"]
    log.close()


def test_a_reader_unlearns_what_was_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "events.log"
    log = filled(path, [b"a"])
    size = path.stat().st_size
    path.open("ab").write(encode(2, b"unsaved"))
    reader = LogReader(path)
    assert len(reader.more()[1]) == 2
    os.truncate(path, size)
    log.append(b"saved instead, and longer")
    rewound, records = reader.more()
    assert rewound and [r.payload for r in records] == [b"a", b"saved instead, and longer"]
    log.close()
