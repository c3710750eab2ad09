"""A serial port in memory: pyserial's few verbs on one side, an emulated board on the other, and a clock of its own.

The same boards and faults as behind a pseudo-terminal, without another process: a thousand lost answers take a second
of its own time instead of ours, and happen the same way on every machine.
"""

from __future__ import annotations

from typing import Any

import dynamixel_sdk
import numpy as np
import pytest
import scservo_sdk
import serial

from robot_io.driver import Driver
from robot_io.dynamixel_arm import DynamixelArm, DynamixelDriver
from robot_io.emulation.faults import Faults, Wire
from robot_io.emulation.koch import koch
from robot_io.emulation.line_board import LineBoard
from robot_io.emulation.so101 import so101
from robot_io.feetech_arm import FeetechDriver
from robot_io.naming import ArmName
from robot_io.serial_arm import LineDriver
from robot_io.so_motion import SoArm
from robot_io.wired import WiredArm

BYTE = 10 / 1_000_000
"""Seconds that one byte takes."""


LOOK = 50e-6
"""Seconds that a look at an empty port takes."""


BOARDS: dict[str, Any] = {"line": LineBoard, "dynamixel": koch}


class Bench:
    """A board, its faults, and time."""

    def __init__(self, kind: str, seed: int = 7) -> None:
        self.kind, self.time = kind, 100.0
        self.board: Any = BOARDS.get(kind, so101)(now=self.time)
        self.faults = Faults()
        self.wire = Wire(self.faults, np.random.default_rng(seed))
        self.there = True
        self.coming: list[tuple[float, bytes]] = []

    def clock(self) -> float:
        """Seconds; looking at it takes a little, so that whoever waits by looking gets there."""
        self.time += 1e-6
        return self.time


def port_of(bench: Bench) -> type:
    """A class like serial.Serial whose instances lead to that bench."""

    class Port:
        def __init__(self, port: str | None = None, *_: Any, timeout: float | None = 0.0, **__: Any) -> None:
            assert timeout is not None, "a port that waits for ever"
            self.timeout: float | None = timeout
            self.write_timeout: float | None = None

        def write(self, data: bytes) -> int:
            self._need()
            bench.time += len(data) * BYTE
            behind = bench.coming[-1][0] if bench.coming else 0.0
            for answer in bench.board.receive(bench.wire.inwards(bytes(data)), bench.time):
                late, answer = bench.wire.outwards(answer)
                behind = max(behind, bench.time + late + len(answer) * BYTE)
                bench.coming.append((behind, answer))
            return len(data)

        def read(self, size: int = 1) -> bytes:
            self._need()
            assert self.timeout is not None
            if size <= 0:
                return b""
            end = bench.time + max(self.timeout, LOOK)
            while self.in_waiting < size and bench.time < end:
                bench.time = min([end, *(due for due, _ in bench.coming if due > bench.time)])
            got = b"".join(answer for due, answer in bench.coming if due <= bench.time)
            rest = [(due, answer) for due, answer in bench.coming if due > bench.time]
            bench.coming = ([(bench.time, got[size:])] if got[size:] else []) + rest
            return got[:size]

        @property
        def in_waiting(self) -> int:
            return sum(len(answer) for due, answer in bench.coming if due <= bench.time)

        def reset_input_buffer(self) -> None:
            self._need()
            bench.coming = [(due, answer) for due, answer in bench.coming if due > bench.time]

        def flush(self) -> None:
            self._need()

        def close(self) -> None:
            bench.coming.clear()

        def _need(self) -> None:
            if not bench.there:
                raise serial.SerialException("device disconnected")

    return Port


def arm_on(bench: Bench, path: str, monkeypatch: pytest.MonkeyPatch) -> WiredArm:
    """A connected arm on a bench."""
    monkeypatch.setattr(serial, "Serial", port_of(bench))
    for sdk in (scservo_sdk, dynamixel_sdk):
        monkeypatch.setattr(sdk.PortHandler, "getCurrentTime", lambda self: bench.clock() * 1e3)
    if bench.kind in BOARDS:
        line = bench.kind == "line"
        x = None if line else DynamixelDriver(path, clock=bench.clock)
        arm = DynamixelArm(x, bench.clock) if x else WiredArm(LineDriver(path, bench.clock), bench.clock)
    else:
        arm = SoArm(_so(bench, path), bench.clock)
    arm.connect()
    return arm


def _so(bench: Bench, path: str) -> Driver:
    if bench.kind == "feetech":
        return FeetechDriver(path)
    from robot_io.so_arm import SoDriver

    return SoDriver("SO-101", "so101_follower", ArmName(path, {}))
