"""Who serves a directory: a run file that says how to reach the process, and a lock that says there is only one."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

ENDED = "ended.json"
"""Beside the run file: why a process could not take what it was to serve."""


class RunFileError(Exception):
    """A run file that cannot be used; says which and what to do."""


class Owned(Exception):
    """Another process owns the directory; says which."""


@dataclass(frozen=True)
class RunFile:
    """How to reach a process, and the secret that buys its tokens."""

    pid: int
    port: int
    secret: str
    name: str
    started: float
    """Unix seconds."""
    birth: str = ""
    """When the kernel started that pid, in its own count; empty where the kernel does not tell."""


def run_path(directory: Path, kind: str) -> Path:
    """Where the run file of a kind ("arm", "host") lies."""
    return Path(directory) / "run" / f"{kind}.json"


def birth_of(pid: int) -> str | None:
    """When the kernel started a process, "" where it does not tell; None if it is not running."""
    if not Path("/proc/self/stat").exists():
        return _signalled(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _signalled(pid: int) -> str | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""


def write_run_file(directory: Path, kind: str, *, port: int, secret: str, name: str, started: float) -> RunFile:
    """Tell how this process is reached; whole or not at all, and for this user alone (mode 0600)."""
    run = RunFile(os.getpid(), port, secret, name, started, birth_of(os.getpid()) or "")
    path = run_path(directory, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{kind}-")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(run), file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return run


def read_run_file(directory: Path, kind: str) -> RunFile | None:
    """How the process of a directory is reached; None if there is no file. It may be stale: see `alive`."""
    path = run_path(directory, kind)
    try:
        fields = json.loads(path.read_text())
        return RunFile(**{name: fields[name] for name in RunFile.__dataclass_fields__ if name in fields})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise RunFileError(f"expected a run file in {path}, got something else ({error}); delete it") from error


def alive(run: RunFile) -> bool:
    """Whether the process that wrote it still runs; another process that got the same pid does not count."""
    birth = birth_of(run.pid)
    return birth is not None and (birth == run.birth or not run.birth)


def remove_run_file(directory: Path, kind: str) -> None:
    """At an orderly end; one that stays behind tells of a crash."""
    run_path(directory, kind).unlink(missing_ok=True)


@contextmanager
def own(directory: Path, kind: str) -> Iterator[bool]:
    """Own a directory as long as the block runs, by flock; the kernel lets go if the process dies.

    Yields:
        Whether the last owner crashed: it left its run file behind.

    Raises:
        Owned: somebody else does.
    """
    path = run_path(directory, kind).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Owned(_owned(directory, kind)) from None
        yield run_path(directory, kind).exists()


def _owned(directory: Path, kind: str) -> str:
    run = None
    with suppress(RunFileError):
        run = read_run_file(directory, kind)
    who = f"process {run.pid} ({run.name})" if run is not None else "another process"
    return f"expected {directory} to be free, but {who} is its {kind}; end that one first, or use another directory"
