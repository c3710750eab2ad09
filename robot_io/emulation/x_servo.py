"""One emulated X-series servo of Robotis: its control table, its refusals, its watchdog, and what wears it out.

Addresses and behaviour are those of the maker's e-manual for the XL430 and XL330: what is permanent cannot be written
while it holds, a goal beyond its limits is refused, a fault takes its torque away, and a watchdog that has bitten keeps
it still until 0 is written to it.
"""

from __future__ import annotations

import math

from robot_io import dynamixel
from robot_io.emulation.motors import Demand
from robot_io.emulation.servo import OVERLOAD_AFTER, RADIAN, STEPS, Servo

SIZE = 147
EEPROM_END = 64
SHUTDOWN = 63
FACTORY_SHUTDOWN = 53
"""Overload, electronics, heat and supply take the torque away."""
TOP_SPEED = 6.4
"""Radians per second without load."""
REFUSED_RANGE, REFUSED_LENGTH, REFUSED_LIMIT, REFUSED_ACCESS = 4, 5, 6, 7
READ_ONLY = (*range(7), 70, *range(120, SIZE))
STALL_AMPERES = 1.4


class XServo(Servo):
    """The table of an XL430 or XL330 with a motor behind it."""

    goal_at = dynamixel.GOAL[0]
    size = SIZE

    def __init__(self, number: int, *, model: int = 1200, low: int = 0, high: int = STEPS - 1, homing: int = 0) -> None:
        self._model, self._homing = model, homing
        self.heard_at = 0.0
        """When anything was last said to it."""
        super().__init__(number, low=low, high=high)
        self._saved = bytes(self.table[:EEPROM_END])
        self.wear.volts = 5.0 if model in dynamixel.MILLIAMPERES else 12.0

    def _factory(self, number: int, low: int, high: int) -> None:
        table = self.table
        self._set(dynamixel.MODEL, self._model)
        table[6], table[7], table[8], table[9], table[11] = 46, number, 3, 250, dynamixel.POSITION
        self._set(dynamixel.HOMING, self._homing & 0xFFFF_FFFF)
        table[31] = 72
        self._set((32, 2), 160)
        self._set((34, 2), 35)
        self._set(dynamixel.HIGHEST, high)
        self._set(dynamixel.LOWEST, low)
        table[SHUTDOWN], table[68] = FACTORY_SHUTDOWN, 2

    def _set(self, register: tuple[int, int], value: int) -> None:
        address, length = register
        self.table[address : address + length] = value.to_bytes(length, "little")

    def _get(self, register: tuple[int, int]) -> int:
        address, length = register
        return int.from_bytes(self.table[address : address + length], "little")

    @property
    def number(self) -> int:
        """Its ID on the bus."""
        return self.table[7]

    @property
    def goal(self) -> int:
        """Steps, as it was told last."""
        return dynamixel.signed(self._get(dynamixel.GOAL), 32)

    @property
    def holds(self) -> bool:
        """Whether it has torque."""
        return bool(self.table[dynamixel.TORQUE[0]])

    @property
    def span(self) -> tuple[int, int]:
        """Lowest and highest step."""
        return self._get(dynamixel.LOWEST), self._get(dynamixel.HIGHEST)

    @property
    def offset(self) -> int:
        """Steps that are added to the encoder's reading."""
        return dynamixel.signed(self._get(dynamixel.HOMING), 32)

    @property
    def position(self) -> int:
        """Steps, as it reports them."""
        return round(self.angle * RADIAN) + STEPS // 2 + self.offset

    @property
    def faults(self) -> int:
        """Its hardware error bits."""
        volts, table = round(self.wear.volts * 10), self.table
        bits = 0 if self._get((34, 2)) <= volts <= self._get((32, 2)) else 1
        bits |= 4 if self.wear.temperature > table[31] else 0
        return bits | (32 if self.wear.strained >= OVERLOAD_AFTER else 0)

    @property
    def error(self) -> int:
        """The highest bit of every answer says that there is a fault."""
        return 0x80 if self.faults else 0

    def read(self, address: int, length: int) -> bytes:
        """Bytes of the table; zeros beyond its end."""
        self._refresh()
        return bytes(self.table[address : address + length]).ljust(length, b"\0")

    def refusal(self, address: int, data: bytes) -> int:
        """Why a write is not carried out, as the number that the answer carries; 0 if it is."""
        touched = range(address, address + len(data))
        if not data or touched[-1] >= SIZE:
            return REFUSED_LENGTH
        if any(place in READ_ONLY for place in touched) or (self.holds and address < EEPROM_END):
            return REFUSED_ACCESS
        if self._bitten and any(place in range(100, 120) for place in touched):
            return REFUSED_RANGE
        if address <= self.goal_at and touched[-1] >= self.goal_at + 3:
            start = self.goal_at - address
            goal = dynamixel.signed(int.from_bytes(data[start : start + 4], "little"), 32)
            low, high = self.span
            return 0 if low <= goal <= high else REFUSED_LIMIT
        return REFUSED_LENGTH if self.goal_at < touched[-1] + 1 and self.goal_at + 3 >= address else 0

    def write(self, address: int, data: bytes) -> None:
        """What may be written is; call `refusal` first."""
        held = self.holds
        self.table[address : address + len(data)] = data
        self._saved = bytes(self.table[:EEPROM_END])
        if not held and self.holds:
            self.wear.strained = 0.0
            low, high = self.span
            self._set(dynamixel.GOAL, min(max(self.position, low), high) & 0xFFFF_FFFF)

    @property
    def _bitten(self) -> bool:
        return self.table[dynamixel.WATCHDOG[0]] == dynamixel.STOPPED

    @property
    def bites_at(self) -> float:
        """When its watchdog bites if nothing is said to it until then."""
        wait = self.table[dynamixel.WATCHDOG[0]]
        return self.heard_at + wait * dynamixel.WATCHDOG_STEP if 0 < wait < 128 else math.inf

    def watch(self, now: float) -> None:
        """Let its watchdog bite if nothing was said to it for long: its goal is where it is."""
        if now >= self.bites_at:
            self.table[dynamixel.WATCHDOG[0]] = dynamixel.STOPPED
            low, high = self.span
            self._set(dynamixel.GOAL, min(max(self.position, low), high) & 0xFFFF_FFFF)

    def power_cycle(self) -> None:
        """Off and on: what is not permanent is forgotten, and it is limp."""
        self.table[EEPROM_END:] = bytes(SIZE - EEPROM_END)
        self.table[68] = 2
        self.wear.strained = 0.0

    def demand(self) -> Demand:
        """What its motor is to do now."""
        if self.faults & self.table[SHUTDOWN]:
            self.table[dynamixel.TORQUE[0]] = 0
        target = (self.goal - self.offset - STEPS // 2) / RADIAN
        speed = self._get(dynamixel.PROFILE_SPEED) * dynamixel.SPEED_STEP
        return Demand(target if self.holds else None, min(speed, TOP_SPEED) if speed else TOP_SPEED)

    def _refresh(self) -> None:
        self.table[70] = self.faults
        current = self._model in dynamixel.MILLIAMPERES
        self._set((126, 2), round(self.load * (STALL_AMPERES if current else 1.0) * 1000) & 0xFFFF)
        self._set((128, 4), round(self.speed / dynamixel.SPEED_STEP) & 0xFFFF_FFFF)
        self._set(dynamixel.PRESENT, self.position & 0xFFFF_FFFF)
        self._set((144, 2), round(self.wear.volts * 10))
        self.table[146] = max(0, min(255, round(self.wear.temperature)))
