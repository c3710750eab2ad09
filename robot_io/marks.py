"""What a guided calibration writes into servos, and how it reads them: Feetech's and Robotis' keep it differently.

A mark is where a servo's zero lies and how far it may turn. Encoder steps throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from robot_io import dynamixel, feetech, so, so_bus, x_servos
from robot_io.calibration import RESOLUTION, Calibration
from robot_io.driver import Health
from robot_io.dynamixel_bus import DynamixelBus
from robot_io.feetech_bus import FeetechBus
from robot_io.sdk_bus import SdkBus

HALF = RESOLUTION // 2
Mark = tuple[int, int, int]
"""Offset of the zero, lowest and highest step."""


class Marks(Protocol):
    """One vendor's servos, 1 to 6 from the base on."""

    @property
    def bus(self) -> SdkBus:
        """Where they are."""

    def mark(self, number: int) -> Mark:
        """What a servo has now."""

    def put(self, number: int, mark: Mark) -> None:
        """Into a limp servo that is open to it."""

    def limp(self, number: int) -> None:
        """Without torque, and open to new marks."""

    def shut(self, number: int) -> None:
        """No longer open to them."""

    def offset(self, middle: int) -> int:
        """The offset for a joint that is in its middle while the servo, without an offset, reads so many steps."""

    def positions(self, tries: int = 1) -> Mapping[int, int]:
        """Servo → where it is."""

    def identify(self) -> Calibration:
        """The calibration that they carry."""

    def health(self) -> Health:
        """How they feel."""


class FeetechMarks:
    """Of STS3215 servos: their zero can be put anywhere."""

    def __init__(self, bus: FeetechBus) -> None:
        self.bus: SdkBus = bus

    def mark(self, number: int) -> Mark:
        """What a servo has now."""
        span = self.bus.read(number, feetech.RANGE)
        return feetech.signed(self.bus.read(number, feetech.HOMING), 11), span & 0xFFFF, span >> 16

    def put(self, number: int, mark: Mark) -> None:
        """Into a limp servo that is open to it."""
        offset, low, high = mark
        self.bus.write(number, feetech.HOMING, feetech.to_signed(offset, 11))
        self.bus.write(number, feetech.RANGE, low | high << 16)

    def limp(self, number: int) -> None:
        """Without torque, and open to new marks."""
        self.bus.write(number, feetech.TORQUE, 0)
        self.bus.write(number, feetech.LOCK, 0)

    def shut(self, number: int) -> None:
        """No longer open to them."""
        self.bus.write(number, feetech.LOCK, 1)

    def offset(self, middle: int) -> int:
        """So that the middle reads half a turn."""
        return middle - HALF

    def positions(self, tries: int = 1) -> Mapping[int, int]:
        """Servo → where it is."""
        read = self.bus.read_all(so.NUMBERS.values(), feetech.PRESENT, tries)
        return {number: int.from_bytes(raw, "little") & 0x7FFF for number, raw in read.items()}

    def identify(self) -> Calibration:
        """The calibration that they carry."""
        return so_bus.identify(self.bus)

    def health(self) -> Health:
        """How they feel."""
        states = self.bus.read_all(so.NUMBERS.values(), feetech.STATE, tries=2)
        return so_bus.health_of({name: states[number] for name, number in so.NUMBERS.items()})


class DynamixelMarks:
    """Of X-series servos. Their zero stays where it is: with torque they count within one turn of the bare encoder,
    wherever an offset puts its numbers, so an offset would only hide that a joint passes the encoder's end.
    """

    def __init__(self, bus: DynamixelBus) -> None:
        self.bus: SdkBus = bus

    def mark(self, number: int) -> Mark:
        """What a servo has now."""
        limits = self.bus.read(number, dynamixel.RANGE)
        homing = dynamixel.signed(self.bus.read(number, dynamixel.HOMING), 32)
        return homing, limits >> 32, limits & 0xFFFF_FFFF

    def put(self, number: int, mark: Mark) -> None:
        """Into a limp servo."""
        offset, low, high = mark
        self.bus.write(number, dynamixel.HOMING, offset & 0xFFFF_FFFF)
        self.bus.write(number, dynamixel.HIGHEST, high)
        self.bus.write(number, dynamixel.LOWEST, low)

    def limp(self, number: int) -> None:
        """Without torque, which opens what is permanent; and without a watchdog, since nobody commands it now."""
        self.bus.write(number, dynamixel.WATCHDOG, 0)
        self.bus.write(number, dynamixel.TORQUE, 0)

    def shut(self, number: int) -> None:
        """Torque does that, when the arm is taken."""

    def offset(self, middle: int) -> int:
        """None."""
        return 0

    def positions(self, tries: int = 1) -> Mapping[int, int]:
        """Servo → where it is; limp, they count on beyond a turn."""
        read = self.bus.read_all(so.NUMBERS.values(), dynamixel.PRESENT, tries)
        return {number: dynamixel.signed(int.from_bytes(raw, "little"), 32) for number, raw in read.items()}

    def identify(self) -> Calibration:
        """The calibration that they carry."""
        return x_servos.identify(self.bus)[0]

    def health(self) -> Health:
        """How they feel."""
        return x_servos.feel(self.bus, x_servos.identify(self.bus)[1])
