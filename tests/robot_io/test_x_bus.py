"""Robotis' protocol 2.0, byte by byte: what is published, what their own SDK makes of it, and whatever may come."""

from __future__ import annotations

import dynamixel_sdk
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robot_io.emulation.koch import RANGES, koch
from robot_io.emulation.x_bus import (
    FAST_SYNC_READ,
    PING,
    READ,
    SYNC_READ,
    SYNC_WRITE,
    WRITE,
    crc16,
    packet,
    status,
    stuffed,
    unstuffed,
)
from tests.robot_io.loopback import Bench, port_of

rubbish = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda body: b"\xff\xff\xfd\x00" + body, st.binary(min_size=4, max_size=30)),
    st.builds(packet, st.integers(0, 253), st.sampled_from([PING, READ, SYNC_READ, 7, 0x55]), st.binary(max_size=12)),
)
chunks = st.lists(rubbish, min_size=60, max_size=90)
"""200 examples of these are more than 10,000 byte strings."""
FEW, MANY = 20, 200


def ask(bus, number, instruction, parameters=b"", now=0.0):
    return bus.receive(packet(number, instruction, parameters), now)


def at(address, data):
    return address.to_bytes(2, "little") + data


def test_a_ping_as_it_is_published():
    assert packet(1, PING) == bytes([0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x03, 0x00, 0x01, 0x19, 0x4E])


@given(st.binary(max_size=60))
def test_the_makers_sdk_counts_and_stuffs_alike(body):
    handler = dynamixel_sdk.PacketHandler(2.0)
    assert crc16(body) == handler.updateCRC(0, list(body), len(body))
    body += b"\xff\xff\xfd" + body
    assert unstuffed(stuffed(body)) == body
    assert b"\xff\xff\xfd\x00" not in stuffed(body)
    whole = [0xFF, 0xFF, 0xFD, 0, 1, *(len(body) + 3).to_bytes(2, "little"), 3, *body, 0, 0]
    theirs = bytes(handler.addStuffing(whole))[7:-2]
    assert theirs[: len(stuffed(b"\x03" + body))] == stuffed(b"\x03" + body)


def test_ping_model_ranges_and_who_is_there():
    bus = koch()
    assert ask(bus, 3, PING) == [status(3, 0, (1200).to_bytes(2, "little") + bytes([46]))]
    assert ask(bus, 9, PING) == []
    assert [answer[4] for answer in ask(bus, 254, PING)] == [1, 2, 3, 4, 5, 6]
    (answer,) = ask(bus, 2, READ, at(48, b"\x08\x00"))
    high, low = (int.from_bytes(answer[9 + k : 13 + k], "little") for k in (0, 4))
    assert (low, high) == RANGES["shoulder_lift"]


def test_a_goal_is_followed_and_one_beyond_the_limits_is_refused():
    bus = koch()
    ask(bus, 1, WRITE, at(64, b"\x01"))
    assert ask(bus, 1, WRITE, at(116, (3000).to_bytes(4, "little"))) == [status(1, 0)]
    assert ask(bus, 1, WRITE, at(116, (4000).to_bytes(4, "little"))) == [status(1, 6)]
    assert ask(bus, 1, WRITE, at(116, b"\x10")) == [status(1, 5)], "half a goal is none"
    assert ask(bus, 1, WRITE, at(52, bytes(4))) == [status(1, 7)], "what is permanent, while it holds"
    assert ask(bus, 1, 0x77) == [status(1, 2)]
    bus.advance(3.0)
    assert abs(bus.servos[0].position - 3000) <= 1


def test_torque_on_moves_nothing_and_a_watchdog_keeps_it_still():
    bus = koch()
    before = bus.servos[0].position
    ask(bus, 1, WRITE, at(64, b"\x01"))
    bus.advance(1.0)
    assert bus.servos[0].position == before
    ask(bus, 1, WRITE, at(112, (50).to_bytes(4, "little")), now=1.0)
    ask(bus, 1, WRITE, at(98, b"\x0a"), now=1.0)
    ask(bus, 1, WRITE, at(116, (3200).to_bytes(4, "little")), now=1.0)
    for tick in range(100):
        bus.advance(1.0 + tick / 50)
    stopped = bus.servos[0].position
    assert before < stopped < 3000
    assert ask(bus, 1, WRITE, at(116, (3200).to_bytes(4, "little")), now=4.0) == [status(1, 4)]
    ask(bus, 1, WRITE, at(98, b"\x00"), now=4.0)
    ask(bus, 1, WRITE, at(116, (3200).to_bytes(4, "little")), now=4.0)
    bus.advance(20.0)
    assert abs(bus.servos[0].position - 3200) <= 1


@pytest.fixture
def sdk(monkeypatch):
    """The maker's port and packet handler before an emulated bus."""
    bench = Bench("dynamixel")
    monkeypatch.setattr("serial.Serial", port_of(bench))
    monkeypatch.setattr(dynamixel_sdk.PortHandler, "getCurrentTime", lambda self: bench.clock() * 1e3)
    port = dynamixel_sdk.PortHandler("/dev/x")
    port.baudrate = 1_000_000
    port.openPort()
    return bench, port, dynamixel_sdk.PacketHandler(2.0)


def test_the_makers_sdk_reads_many_at_once_slowly_and_fast(sdk):
    bench, port, handler = sdk
    found = []
    for verb in ("txRxPacket", "fastSyncRead"):
        group = dynamixel_sdk.GroupSyncRead(port, handler, 132, 4)
        for number in range(1, 7):
            group.addParam(number)
        assert getattr(group, verb)() == 0
        found.append([group.getData(number, 132, 4) for number in range(1, 7)])
    assert found[0] == found[1] == bench.board.show()["steps"]


def test_one_that_is_not_there_breaks_a_fast_answer_off():
    bus = koch()
    bus.dead.add(4)
    parameters = at(132, b"\x04\x00") + bytes(range(1, 7))
    assert len(ask(bus, 254, SYNC_READ, parameters)) == 5
    (answer,) = ask(bus, 254, FAST_SYNC_READ, parameters)
    assert len(answer) == 8 + 3 * 8


def unharmed(pieces):
    bus = koch()
    before = bus.show()["steps"]
    now = 0.0
    for piece in pieces:
        now += 0.001
        for answer in bus.receive(piece, now):
            assert answer[:4] == b"\xff\xff\xfd\x00"
    bus.advance(now + 1.0)
    np.testing.assert_allclose(bus.show()["steps"], before, atol=1)
    (alive,) = ask(bus, 2, PING, now=now + 2.0)
    assert alive[4] == 2


@given(chunks)
@settings(max_examples=FEW, deadline=None)
def test_rubbish_moves_nothing_and_it_answers_afterwards(pieces):
    unharmed(pieces)


@pytest.mark.slow
@given(chunks)
@settings(max_examples=MANY, deadline=None)
def test_ten_thousand_pieces_of_rubbish_move_nothing(pieces):
    unharmed(pieces)


@given(st.binary(max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_sync_write_of_any_length_asks_for_nothing_outside(rest):
    bus = koch()
    ask(bus, 254, SYNC_WRITE, at(116, b"\x04\x00") + rest)
    bus.advance(1.0)
    assert bus.outside == 0
