"""Films an episode in motion: what the first and the last camera see, a few times a second, beside everything else.

A thread of its own asks the arm process for small pictures while the arm moves. Nobody waits for it: a picture that
comes too late is left out and counted, and an arm that gives none is filmed no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from robot_io.arm import ArmError, Unsupported
from teaching.replay.pictures import Pictures
from teaching.types import Array

RATE = 5.0
"""Pictures a second and camera."""
SIZE = (160, 120)
"""Width and height, pixels; at most."""
MOST = 40_000
"""Pictures of one episode: more than an hour of two cameras."""


class Shows(Protocol):
    """As `StreamArm.stills`."""

    def stills(self, cameras: Sequence[str], width: int, height: int) -> tuple[int, list[bytes]]:
        """The tick, and a JPEG from each camera."""


class RolloutFilm:
    """Films from `begin` on, while the arm moves; `take` gives what it has."""

    def __init__(
        self,
        arm: Shows,
        cameras: Sequence[str],
        moved: Callable[[], int],
        *,
        rate: float = RATE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: cameras: the arm's; moved: its newest tick that is known of; rate: per second; clock: seconds."""
        self.cameras = tuple(dict.fromkeys((cameras[0], cameras[-1]))) if cameras else ()
        self.rate, self.trouble = rate, ""
        self._arm, self._moved, self._clock = arm, moved, clock
        self._lock = threading.Lock()
        self._taken: list[tuple[int, list[bytes]]] = []
        self._dropped = self._scene = 0
        self._last: tuple[int, int] = (-1, 0)
        self._ending = threading.Event()
        if self.cameras:
            threading.Thread(target=self._run, name="film", daemon=True).start()

    def begin(self) -> None:
        """Another scene: what was seen before does not belong to it."""
        with self._lock:
            self._taken, self._dropped = [], 0
            self._scene += 1

    def take(self, ticks: Sequence[int]) -> tuple[Pictures | None, dict[str, Any]]:
        """What was filmed of an episode's ticks, and the facts about it; None and none if nothing was.

        Args:
            ticks: of the episode, growing.
        """
        with self._lock:
            taken, dropped = list(self._taken), self._dropped
        if not taken or not len(ticks):
            return None, {}
        pictures = of_ticks(taken, np.asarray(ticks, np.int64))
        return pictures, {"film": {"cameras": list(self.cameras), "rate": self.rate, "dropped": dropped}}

    def close(self) -> None:
        """End its thread, after the picture under way."""
        self._ending.set()

    def _run(self) -> None:
        period, due = 1.0 / self.rate, self._clock()
        while not self._ending.wait(max(0.0, due - self._clock())):
            due += period
            if self._last == (self._scene, self._moved()):
                due = max(due, self._clock())
                continue
            if not self._shoot():
                return
            late = max(0, int((self._clock() - due) / period))
            with self._lock:
                self._dropped += late
            due += late * period

    def _shoot(self) -> bool:
        """One picture of each camera; False if there will never be any."""
        scene, moved = self._scene, self._moved()
        try:
            seen = self._arm.stills(self.cameras, *SIZE)
        except Unsupported as error:
            self.trouble = str(error)
            return False
        except ArmError as error:  # it was restarted, or a camera gives nothing now
            self.trouble = str(error)
            with self._lock:
                self._dropped += 1
            return True
        self._last, self.trouble = (scene, moved), ""
        with self._lock:
            if scene == self._scene:
                if len(self._taken) * len(self.cameras) < MOST:
                    self._taken.append(seen)
                else:
                    self._dropped += 1
        return True


def of_ticks(taken: Sequence[tuple[int, list[bytes]]], ticks: Array) -> Pictures:
    """Pictures by the episode's own ticks.

    While the arm stands it counts on and nothing is recorded: the first picture of such a while stays, as the nearest
    to the tick before it. Of those from before the episode, the last stays.

    Args:
        taken: (the arm's tick, a JPEG per camera).
        ticks: (T,) of the episode, growing.
    """
    found: dict[int, list[bytes]] = {}
    for tick, jpegs in taken:
        at = int(np.searchsorted(ticks, tick, side="right")) - 1
        if at < 0:
            found[int(ticks[0])] = jpegs
        else:
            found.setdefault(int(ticks[at]), jpegs)
    rows = [(tick, number, jpeg) for tick, jpegs in sorted(found.items()) for number, jpeg in enumerate(jpegs)]
    return Pictures(np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), tuple(r[2] for r in rows))
