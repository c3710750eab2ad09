"""A bus of Feetech servos: their maker's own SDK, protocol 0."""

from __future__ import annotations

from typing import Any

from robot_io.sdk_bus import TRIES as TRIES
from robot_io.sdk_bus import SdkBus


class FeetechBus(SdkBus):
    """`SdkBus` on scservo_sdk."""

    maker, package = "Feetech", "feetech-servo-sdk"
    protocol = 0
    silence = -6

    def sdk(self) -> Any:
        """The maker's module."""
        import scservo_sdk

        return scservo_sdk
