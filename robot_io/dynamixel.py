"""What Robotis' X-series servos keep at which address, and what their numbers mean: XL330, XL430 and their like."""

from __future__ import annotations

import math
from collections.abc import Mapping

MODEL = (0, 2)
RETURN_DELAY = (9, 1)
DRIVE_MODE = (10, 1)
MODE = (11, 1)
HOMING = (20, 4)
HIGHEST, LOWEST = (48, 4), (52, 4)
RANGE = (48, 8)
"""Highest and lowest position, as they lie in memory."""
TORQUE = (64, 1)
RETURN_LEVEL = (68, 1)
WATCHDOG = (98, 1)
PROFILE_SPEED = (112, 4)
GOAL = (116, 4)
KEPT = (64, 52)
"""Torque, …, faults, …, watchdog, …, speed limit: what a servo keeps only while it has power."""
STATE = (126, 21)
"""Load, speed, position, …, volts, temperature: all at once."""
PRESENT = (132, 4)

MODELS: Mapping[int, str] = {
    1060: "XL430-W250", 1080: "XC430-W240", 1070: "XC430-W150", 1090: "2XL430-W250",
    1190: "XL330-M077", 1200: "XL330-M288", 1210: "XC330-M181", 1220: "XC330-T181", 1230: "XC330-M288",
    1240: "XC330-T288",
}  # fmt: skip
MILLIAMPERES = (1190, 1200, 1210, 1220, 1230, 1240)
"""Models whose load is a current in milliamperes; that of the others is in thousandths of full torque."""
POSITION, CURRENT_POSITION = 3, 5
"""Modes in which a goal is a position, with full torque or with a limited current."""
SPEED_STEP = 0.229 * 2 * math.pi / 60
"""Radians per second of one unit of speed."""
WATCHDOG_STEP = 0.02
"""Seconds of one unit of the watchdog."""
STOPPED = 0xFF
"""What the watchdog says after it has bitten: the servo keeps still and takes no goal until 0 is written."""
FAULTS = {
    1: "its supply is out of range: check the power supply",
    4: "it is too hot: let it cool down",
    8: "its position sensor fails: replace it",
    16: "its electronics fail: switch the supply off and on; if that does not help, replace it",
    32: "it is overloaded: free the joint, then switch its supply off and on",
}
REFUSALS = {
    1: "it could not",
    2: "it does not know that instruction",
    3: "the checksum was wrong",
    4: "the value is out of range",
    5: "the length is wrong",
    6: "the value is beyond its limits",
    7: "that address cannot be written now",
}


def fault_words(bits: int) -> str:
    """What a servo's hardware error bits say; "" if it is well."""
    return "; ".join(words for bit, words in FAULTS.items() if bits & bit)


def signed(raw: int, bits: int) -> int:
    """A number in two's complement."""
    return raw - (1 << bits) if raw >> (bits - 1) & 1 else raw
