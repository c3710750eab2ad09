"""Starts, finds and restarts the processes of lessons; used by the web process and by scripts.

A lesson is a directory under a home. Its arm and its host run in sessions of their own, so that a killed web process
leaves them running, and a restarted one finds them by their run files.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robot_io.glance import ask_health
from robot_io.remote import ask_token
from robot_io.run_files import RunFile, RunFileError, alive, read_run_file
from teaching.lesson import LessonConfig, starter
from teaching.replay import NotABuffer, ReplayBuffer
from teaching.replay.glance import Glance
from teaching.types import AskbackError, BadInput

KINDS = ("arm", "host")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,59}")


@dataclass(frozen=True)
class LessonSummary:
    """One line of the start page."""

    path: Path
    name: str
    task: str
    arm: str
    teacher: str
    episodes: int
    answers: int
    demonstrations: int
    changed: float
    """Unix seconds."""
    running: bool
    problem: str = ""
    """Why it cannot be opened; empty if it can."""
    kind: str = "plans"


def lesson_path(home: Path, name: str) -> Path:
    """Where a lesson of that name lies; BadInput unless the name is plain and stays within the home."""
    text = " ".join(str(name).split())
    if not _NAME.fullmatch(text):
        raise BadInput(
            "expected a name of up to 60 letters, digits, spaces, '.', '_' or '-', starting with a letter or digit"
        )
    path = (Path(home) / text.lower().replace(" ", "-")).resolve()
    if path.parent != Path(home).resolve():
        raise BadInput(f"expected a name that stays within {home}, got {name!r}")
    return path


def list_lessons(home: Path) -> list[LessonSummary]:
    """The lessons of a home, the latest first."""
    paths = [p for p in Path(home).iterdir() if (p / "lesson.json").is_file()] if Path(home).is_dir() else []
    return sorted((_summary(p) for p in paths), key=lambda s: -s.changed)


def _summary(path: Path) -> LessonSummary:
    changed = max((f.stat().st_mtime for f in (path / "lesson.json", path / "events.log") if f.exists()), default=0.0)
    try:
        with Glance(path) as found:
            config, columns = LessonConfig.from_json(found.columns.lesson), found.columns
            return LessonSummary(
                path, config.name, config.task, config.arm, config.teacher, found.episode_count,
                int(columns.decisions["answered"].sum()), int(columns.in_force.sum()), changed, running(path),
                kind=config.kind,
            )  # fmt: skip
    except (AskbackError, OSError, TypeError, sqlite3.Error) as error:
        return LessonSummary(path, path.name, "", "", "", 0, 0, 0, changed, False, str(error))


def create_lesson(home: Path, name: str, **config: Any) -> Path:
    """Make a lesson; its directory. BadInput if the name is taken or the config cannot be."""
    path = lesson_path(home, name)
    if path.exists():
        raise BadInput(f"expected a new name, but there is a lesson called {name!r}; open it, or take another name")
    lesson = LessonConfig.from_json({"name": " ".join(name.split()), **config})
    if lesson.start == "starter" and starter(lesson.task) is None:
        raise BadInput(f"expected to start {lesson.task} from nothing: the project has a starter for other tasks only")
    path.parent.mkdir(parents=True, exist_ok=True)
    ReplayBuffer.create(path, lesson.to_json()).close()
    return path


def asks(path: Path) -> str:
    """What a lesson that runs asks its teacher now: the open question's goal, "" if there is none."""
    run = _found(path, "host")
    if run is None:
        return ""
    try:
        return str(ask_health(run).get("asks", ""))
    except (OSError, ValueError):
        return ""


def kind_of(path: Path) -> str:
    """What a lesson's host runs, one of `teaching.lesson.KINDS`; plans if its config cannot be read."""
    try:
        values = json.loads((path / "lesson.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "plans"
    lesson = values.get("lesson") if isinstance(values, dict) else None
    return str(lesson.get("kind", "plans")) if isinstance(lesson, dict) else "plans"


def backup_command(path: Path) -> str:
    """What a person types to back a lesson up."""
    return f"python -m teaching backup {path} {path.name}.tar"


def running(path: Path) -> bool:
    """Whether the lesson's host runs."""
    return _found(path, "host") is not None


def _found(path: Path, kind: str) -> RunFile | None:
    try:
        run = read_run_file(path, kind)
    except RunFileError:
        return None
    return run if run is not None and alive(run) else None


def _command(path: Path, kind: str, origins: Iterable[str], port: int) -> list[str]:
    origin = [word for o in origins for word in ("--origin", o)]
    if kind == "host":
        return [sys.executable, "-m", "teaching.host", str(path), "--port", str(port), *origin]
    arm = LessonConfig.from_json(_lesson(path)).arm
    return [sys.executable, "-m", "robot_io.process", "--arm", arm, "--dir", str(path), "--port", str(port), *origin]


def _lesson(path: Path) -> Mapping[str, Any]:
    with ReplayBuffer(path, readonly=True) as buffer:
        return buffer.lesson


def _spawn(path: Path, kind: str, origins: Iterable[str], port: int) -> subprocess.Popen[bytes]:
    (path / "run").mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parent.parent
    with (path / "run" / f"{kind}.log").open("ab") as out:
        return subprocess.Popen(
            _command(path, kind, origins, port), cwd=root, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip


class Supervisor:
    """Keeps the processes of open lessons alive; one per web process."""

    def __init__(self, origins: Iterable[str] = (), *, arm_port: int = 0, host_port: int = 0) -> None:
        self.origins, self._ports = tuple(origins), {"arm": arm_port, "host": host_port}
        self._open: set[Path] = set()
        self._children: dict[tuple[Path, str], subprocess.Popen[bytes]] = {}
        self._failures: dict[tuple[Path, str], int] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()

    def open(self, path: Path) -> None:
        """Start what does not run of a lesson, and keep it running from now on; returns at once."""
        path = Path(path)
        if not (path / "lesson.json").is_file():
            raise NotABuffer(f"expected a lesson in {path}, got none; choose one of the list")
        with self._lock:
            self._open.add(path)
            for kind in KINDS:
                self._failures.pop((path, kind), None)
        self.look_after()

    def close(self, path: Path, patience: float = 20.0) -> None:
        """End a lesson in order: its host first, so that everything is committed, then its arm."""
        with self._lock:
            self._open.discard(Path(path))
        for kind in reversed(KINDS):
            end(Path(path), kind, patience)

    def attach(self, home: Path) -> None:
        """Look after the lessons of a home that run already."""
        for path in Path(home).iterdir() if Path(home).is_dir() else ():
            if (path / "lesson.json").is_file() and running(path):
                self.open(path)

    def look_after(self) -> None:
        """Start again what has ended; a process that dies three times in a row is left, and `trouble` says why."""
        with self._lock:
            for path in self._open:
                for kind in KINDS:
                    self._look(path, kind)

    def _look(self, path: Path, kind: str) -> None:
        key = (path, kind)
        child = self._children.get(key)
        if (child is not None and child.poll() is None) or _found(path, kind) is not None:
            return
        if child is not None and child.returncode == 0:
            self._open.discard(path)  # it ended in order, of its own accord
            del self._children[key]
            return
        if self._failures.get(key, 0) >= 3:
            return
        if child is not None:
            self._failures[key] = self._failures.get(key, 0) + 1
        self._children[key] = _spawn(path, kind, self.origins, self._ports[kind])

    def trouble(self, path: Path) -> str:
        """Why a lesson does not run: the last words of the process that ended; empty if nothing is wrong."""
        for kind in KINDS:
            if self._failures.get((Path(path), kind), 0) >= 3:
                return f"the {kind} process keeps ending: {last_words(Path(path), kind)}"
        return ""

    def watch(self, every: float = 1.0) -> None:
        """Look after everything in a thread of its own until `stop`."""

        def loop() -> None:
            while not self._end.wait(every):
                self.look_after()

        threading.Thread(target=loop, name="supervisor", daemon=True).start()

    def stop(self, *, lessons: bool) -> None:
        """Stop watching; with `lessons`, also end every open lesson in order."""
        self._end.set()
        if lessons:
            for path in list(self._open):
                self.close(path)


def end(path: Path, kind: str, patience: float = 20.0) -> None:
    """Ask a process to end in order, and insist after `patience` seconds."""
    import os
    import signal

    run = _found(path, kind)
    if run is None:
        return
    os.kill(run.pid, signal.SIGTERM)
    limit = time.monotonic() + patience
    while alive(run) and time.monotonic() < limit:
        time.sleep(0.05)
    if alive(run):
        os.kill(run.pid, signal.SIGKILL)


def last_words(path: Path, kind: str, most: int = 400) -> str:
    """The end of a process's log."""
    log = path / "run" / f"{kind}.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    return text[-most:].strip().splitlines()[-1] if text.strip() else "it said nothing"


def addresses(
    path: Path, session: str, teacher: str, *, side_url: str = "", host_url: str = "", role: str = "drive"
) -> dict[str, str]:
    """Where a page finds the lesson and its arm, with tokens of its own; empty strings for what does not run yet.

    Args:
        path: the lesson.
        session: of the browser's page.
        teacher: the person's name.
        side_url: where a proxy shows the arm's side port, `{name}` standing for the lesson; empty: same host, own port.
        host_url: the same for the lesson's host.
        role: "drive" or "watch".
    """
    found: dict[str, str] = {"session": session, "teacher": teacher}
    for kind, url, route in (("host", host_url, "lesson"), ("arm", side_url, "live")):
        run = _found(Path(path), kind)
        found[f"{kind}_token"] = ask_token(run.port, run.secret, session, role) if run else ""
        found[f"{kind}_port"] = str(run.port) if run else ""
        found[f"{kind}_url"] = (url.replace("{name}", Path(path).name).rstrip("/") + f"/{route}") if url and run else ""
    return found


def remove_lesson(path: Path) -> None:
    """Move a lesson that does not run to the home's trash, from where a person may take it back."""
    if running(path):
        raise BadInput("expected a lesson that does not run; close it first")
    trash = path.parent / ".trash"
    trash.mkdir(exist_ok=True)
    shutil.move(str(path), str(trash / f"{path.name}-{int(time.time())}"))
