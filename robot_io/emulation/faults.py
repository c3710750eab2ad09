"""What goes wrong on a wire, switched on at will: lost bytes, wrong checksums, late answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Faults:
    """Shares are of packets, in [0, 1]; each may be changed while the emulator runs."""

    drop: float = 0.0
    """Answers that lose one byte."""
    drop_commands: float = 0.0
    """Commands that lose one byte."""
    corrupt: float = 0.0
    """Answers with one wrong byte, so that their checksum is wrong."""
    late: float = 0.0
    """Answers that come late."""
    delay: float = 0.05
    """Seconds by which they are late."""
    silent: bool = False
    """No answers at all."""

    def clear(self) -> None:
        """A perfect wire."""
        self.drop = self.drop_commands = self.corrupt = self.late = 0.0
        self.silent = False


class Wire:
    """Applies faults to what passes, and counts them."""

    def __init__(self, faults: Faults, rng: np.random.Generator) -> None:
        self.faults = faults
        self.dropped = self.corrupted = self.delayed = 0
        self._rng = rng

    def inwards(self, data: bytes) -> bytes:
        """A command on its way to the board."""
        return self._shortened(data) if self._happens(self.faults.drop_commands) else data

    def outwards(self, answer: bytes) -> tuple[float, bytes]:
        """An answer on its way to the host, and by how many seconds it is late."""
        if self.faults.silent:
            return 0.0, b""
        if self._happens(self.faults.drop):
            answer = self._shortened(answer)
        if self._happens(self.faults.corrupt) and answer:
            place = int(self._rng.integers(len(answer)))
            answer = answer[:place] + bytes([answer[place] ^ 1 << int(self._rng.integers(8))]) + answer[place + 1 :]
            self.corrupted += 1
        if self._happens(self.faults.late):
            self.delayed += 1
            return self.faults.delay, answer
        return 0.0, answer

    def _happens(self, share: float) -> bool:
        return share > 0 and self._rng.random() < share

    def _shortened(self, data: bytes) -> bytes:
        if not data:
            return data
        place = int(self._rng.integers(len(data)))
        self.dropped += 1
        return data[:place] + data[place + 1 :]
