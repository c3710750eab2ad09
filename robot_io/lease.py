"""One person at a time: a lease that passes by consent, or after a silence. Pure; the clock is passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

SILENCE = 10.0
"""Seconds without a word from the holder after which anybody may take the lease."""


class LeaseRefused(Exception):
    """Somebody else holds the lease; says who, and what to do."""


@dataclass
class Lease:
    """Who holds it, who watches, and who asked for it. Sessions are opaque names."""

    clock: Callable[[], float]
    silence: float = SILENCE
    what: str = "driving"
    """What the holder is doing, for the messages."""
    holder: str | None = None
    asking: str | None = None
    """Who asked the holder for it."""
    _heard: float = 0.0
    _present: dict[str, int] = field(default_factory=dict)

    @property
    def watchers(self) -> int:
        """Sessions that are present and do not hold it."""
        return sum(session != self.holder for session in self._present)

    @property
    def age(self) -> float:
        """Seconds since the holder was last heard; 0 if nobody holds it."""
        return self.clock() - self._heard if self.holder is not None else 0.0

    @property
    def free(self) -> bool:
        """Whether anybody may take it now."""
        return self.holder is None or self.age >= self.silence

    def join(self, session: str) -> None:
        """A session opened a page; the same session may do so several times."""
        self._present[session] = self._present.get(session, 0) + 1
        self.heard(session)

    def leave(self, session: str) -> None:
        """A session closed a page. The lease stays its own until it is silent, so that a reload keeps it."""
        pages = self._present.get(session, 0) - 1
        if pages > 0:
            self._present[session] = pages
            return
        self._present.pop(session, None)
        if self.asking == session:
            self.asking = None

    def present(self, session: str) -> bool:
        """Whether a session has a page open."""
        return session in self._present

    def heard(self, session: str) -> None:
        """The session gave a sign of life."""
        if session == self.holder:
            self._heard = self.clock()

    def holds(self, session: str) -> bool:
        """Whether that session holds it."""
        return self.holder is not None and session == self.holder

    def take(self, session: str) -> bool:
        """Take it if it is free, else ask the holder for it; returns whether the session now holds it."""
        if self.holds(session) or self.free:
            self._pass_to(session)
            return True
        self.asking = session
        return False

    def give(self, session: str) -> None:
        """The holder gives it to the one who asked, or puts it down if nobody did."""
        self._holder_only(session)
        self._pass_to(self.asking)

    def refuse(self, session: str) -> None:
        """The holder keeps it."""
        self._holder_only(session)
        self.asking = None

    def drop(self, session: str) -> None:
        """The holder puts it down; whoever asked may take it."""
        self._holder_only(session)
        self._pass_to(self.asking)

    def _holder_only(self, session: str) -> None:
        if not self.holds(session):
            raise LeaseRefused(f"expected the one who is {self.what} to decide; you are not, take the lease first")
        self._heard = self.clock()

    def _pass_to(self, session: str | None) -> None:
        self.holder, self.asking = session, None
        self._heard = self.clock()
