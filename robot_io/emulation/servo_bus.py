"""An emulated bus of STS3215 servos: Feetech's protocol 0, byte by byte.

A packet is FF FF, the servo's number, a length, an instruction, parameters and a checksum (the complement of the sum of
all after the header). 254 is everybody. Time comes from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from robot_io.emulation.motors import Motors
from robot_io.emulation.servo import Servo

PING, READ, WRITE, LATER, NOW = 1, 2, 3, 4, 5
SYNC_READ, SYNC_WRITE = 0x82, 0x83
EVERYBODY = 0xFE
LONGEST = 250
GAP = 0.02
"""Seconds of silence after which the rest of an unfinished packet is not waited for."""


def checksum(body: bytes) -> int:
    """Of everything between the header and the checksum."""
    return ~sum(body) & 0xFF


def packet(number: int, kind: int, parameters: bytes = b"") -> bytes:
    """A whole packet; an answer's `kind` is its error bits."""
    body = bytes([number, len(parameters) + 2, kind]) + parameters
    return b"\xff\xff" + body + bytes([checksum(body)])


class ServoBus:
    """Servos on one wire."""

    period: float | None = None

    def __init__(self, servos: Sequence[Servo], motors: Motors, now: float = 0.0) -> None:
        self.servos = list(servos)
        self.motors = motors
        self.dead: set[int] = set()
        """Numbers of servos that never answer nor move."""
        self.heard: Callable[[int, int, bytes], None] = lambda number, instruction, parameters: None
        """Told every valid packet before it is obeyed."""
        self.goals = self.outside = self.furthest = 0
        """Goals that were told to servos, how many of them lay outside a servo's own range, and how many steps the
        furthest one was away from where its joint was.
        """
        self.fastest = 0.0
        """Radians per second that a joint has turned at most."""
        self._buffer = bytearray()
        self._now = self._last = now
        self._later: list[tuple[Servo, int, bytes]] = []
        for servo, angle in zip(self.servos, motors.angles, strict=True):
            servo.angle = angle

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Bytes from the host; returns the answers, in order."""
        if self._buffer and now - self._last > GAP:
            self._buffer.clear()
        self._last = now
        self._buffer += data
        self.advance(now)
        answers: list[bytes] = []
        while (body := self._next()) is not None:
            self.heard(body[0], body[2], body[3:])
            answers += self._obey(body[0], body[2], body[3:])
        return answers

    def advance(self, now: float) -> None:
        """Let time pass to `now`."""
        seconds, self._now = max(0.0, now - self._now), max(now, self._now)
        if seconds == 0.0:
            return
        self.motors.advance(seconds, [servo.demand() for servo in self.servos])
        for servo, angle, load in zip(self.servos, self.motors.angles, self.motors.loads, strict=True):
            self.fastest = max(self.fastest, abs(angle - servo.angle) / seconds)
            servo.felt(angle, load, seconds)

    def _next(self) -> bytes | None:
        """The body of the next whole packet, without header and checksum; None if there is none yet."""
        buffer = self._buffer
        while True:
            start = buffer.find(b"\xff\xff")
            if start < 0:
                del buffer[: len(buffer) - buffer.endswith(b"\xff")]
                return None
            del buffer[:start]
            if len(buffer) < 4:
                return None
            length = buffer[3]
            if buffer[2] == 0xFF or not 2 <= length <= LONGEST:
                del buffer[:1]
                continue
            if len(buffer) < length + 4:
                return None
            body = bytes(buffer[2 : length + 3])
            if checksum(body) == buffer[length + 3]:
                del buffer[: length + 4]
                return body
            del buffer[:2]

    def _obey(self, number: int, instruction: int, parameters: bytes) -> list[bytes]:
        if instruction == SYNC_READ:
            return self._sync_read(parameters)
        if instruction == SYNC_WRITE:
            self._sync_write(parameters)
            return []
        if instruction == NOW:
            for servo, address, data in self._later:
                self._told(servo, address, data)
            self._later.clear()
        heard = [s for s in self._alive() if number in (s.number, EVERYBODY)]
        answers = [self._one(servo, instruction, parameters) for servo in heard]
        quiet = number == EVERYBODY and instruction != PING
        return [] if quiet else [answer for answer in answers if answer]

    def _alive(self) -> list[Servo]:
        return sorted((s for s in self.servos if s.number not in self.dead), key=lambda s: s.number)

    def _one(self, servo: Servo, instruction: int, parameters: bytes) -> bytes:
        number = servo.number
        if instruction == PING:
            return packet(number, servo.error)
        if instruction == READ and len(parameters) == 2:
            return packet(number, servo.error, servo.read(parameters[0], min(parameters[1], LONGEST - 2)))
        if instruction in (WRITE, LATER) and len(parameters) >= 2:
            address, data = parameters[0], parameters[1:]
            if instruction == WRITE:
                self._told(servo, address, data)
            else:
                self._later.append((servo, address, data))
            return packet(number, servo.error) if servo.table[8] else b""
        return b""

    def _sync_read(self, parameters: bytes) -> list[bytes]:
        if len(parameters) < 3:
            return []
        address, length = parameters[0], min(parameters[1], LONGEST - 2)
        by_number = {servo.number: servo for servo in self._alive()}
        asked = [by_number[number] for number in parameters[2:] if number in by_number]
        return [packet(s.number, s.error, s.read(address, length)) for s in asked]

    def _sync_write(self, parameters: bytes) -> None:
        if len(parameters) < 2:
            return
        address, length = parameters[0], parameters[1]
        rest = parameters[2:]
        if len(rest) % (length + 1):
            return
        by_number = {servo.number: servo for servo in self._alive()}
        for start in range(0, len(rest), length + 1):
            if rest[start] in by_number and length:
                self._told(by_number[rest[start]], address, rest[start + 1 : start + 1 + length])

    def _told(self, servo: Servo, address: int, data: bytes) -> None:
        servo.write(address, data)
        if address <= servo.goal_at < address + len(data):
            (low, high), goal = servo.span, servo.goal
            self.goals += 1
            self.outside += not low <= goal <= high
            self.furthest = max(self.furthest, abs(goal - servo.position))

    def power_cycle(self) -> None:
        """The supply goes off and on again."""
        for servo in self.servos:
            servo.power_cycle()

    def show(self) -> dict[str, Any]:
        """What it looks like inside."""
        self.advance(self._now)
        return {
            "steps": [servo.position for servo in self.servos],
            "goals": [servo.goal for servo in self.servos],
            "torque": [servo.holds for servo in self.servos],
            "loads": [round(servo.load, 3) for servo in self.servos],
            "errors": [servo.error for servo in self.servos],
            "dead": sorted(self.dead),
            "goals_told": self.goals,
            "goals_outside": self.outside,
            "furthest_goal": self.furthest,
            "fastest": round(self.fastest, 3),
        }
