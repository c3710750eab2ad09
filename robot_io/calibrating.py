"""Guided calibration of a servo arm without a terminal: a numbered walk that a page can show, one call per step.

1. `begin`: the arm goes limp; a hand holds it. 2. `middle`: the hand puts every joint in the middle of its range.
3. `sample`, again and again, while the hand turns every joint from end to end. 4. `finish`: what was found goes into
the servos and a file. `cancel` puts the old calibration back. An SO arm gets the numbers that LeRobot would find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from robot_io import calibration as calibrations
from robot_io import so, so_bus
from robot_io.calibration import RESOLUTION, Calibration, Span
from robot_io.errors import ArmError, NotCalibrated
from robot_io.marks import HALF, Mark, Marks

BARE: Mark = (0, 0, RESOLUTION)
"""A servo that tells its encoder's bare readings and may turn all round."""
TURN = RESOLUTION + 1
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

    def __init__(self, marks: Marks) -> None:
        self.step = Step.START
        self._marks, self._bus = marks, marks.bus
        self._before: dict[str, Mark] = {}
        self._offsets: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        self._middle = HALF
        """Where the joint that turns all round was held."""
        self._seen: dict[str, Seen] = {}

    def begin(self) -> None:
        """Limp, with the encoders' bare readings."""
        self._go("begin")
        self._bus.open()
        for name, number in so.NUMBERS.items():
            if self._bus.ping(number) is None:
                raise NotCalibrated(f"expected servo {number} ({name}) to answer; check its cable, then begin again")
            self._before[name] = self._marks.mark(number)
        for number in so.NUMBERS.values():
            self._marks.limp(number)
            self._marks.put(number, BARE)

    def middle(self) -> None:
        """What every joint reads now becomes its middle, as far as the servos can be told so."""
        self._go("middle")
        read = self._marks.positions(tries=8)
        for name, number in so.NUMBERS.items():
            self._turns[name] = read[number] // TURN  # a limp servo may have counted on
            self._offsets[name] = self._marks.offset(read[number])
            self._marks.put(number, (self._offsets[name], 0, RESOLUTION))
            if name == WHOLE_TURN:
                self._middle = read[number] % TURN - self._offsets[name]

    def sample(self) -> Mapping[str, Seen]:
        """Where every joint is, and how far it has been."""
        self._go("sample")
        read = self._marks.positions(tries=8)
        for name, number in so.NUMBERS.items():
            now, seen = read[number] - self._turns[name] * TURN, self._seen.get(name)
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
        self._need_one_turn()
        found = {name: self._span(name) for name in so.NUMBERS}
        self._go("finish")
        for span in found.values():
            self._marks.put(span.id, (span.homing_offset, span.range_min, span.range_max))
            self._marks.shut(span.id)
        so_bus.check_same(found, self._marks.identify(), file)
        if file is not None:
            calibrations.save(found, file)
        self._bus.close()
        return found

    def cancel(self) -> None:
        """As it was, limp; what was done is done and cannot be cancelled."""
        self._go("cancel")
        for name, mark in self._before.items():
            self._marks.put(so.NUMBERS[name], mark)
            self._marks.shut(so.NUMBERS[name])
        self._before.clear()
        self._seen.clear()
        self._bus.close()

    def _go(self, verb: str) -> None:
        if (self.step, verb) not in _NEXT:
            allowed = ", ".join(known for step, known in _NEXT if step is self.step) or "a new calibration"
            raise ArmError(f"expected {allowed} now, got {verb}")
        self.step = _NEXT[self.step, verb]

    def _need_one_turn(self) -> None:
        """No joint passes the end of what its servo counts; a hand cannot mend that by turning it."""
        over = [n for n, seen in self._seen.items() if n != WHOLE_TURN and not 0 <= seen.low < seen.high <= RESOLUTION]
        low, high = self._round()
        over += [WHOLE_TURN] * (high - low < ENOUGH)
        if over:
            raise NotCalibrated(
                f"expected every joint within one turn of its encoder, but {', '.join(over)} passes its end; cancel, "
                "take the arm's part off that servo, and put it back a quarter turn further on"
            )

    def _round(self) -> tuple[int, int]:
        """All round; where the servo's zero cannot be put there, as far to both sides of the middle as it counts."""
        if self._middle == HALF:
            return 0, RESOLUTION
        half = min(self._middle, RESOLUTION - self._middle)
        return self._middle - half, self._middle + half

    def _turned(self, name: str) -> bool:
        return name in self._seen and self._seen[name].enough

    def _span(self, name: str) -> Span:
        low, high = self._round() if name == WHOLE_TURN else (self._seen[name].low, self._seen[name].high)
        return Span(so.NUMBERS[name], 0, self._offsets[name], low, high)
