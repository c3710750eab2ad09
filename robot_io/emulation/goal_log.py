"""What an emulated bus was told, and when: the last word about a stop is what came over the wire."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from robot_io.emulation.servo import GOAL, STEPS, word
from robot_io.emulation.servo_bus import SYNC_WRITE, ServoBus

KEPT = 20_000
JOINTS = 5
"""Servos whose goals count; the gripper's is kept by a hold."""


class GoalLog:
    """Every sync write of goals: when it came, and how many steps the furthest goal was from its joint."""

    def __init__(self, bus: ServoBus, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus, self._clock = bus, clock
        self._rows: deque[tuple[float, int]] = deque(maxlen=KEPT)
        bus.heard = self._hear

    def since(self, start: float) -> list[list[float]]:
        """[seconds, steps] of each from `start` on, on the clock of CLOCK_MONOTONIC."""
        return [[when, far] for when, far in self._rows if when >= start]

    def angles(self) -> list[float]:
        """Radians of every servo's shaft, now."""
        return [float(servo.angle) for servo in self._bus.servos]

    def _hear(self, number: int, instruction: int, parameters: bytes) -> None:
        if instruction != SYNC_WRITE or len(parameters) < 2 or parameters[0] != GOAL:
            return
        width = parameters[1] + 1
        far, servos = 0, {servo.number: servo for servo in self._bus.servos[:JOINTS]}
        for at in range(2, len(parameters) - width + 1, width):
            servo = servos.get(parameters[at])
            if servo is not None:
                away = abs(word(parameters, at + 1) - servo.position) % STEPS
                far = max(far, min(away, STEPS - away))
        self._rows.append((self._clock(), far))
