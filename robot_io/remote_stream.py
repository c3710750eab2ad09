"""An arm in another process, moved tick by tick: chunks in, what was done out, and in simulation the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from robot_io.arm import Array
from robot_io.messages import observation_of
from robot_io.remote import RemoteArm


class StreamArm(RemoteArm):
    """A RemoteArm that also streams, records and rewinds. A tick is one of the arm's, `features.rate` a second."""

    def record(self, *, on: bool = True) -> None:
        """Begin to remember every tick, with nothing remembered, or end."""
        self._ask("record", on=on)

    def stream(
        self,
        actions: Array,
        *,
        start: int | None = None,
        every: int = 1,
        kind: str = "joints",
        wait: int | None = None,
    ) -> Mapping[str, Any]:
        """Rows to carry out, appended, or in place of what is left from tick `start` on.

        Args:
            actions: (T, J+1) joint targets and gripper; with kind "tip" (T, 5) dx, dy, dz, dyaw and gripper.
            start: the tick after which the first row begins; rows of ticks that are over are skipped.
            every: ticks per row: 2 is 30 Hz on an arm of 60.
            kind: "joints" or "tip".
            wait: answer when no more than that many ticks are left; None: at once.

        Returns:
            {"end": the tick after which all rows are used up, "tick": now, "ended": why it ended early, or ""}.

        Raises:
            Driven: a person drives, or a motion is under way.
            BadAction: rows of another shape, or over already.
        """
        answer: Mapping[str, Any] = self._ask("stream", actions=actions, start=start, every=every, kind=kind, wait=wait)
        return answer

    def glimpse(self, cameras: Sequence[str], width: int, height: int) -> tuple[int, Array]:
        """The tick and how a scene looked after it, small: (V, height, width, 3) uint8; drawn outside the loop."""
        told = self._ask("glimpse", cameras=list(cameras), width=width, height=height)
        return int(told["tick"]), np.asarray(told["pictures"])

    def stills(self, cameras: Sequence[str], width: int, height: int) -> tuple[int, list[bytes]]:
        """The tick, and one small JPEG from each camera of how it looked after it; nothing else waits behind them."""
        told = self._ask("stills", cameras=list(cameras), width=width, height=height)
        return int(told["tick"]), [bytes(picture) for picture in told["pictures"]]

    def beat(self, since: int) -> Mapping[str, Any]:
        """{"now": as `now`, "frames": as `frames` since a tick, "truth": of a scene, or None}, all of one instant."""
        return _beat(self._ask("beat", since=since))

    def stream_beat(
        self,
        actions: Array,
        since: int,
        *,
        every: int = 1,
        kind: str = "tip",
        start: int | None = None,
        wait: int = 0,
    ) -> Mapping[str, Any]:
        """As `stream`, waiting until no more than `wait` ticks are left, and then the beat: one question less.

        Returns:
            As `beat`, and "ended".
        """
        answer = self._ask("stream", actions=actions, start=start, every=every, kind=kind, wait=wait, since=since)
        return {**_beat(answer["beat"]), "ended": answer["ended"]}

    def now(self) -> Mapping[str, Any]:
        """{"tick", "end", "controller", "note", "driven", "phase", "why", "observation"}, all of one instant."""
        value = self._ask("now")
        return {**value, "observation": observation_of(value["observation"])}

    def frames(self, since: int = -1, limit: int = 2000) -> Mapping[str, Any]:
        """The recorded ticks after one, in columns; see `robot_io.recording.Frame`."""
        value: Mapping[str, Any] = self._ask("frames", since=since, limit=limit)
        return value

    def places(self, joints: Array) -> Array:
        """Where joints (N, J) bring the tip: (N, 4) x, y, z, yaw; Unsupported if it cannot tell."""
        return np.asarray(self._ask("places", joints=joints))

    def moments(self) -> Mapping[str, Any]:
        """{"on", "head", "first", "last", "branches", "stored", "root", "bytes", "kept"}."""
        value: Mapping[str, Any] = self._ask("moments")
        return value

    def rewind(self, tick: int) -> Mapping[str, Any]:
        """The scene is as it was after a recorded tick, bit for bit; refused while somebody drives.

        Returns:
            {"head": that tick, "ms": how long the arm itself took, without the way there and back}.
        """
        value: Mapping[str, Any] = self._ask("rewind", tick=tick)
        return value

    def keep(self) -> str:
        """Keep the state as it is now in a file of the arm's directory; returns its name."""
        return str(self._ask("keep"))

    def return_to(self, name: str) -> None:
        """The state of a file that `keep` made, also of an arm process before this one."""
        self._ask("return", name=name)


def _beat(value: Mapping[str, Any]) -> Mapping[str, Any]:
    now = value["now"]
    return {**value, "now": {**now, "observation": observation_of(now["observation"])}}
