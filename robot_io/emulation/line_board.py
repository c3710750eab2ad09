"""An emulated board of a home-built arm: what the firmware sketch does, line for line, without the board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from robot_io.emulation.motors import Demand, Lagging, Motors
from robot_io.line import NUMBERS, VERSION, BadLine, Line, Lines, decode, integers

WATCHDOG = 0.5
"""Seconds without a target after which a moving arm stays where it is."""
LAG = 0.03


@dataclass(frozen=True)
class Joint:
    """One joint, as the firmware's table has it: thousandths of a radian."""

    name: str
    lower: int
    upper: int
    speed: int


JOINTS = (
    Joint("base", -1570, 1570, 2000),
    Joint("shoulder", -1200, 1200, 1500),
    Joint("elbow", -1500, 1500, 1500),
    Joint("wrist", -1570, 1570, 2500),
)
GRIPPER_SPEED = 2000
_KEPT_FROM = {"E": "L", "K": "AW", "R": "X"}
"""Word → states from which it makes the arm keep still, with power."""


class Refused(Exception):
    """The firmware answers "no" with this word."""


class LineBoard:
    """States: L limp, A following targets, K keeping still, W keeping still because no target came, X stopped."""

    period: float | None = 0.01

    def __init__(self, joints: Sequence[Joint] = JOINTS, motors: Motors | None = None, now: float = 0.0) -> None:
        self.joints = tuple(joints)
        self.motors = motors or Lagging([0.0] * (len(self.joints) + 1), lag=LAG)
        self.state = "L"
        self.targets: list[float] | None = None
        """Radians, the gripper in [0, 1] last; None while it is limp."""
        self.heard: Callable[[Line], None] = lambda line: None
        """Told every valid line before it is obeyed."""
        self._speeds = [joint.speed / 1000 for joint in self.joints] + [GRIPPER_SPEED / 1000]
        self._lines = Lines()
        self._now = self._fed = now

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Bytes from the host; returns the answers. What is no line is answered with silence."""
        self.advance(now)
        answers = []
        for raw in self._lines.feed(data):
            try:
                line = decode(raw)
            except BadLine:
                continue
            self.heard(line)
            answers.append(Line(line.number % NUMBERS, self._answer(line.words)).encode())
        return answers

    def advance(self, now: float) -> None:
        """Let time pass; the watchdog bites on its own tick."""
        bites = self._fed + WATCHDOG
        if self.state == "A" and now > bites:
            self._turn(bites)
            self._keep("W")
        self._turn(now)

    def power_cycle(self) -> None:
        """Off and on: limp."""
        self.state, self.targets = "L", None
        self._lines.clear()

    def show(self) -> dict[str, Any]:
        """What it looks like inside."""
        return {"state": self.state, "joints": [round(a, 4) for a in self.motors.angles], "targets": self.targets}

    def _turn(self, now: float) -> None:
        seconds, self._now = max(0.0, now - self._now), max(now, self._now)
        targets: Sequence[float | None] = self.targets or [None] * len(self._speeds)
        self.motors.advance(seconds, [Demand(t, s) for t, s in zip(targets, self._speeds, strict=True)])

    def _keep(self, state: str) -> None:
        self.state, self.targets = state, list(self.motors.angles)

    def _answer(self, words: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return ("ok", *self._obey(words[0], words[1:]))
        except Refused as refusal:
            return ("no", str(refusal))
        except BadLine:
            return ("no", "numbers")

    def _obey(self, word: str, rest: tuple[str, ...]) -> tuple[str, ...]:
        if word == "H":
            return (VERSION, str(len(self.joints)), str(round(WATCHDOG * 1000)), "emulated")
        if word == "J":
            return self._joint(integers(rest, 1)[0])
        if word == "M":
            self._move(integers(rest, len(self.joints) + 1))
        elif word in "EKXRZ" and len(word) == 1:
            integers(rest, 0)
            self._change(word)
        elif word != "Q":
            raise Refused("word")
        return self._where()

    def _joint(self, index: int) -> tuple[str, ...]:
        if not 0 <= index < len(self.joints):
            raise Refused("range")
        joint = self.joints[index]
        return (str(joint.lower), str(joint.upper), str(joint.speed), joint.name)

    def _move(self, numbers: Sequence[int]) -> None:
        if self.state == "X":
            raise Refused("stopped")
        if self.state == "L":
            raise Refused("limp")
        inside = all(j.lower <= n <= j.upper for j, n in zip(self.joints, numbers, strict=False))
        if not (inside and 0 <= numbers[-1] <= 1000):
            raise Refused("range")
        self.state, self.targets, self._fed = "A", [number / 1000 for number in numbers], self._now

    def _change(self, word: str) -> None:
        if word == "X":
            self._keep("X")
        elif word == "Z":
            if self.state == "X":
                raise Refused("stopped")
            self.state, self.targets = "L", None
        elif self.state in _KEPT_FROM[word]:
            self._keep("K")

    def _where(self) -> tuple[str, ...]:
        return (self.state, *(str(round(angle * 1000)) for angle in self.motors.angles))
