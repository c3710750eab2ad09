"""The arms that a person keeps: each is a folder with an entry, and a process while it is connected.

A page starts and ends arms here; what runs is found again by its run file. An arm that crashes is started again and
comes back latched; one that cannot be taken at all (wrong port, wrong arm, not calibrated) is left, and says why.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from robot_io.advice import advise
from robot_io.cameras import find_cameras
from robot_io.entries import CALIBRATE, ENTRY, LEADER, RUN, WIRED_KINDS, mode_of, named, read, write
from robot_io.entries import Entry as Entry
from robot_io.errors import ArmError, ArmNotFound, CameraError
from robot_io.launch import end
from robot_io.launch import running as running
from robot_io.port import find_ports, need_leader
from robot_io.run_files import ENDED

IDENTITY = "identity"
SIMULATED = ("sim:panda",)
CRASHES = 3
PATIENCE = 30.0
"""Seconds that a process may take to park and end."""
CALIBRATED = 3
"""Exit status of a process whose calibration is done."""
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,39}")


class Fleet:
    """The arms in a folder; one per web process."""

    def __init__(self, home: Path, origins: Iterable[str] = (), *, ports: Callable[[], Iterable[Any]] = find_ports):
        self.home, self.origins, self._ports = Path(home), tuple(origins), ports
        self._wanted: dict[Path, str] = {}
        self._children: dict[Path, subprocess.Popen[bytes]] = {}
        self._crashes: dict[Path, int] = {}
        self._parting: dict[Path, threading.Thread] = {}
        self._lock = threading.RLock()
        self._end = threading.Event()

    def entries(self) -> list[Entry]:
        """All of them, by title; damaged ones are left out."""
        files = sorted(self.home.glob(f"*/{ENTRY}")) if self.home.is_dir() else []
        return sorted((e for e in map(read, files) if e is not None), key=lambda e: e.title.lower())

    def entry(self, slug: str) -> Entry | None:
        """The one whose folder has that name."""
        return next((entry for entry in self.entries() if entry.path.name == slug), None)

    def add(
        self, title: str, kind: str, port: str = "", cameras: Mapping[str, str] | None = None, leader: str = ""
    ) -> Entry:
        """Keep an arm from now on; `leader` is the port of the arm that a hand may drive it by.

        Raises:
            ArmError: the title is taken or cannot be a folder's name.
            ArmNotFound: the port is none of those that are there; nothing else is ever opened.
        """
        title = _titled(title)
        _need_cameras((cameras or {}).values())
        path = self.home / title.lower().replace(" ", "-")
        if path.exists():
            raise ArmError(f"expected a new title, but there is an arm called {title!r}; choose another one")
        need_leader(leader, kind, port, [found.path for found in self._ports()])
        entry = Entry(path, self._name(kind, port), title, dict(cameras or {}), leader)
        path.mkdir(parents=True)
        write(entry)
        return entry

    def _name(self, kind: str, port: str) -> str:
        if kind in SIMULATED:
            return kind
        there = [found.path for found in self._ports()]
        if kind not in WIRED_KINDS or port not in there:
            raise ArmNotFound(
                f"expected a kind among {', '.join((*WIRED_KINDS, *SIMULATED))} and a port among "
                f"{', '.join(there) or 'none'}, got {kind!r} at {port!r}; look again for ports"
            )
        return f"{kind}:{port}"

    def change(self, entry: Entry, **changes: Any) -> Entry:
        """Change what is kept of an arm; a new port or camera has to be there. Its folder keeps its name."""
        if "title" in changes:
            changes["title"] = _titled(changes["title"])
        _need_cameras(set(changes.get("cameras", {}).values()) - set(entry.cameras.values()))
        if "port" in changes:
            changes["name"] = self._name(entry.kind, changes.pop("port"))
        changed = replace(entry, **changes)
        write(changed)
        return changed

    def forget(self, entry: Entry) -> None:
        """Disconnect it and move what is kept of it to the trash, from where a person may take it back."""
        self.disconnect(entry)
        trash = self.home / ".trash"
        trash.mkdir(exist_ok=True)
        shutil.move(str(entry.path), str(trash / f"{entry.path.name}-{int(time.time())}"))

    def connect(self, entry: Entry, *, calibrate: bool = False, leader: bool = False) -> None:
        """Start its process, and keep it running from now on; returns at once.

        Args:
            entry: the arm.
            calibrate: for the walk only.
            leader: for the walk of its leader arm.
        """
        if calibrate and not entry.can_be_calibrated:
            raise ArmError(
                f"expected an arm of servos to calibrate, got {entry.name}; a line arm's board knows its own"
            )
        if leader and not entry.leader:
            raise ArmError(
                f"expected an arm with a leader, got {entry.title!r} without one; add it again with its leader"
            )
        with self._lock:
            self._wanted[entry.path] = LEADER if leader else CALIBRATE if calibrate else RUN
            self._crashes.pop(entry.path, None)
        self.look_after()

    def disconnect(self, entry: Entry, *, wait: bool = True) -> None:
        """End its process in order: it parks first. One that does not end in time is killed."""
        with self._lock:
            self._wanted.pop(entry.path, None)
            ended_file(entry.path).unlink(missing_ok=True)
            ending = self._part(entry.path)
        if wait:
            ending.join()

    def _part(self, path: Path) -> threading.Thread:
        """End a process, aside; the same one is not ended twice."""
        thread = self._parting.get(path)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=end, args=(path, PATIENCE, self._children.get(path)), daemon=True)
            self._parting[path] = thread
            thread.start()
        return thread

    def attach(self) -> None:
        """Look after those that run already. None is started: no arm gets torque because a computer was switched on."""
        for entry in self.entries():
            run = running(entry.path)
            if run is not None:
                self._wanted[entry.path] = mode_of(entry, run.name)

    def look_after(self) -> None:
        """Start what is wanted and does not run."""
        with self._lock:
            for entry in self.entries():
                if entry.path in self._wanted:
                    self._look(entry)

    def _look(self, entry: Entry) -> None:
        child, run = self._children.get(entry.path), running(entry.path)
        if run is not None and mode_of(entry, run.name) != self._wanted[entry.path]:
            self._part(entry.path)
        if self.parting(entry) or (child is not None and child.poll() is None) or run is not None:
            return
        if child is not None:
            del self._children[entry.path]
            if child.returncode == CALIBRATED:
                self._wanted[entry.path] = RUN
            elif entry.path in self._parting:
                del self._parting[entry.path]  # it was ended to be started again
            elif child.returncode in (0, 2):  # it ended in order, or its arm cannot be taken
                del self._wanted[entry.path]
                return
            else:
                self._crashes[entry.path] = self._crashes.get(entry.path, 0) + 1
        if self._crashes.get(entry.path, 0) < CRASHES:
            self._children[entry.path] = _spawn(entry, self._wanted[entry.path], self.origins)

    def wanted(self, entry: Entry) -> bool:
        """Whether somebody wants it to be connected."""
        return entry.path in self._wanted

    def parting(self, entry: Entry) -> bool:
        """Whether its process is just being ended."""
        return entry.path in self._parting and self._parting[entry.path].is_alive()

    def starting(self, entry: Entry) -> bool:
        """Whether it was asked to connect and does not answer yet."""
        return entry.path in self._wanted and running(entry.path) is None

    def trouble(self, entry: Entry) -> dict[str, str] | None:
        """Why it is not connected although somebody wanted it to be: as `advise`; None if nothing is wrong."""
        if self._crashes.get(entry.path, 0) >= CRASHES:
            return advise("ArmError: its process ended three times in a row; save the diagnostics, they hold its log")
        try:
            return advise(str(json.loads(ended_file(entry.path).read_text())["why"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def watch(self, every: float = 0.5) -> None:
        """Look after everything in a thread of its own until `stop`."""

        def loop() -> None:
            while not self._end.wait(every):
                self.look_after()

        threading.Thread(target=loop, name="fleet", daemon=True).start()

    def stop(self) -> None:
        """End every arm in order."""
        self._end.set()
        for entry in self.entries():
            self.disconnect(entry, wait=False)
        for thread in list(self._parting.values()):
            thread.join()


def _titled(title: Any) -> str:
    words = " ".join(str(title).split())
    if not _TITLE.fullmatch(words):
        raise ArmError("expected a title of up to 40 letters, digits, spaces, '.', '_' or '-'; choose another one")
    return words


def _need_cameras(sources: Iterable[str]) -> None:
    strange = set(sources) - set(find_cameras())
    if strange:
        raise CameraError(f"expected cameras that are there, got {', '.join(sorted(strange))}; look again")


def ended_file(path: Path) -> Path:
    """Where a process that could not take its arm says why."""
    return path / "run" / ENDED


def _spawn(entry: Entry, mode: str, origins: Iterable[str]) -> subprocess.Popen[bytes]:
    (entry.path / "run").mkdir(parents=True, exist_ok=True)
    ended_file(entry.path).unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "robot_io.process",
        "--arm",
        named(entry, mode),
        "--dir",
        str(entry.path.resolve()),
    ]
    if mode != LEADER:
        command += ["--identity", str(entry.path.resolve() / IDENTITY)]
    command += [word for origin in origins for word in ("--origin", origin)]
    if mode == RUN:
        command += [word for camera, source in entry.cameras.items() for word in ("--camera", f"{camera}={source}")]
    with (entry.path / "run" / "arm.log").open("ab") as out:
        return subprocess.Popen(
            command, cwd=Path(__file__).resolve().parent.parent, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
