"""Long computations beside a lesson, each a process of its own with a log: started, queued, watched, called off.

A job holds a lock on its log as long as it lives: the log is its standard output, opened and locked before it starts.
So whoever looks knows whether it runs, also a web process that was started anew. One job of a lesson computes at a
time; the others wait for their turn.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from teaching.types import BadInput

WAITING = "waits for its turn"
CANCELLED = "called off"
_PROGRESS = re.compile(r"(?P<what>.+) (?P<done>[0-9]+) of (?P<of>[0-9]+)")
_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}
"""Started by this process; kept so that they are reaped."""


@dataclass(frozen=True)
class Words:
    """The end of a job's log."""

    last: str = ""
    done: int = 0
    of: int = 0
    """Progress, where the last line tells some; 0 of 0 else."""


def start(log: Path, arguments: Sequence[str]) -> None:
    """Start `python -m teaching …` with its words in a log.

    Raises:
        BadInput: the same job is under way.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput("the same is under way; wait for it, or choose another seed") from None
        out.truncate(0)
        command = ["nice", "-n", "10", sys.executable, "-m", "teaching", *arguments]
        child = subprocess.Popen(
            command, cwd=Path(__file__).resolve().parent.parent, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        _pid_of(log).write_text(str(child.pid))
        _CHILDREN[log] = child


def running(log: Path) -> bool:
    """Whether a job lives."""
    if log in _CHILDREN and _CHILDREN[log].poll() is not None:
        del _CHILDREN[log]
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def cancel(log: Path) -> None:
    """Call a job off, with all that it started; what it had kept stays. BadInput if it does not run."""
    if not running(log):
        raise BadInput("expected a job that runs; it has just ended")
    try:
        pid = int(_pid_of(log).read_text())
        os.killpg(pid, signal.SIGTERM)
    except (OSError, ValueError) as error:
        raise BadInput(f"expected a job that can be ended, got: {error}; it may have just ended") from error
    child = _CHILDREN.get(log)
    if child is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
    with log.open("ab") as file:
        file.write(f"\n{CANCELLED}\n".encode())


def words(log: Path) -> Words:
    """What a job said last."""
    try:
        lines = [line for line in log.read_text(errors="replace").replace("\r", "\n").splitlines() if line.strip()]
    except OSError:
        return Words()
    last = lines[-1].strip() if lines else ""
    found = _PROGRESS.fullmatch(last)
    return Words(last, int(found["done"]), int(found["of"])) if found else Words(last)


@contextlib.contextmanager
def turn(lesson: Path) -> Iterator[None]:
    """Compute as long as the block runs, after the lesson's jobs that came before."""
    place = lesson / "run" / "jobs.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(WAITING)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def tell(what: str, done: int, of: int) -> None:
    """Progress as a line of the log."""
    _say(f"{what} {done} of {of}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _pid_of(log: Path) -> Path:
    return log.with_suffix(".pid")
