"""Work that other threads hand to the control loop."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from robot_io.arm import NotConnected

T = TypeVar("T")


class Jobs:
    """A queue of work, each with a future for who waits. Many threads put, one does."""

    def __init__(self) -> None:
        # Not a SimpleQueue: in CPython 3.11 a signal can turn the last moment of its timeout into for ever.
        self._queue: queue.Queue[tuple[Callable[[], Any], Future[Any]]] = queue.Queue()
        self._closed = False

    def put(self, work: Callable[[], T]) -> Future[T]:
        """Have it done; the future holds its result or its error, NotConnected if nobody will do it any more."""
        future: Future[T] = Future()
        self._queue.put((work, future))
        if self._closed:
            self._refuse()
        return future

    def do_one(self, timeout: float) -> bool:
        """Do the next one, waiting up to `timeout` seconds for it; whether there was one."""
        try:
            work, future = self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait()
        except queue.Empty:
            return False
        if future.set_running_or_notify_cancel():
            try:
                result = work()
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)
        return True

    def close(self) -> None:
        """Nothing is done any more; whoever waits, or will, has to know."""
        self._closed = True
        self._refuse()

    def _refuse(self) -> None:
        while True:
            try:
                _, future = self._queue.get_nowait()
            except queue.Empty:
                return
            if future.set_running_or_notify_cancel():
                future.set_exception(NotConnected("the arm process is ending"))
