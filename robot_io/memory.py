"""What an arm remembers of its ticks while it records: the columns, and in simulation the way back to any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from robot_io.arm import Action, ArmError, Observation, Scene, Unsupported
from robot_io.recording import Frame, Recording
from robot_io.safety import SafeArm
from robot_io.time_machine import TimeMachine


class Memory:
    """Records when told to; used on the control loop's thread."""

    def __init__(self, arm: SafeArm, clock: Callable[[], float]) -> None:
        self.on = False
        self.recording = Recording()
        self._arm, self._clock = arm, clock
        self._machine = TimeMachine(arm, self.recording) if isinstance(arm.arm, Scene) else None

    @property
    def machine(self) -> TimeMachine:
        """The time machine of a scene; Unsupported on other arms."""
        if self._machine is None or "scene" not in self._arm.features.capabilities:
            raise Unsupported(
                f"expected a simulated arm, got {self._arm.features.name}; time goes one way there: retrace"
            )
        return self._machine

    def record(self, on: bool, tick: int) -> None:
        """Begin, with nothing remembered, or end; what was recorded stays."""
        if on and not self.on:
            self.forget(tick)
        self.on = on

    def forget(self, tick: int) -> None:
        """The scene is another one: nothing leads back."""
        self.recording.clear()
        if self._machine is not None:
            self._machine.clear(tick)

    def before(self, tick: int) -> Observation | None:
        """Sense, and keep the state if one is due; None while it does not record."""
        if not self.on:
            return None
        if self._machine is not None:
            self._machine.keep_if_due(self.recording.head, tick)
        return self._arm.observe()

    def after(self, before: Observation | None, tick: int, controller: str, wanted: Action, sent: Action) -> None:
        """Add the tick that was just done."""
        if before is None:
            return
        parent = self.recording.head
        self.recording.add(
            Frame(tick, parent, self._clock(), controller, wanted, sent, bool(self._arm.reasons), before)
        )

    def moments(self) -> Mapping[str, Any]:
        """What can be gone back to: {"on", "head", "first", "last", "branches", …}; see `TimeMachine.moments`."""
        found = {"on": self.on, "head": self.recording.head, **self.recording.span()}
        branches = [list(branch) for branch in self.recording.branches]
        return {**found, "branches": branches, **(self._machine.moments() if self._machine is not None else {})}

    def rewind(self, tick: int) -> Mapping[str, Any]:
        """The scene is as it was after a tick, bit for bit; the next tick's parent is that one.

        Returns:
            {"head": that tick, "ms": how long the arm itself took}.
        """
        if not self.on:
            raise ArmError("expected a recording to rewind in, got none; record first")
        begun = self._clock()
        self.machine.rewind(tick)
        return {"head": self.recording.head, "ms": 1000 * (self._clock() - begun)}

    def key_frame(self) -> bytes:
        """The state as it is now, to be kept in a file."""
        return self.machine.key_frame()

    def return_to(self, key_frame: bytes, tick: int) -> None:
        """The state of a key frame; recording begins anew from it."""
        self.machine.return_to(key_frame, tick)
