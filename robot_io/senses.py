"""Where an arm is and how it feels, read a few times a second on the control loop's thread, for pages and the diary.

A real arm is felt whether somebody looks or not: so a pulled cable, a servo that overheats and a lost supply are
noticed while it stands still, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import ArmError
from robot_io.diary import Diary
from robot_io.driver import Health
from robot_io.errors import ServoFault
from robot_io.lenses import Lenses
from robot_io.loop import Loop
from robot_io.phase import Phase
from robot_io.safety import Tipped
from robot_io.sighted import Sighted

log = logging.getLogger(__name__)
Array = NDArray[Any]
POSE_SECONDS = 0.1
HEALTH_SECONDS = 1.0
Tell = Callable[[str, dict[str, Any]], None]


@runtime_checkable
class Feels(Protocol):
    """An arm that tells how its joints feel."""

    def health(self) -> Health:
        """Temperatures, voltages, loads, and what is wrong."""


@runtime_checkable
class Shaped(Protocol):
    """An arm that knows where its parts are."""

    def skeleton(self, joints: Array) -> Array:
        """(J,) radians → (K, 3) metres: base, joints and tip, in a row."""


@runtime_checkable
class Walks(Protocol):
    """An arm that is being calibrated."""

    def walk(self) -> Mapping[str, Any]:
        """Where the calibration is, as plain values."""


class Senses:
    """Feels the arm for everybody; `tell(kind, message)` passes on what there is to know."""

    def __init__(
        self, loop: Loop, diary: Diary, clock: Callable[[], float], wall: Callable[[], float], lenses: Lenses
    ) -> None:
        self._loop, self._diary, self._clock, self._wall, self._lenses = loop, diary, clock, wall, lenses
        self._felt_at = -HEALTH_SECONDS
        self._health: dict[str, Any] = {}

    async def run(self, wanted: Callable[[], bool], tell: Tell) -> None:
        """For as long as it runs; a simulated arm is felt only while somebody wants to know."""
        while True:
            if wanted() or not self._loop.arm.features.simulated:
                await self._feel(tell)
            await asyncio.sleep(POSE_SECONDS)

    async def _feel(self, tell: Tell) -> None:
        self._look(tell)
        try:
            told = await asyncio.wrap_future(self._loop.call(self.feel))
        except ArmError as error:
            if not self._loop.ending and self._loop.state.phase is not Phase.FAULT:
                log.warning("the arm cannot be felt: %s", error)
            return
        for kind, message in told.items():
            tell(kind, message)

    def _look(self, tell: Tell) -> None:
        """A camera that fails: the arm's own, or one that people watch."""
        arm = self._loop.arm.arm
        own = arm.camera_trouble() if isinstance(arm, Sighted) else ""
        before, self._loop.blind = self._loop.blind, "; ".join(filter(None, (own, self._lenses.trouble())))
        if self._loop.blind != before:
            self._loop.changed()
        if self._lenses.names:
            tell("cameras", {"cameras": self._lenses.states()})

    def feel(self) -> dict[str, dict[str, Any]]:
        """Kind of message → message; only on the loop's thread. What fails there latches the arm and is told."""
        now = self._clock()
        told: dict[str, dict[str, Any]] = {}
        arm = self._loop.arm.arm
        try:
            told["pose"] = self._pose()
            if isinstance(arm, Feels) and now - self._felt_at >= HEALTH_SECONDS:
                self._felt_at = now
                health = arm.health()
                self._health = told["health"] = self._feeling(health)
                if health.faults and self._loop.state.phase is not Phase.FAULT:
                    raise ServoFault("; ".join(f"{joint}: {words}" for joint, words in health.faults.items()))
            if isinstance(arm, Walks):
                told["calibration"] = dict(arm.walk())
        except ArmError as error:
            if self._loop.state.phase is not Phase.FAULT:
                self._loop.fail(error)
        self._write_down(told.get("pose", {}))
        return told

    def _pose(self) -> dict[str, Any]:
        arm = self._loop.arm
        seen = arm.observe()
        joints = np.asarray(seen["joints"], dtype=np.float64)
        told = arm.last
        shape = arm.arm.skeleton(joints) if isinstance(arm.arm, Shaped) else None
        tip = arm.arm.tip(joints) if isinstance(arm.arm, Tipped) else None
        return {
            "time": self._wall(),
            "joints": _rounded(joints),
            "gripper": round(float(seen["gripper"][0]), 4),
            "told": None if told is None else _rounded(told),
            "tip": None if tip is None else _rounded(tip),
            "points": None if shape is None else [_rounded(point) for point in shape],
        }

    def _feeling(self, health: Health) -> dict[str, Any]:
        columns = ("temperature", "volts", "load", "amperes")
        told: dict[str, Any] = {name: _rounded(getattr(health, name)) for name in columns}
        return {**told, "faults": dict(health.faults), "missed": getattr(self._loop.arm.arm, "missed", 0)}

    def _write_down(self, pose: Mapping[str, Any]) -> None:
        state = self._loop.state
        self._diary.add(
            {
                "time": self._wall(),
                "phase": state.phase.value,
                "why": state.why,
                "tick": state.tick,
                "clipped": state.clipped,
                "controller": state.controller,
                **{name: pose.get(name) for name in ("joints", "gripper", "told")},
                **self._health,
                "cameras": self._lenses.states(),
            }
        )


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 4) for value in values]
