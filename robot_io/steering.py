"""What a person who drives says over `WS /live`, as work for the control loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from robot_io.arm import ArmError
from robot_io.flow import Mode
from robot_io.jog import Rates
from robot_io.loop import Loop
from robot_io.teleop import OLDEST, Command

LONGEST = 1800
"""Ticks that may be retraced at a time."""


class Steering:
    """Turns messages into moves. `dropped` counts commands that came too late."""

    def __init__(self, loop: Loop, wall: Callable[[], float]) -> None:
        self._loop, self._wall = loop, wall
        self.dropped = 0

    def switch(self, *, on: bool) -> Callable[[], None]:
        """Begin to drive, which takes over from a policy at once, or hand back."""
        loop = self._loop

        def begin() -> None:
            loop.heartbeat.begin()
            if loop.flow.mode is Mode.POLICY:
                loop.flow.take_over()

        def end() -> None:
            loop.heartbeat.end()
            if loop.flow.mode in (Mode.HUMAN, Mode.RETRACE):
                loop.flow.finish("handed back")

        return begin if on else end

    def command(self, message: Mapping[str, Any]) -> Callable[[], None] | None:
        """A move of the gripper or of joints, or None if it is too old: `t` is in Unix seconds of the state's clock."""
        command: Command | Rates
        if "jog" in message:
            command = Rates.of(message["jog"], message.get("gripper"), len(self._loop.arm.features.joints))
        else:
            command = Command.of(message["delta"], message.get("gripper"), message.get("arm", 0))
        stamp = float(message["t"])
        if not abs(self._wall() - stamp) <= OLDEST:
            self.dropped += 1
            return None
        return lambda: self._push(command, stamp)

    def _push(self, command: Command | Rates, stamp: float) -> None:
        self._need_driver()
        if self._wall() - stamp > OLDEST or self._loop.state.phase.value == "held":
            self._loop.flow.put_down()  # by keys it goes on after a leader failed, from the next command on
            self.dropped += 1
            return
        self._loop.arm.refuse_if_stopped()
        if self._loop.in_motion:
            raise ArmError("expected no motion under way while a person moves the gripper; hold it first")
        if isinstance(command, Rates):
            self._loop.flow.jog(command)
        else:
            self._loop.flow.push(command)

    def retrace(self, message: Mapping[str, Any]) -> Callable[[], None]:
        """Begin to go back along the recorded path, say that the key is still held, or end."""
        do, to = message["do"], message.get("to")
        if do not in ("start", "held", "end"):
            raise ArmError(f"expected start (to go back), held (the key is) or end, got {str(do)[:40]!r}")

        def work() -> None:
            self._need_driver()
            flow = self._loop.flow
            if do == "start":
                self._loop.arm.refuse_if_stopped()
                if flow.mode is not Mode.RETRACE:
                    flow.take_over()
                flow.go_back(*self._loop.memory.recording.back(None if to is None else int(to), LONGEST))
            flow.key() if do != "end" else flow.take_over()

        return work

    def lead(self, *, on: bool) -> Callable[[], None]:
        """Let the leader arm drive, or put it down."""

        def work() -> None:
            self._need_driver()
            self._loop.arm.refuse_if_stopped()
            if self._loop.in_motion:
                raise ArmError("expected no motion under way while a leader drives; hold it first")
            self._loop.flow.lead(on=on)

        return work

    def _need_driver(self) -> None:
        if not self._loop.heartbeat.driving:
            raise ArmError("expected a heartbeat before moves; begin to drive first")
