"""The line protocol for home-built arms: a line of text with a number and a checksum, and one line back.

    17 M 120 -300 0 500*D8F2        number, word, whole numbers, * and CRC-16 of everything before it
    17 ok A 118 -299 0 480*FDDE     the same number: an answer to this line and no other

The page docs/protocols/line.md describes it; docs/firmware/ holds a sketch that speaks it. Angles are thousandths of a
radian, the gripper is 0 (open) to 1000 (closed). Nothing here knows a port.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

VERSION = "ABL1"
LONGEST = 160
"""Bytes of a line, its end not counted; what is longer is thrown away."""
NUMBERS = 0x10000
"""Lines are numbered modulo this."""


class BadLine(ValueError):
    """Bytes that are no line of the protocol."""


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, starting at 0xFFFF; 0x29B1 for b"123456789"."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


@dataclass(frozen=True)
class Line:
    """One line, either way."""

    number: int
    words: tuple[str, ...]

    def encode(self) -> bytes:
        """As bytes with their end. ValueError if it would be too long or hold more than plain words."""
        text = " ".join([str(self.number), *self.words])
        body = text.encode("ascii", errors="strict")
        if not self.words or len(body) + 5 > LONGEST or any(not _plain(word) for word in self.words):
            raise ValueError(f"expected plain words in at most {LONGEST - 5} bytes, got {text!r}")
        return body + b"*%04X\n" % crc16(body)


def decode(data: bytes) -> Line:
    """The line of some bytes, their end left out.

    Raises:
        BadLine: too long, not of the form, or the checksum is wrong.
    """
    if len(data) > LONGEST:
        raise BadLine(f"expected at most {LONGEST} bytes, got {len(data)}")
    body, star, given = data.rpartition(b"*")
    if not star or given != b"%04X" % crc16(body):
        raise BadLine(f"expected a line that ends in * and its checksum, got {data[:40]!r}")
    try:
        number, *words = body.decode("ascii").split(" ")
        line = Line(int(number), tuple(words))
    except ValueError as error:
        raise BadLine(f"expected a number and words, got {data[:40]!r}") from error
    if not (0 <= line.number < NUMBERS and number.isdigit() and words and all(map(_plain, words))):
        raise BadLine(f"expected a number below {NUMBERS} and words, got {data[:40]!r}")
    return line


def integers(words: Sequence[str], count: int) -> list[int]:
    """Exactly so many whole numbers. BadLine otherwise."""
    try:
        numbers = [int(word) for word in words]
    except ValueError as error:
        raise BadLine(f"expected whole numbers, got {list(words)}") from error
    if len(numbers) != count or any(abs(number) > 1_000_000 for number in numbers):
        raise BadLine(f"expected {count} numbers of at most a million, got {list(words)}")
    return numbers


class Lines:
    """Cuts a stream of bytes into lines; what is too long for one is thrown away up to the next end."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> list[bytes]:
        """Whole lines, ends left out."""
        found: list[bytes] = []
        for piece in data.splitlines(keepends=True) if data else ():
            self._buffer += piece
            if piece.endswith((b"\n", b"\r")):
                whole = bytes(self._buffer).rstrip(b"\r\n")
                if whole and not self._overlong:
                    found.append(whole)
                self._buffer.clear()
                self._overlong = False
            elif len(self._buffer) > LONGEST:
                self._buffer.clear()
                self._overlong = True
        return [line for line in found if len(line) <= LONGEST]

    def clear(self) -> None:
        """Forget an unfinished line."""
        self._buffer.clear()
        self._overlong = False


def _plain(word: str) -> bool:
    return bool(word) and word.isascii() and word.isprintable() and not set(word) & {" ", "*"}
