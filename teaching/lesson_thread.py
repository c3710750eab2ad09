"""One thread owns a lesson's state; everybody else only posts events to it."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import Any

from robot_io.arm import ArmError
from teaching.types import AskbackError


class LessonThread:
    """The event loop that lessons share. A subclass gives `handle(kind, value)` and `begin()`."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.ended = False
        self.changed: Callable[[], None] = lambda: None
        """Called after every event, on this thread: draw the view anew."""
        self._after: deque[Callable[[], None]] = deque()

    def begin(self) -> None:
        """What a lesson does first."""

    def handle(self, kind: str, value: Any) -> None:
        """One event; "tick" comes four times a second when nothing else does."""

    def post(self, kind: str, value: Any) -> None:
        """Leave an event; callable from any thread."""
        self.events.put((kind, value))

    def later(self, do: Callable[[], None]) -> None:
        """Do something on this thread after the event under way, so that its reply need not wait for it."""
        self._after.append(do)

    def request(self, do: Callable[[], Any], timeout: float) -> Any:
        """Run something on the lesson's thread and wait for what comes of it; callable from any other thread.

        Raises:
            AskbackError, ArmError, OSError: what it raised; AskbackError if no answer comes in time (seconds).
        """
        reply: queue.Queue[Any] = queue.Queue(1)
        self.post("request", (do, reply))
        try:
            value = reply.get(timeout=timeout)
        except queue.Empty:
            raise AskbackError(
                f"the lesson did not answer within {timeout:.0f} s; look at its phase, try again"
            ) from None
        if isinstance(value, Exception):
            raise value
        return value

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Drive the lesson until it has ended, or `until` holds between two events."""
        self.begin()
        self._drain()
        while not self.ended and not until():
            try:
                kind, value = self.events.get(timeout=0.25)
            except queue.Empty:
                kind, value = "tick", None
            if kind == "request":
                self._reply(*value)
            else:
                self.handle(kind, value)
            self._drain()

    def _drain(self) -> None:
        self.changed()
        while self._after:
            self._after.popleft()()
            self.changed()

    @staticmethod
    def _reply(do: Callable[[], Any], reply: queue.Queue[Any]) -> None:
        try:
            reply.put(do())
        except (AskbackError, ArmError, OSError) as error:
            reply.put(error)
