"""What a servo arm knows of itself: where each joint's encoder is zero and how far it turns.

The file has LeRobot's own form (`CALIBRATION/robots/so_follower/ID.json`), so that an arm calibrated with either is
calibrated for both; the servos keep the same numbers in their permanent memory. Reading and writing needs no lerobot.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from robot_io.errors import NotCalibrated

RESOLUTION = 4095
"""Steps that LeRobot counts to a turn; kept, so that both mean the same angle."""
STEP = 2 * math.pi / RESOLUTION
"""Radians."""


@dataclass(frozen=True)
class Span:
    """One joint: encoder steps."""

    id: int
    drive_mode: int
    homing_offset: int
    range_min: int
    range_max: int

    def __post_init__(self) -> None:
        if not 0 <= self.range_min < self.range_max <= RESOLUTION:
            raise NotCalibrated(
                f"expected servo {self.id} to have a range within 0 and {RESOLUTION}, "
                f"got {self.range_min} to {self.range_max}; calibrate the arm"
            )

    @property
    def middle(self) -> float:
        """Steps; where the joint's angle is 0."""
        return (self.range_min + self.range_max) / 2

    def radians(self, steps: float) -> float:
        """The angle of a reading."""
        return (steps - self.middle) * STEP * (-1 if self.drive_mode else 1)

    def steps(self, radians: float) -> int:
        """The nearest step to an angle, inside the range."""
        wanted = round(radians / STEP * (-1 if self.drive_mode else 1) + self.middle)
        return min(max(wanted, self.range_min), self.range_max)

    @property
    def reach(self) -> float:
        """Radians from the middle to either end."""
        return (self.range_max - self.range_min) / 2 * STEP

    @property
    def whole_turn(self) -> bool:
        """Whether it was never narrowed: as it left the factory, or a joint that turns all round."""
        return (self.range_min, self.range_max) in ((0, RESOLUTION), (0, 0))


Calibration = Mapping[str, Span]
"""Joint name → Span, the gripper included."""


def folder() -> Path:
    """Where LeRobot keeps calibrations, by its own environment variables."""
    home = os.environ.get("HF_LEROBOT_HOME") or str(
        Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "lerobot"
    )
    return Path(os.environ.get("HF_LEROBOT_CALIBRATION") or Path(home) / "calibration").expanduser()


def load(path: Path) -> Calibration:
    """The calibration of a file.

    Raises:
        NotCalibrated: there is none, or it is no calibration.
    """
    try:
        fields = json.loads(path.read_text())
        return {name: Span(**{key: int(value) for key, value in span.items()}) for name, span in fields.items()}
    except FileNotFoundError as error:
        raise NotCalibrated(f"expected a calibration in {path}, got no such file; calibrate the arm") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise NotCalibrated(
            f"expected a calibration in {path}, got something else ({error}); calibrate anew"
        ) from error


def save(calibration: Calibration, path: Path) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("w") as file:
        json.dump({name: asdict(span) for name, span in calibration.items()}, file, indent=4)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def same(one: Calibration, other: Calibration) -> bool:
    """Whether both describe the same arm; the drive mode is not kept in the servos."""
    return set(one) == set(other) and all(
        (one[name].homing_offset, one[name].range_min, one[name].range_max)
        == (other[name].homing_offset, other[name].range_min, other[name].range_max)
        for name in one
    )
