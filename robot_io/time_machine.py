"""Back to any recorded tick of a simulated arm, bit for bit: states kept every few ticks, the ticks between done again.

States are compressed and thinned as they age: a stored tick comes back in milliseconds, any other within a few dozen
ticks' physics more. Whatever changes the arm but a tick (a hold, a release) is followed by a state of its own.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from robot_io import wire
from robot_io.arm import Action, ArmError, Scene
from robot_io.recording import Recording
from robot_io.safety import SafeArm

Array = NDArray[Any]
EVERY = 8
"""Ticks between states."""
SPARSE = 32
"""Ticks between the older ones."""
YOUNG = 3600
"""Ticks until a state is old."""
MOST_BYTES = 240_000_000
"""Of compressed states; the oldest go first."""
LEVEL = 1
"""Of compression: a third of a millisecond a state; higher ones save a tenth of the bytes and cost thrice the time."""


@dataclass(frozen=True)
class _State:
    packed: bytes
    last: Array | None
    """(J,) what had last been sent, if anything since the arm was held."""
    parent: int
    """The tick that it follows."""
    needed: bool
    """Nothing else leads across what happened here."""


class TimeMachine:
    """The states of a scene along its recording. Used on the control loop's thread."""

    def __init__(self, arm: SafeArm, recording: Recording, *, every: int = EVERY, most: int = MOST_BYTES) -> None:
        self._arm, self._recording, self._every, self._most = arm, recording, every, most
        self._states: dict[int, _State] = {}
        self._after: dict[int, int] = {}
        self._young: deque[int] = deque()
        self._bytes = self._root = 0
        self._disturbed = self._latest = self._sparse = -1

    @property
    def _scene(self) -> Scene:
        return cast(Scene, self._arm.arm)

    def clear(self, root: int) -> None:
        """Forget everything; the next state is the one after tick `root`."""
        self._states.clear()
        self._after.clear()
        self._young.clear()
        self._bytes, self._root = 0, root
        self._disturbed = self._latest = self._sparse = -1

    def keep_if_due(self, head: int, tick: int) -> None:
        """Before tick `tick` + 1: keep the state if something disturbed the arm, or if the last one is old."""
        disturbed = self._arm.disturbed != self._disturbed
        if not disturbed and self._latest >= 0 and tick - self._latest < self._every:
            return
        forked = self._latest < 0
        self._disturbed, self._latest = self._arm.disturbed, tick
        packed = zlib.compress(self._scene.snapshot(), LEVEL)
        self._drop(tick + 1)
        self._states[tick + 1] = _State(packed, self._arm.last, head, disturbed or forked)
        self._young.append(tick + 1)
        self._bytes += len(packed)
        if head < 0:
            self._after.setdefault(self._root, tick + 1)
        elif not disturbed:
            self._after[head] = tick + 1
        self._thin(tick)

    def _drop(self, tick: int) -> None:
        state = self._states.pop(tick, None)
        if state is None:
            return
        self._bytes -= len(state.packed)
        if self._after.get(state.parent) == tick:
            del self._after[state.parent]

    def _thin(self, tick: int) -> None:
        while self._young and tick - self._young[0] > YOUNG:
            old = self._young.popleft()
            state = self._states.get(old)
            if state is None:
                continue
            if state.needed or old - self._sparse > SPARSE - self._every:
                self._sparse = old
            else:
                self._drop(old)
        while self._bytes > self._most and len(self._states) > 1:
            self._drop(next(iter(self._states)))

    def moments(self) -> Mapping[str, Any]:
        """{"stored": ticks that come back at once, "root": the tick before any, "bytes"}."""
        return {"stored": sorted(self._after), "root": self._root, "bytes": self._bytes}

    def rewind(self, tick: int) -> None:
        """The scene is as it was after a tick; ArmError if nothing leads there."""
        state, again = self._way(tick)
        self._scene.restore(zlib.decompress(state.packed))
        last = state.last
        for row in again:
            last = self._scene.send(Action(row[:-1], float(row[-1]))).joints
        self._arm.moved(last)
        self._recording.head = tick if tick != self._root else -1
        self._disturbed, self._latest = self._arm.disturbed, -1

    def _way(self, tick: int) -> tuple[_State, list[Array]]:
        """The nearest state on the way to a tick, and the actions (J+1,) from there."""
        again: list[Array] = []
        at = tick
        while at not in self._after:
            try:
                row = self._recording.row(at)
            except ArmError as error:
                last = self._recording.span()["last"]
                raise ArmError(
                    f"expected a tick that is remembered, up to {last}, got {tick}: nothing leads back there; "
                    "choose one of the moments"
                ) from error
            again.append(row["executed"])
            if at in self._states:
                return self._states[at], again[::-1]
            at = int(row["parent"])
        return self._states[self._after[at]], again[::-1]

    def key_frame(self) -> bytes:
        """The state as it is now, as bytes for a file."""
        last = self._arm.last
        packed = zlib.compress(self._scene.snapshot(), LEVEL)
        return wire.pack({"snapshot": packed, "last": last, "head": self._recording.head, "sum": zlib.crc32(packed)})

    def return_to(self, key_frame: bytes, tick: int) -> None:
        """The state of a key frame, taken here or in another process; recording begins anew from it."""
        try:
            saved = wire.unpack(key_frame)
            packed, last = bytes(saved["snapshot"]), saved["last"]
            whole = zlib.crc32(packed) == saved["sum"]
            snapshot = zlib.decompress(packed) if whole else b""
        except (wire.WireError, KeyError, TypeError, zlib.error) as error:
            raise ArmError(f"expected a key frame, got other bytes: {error}; choose another one") from error
        if not whole:
            raise ArmError("expected a whole key frame, got a damaged one; choose another one")
        self._scene.restore(snapshot)
        self._recording.clear()
        self.clear(tick)
        self._arm.moved(None if last is None else np.array(last))
