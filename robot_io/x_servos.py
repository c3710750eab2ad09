"""Six X-series servos on their bus: who is there, what they carry, and how they feel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from robot_io import dynamixel, so
from robot_io.calibration import Calibration, Span
from robot_io.driver import Health
from robot_io.errors import NoReply, WrongArm
from robot_io.sdk_bus import SdkBus

Models = Mapping[str, int]
"""Joint → the model of its servo."""


def identify(bus: SdkBus) -> tuple[Calibration, Models]:
    """The calibration that the servos carry, and their models.

    Raises:
        NoReply: a servo is silent.
        WrongArm: one is of a model that is not known.
    """
    found: dict[str, Span] = {}
    models: dict[str, int] = {}
    for name, number in so.NUMBERS.items():
        models[name] = model_of(bus, name, number)
        limits = bus.read(number, dynamixel.RANGE)
        homing = dynamixel.signed(bus.read(number, dynamixel.HOMING), 32)
        mode = bus.read(number, dynamixel.DRIVE_MODE) & 1
        found[name] = Span(number, mode, homing, limits >> 32, limits & 0xFFFF_FFFF)
    return found, models


def model_of(bus: SdkBus, name: str, number: int) -> int:
    """A servo's model, one that is known here."""
    model = bus.ping(number)
    if model is None:
        raise NoReply(
            f"expected servo {number} ({name}) to answer at {bus.baud} baud, got silence; check the power "
            "supply, then the cable from the servo before it, or name another baud=…"
        )
    if model not in dynamixel.MODELS:
        known = ", ".join(sorted(dynamixel.MODELS.values()))
        raise WrongArm(f"expected servo {number} among {known}, got model {model}; choose another kind")
    return model


def feel(bus: SdkBus, models: Models) -> Health:
    """From the servos' own sensors; a watchdog that has bitten counts as nothing wrong."""
    return health_of(bus.read_all(so.NUMBERS.values(), dynamixel.STATE, 2), kept_of(bus), models)


def kept_of(bus: SdkBus) -> Mapping[int, bytes]:
    """Servo → its bytes from `dynamixel.KEPT` on."""
    return bus.read_all(so.NUMBERS.values(), dynamixel.KEPT, tries=2)


def health_of(states: Mapping[int, bytes], kept: Mapping[int, bytes], models: Models) -> Health:
    """From what was read of `dynamixel.STATE` and `dynamixel.KEPT`."""
    numbers = so.NUMBERS.values()
    forces = [dynamixel.signed(int.from_bytes(states[n][:2], "little"), 16) for n in numbers]
    current = np.array([models[name] in dynamixel.MILLIAMPERES for name in so.NUMBERS])
    faults = {name: dynamixel.fault_words(kept[n][6]) for name, n in so.NUMBERS.items()}
    speed = dynamixel.PROFILE_SPEED[0] - dynamixel.KEPT[0]
    return Health(
        temperature=np.array([float(states[n][20]) for n in numbers]),
        volts=np.array([int.from_bytes(states[n][18:20], "little") / 10 for n in numbers]),
        load=np.where(current, 0.0, np.array(forces) / 1000),
        amperes=np.where(current, np.array(forces) / 1000, 0.0),
        faults={name: words for name, words in faults.items() if words},
        limp=tuple(name for name, n in so.NUMBERS.items() if not kept[n][0] or not any(kept[n][speed : speed + 4])),
    )
