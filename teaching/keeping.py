"""Episodes on their way to the medium: committed beside the lesson's loop, tried again when the disk was full."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from teaching.replay import Episode, ReplayBuffer
from teaching.types import AskbackError

RETRY_SECONDS = 2.0


class Draft(Protocol):
    """An episode under way."""

    id: str

    @property
    def moments(self) -> Sequence[Any]:
        """What happened in it; nothing: it is not worth keeping."""

    def episode(self, ended: float) -> Episode:
        """As it is kept."""


class Keeper:
    """Commits drafts in order; `post` hears ("kept", draft) or ("unkept", error) for each try."""

    def __init__(
        self,
        buffer: ReplayBuffer,
        post: Callable[[str, object], None],
        *,
        beside: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: beside: commit on a thread of its own, so that the lesson's loop only hands over."""
        self.buffer, self._post, self.beside, self._clock = buffer, post, beside, clock
        self.waiting: list[tuple[Draft, float]] = []
        """Drafts that could not be committed yet, and when (wall time) they ended."""
        self._tried = 0.0

    def keep(self, draft: Draft, ended: float) -> None:
        """Commit a draft that has ended; one in which nothing happened is dropped."""
        if not draft.moments:
            return
        episode = draft.episode(ended)
        if not self.beside:
            self.buffer.append(episode)
            self._post("kept", draft)
            return
        future = self.buffer.append_soon(episode)

        def told(_: object) -> None:
            error = future.exception()
            if error is None:
                self._post("kept", draft)
            else:
                self.waiting.append((draft, ended))
                self._post("unkept", error)

        future.add_done_callback(told)

    def retry(self) -> None:
        """Try again what could not be committed, now and then."""
        if not self.waiting or self._clock() - self._tried < RETRY_SECONDS:
            return
        self._tried = self._clock()
        waiting, self.waiting = self.waiting, []
        for draft, ended in waiting:
            self.keep(draft, ended)

    def last_try(self) -> list[str]:
        """At the end: commit what waits, on this thread; sentences about what is still not committed."""
        waiting, self.waiting = self.waiting, []
        problems = []
        for draft, ended in waiting:
            try:
                self.buffer.append(draft.episode(ended))
            except (AskbackError, OSError) as error:
                problems.append(f"episode {draft.id} is not committed; its answers are in the log: {error}")
        return problems
