"""Is the person who drives still there? The heartbeat of a driver, judged on a clock that is passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock


class Pulse(StrEnum):
    """What the heartbeat says the arm should do."""

    FINE = "fine"
    HOLD = "hold"
    STOP = "stop"


@dataclass(frozen=True)
class HeartbeatConfig:
    """When silence holds, and when it stops. Both act a margin early, so that the arm is held when the time is up."""

    hold: float = 0.150
    """Seconds without a beat until the arm has to hold; ended by the next beat."""
    stop: float = 0.500
    """Seconds without a beat, or with an unchanged counter, until the arm has to be stopped and latched."""
    margin: float = 0.030
    """Seconds kept for a busy machine: the beat may have come late, and the loop may notice late."""

    def __post_init__(self) -> None:
        if not 0 <= self.margin < self.hold < self.stop:
            raise ValueError(f"expected 0 ≤ margin < hold < stop, got {self.margin}, {self.hold}, {self.stop}")


class Heartbeat:
    """Beats of the one who drives. Silent hands hold the arm; silent or frozen pages stop it. Thread-safe."""

    def __init__(self, clock: Callable[[], float], config: HeartbeatConfig | None = None) -> None:
        self._clock = clock
        self.config = config or HeartbeatConfig()
        self._lock = Lock()
        self._driving = False
        self._beat = self._change = 0.0
        self._counter: int | None = None
        self._paused = False

    @property
    def driving(self) -> bool:
        """Whether somebody drives, so that silence matters."""
        return self._driving

    def begin(self) -> None:
        """Somebody starts to drive; this counts as a beat."""
        with self._lock:
            self._driving, self._paused, self._counter = True, False, None
            self._beat = self._change = self._clock()

    def end(self) -> None:
        """Nobody drives any more; silence is fine again."""
        with self._lock:
            self._driving = False

    def pause(self) -> None:
        """The page was hidden, or its socket closed: hold at once; the next beat ends it."""
        with self._lock:
            self._paused = True

    def beat(self, counter: int) -> None:
        """One beat with the page's counter; the counter has to change, or the page is frozen."""
        with self._lock:
            now = self._clock()
            self._beat, self._paused = now, False
            if counter != self._counter:
                self._counter, self._change = counter, now

    def pulse(self) -> Pulse:
        """What the arm should do now."""
        with self._lock:
            if not self._driving:
                return Pulse.FINE
            now = self._clock()
            if min(self._beat, self._change) + self.config.stop - self.config.margin <= now:
                return Pulse.STOP
            if self._paused or self._beat + self.config.hold - self.config.margin <= now:
                return Pulse.HOLD
            return Pulse.FINE

    def due(self) -> float | None:
        """The clock's time at which `pulse` could next get worse, for a loop that sleeps; None if it cannot."""
        with self._lock:
            if not self._driving:
                return None
            margin, now = self.config.margin, self._clock()
            stop = min(self._beat, self._change) + self.config.stop - margin
            hold = self._beat + self.config.hold - margin
            return hold if now < hold else stop
