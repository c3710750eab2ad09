"""How the servo makers' SDKs are made to behave: Feetech's (scservo_sdk) and Robotis' (dynamixel_sdk), its forebear.

Their PortHandler spins while it waits, takes an answer that came too late for the answer to the next question, waits
for ever if the adapter takes nothing, and stays "busy" after a port vanished in mid-sentence. `tune` and `recover` mend
that from outside; LeRobot's buses and our own use the same SDKs.
"""

from __future__ import annotations

import select
import types
from typing import Any

ANSWER_MS = 20.0
"""Milliseconds until a servo that says nothing counts as silent; an answer takes 1 to 5 through a USB adapter."""
SPIN_MS = 1.5
"""Milliseconds for which an answer is looked for without a pause, as most come by then; afterwards the wait sleeps."""
POLL = 0.002
"""Seconds of one such sleep."""


def tune(port: Any) -> None:
    """Give an SDK's open PortHandler short patience, no spinning, and no memory of late answers."""

    def set_packet_timeout(self: Any, length: int) -> None:
        self.packet_start_time = self.getCurrentTime()
        self.packet_timeout = self.tx_time_per_byte * (length + 3.0) + ANSWER_MS

    def read_port(self: Any, length: int) -> bytes:
        data: bytes = self.ser.read(length)
        if data or self.getTimeSinceStart() < SPIN_MS or not hasattr(self.ser, "fd"):
            return data
        select.select([self.ser.fd], [], [], POLL)
        data = self.ser.read(length)
        return data

    port.readPort = types.MethodType(read_port, port)
    port.setPacketTimeout = types.MethodType(set_packet_timeout, port)

    def clear_port(self: Any) -> None:
        # Reading what is there costs microseconds; flushing a terminal waits for the kernel, long on a busy machine.
        while waiting := self.ser.in_waiting:
            self.ser.read(waiting)

    port.clearPort = types.MethodType(clear_port, port)
    port.ser.write_timeout = 0.1


def recover(port: Any) -> None:
    """After an exception in mid-transaction: the next one may begin."""
    port.is_using = False
