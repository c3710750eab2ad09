"""Guided calibration of an SO arm without a terminal: a numbered walk that a page can show, one call per step.

1. `begin`: the arm goes limp; a hand holds it. 2. `middle`: the hand puts every joint in the middle of its range.
3. `sample`, again and again, while the hand turns every joint from end to end. 4. `finish`: what was found goes into
the servos and a file. `cancel` puts the old calibration back. The numbers are those that LeRobot would find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from robot_io import calibration as calibrations
from robot_io import feetech, so, so_bus
from robot_io.calibration import RESOLUTION, Calibration, Span
from robot_io.errors import ArmError, NotCalibrated
from robot_io.feetech_bus import FeetechBus

HALF = RESOLUTION // 2
ENOUGH = 600
"""Steps (53 degrees) that a joint must have been turned before its range is believed."""
WHOLE_TURN = "wrist_roll"
"""Turns all round: its range is not asked for."""


class Step(StrEnum):
    """Where the walk is."""

    START = "start"
    LIMP = "limp"
    TURNING = "turning"
    DONE = "done"


_NEXT = {
    (Step.START, "begin"): Step.LIMP,
    (Step.LIMP, "middle"): Step.TURNING,
    (Step.TURNING, "sample"): Step.TURNING,
    (Step.TURNING, "finish"): Step.DONE,
    **{(step, "cancel"): Step.START for step in (Step.START, Step.LIMP, Step.TURNING)},
}


@dataclass(frozen=True)
class Seen:
    """One joint so far, in steps."""

    low: int
    now: int
    high: int

    @property
    def enough(self) -> bool:
        """Whether it was turned far enough to be believed."""
        return self.high - self.low >= ENOUGH


class Calibrating:
    """The walk, for one arm on its bus; nobody else may have the port."""

    def __init__(self, bus: FeetechBus) -> None:
        self.step = Step.START
        self._bus = bus
        self._before: dict[str, tuple[int, int]] = {}
        self._offsets: dict[str, int] = {}
        self._seen: dict[str, Seen] = {}

    def begin(self) -> None:
        """Limp, with the encoders' bare readings."""
        self._go("begin")
        self._bus.open()
        for name, number in so.NUMBERS.items():
            if self._bus.ping(number) is None:
                raise NotCalibrated(f"expected servo {number} ({name}) to answer; check its cable, then begin again")
            self._before[name] = (self._bus.read(number, feetech.HOMING), self._bus.read(number, feetech.RANGE))
        for number in so.NUMBERS.values():
            self._bus.write(number, feetech.TORQUE, 0)
            self._bus.write(number, feetech.LOCK, 0)
            self._keep(number, 0, 0, RESOLUTION)

    def middle(self) -> None:
        """What every joint reads now becomes half a turn."""
        self._go("middle")
        for name, number in so.NUMBERS.items():
            self._offsets[name] = self._position(number) - HALF
            self._keep(number, self._offsets[name], 0, RESOLUTION)

    def sample(self) -> Mapping[str, Seen]:
        """Where every joint is, and how far it has been."""
        self._go("sample")
        read = self._bus.read_all(so.NUMBERS.values(), feetech.PRESENT, tries=8)
        for name, number in so.NUMBERS.items():
            now, seen = int.from_bytes(read[number], "little") & 0x7FFF, self._seen.get(name)
            self._seen[name] = Seen(min(now, seen.low), now, max(now, seen.high)) if seen else Seen(now, now, now)
        return dict(self._seen)

    def finish(self, file: Path | None = None) -> Calibration:
        """Into the servos, and into a file if there is one.

        Raises:
            NotCalibrated: a joint was hardly turned; go on turning.
        """
        short = [name for name in so.NUMBERS if name != WHOLE_TURN and not self._turned(name)]
        if short:
            raise NotCalibrated(f"expected every joint turned from end to end, not yet: {', '.join(short)}; turn them")
        found = {name: self._span(name) for name in so.NUMBERS}
        self._go("finish")
        for span in found.values():
            self._keep(span.id, span.homing_offset, span.range_min, span.range_max)
            self._bus.write(span.id, feetech.LOCK, 1)
        so_bus.check_same(found, so_bus.identify(self._bus), file)
        if file is not None:
            calibrations.save(found, file)
        self._bus.close()
        return found

    def cancel(self) -> None:
        """As it was, limp; what was done is done and cannot be cancelled."""
        self._go("cancel")
        for name, (homing, span) in self._before.items():
            number = so.NUMBERS[name]
            self._bus.write(number, feetech.HOMING, homing)
            self._bus.write(number, feetech.RANGE, span)
            self._bus.write(number, feetech.LOCK, 1)
        self._before.clear()
        self._seen.clear()
        self._bus.close()

    def _go(self, verb: str) -> None:
        if (self.step, verb) not in _NEXT:
            allowed = ", ".join(known for step, known in _NEXT if step is self.step) or "a new calibration"
            raise ArmError(f"expected {allowed} now, got {verb}")
        self.step = _NEXT[self.step, verb]

    def _turned(self, name: str) -> bool:
        return name in self._seen and self._seen[name].enough

    def _span(self, name: str) -> Span:
        low, high = (0, RESOLUTION) if name == WHOLE_TURN else (self._seen[name].low, self._seen[name].high)
        return Span(so.NUMBERS[name], 0, self._offsets[name], low, high)

    def _position(self, number: int) -> int:
        return self._bus.read(number, feetech.PRESENT) & 0x7FFF

    def _keep(self, number: int, offset: int, low: int, high: int) -> None:
        self._bus.write(number, feetech.HOMING, feetech.to_signed(offset, 11))
        self._bus.write(number, feetech.RANGE, low | high << 16)
