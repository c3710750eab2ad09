"""A path that the control loop is following, and who waits for its end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from robot_io.arm import Action, JointPath, Report


@dataclass
class Motion:
    """A path being followed, and who waits for its end."""

    path: Sequence[Action] | JointPath
    clipped_before: int
    done: Future[Report] = field(default_factory=Future)
    ticks: int = 0
    sent: Action | None = None

    def __post_init__(self) -> None:
        self.done.set_running_or_notify_cancel()


def pass_on(started: Future[None], motion: Future[Report]) -> None:
    """A motion that could not be started fails at once."""
    error = started.exception()
    if error is not None:
        motion.set_exception(error)
