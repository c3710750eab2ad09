"""Which arm is it? What an arm is recognised by, kept in a file, so that another one in its place is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Protocol, runtime_checkable

from robot_io.arm import Arm
from robot_io.calibration import Calibration
from robot_io.errors import WrongArm


@runtime_checkable
class Identified(Protocol):
    """An arm that can be told from others of its kind."""

    def identity(self) -> str:
        """The same for the same arm, "" if nothing tells it from others."""


def fingerprint(calibration: Calibration) -> str:
    """Of a servo arm: no two are put together and calibrated alike."""
    rows = [(name, s.homing_offset, s.range_min, s.range_max) for name, s in sorted(calibration.items())]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def check_identity(arm: Arm, file: Path | None) -> None:
    """Refuse another arm than the one that the file tells of; an arm that is seen first is remembered.

    Raises:
        WrongArm: it is another one.
    """
    if file is None or not isinstance(arm, Identified) or not (found := arm.identity()):
        return
    known = file.read_text().strip() if file.is_file() else ""
    if known and known != found:
        raise WrongArm(
            f"expected the arm that was connected here before, but another one answers ({arm.features.name}): its "
            "servos carry another calibration; plug the right one in, or remove this arm and add it again"
        )
    if not known:
        remember(found, file)


def remember(identity: str, file: Path) -> None:
    """From now on it is this one; whole or not at all."""
    beside = file.with_suffix(".tmp")
    with beside.open("w") as opened:
        opened.write(f"{identity}\n")
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
