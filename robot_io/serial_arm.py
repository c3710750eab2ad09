"""Home-built arms on a plain serial line: `line:/dev/ttyUSB0`, speaking the line protocol (docs/protocols/line.md)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from robot_io.arm import ArmNotFound, Features, Limits
from robot_io.driver import Health, Pose, Written
from robot_io.errors import BadReply, NoReply, NotConnected, Stalled, Unplugged, WrongArm
from robot_io.line import NUMBERS, VERSION, BadLine, Line, Lines, decode, integers
from robot_io.port import PortLock
from robot_io.wired import GATHER, WiredArm

BAUD = 115_200
ANSWER = 0.02
"""Seconds to wait for an answer; a line and its answer take 8 ms on the wire at 115,200 baud."""
BOOT = 3.0
"""Seconds that a board may take to start: opening the port resets many."""
RATE = 30.0
WORKSPACE = np.array([[-2.0, -2.0, -2.0], [2.0, 2.0, 2.0]])
"""Metres. The protocol tells no lengths, so no workspace is enforced; joints and speeds are."""


def make(rest: str) -> WiredArm:
    """The arm of `line:PORT`."""
    if not rest:
        raise ArmNotFound("expected line:PORT, like line:/dev/ttyUSB0, got no port")
    return WiredArm(LineDriver(rest, time.monotonic), time.monotonic)


class LineDriver:
    """Asks the firmware; one line out, one line back."""

    def __init__(self, path: str, clock: Callable[[], float], *, boot: float = BOOT) -> None:
        self.stale = 0
        """Answers that came too late, or were damaged, and were thrown away."""
        self._path, self._clock, self._boot = path, clock, boot
        self._lock = PortLock(path)
        self._port: Any = None
        self._lines = Lines()
        self._number = 0
        self._features: Features | None = None
        self._waiting: list[bytes] = []

    def describe(self) -> Features:
        """Who it is; the port stays open until `close`."""
        self._plug_in()
        if self._features is None:
            self._features = self._introduced()
        return self._features

    def open(self) -> None:
        """With torque, still; a stop that the firmware remembers ends here."""
        known = self._features
        self._plug_in()
        found = self._introduced()
        if known is not None and (found.joints, found.name) != (known.joints, known.name):
            raise WrongArm(f"expected {known.name} at {self._path}, got {found.name}; plug the right arm in")
        self._features = found
        for word in ("R", "E", "K"):
            self._ask(word, tries=3)

    def read(self) -> Pose:
        """Where it is."""
        return self._pose(self._ask("Q"))

    def write(self, pose: Pose) -> Written:
        """Its target; the answer tells where it is."""
        numbers = [*np.round(pose.joints * 1000).astype(int), round(pose.gripper * 1000)]
        return Written(pose, self._pose(self._ask("M", *map(str, numbers))))

    def hold(self) -> None:
        """Stay."""
        self._ask("K", tries=3)

    def health(self) -> Health:
        """The protocol tells nothing of it."""
        return Health()

    def diagnose(self) -> str:
        """Nothing more than that it is silent."""
        return ""

    def identity(self) -> str:
        """The name that its board gives itself; "" before it was asked."""
        return self._features.name if self._features is not None else ""

    def at_rest(self, pose: Pose) -> bool:
        """Never: the protocol tells no resting place."""
        return False

    def close(self, *, limp: bool) -> None:
        """Limp if asked to; the firmware's own watchdog holds it otherwise."""
        port, self._port = self._port, None
        if port is not None:
            try:
                if limp:
                    port.write(Line(0, ("Z",)).encode())
                port.close()
            except OSError:
                pass  # it is gone already
        self._lock.give()

    def _plug_in(self) -> None:
        if self._port is not None:
            return
        import serial

        self._lock.take()
        try:
            self._port = serial.Serial(self._path, BAUD, timeout=0.0, write_timeout=0.1)
        except (OSError, serial.SerialException) as error:
            self._lock.give()
            raise ArmNotFound(f"expected to open {self._path}, got: {error}; plug the arm in again") from error
        self._lines.clear()
        self._waiting.clear()

    def _introduced(self) -> Features:
        version, joints, _, *name = self._greeted()
        if version != VERSION:
            raise WrongArm(f"expected a board that speaks {VERSION}, got {version}; load the sketch of docs/firmware")
        rows = [self._ask("J", str(j), tries=5) for j in range(integers([joints], 1)[0])]
        numbers = np.array([integers(row[:3], 3) for row in rows], dtype=np.float64).reshape(-1, 3) / 1000
        speed = numbers[:, 2]
        limits = Limits(numbers[:, 0], numbers[:, 1], speed, WORKSPACE, speed / GATHER)
        return Features(
            name=" ".join(name) or "Line arm", joints=tuple(row[3] for row in rows), limits=limits, rate=RATE
        )

    def _greeted(self) -> tuple[str, ...]:
        """The answer to hello; a board that has just been reset gets time to start."""
        end = self._clock() + self._boot
        while True:
            try:
                return self._ask("H")
            except NoReply:
                if self._clock() > end:
                    self.close(limp=False)
                    raise NoReply(
                        f"expected a board at {self._path} to answer within {self._boot:g} s; is it powered, and is "
                        "the sketch of docs/firmware on it?"
                    ) from None

    def _ask(self, word: str, *rest: str, tries: int = 1) -> tuple[str, ...]:
        """The words of the answer after "ok"; the same line again if it was lost."""
        self._number = (self._number + 1) % NUMBERS
        line = Line(self._number, (word, *rest))
        for _ in range(tries):
            self._put(line.encode())
            answer = self._answer(line.number)
            if answer is not None and answer.words[0] == "ok":
                return answer.words[1:]
            if answer is not None:
                raise self._refusal(answer.words[1:], line)
        raise NoReply(f"expected an answer from {self._path}, got none in time; check cable and supply")

    def _refusal(self, why: tuple[str, ...], line: Line) -> Exception:
        if why == ("stopped",):
            return Stalled("the board has stopped itself; look why, then release")
        if why == ("limp",):
            return Unplugged("the board has started anew and lets the arm hang; release to take it again")
        return BadReply(f"expected the board to accept {' '.join(line.words)}, it answers {' '.join(why)}")

    def _put(self, data: bytes) -> None:
        import serial

        if self._port is None:
            raise NotConnected("expected an open port; connect first")
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise NoReply(f"expected {self._path} to take what is sent, but it is stuck; plug it in again") from error
        except OSError as error:
            raise Unplugged(f"{self._path} is gone ({error}); plug the arm in, then release") from error

    def _answer(self, number: int) -> Line | None:
        """The line with that number; what is damaged or belongs to an earlier question is dropped."""
        end = self._clock() + ANSWER
        while True:
            while self._waiting:
                try:
                    line = decode(self._waiting.pop(0))
                except BadLine:
                    self.stale += 1
                    continue
                if line.number == number:
                    return line
                self.stale += 1
            left = end - self._clock()
            if left <= 0:
                return None
            self._waiting += self._lines.feed(self._got(left))

    def _got(self, seconds: float) -> bytes:
        try:
            self._port.timeout = seconds
            first: bytes = self._port.read(1)
            return first + (self._port.read(self._port.in_waiting) if first else b"")
        except OSError as error:
            raise Unplugged(f"{self._path} is gone ({error}); plug the arm in, then release") from error

    def _pose(self, words: tuple[str, ...]) -> Pose:
        assert self._features is not None
        try:
            numbers = integers(words[1:], len(self._features.joints) + 1)
        except BadLine as error:
            raise BadReply(str(error)) from error
        return Pose(np.array(numbers[:-1]) / 1000, min(max(numbers[-1] / 1000, 0.0), 1.0))
