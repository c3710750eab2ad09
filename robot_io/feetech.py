"""What Feetech's STS servos keep at which address, and what their numbers mean."""

from __future__ import annotations

from robot_io.sdk_port import recover as recover
from robot_io.sdk_port import tune as tune

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
