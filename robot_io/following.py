"""A path that the control loop is following, and who waits for its end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from robot_io.arm import Action, ArmError, JointPath, Report


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


def sent_by(motion: Motion) -> Future[Action]:
    """What the last tick of a motion really sent, or why there was none."""
    sent: Future[Action] = Future()
    sent.set_running_or_notify_cancel()

    def tell(done: Future[Report]) -> None:
        error = done.exception() or (None if motion.sent else ArmError(done.result().reason))
        if error is not None:
            sent.set_exception(error)
        elif motion.sent is not None:
            sent.set_result(motion.sent)

    motion.done.add_done_callback(tell)
    return sent
