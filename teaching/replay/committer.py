"""Commits episodes on a thread of its own, so that a loop that records only enqueues."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from teaching.replay.episode import Episode

_Work = tuple[Episode, "Future[None]"]


class Committer:
    """One thread, started with the first episode; commits in the order of `put`."""

    def __init__(self, commit: Callable[[Episode], None]) -> None:
        self._commit = commit
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, episode: Episode) -> Future[None]:
        """Enqueue; returns at once. The future holds what the commit raised, if it did."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
            self._thread.start()
        future: Future[None] = Future()
        self._queue.put((episode, future))
        return future

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            episode, future = work
            try:
                self._commit(episode)
            except BaseException as error:  # handed to whoever waits for the future
                future.set_exception(error)
            else:
                future.set_result(None)

    def close(self) -> None:
        """Finish what was enqueued; twice is harmless."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()
