"""A bus of Robotis' X-series servos: their maker's own SDK, protocol 2.0."""

from __future__ import annotations

from typing import Any

from robot_io import dynamixel
from robot_io.port import PortLock
from robot_io.sdk_bus import SdkBus


class DynamixelBus(SdkBus):
    """`SdkBus` on dynamixel_sdk."""

    maker, package = "Robotis", "dynamixel-sdk"
    protocol = 2.0
    silence = -3001

    def __init__(self, path: str, lock: PortLock | None = None, baud: int = 1_000_000) -> None:
        super().__init__(path, lock)
        self.baud = baud

    def sdk(self) -> Any:
        """The maker's module."""
        import dynamixel_sdk

        return dynamixel_sdk

    def refusal(self, error: int) -> str:
        """What was not done. The highest bit only says that there is a fault to be read, which `health` does."""
        return dynamixel.REFUSALS.get(error & 0x7F, f"error {error}") if error & 0x7F else ""
