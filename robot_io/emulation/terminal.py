"""A board behind a pseudo-terminal, with a path that stays the same when it is pulled out and put back."""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from robot_io.emulation.faults import Faults, Wire

IDLE = 0.05
"""Seconds between two looks at the clock when nothing comes."""


class Board(Protocol):
    """What answers: bytes in, answers out. Time comes from outside."""

    period: float | None
    """Seconds between two calls of `advance` if it wants them even when nothing is said."""

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Bytes from the host; returns whole answers, in order."""

    def advance(self, now: float) -> None:
        """Let time pass."""

    def power_cycle(self) -> None:
        """The supply goes off and on again."""

    def show(self) -> dict[str, Any]:
        """What it looks like inside, as plain values."""


class Terminal:
    """Serves a board from a thread. `path` is a link that a host opens as its serial port."""

    def __init__(
        self,
        board: Board,
        clock: Callable[[], float],
        rng: np.random.Generator,
        *,
        name: str = "arm",
        faults: Faults | None = None,
        link: Path | None = None,
    ) -> None:
        self.board = board
        self.faults = faults or Faults()
        self.wire = Wire(self.faults, rng)
        self.lock = threading.RLock()
        """Hold it to look at or change the board."""
        self._folder = None if link else tempfile.TemporaryDirectory(prefix="askback-")
        self.path = link or Path(str(self._folder and self._folder.name)) / name
        self._clock = clock
        self._waiting: list[tuple[float, bytes]] = []
        self._master = self._slave = -1
        self._wake_read, self._wake_write = os.pipe()
        self._ending = False
        self.plug()
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self._thread.start()

    @property
    def plugged(self) -> bool:
        """Whether it is there."""
        return self._master >= 0

    def plug(self) -> None:
        """Put it in; twice is harmless."""
        with self.lock:
            if self.plugged:
                return
            master, slave = os.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(os.ttyname(slave))
            self._master, self._slave = master, slave
        os.write(self._wake_write, b"!")

    def unplug(self) -> None:
        """Pull it out: whoever has it open gets an error, and the path is gone."""
        with self.lock:
            if not self.plugged:
                return
            master, slave = self._master, self._slave
            self._master = self._slave = -1
            self._waiting.clear()
            self.path.unlink(missing_ok=True)
            os.close(slave)
            os.close(master)
        os.write(self._wake_write, b"!")

    def advance(self) -> None:
        """Let the board's time pass to now, though nothing came."""
        with self.lock:
            self.board.advance(self._clock())

    def close(self) -> None:
        """End the thread and take everything away; twice is harmless."""
        if self._ending:
            return
        self.unplug()
        self._ending = True
        os.write(self._wake_write, b"!")
        self._thread.join(2.0)
        for handle in (self._wake_read, self._wake_write):
            os.close(handle)
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._ending:
            handles = [self._wake_read] + ([self._master] if self.plugged else [])
            with contextlib.suppress(OSError, ValueError):
                ready, _, _ = select.select(handles, [], [], self._patience())
                if self._wake_read in ready:
                    os.read(self._wake_read, 64)
                self._serve(self._master in ready)

    def _patience(self) -> float:
        wait = self.board.period or IDLE
        return max(0.0, min([wait, *(due - self._clock() for due, _ in self._waiting)]))

    def _serve(self, readable: bool) -> None:
        with self.lock:
            if not self.plugged:
                return
            now = self._clock()
            if self.board.period is not None:
                self.board.advance(now)
            if readable:
                data = self.wire.inwards(os.read(self._master, 4096))
                for answer in self.board.receive(data, now):
                    late, answer = self.wire.outwards(answer)
                    # A late answer holds up those behind it, as on a real wire.
                    behind = self._waiting[-1][0] if self._waiting else now
                    self._waiting.append((max(behind, now + late), answer))
            due = [answer for when, answer in self._waiting if when <= now]
            del self._waiting[: len(due)]
            if due:
                os.write(self._master, b"".join(due))
