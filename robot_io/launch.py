"""Start an arm process and wait until it answers; find one that runs, and end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from robot_io.arm import ArmError
from robot_io.run_files import RunFile, RunFileError, alive, read_run_file


def launch(
    arm: str,
    directory: Path,
    *,
    origins: Sequence[str] = (),
    own_session: bool = False,
    port: int = 0,
    patience: float = 60.0,
    more: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start `python -m robot_io.process` and wait for its run file.

    Args:
        arm: its name, such as sim:panda.
        directory: what it is locked by.
        origins: of the pages that may connect.
        own_session: it outlives this process (under the app); else it ends with this one.
        port: of the side port; 0 takes a free one.
        patience: seconds.
        more: further arguments.

    Returns:
        The process; its run file is there.

    Raises:
        ArmError: it did not start; the message is its own.
    """
    directory = Path(directory).resolve()
    (directory / "run").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "robot_io.process", "--arm", arm, "--dir", str(directory), "--port", str(port)]
    command += [part for origin in origins for part in ("--origin", origin)]
    command += [] if own_session else ["--parent-pid", str(os.getpid())]
    log = directory / "run" / "arm.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*command, *more],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=own_session,
            cwd=Path(__file__).parent.parent,
        )
    _wait(process, directory, patience, log)
    return process


def _wait(process: subprocess.Popen[bytes], directory: Path, patience: float, log: Path) -> None:
    end = time.monotonic() + patience
    while True:
        run = read_run_file(directory, "arm")
        if run is not None and run.pid == process.pid and alive(run):
            return
        if process.poll() is not None:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise ArmError(last[0] if last else f"the arm process ended with status {process.returncode}; see {log}")
        if time.monotonic() > end:
            process.kill()
            process.wait()
            raise ArmError(f"expected the arm process to be ready within {patience:g} s; see {log}")
        time.sleep(0.01)


def running(path: Path) -> RunFile | None:
    """The run file of the arm's process, if it runs."""
    try:
        run = read_run_file(path, "arm")
    except RunFileError:
        return None
    return run if run is not None and alive(run) else None


def end(path: Path, patience: float, child: subprocess.Popen[bytes] | None = None) -> None:
    """Ask a folder's process to end in order, and insist after `patience` seconds."""
    run = running(path)
    if run is None and (child is None or child.poll() is not None):
        return
    pid = run.pid if run is not None else (child.pid if child else 0)
    os.kill(pid, signal.SIGTERM)
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        gone = child.poll() is not None if child is not None and child.pid == pid else running(path) is None
        if gone:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
