"""An SO arm's six servos on their bus: who is there, whether it is the right arm, and how it feels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from robot_io import calibration as calibrations
from robot_io import feetech, so
from robot_io.calibration import Calibration, Span
from robot_io.driver import Health
from robot_io.errors import ArmError, NoReply, ServoFault, WrongArm
from robot_io.sdk_bus import SdkBus

BACKSTOP = 1.3
"""The servos' own speed limit, as a multiple of ours."""


def identify(bus: SdkBus) -> Calibration:
    """The calibration that the servos carry; who is there was checked before.

    Raises:
        NoReply: a servo is silent.
        WrongArm: one is of another model.
    """
    found: dict[str, Span] = {}
    for name, number in so.NUMBERS.items():
        model = bus.ping(number)
        if model is None:
            raise NoReply(
                f"expected servo {number} ({name}) to answer, got silence; check the power supply, then the "
                "cable from the servo before it"
            )
        if model != feetech.STS3215:
            raise WrongArm(f"expected servo {number} to be an STS3215 (777), got model {model}; choose another kind")
        span = bus.read(number, feetech.RANGE)
        found[name] = Span(
            id=number,
            drive_mode=0,
            homing_offset=feetech.signed(bus.read(number, feetech.HOMING), 11),
            range_min=span & 0xFFFF,
            range_max=span >> 16,
        )
    return found


def settle(bus: SdkBus, calibration: Calibration) -> None:
    """Goals where the joints are, and a speed limit in the servos, so that switching the torque on moves nothing.

    The limit also slows what a damaged command, that passes for a whole one, could ask for.
    """
    steps = int(np.max(so.SPEED) * BACKSTOP / calibrations.STEP)
    for number in so.NUMBERS.values():
        bus.write(number, feetech.GOAL_SPEED, steps)
    for name, number in so.NUMBERS.items():
        span = calibration[name]
        here = bus.read(number, feetech.PRESENT) & 0x7FFF
        bus.write(number, feetech.GOAL, min(max(here, span.range_min), span.range_max))


def configured(bus: SdkBus) -> bool:
    """Whether all servos hold, with the settings that LeRobot gives them: then nothing need be let go to set them."""
    wanted = {feetech.TORQUE: 1, feetech.MODE: 0, feetech.P_GAIN: 16, feetech.RETURN_DELAY: 0}
    return all(bus.read(n, register) == value for n in so.NUMBERS.values() for register, value in wanted.items())


def need_health(health: Health) -> None:
    """ServoFault unless every servo is well."""
    if health.faults:
        listed = "; ".join(f"{name}: {words}" for name, words in health.faults.items())
        raise ServoFault(f"expected healthy servos, but {listed}")


def check_same(known: Calibration, found: Calibration, file: Path | None) -> None:
    """WrongArm unless the servos carry the calibration that is expected of this arm."""
    if calibrations.same(known, found):
        return
    which = f"the calibration in {file}" if file is not None else "the calibration that it had a moment ago"
    raise WrongArm(
        f"expected the arm with {which}, but the servos carry another: another arm is plugged in, or it was calibrated "
        "elsewhere; choose the right one, or calibrate it here"
    )


def silent_words(bus: SdkBus) -> str:
    """Which servos do not answer, in words; "" if all do."""
    try:
        silent = [f"{number} ({name})" for name, number in so.NUMBERS.items() if bus.ping(number, tries=1) is None]
    except ArmError as error:
        return str(error)
    if len(silent) == len(so.NUMBERS):
        return _mute_words(bus)
    return f"silent: servo {', '.join(silent)}: check its cable" if silent else ""


def _mute_words(bus: SdkBus) -> str:
    """No servo answers as it should: is it the wire, or is nobody there?"""
    try:
        damaged = any(bus.damages(number) for number in so.NUMBERS.values())
    except ArmError as error:
        return str(error)
    if damaged:
        return "every servo's answer is damaged: check the cable to the computer"
    return "no servo answers: check the power supply"


def health_of(states: Mapping[str, bytes]) -> Health:
    """Joint → its 15 bytes from address 56 on."""
    raw = list(states.values())
    return Health(
        temperature=np.array([float(s[7]) for s in raw]),
        volts=np.array([s[6] / 10 for s in raw]),
        load=np.array([feetech.signed(s[4] | s[5] << 8, 10) / 1000 for s in raw]),
        amperes=np.array([feetech.signed(s[13] | s[14] << 8, 15) * feetech.AMPERE_STEP for s in raw]),
        faults={name: words for name, s in states.items() if (words := feetech.fault_words(s[9]))},
    )
