"""Kill a process of a running lesson with SIGKILL, many times, in mid-lesson; count what was lost.

`python -m benchmarks.kill [--times 50] [--kinds arm host trainer web]`. A person answers all the while. After every
kill every acknowledged answer is read back from the files, and the lesson must go on. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException

from robot_io.arm import ArmError
from robot_io.remote import RemoteArm
from robot_io.run_files import RunFileError, read_run_file
from teaching import supervisor
from teaching.channel import Channel
from teaching.replay import ReplayBuffer
from teaching.types import AskbackError

PATIENCE = 90.0


class Person:
    """Answers whatever is asked until told to stop; remembers what was acknowledged."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.rng = path, random.Random(seed)
        self.acknowledged: dict[str, int] = {}
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.end.is_set():
            try:
                with Channel(self.path, session="person") as page:
                    self._answer(page)
            except (AskbackError, ArmError, RunFileError, WebSocketException, OSError):
                time.sleep(0.2)  # a killed process; it comes back

    def _answer(self, page: Channel) -> None:
        last = None
        while not self.end.is_set():
            question = page.question(5.0, after=last)
            last = question["id"]
            verdict = self.rng.choice(["valid", "invalid"])
            more: dict[str, Any] = {}
            if verdict == "invalid" and question["relabels"]:
                more["relabel"] = question["relabels"][0]
            sequence = page.intend("answer", query=last, verdict=verdict, seconds=1.0, timeout=10.0, **more)
            self.acknowledged[str(last)] = int(sequence or 0)


def pids_of(path: Path) -> dict[str, int]:
    """The processes of a lesson."""
    found = {kind: run.pid for kind in ("arm", "host") if (run := read_run_file(path, kind))}
    out = subprocess.run(["pgrep", "-f", f"teaching.learner {path}"], capture_output=True, text=True, check=False)
    if out.stdout.split():
        found["trainer"] = int(out.stdout.split()[0])
    return found


def release(path: Path) -> None:
    """A person releases an arm that came back latched."""
    arm = RemoteArm(path, session="person")
    arm.reconnect()
    arm.release()
    arm.disconnect()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--kinds", nargs="+", default=["arm", "host", "trainer", "web"])
    parser.add_argument("--arm", default="fake:table")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    home = Path(tempfile.mkdtemp(prefix="askback-kill-"))
    path = supervisor.create_lesson(home, "kill", arm=given.arm, start="nothing")
    web = start_web(home)
    keeper = supervisor.Supervisor(["http://127.0.0.1:8501"])
    keeper.open(path)
    keeper.watch(0.2)
    wait(lambda: supervisor.running(path), "the lesson to start")
    person = Person(path, given.seed)
    wait(lambda: len(person.acknowledged) >= 2, "the first answers")
    result: dict[str, Any] = {"times": given.times, "arm": given.arm, "kinds": {}}
    for kind in given.kinds:
        lost, late = 0, 0
        for _ in range(given.times):
            time.sleep(rng.uniform(0.05, 1.0))
            before = len(person.acknowledged)
            web = kill(kind, path, home, web)
            if kind == "arm":
                wait(lambda: supervisor._found(path, "arm") is not None, "the arm to come back")
                release(path)
            for process in ("arm", "host"):
                keeper._failures.pop((path, process), None)  # these deaths are ours, not its own
            wait(lambda before=before: len(person.acknowledged) > before + 1, f"answers after killing the {kind}")
            with ReplayBuffer(path, readonly=True) as reader:
                known = set(reader.answers())
                lost += len([d for d in list(person.acknowledged)[: before + 1] if d not in known])
                late += bool(reader.log_damage())
        result["kinds"][kind] = {"killed": given.times, "acknowledged_lost": lost, "log_damaged": late}
        print(json.dumps({kind: result["kinds"][kind]}), flush=True)
    person.end.set()
    person.thread.join(30)
    keeper.close(path)
    web.kill()
    with ReplayBuffer(path) as buffer:
        report = buffer.verify()
        lost = sorted(set(person.acknowledged) - set(buffer.answers()))
        result |= {"answers": len(person.acknowledged), "lost": len(lost), "whole": report.whole}
    print(json.dumps(result))


def start_web(home: Path) -> subprocess.Popen[bytes]:
    """The web process, over the same home."""
    environment = os.environ | {"ASKBACK_HOME": str(home)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "8599", "--server.headless", "true"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*command, "--server.address", "127.0.0.1"], env=environment, stdout=quiet, stderr=quiet)


def kill(kind: str, path: Path, home: Path, web: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Kill one process; the web process, which nobody else looks after here, is started again."""
    if kind == "web":
        web.kill()
        web.wait()
        return start_web(home)
    wait(lambda: killed(pids_of(path).get(kind)), f"a {kind} to kill")
    return web


def killed(pid: int | None) -> bool:
    """Whether there was such a process to kill; a run file may tell of one that is gone."""
    try:
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def wait(until: Any, what: str) -> None:
    """Until it holds; a SystemExit says what did not come about."""
    end = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > end:
            raise SystemExit(f"expected {what} within {PATIENCE:g} s")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
