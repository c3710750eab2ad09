"""Lines of the line protocol, and whatever else may come down a wire: nothing crashes, hangs, or moves."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robot_io.emulation.line_board import LineBoard
from robot_io.line import LONGEST, BadLine, Line, Lines, crc16, decode, integers

words = st.text(string.ascii_letters + string.digits + "-_.", min_size=1, max_size=8)
lines = st.builds(Line, st.integers(0, 0xFFFF), st.lists(words, min_size=1, max_size=8).map(tuple))
chunks = st.lists(st.binary(max_size=200), min_size=60, max_size=90)
"""200 examples of these are more than 10,000 byte strings."""


def test_its_checksum_is_the_published_one():
    assert crc16(b"123456789") == 0x29B1


@given(lines)
def test_what_is_encoded_is_decoded(line):
    assert decode(line.encode().rstrip(b"\n")) == line


@given(lines, st.data())
def test_a_damaged_line_is_none(line, data):
    whole = line.encode().rstrip(b"\n")
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    with pytest.raises(BadLine):
        decode(damaged)
    with pytest.raises(BadLine):
        decode(whole[:place])


@pytest.mark.parametrize("wrong", [("1.5",), ("",), ("x",), ("1", "2"), (), ("9999999",)])
def test_numbers_that_are_none(wrong):
    with pytest.raises(BadLine):
        integers(wrong, 1)


@pytest.mark.parametrize("wrong", [(), ("a b",), ("a*b",), ("ä",), ("x" * LONGEST,)])
def test_what_is_no_line_is_not_sent(wrong):
    with pytest.raises(ValueError, match=r"expected|ascii"):
        Line(1, wrong).encode()


@given(st.lists(lines, max_size=8), st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_lines_are_found_however_they_are_cut(sent, cuts):
    stream, found, cutter = b"".join(line.encode() for line in sent), [], Lines()
    while stream:
        size = cuts[len(stream) % len(cuts)]
        found += cutter.feed(stream[:size])
        stream = stream[size:]
    assert [decode(line) for line in found] == sent


@given(chunks)
@settings(max_examples=200, deadline=None)
def test_noise_moves_no_board_and_the_next_line_is_heard(noise):
    board = LineBoard()
    heard = []
    board.heard = heard.append
    board.receive(Line(1, ("E",)).encode(), 0.0)
    for tick, data in enumerate(noise):
        for answer in board.receive(data, tick * 0.01):
            decode(answer.rstrip(b"\n"))
    if not any(line.words[0] == "M" for line in heard):
        assert board.motors.angles == [0.0] * 5
    board.receive(b"\n", 2.0)
    (answer,) = board.receive(Line(2, ("Q",)).encode(), 2.0)
    assert decode(answer.rstrip(b"\n")).number == 2
