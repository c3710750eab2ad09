"""An emulated bus of X-series servos: Robotis' protocol 2.0, byte by byte.

A packet is FF FF FD 00, the servo's number, a length (2 bytes, low first), an instruction, parameters and a CRC-16
(2 bytes, low first) of all before it. FF FF FD within it is followed by one FD more, so that it begins no packet. 254
is everybody. An answer is an instruction 0x55 whose first parameter is an error.
"""

from __future__ import annotations

from typing import Any

from robot_io.dynamixel import STOPPED, WATCHDOG
from robot_io.emulation.servo import Servo
from robot_io.emulation.servo_bus import EVERYBODY, ServoBus
from robot_io.emulation.x_servo import XServo

PING, READ, WRITE, LATER, NOW, REBOOT = 1, 2, 3, 4, 5, 8
STATUS = 0x55
SYNC_READ, SYNC_WRITE, FAST_SYNC_READ = 0x82, 0x83, 0x8A
BAD_INSTRUCTION, BAD_CRC, BAD_LENGTH = 2, 3, 5
HEADER = b"\xff\xff\xfd\x00"
LONGEST = 1023
POLYNOMIAL = 0x8005


def _row(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = (crc << 1 ^ (POLYNOMIAL if crc & 0x8000 else 0)) & 0xFFFF
    return crc


_ROWS = tuple(_row(byte) for byte in range(256))


def crc16(data: bytes, crc: int = 0) -> int:
    """Of everything before it, or going on from `crc`."""
    for byte in data:
        crc = (crc << 8 ^ _ROWS[crc >> 8 ^ byte]) & 0xFFFF
    return crc


def stuffed(body: bytes) -> bytes:
    """Instruction and parameters, in which nothing looks like a header any more."""
    return body.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")


def unstuffed(body: bytes) -> bytes:
    """And back."""
    return body.replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")


def packet(number: int, instruction: int, parameters: bytes = b"") -> bytes:
    """A whole packet."""
    body = stuffed(bytes([instruction]) + parameters)
    whole = HEADER + bytes([number]) + (len(body) + 2).to_bytes(2, "little") + body
    return whole + crc16(whole).to_bytes(2, "little")


def status(number: int, error: int, parameters: bytes = b"") -> bytes:
    """An answer."""
    return packet(number, STATUS, bytes([error]) + parameters)


class XBus(ServoBus):
    """X-series servos on one wire."""

    def advance(self, now: float) -> None:
        """Let time pass to `now`; watchdogs bite on the way, when they are due."""
        servos = [servo for servo in self.servos if isinstance(servo, XServo)]
        for due in sorted({servo.bites_at for servo in servos if servo.bites_at < now}):
            super().advance(due)
            for servo in servos:
                servo.watch(due)
        super().advance(now)

    def show(self) -> dict[str, Any]:
        """What it looks like inside, and how many watchdogs have bitten."""
        bitten = sum(servo.table[WATCHDOG[0]] == STOPPED for servo in self.servos)
        return {**super().show(), "bitten": bitten}

    def _next(self) -> bytes | None:
        """Number, instruction and parameters of the next whole packet, in `ServoBus`'s form; None if there is none."""
        buffer = self._buffer
        while True:
            start = buffer.find(HEADER[:3])
            if start < 0:
                del buffer[: max(0, len(buffer) - 2)]
                return None
            del buffer[:start]
            if len(buffer) < 7:
                return None
            length = int.from_bytes(buffer[5:7], "little")
            if buffer[3] != 0 or buffer[4] > EVERYBODY or not 3 <= length <= LONGEST:
                del buffer[:3]
                continue
            if len(buffer) < length + 7:
                return None
            whole = bytes(buffer[: length + 7])
            if crc16(whole[:-2]) == int.from_bytes(whole[-2:], "little"):
                del buffer[: length + 7]
                return whole[4:5] + b"\0" + unstuffed(whole[7:-2])
            del buffer[:3]

    def _obey(self, number: int, instruction: int, parameters: bytes) -> list[bytes]:
        for servo in self._alive():
            assert isinstance(servo, XServo)
            servo.heard_at = self._now
        if instruction in (SYNC_READ, FAST_SYNC_READ):
            return self._many(parameters, fast=instruction == FAST_SYNC_READ)
        if instruction == SYNC_WRITE:
            self._sync_write(parameters)
            return []
        if instruction == STATUS:
            return []
        if instruction == NOW:
            for servo, address, data in self._later:
                self._try(servo, address, data)
            self._later.clear()
        answers = [self._one(s, instruction, parameters) for s in self._alive() if number in (s.number, EVERYBODY)]
        return answers if number != EVERYBODY or instruction == PING else []

    def _one(self, servo: Servo, instruction: int, parameters: bytes) -> bytes:
        number, alert = servo.number, servo.error
        if instruction == PING:
            return status(number, alert, servo.read(0, 2) + servo.read(6, 1))
        if instruction == READ and len(parameters) == 4:
            address, length = (int.from_bytes(parameters[at : at + 2], "little") for at in (0, 2))
            if length > LONGEST - 10:
                return status(number, alert | BAD_LENGTH)
            return status(number, alert, servo.read(address, length))
        if instruction in (WRITE, LATER) and len(parameters) >= 3:
            address, data = int.from_bytes(parameters[:2], "little"), parameters[2:]
            if instruction == WRITE:
                return status(number, alert | self._try(servo, address, data))
            self._later.append((servo, address, data))
            return status(number, alert)
        if instruction == REBOOT:
            servo.power_cycle()
        return status(number, alert | (0 if instruction in (NOW, REBOOT) else BAD_INSTRUCTION))

    def _try(self, servo: Servo, address: int, data: bytes) -> int:
        """Write, unless it is refused; the number of the refusal."""
        assert isinstance(servo, XServo)
        refused = servo.refusal(address, data)
        if not refused:
            self._told(servo, address, data)
        return refused

    def _many(self, parameters: bytes, *, fast: bool) -> list[bytes]:
        if len(parameters) < 5:
            return []
        address, length = (int.from_bytes(parameters[at : at + 2], "little") for at in (0, 2))
        by_number = {servo.number: servo for servo in self._alive()}
        asked = [by_number.get(number) for number in parameters[4:]]
        if length > LONGEST // 4 or len(asked) > 60:
            return []
        if not fast:
            return [status(s.number, s.error, s.read(address, length)) for s in asked if s is not None]
        return self._in_one(address, length, asked)

    def _in_one(self, address: int, length: int, asked: list[Servo | None]) -> list[bytes]:
        """One packet that all of them say together; it breaks off where one is not there."""
        whole = HEADER + bytes([EVERYBODY]) + (len(asked) * (length + 4) + 1).to_bytes(2, "little") + bytes([STATUS])
        for servo in asked:
            if servo is None:
                break
            whole += bytes([servo.error, servo.number]) + servo.read(address, length)
            whole += crc16(whole).to_bytes(2, "little")
        return [whole] if asked and asked[0] is not None else []

    def _sync_write(self, parameters: bytes) -> None:
        if len(parameters) < 4:
            return
        address, length = (int.from_bytes(parameters[at : at + 2], "little") for at in (0, 2))
        rest = parameters[4:]
        if not length or len(rest) % (length + 1):
            return
        by_number = {servo.number: servo for servo in self._alive()}
        for start in range(0, len(rest), length + 1):
            if rest[start] in by_number:
                self._try(by_number[rest[start]], address, rest[start + 1 : start + 1 + length])
