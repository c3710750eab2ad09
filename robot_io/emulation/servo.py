"""One emulated STS3215: its control table, what its firmware does with it, and what wears it out.

Addresses and behaviour are those of Feetech's STS/SMS series as published in its memory table, and as observed by
others on the real thing: a goal is kept within the position limits, and writing one switches the torque on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from robot_io.emulation.motors import Demand

STEPS = 4096
"""Encoder steps per turn."""
RADIAN = STEPS / (2 * math.pi)
"""Steps per radian."""
TOP_SPEED = 3400
"""Steps per second without load at 12 V (about 50 turns a minute)."""
MODEL = 777
FIRMWARE = (3, 10)
SIZE = 90
EEPROM_END = 40
TORQUE, GOAL, SPEED, LIMIT, LOCK, PRESENT = 40, 42, 46, 48, 55, 56
READ_ONLY = (*range(5), *range(56, 80))
VOLTAGE_FAULT, HEAT_FAULT, CURRENT_FAULT, OVERLOAD = 1, 4, 8, 32
OVERLOAD_AFTER = 2.0
"""Seconds at full load until a servo protects itself."""
AMPERE_STEP = 0.0065
STALL_CURRENT = 2.7
ROOM = 25.0


def sign_magnitude(value: int, bit: int) -> int:
    """An integer as the servo stores it: the sign in a bit of its own."""
    return (1 << bit) | -value if value < 0 else value


def from_sign_magnitude(raw: int, bit: int) -> int:
    """And back."""
    return -(raw & ((1 << bit) - 1)) if raw & (1 << bit) else raw


def word(table: bytes | bytearray, address: int) -> int:
    """Two bytes, low first."""
    return table[address] | table[address + 1] << 8


@dataclass
class Wear:
    """What the servo feels."""

    temperature: float = 30.0
    """°C."""
    volts: float = 12.0
    strained: float = 0.0
    """Seconds at full load so far."""


class Servo:
    """A control table with a motor behind it; `angle` (radians, 0 is step 2048) is told to it by whoever turns it."""

    goal_at = GOAL
    """Address of the goal."""
    size = SIZE

    def __init__(self, number: int, *, low: int = 0, high: int = STEPS - 1) -> None:
        self.table = bytearray(self.size)
        self._factory(number, low, high)
        self._saved = bytes(self.table[:EEPROM_END])
        self.wear = Wear()
        self.angle = 0.0
        self.speed = 0.0
        self.load = 0.0

    def _factory(self, number: int, low: int, high: int) -> None:
        t = self.table
        t[0], t[1] = FIRMWARE
        self._put(3, MODEL)
        t[5], t[7], t[8] = number, 250, 1
        self._put(9, low)
        self._put(11, high)
        t[13], t[14], t[15] = 70, 140, 40
        self._put(16, 1000)
        t[19] = HEAT_FAULT | CURRENT_FAULT | OVERLOAD
        t[21], t[22], t[36], t[34], t[35] = 32, 32, 80, 20, 200
        self._put(28, 500)
        self._put(LIMIT, 1000)
        t[LOCK] = 1

    def _put(self, address: int, value: int) -> None:
        self.table[address], self.table[address + 1] = value & 0xFF, value >> 8 & 0xFF

    @property
    def number(self) -> int:
        """Its ID on the bus."""
        return self.table[5]

    @property
    def goal(self) -> int:
        """Steps, as it was told last."""
        return word(self.table, GOAL)

    @property
    def holds(self) -> bool:
        """Whether it has torque."""
        return bool(self.table[TORQUE])

    @property
    def span(self) -> tuple[int, int]:
        """Lowest and highest step."""
        return word(self.table, 9), word(self.table, 11)

    @property
    def offset(self) -> int:
        """Steps that are taken off the encoder's reading (its homing)."""
        return from_sign_magnitude(word(self.table, 31), 11)

    @property
    def position(self) -> int:
        """Steps, as it reports them."""
        return (round(self.angle * RADIAN) + STEPS // 2 - self.offset) % STEPS

    @property
    def error(self) -> int:
        """The bits that every answer carries."""
        volts, table = round(self.wear.volts * 10), self.table
        bits = 0 if table[15] <= volts <= table[14] else VOLTAGE_FAULT
        bits |= HEAT_FAULT if self.wear.temperature > table[13] else 0
        return bits | (OVERLOAD if self.wear.strained >= OVERLOAD_AFTER else 0)

    def read(self, address: int, length: int) -> bytes:
        """Bytes of the table; zeros beyond its end."""
        self._refresh()
        return bytes(self.table[address : address + length]).ljust(length, b"\0")

    def write(self, address: int, data: bytes) -> None:
        """What may be written is; a permanent byte outlives the power only if the lock is open."""
        for place, value in enumerate(data, address):
            if place < SIZE and place not in READ_ONLY:
                self.table[place] = value
                if place < EEPROM_END and not self.table[LOCK]:
                    self._saved = self._saved[:place] + bytes([value]) + self._saved[place + 1 :]
        touched = range(address, address + len(data))
        if TORQUE in touched:
            self._switched(self.table[TORQUE])
        elif GOAL in touched:
            self.table[TORQUE] = 1

    def _switched(self, torque: int) -> None:
        self.wear.strained = 0.0
        if torque == 128:
            self._put(31, sign_magnitude((self.position + self.offset) % STEPS - STEPS // 2, 11))
        if torque == 1:
            self._put(GOAL, self.position)
        self.table[TORQUE] = min(torque, 1)

    def power_cycle(self) -> None:
        """Off and on: what was not saved is forgotten, and it is limp."""
        self.table[:EEPROM_END] = self._saved
        self.table[TORQUE], self.table[LOCK] = 0, 1
        self._put(GOAL, 0)
        self._put(SPEED, 0)
        self.wear.strained = 0.0

    def demand(self) -> Demand:
        """What its motor is to do now."""
        low, high = word(self.table, 9), word(self.table, 11)
        goal = from_sign_magnitude(word(self.table, GOAL), 15)
        if low or high:
            goal = min(max(goal, low), high)
        target = (goal + self.offset - STEPS // 2) / RADIAN
        speed = min(word(self.table, SPEED) & 0x7FFF or TOP_SPEED, TOP_SPEED) / RADIAN
        limp = not self.table[TORQUE] or bool(self.error & self.table[19] & HEAT_FAULT)
        return Demand(None if limp else target, speed, self._strength())

    def _strength(self) -> float:
        if self.error & OVERLOAD:
            return self.table[34] / 100
        return min(word(self.table, LIMIT), word(self.table, 16)) / 1000

    def felt(self, angle: float, load: float, seconds: float) -> None:
        """What happened to it in the last seconds."""
        if seconds > 0:
            self.speed = (angle - self.angle) / seconds
        self.angle, self.load = angle, load
        wear = self.wear
        wear.strained = wear.strained + seconds if abs(load) > 0.9 else (0.0 if not self.error & OVERLOAD else 2.0)
        wear.temperature += min(seconds, 10.0) * (0.6 * load * load - (wear.temperature - 30.0) / 200)

    def _refresh(self) -> None:
        self._put(PRESENT, self.position)
        self._put(58, sign_magnitude(round(self.speed * RADIAN), 15))
        self._put(60, sign_magnitude(round(self.load * 1000), 10))
        self.table[62] = round(self.wear.volts * 10)
        self.table[63] = max(0, min(255, round(self.wear.temperature)))
        self.table[65] = self.error
        self.table[66] = int(abs(self.speed) * RADIAN > 10)
        self._put(69, round(abs(self.load) * STALL_CURRENT / AMPERE_STEP))
