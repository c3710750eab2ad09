"""What Feetech's STS servos keep at which address, and how their vendor's SDK is made to behave.

The SDK (module scservo_sdk) spins while it waits, takes an answer that came too late for the answer to the next
question, waits for ever if the adapter takes nothing, and stays "busy" after a port vanished in mid-sentence. `tune`
and `recover` mend that from outside; both LeRobot's bus and our own use the same SDK.
"""

from __future__ import annotations

import select
import types
from typing import Any

MODEL_NUMBER = (3, 2)
RETURN_DELAY = (7, 1)
RANGE = (9, 4)
"""Lowest and highest position."""
MAX_TORQUE = (16, 2)
P_GAIN = (21, 1)
I_GAIN = (23, 1)
PROTECTION_CURRENT = (28, 2)
HOMING = (31, 2)
MODE = (33, 1)
OVERLOAD_TORQUE = (36, 1)
TORQUE = (40, 1)
ACCELERATION = (41, 1)
GOAL = (42, 2)
GOAL_SPEED = (46, 2)
KEPT = (40, 8)
"""Torque, …, speed limit: what a servo keeps only while it has power."""
LOCK = (55, 1)
PRESENT = (56, 2)
STATE = (56, 15)
"""Position, speed, load, volts, temperature, …, faults, …, current: all at once."""
STS3215 = 777
AMPERE_STEP = 0.0065
ANSWER_MS = 20.0
"""Milliseconds until a servo that says nothing counts as silent; an answer takes 1 to 5 through a USB adapter."""
SPIN_MS = 1.5
"""Milliseconds for which an answer is looked for without a pause, as most come by then; afterwards the wait sleeps."""
POLL = 0.002
"""Seconds of one such sleep."""
FAULTS = {
    1: "its supply is out of range: check the power supply",
    2: "its position sensor fails: replace it",
    4: "it is too hot: let it cool down",
    8: "it draws too much current: take the load away",
    32: "it is overloaded: free the joint, then switch it off and on",
}


def fault_words(bits: int) -> str:
    """What the error bits of a servo say; "" if it is well."""
    return "; ".join(words for bit, words in FAULTS.items() if bits & bit)


def signed(raw: int, bit: int) -> int:
    """A number whose sign has a bit of its own."""
    return -(raw & ((1 << bit) - 1)) if raw >> bit & 1 else raw


def to_signed(value: int, bit: int) -> int:
    """And back."""
    return (1 << bit) | -value if value < 0 else value


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
