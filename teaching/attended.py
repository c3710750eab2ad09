"""A lesson that a person teaches in the browser, started and waited for by a command.

`python -m teaching run --teacher browser` starts the lesson's processes as the app would; the app, started on the same
home, finds them and shows the question. The command ends them in order when enough has been stored, or on Ctrl-C.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from teaching.headless import Report, figures_of, silent
from teaching.lesson import LessonConfig, starter
from teaching.policies.checkpoint import checkpoints
from teaching.replay import ReplayBuffer
from teaching.supervisor import Supervisor
from teaching.types import AskbackError, BadInput

EVERY = 1.0
"""Seconds between two looks at what has been stored."""


def attend(
    directory: Path,
    config: LessonConfig,
    storing_episodes: int,
    *,
    report: Report = silent,
    tell: Callable[[str], None] = print,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Run a lesson that is answered in the browser until so many episodes have stored something; resumes.

    Args:
        directory: of the lesson; the app must be started with its parent as home.
        config: of a new lesson; one that is there keeps its own.
        storing_episodes: when to end.
        report: told (what, how many, of how many).
        tell: told where to answer.
        pause: waits between two looks.

    Raises:
        AskbackError: a process of the lesson cannot be kept running; what was said is kept.
    """
    begun = time.perf_counter()
    if not (directory / "lesson.json").is_file() and config.start == "starter" and starter(config.task) is None:
        raise BadInput(f"expected --start nothing: there is no starter for {config.task}")

    def progress() -> bool:
        report("storing episodes", done := _stored(directory), storing_episodes)
        return done >= storing_episodes

    _run(directory, config, progress, tell, pause)
    with ReplayBuffer(directory, readonly=True) as buffer:
        return figures_of(buffer, _version(directory)) | {"wall_seconds": round(time.perf_counter() - begun, 1)}


def _stored(directory: Path) -> int:
    """Episodes that have stored something, of those that are committed."""
    with ReplayBuffer(directory, readonly=True) as buffer:
        return len({d.decision.split("-", 1)[0] for d in buffer.demonstrations()})


def attend_rollout(
    directory: Path,
    config: LessonConfig,
    rounds: int,
    *,
    report: Report = silent,
    tell: Callable[[str], None] = print,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Run a lesson in motion that is supervised in the browser until so many rounds were trained on; resumes.

    Args:
        directory: of the lesson; the app must be started with its parent as home.
        config: of a new lesson; one that is there keeps its own.
        rounds: after the demonstrations.
        report: told (what, how many, of how many).
        tell: told where to go.
        pause: waits between two looks.

    Raises:
        AskbackError: a process of the lesson cannot be kept running; what was recorded is kept.
    """
    from teaching.rollout_headless import figures_of as figures_of_rollouts

    def progress() -> bool:
        report("rounds", trained := _version(directory), rounds + 1)
        return trained > rounds

    _run(directory, config, progress, tell, pause)
    with ReplayBuffer(directory, readonly=True) as buffer:
        return figures_of_rollouts(buffer)


def _run(
    directory: Path,
    config: LessonConfig,
    over: Callable[[], bool],
    tell: Callable[[str], None],
    pause: Callable[[float], None],
) -> None:
    """Keep the processes of a lesson, made if it is not there, running until it is over; then end them in order."""
    if not (directory / "lesson.json").is_file():
        ReplayBuffer.create(directory, config.to_json()).close()
    tell(f"go on in the browser: scripts/app --home {directory.resolve().parent}, then open {directory.name!r}")
    supervisor = Supervisor()
    try:
        supervisor.open(directory)
        while not over():
            pause(EVERY)
            supervisor.look_after()
            if trouble := supervisor.trouble(directory):
                raise AskbackError(f"{trouble}. What was said is kept; the same command goes on from here")
    finally:
        supervisor.close(directory)


def _version(directory: Path) -> int:
    """The newest model."""
    return max((int(path.name) for path in checkpoints(directory / "checkpoints")), default=0)
