"""One arm at a glance, asked of its process: what it does, why, and who drives it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from robot_io.fleet import running
from robot_io.run_files import RunFile

PATIENCE = 0.5
"""Seconds; a process that hangs must not hang who asks."""


@dataclass(frozen=True)
class Glance:
    """What an operator wants to know of one of several arms."""

    name: str
    phase: str
    """As `Phase`, or "silent": its process runs but does not answer."""
    why: str = ""
    driver: str = ""
    """The session that holds the lease, "" if nobody does."""
    asking: str = ""
    """The session that asks for the lease."""
    watchers: int = 0
    controller: str = "nobody"
    capabilities: tuple[str, ...] = ()


def glance(path: Path) -> Glance | None:
    """The arm of a folder; None if its process does not run."""
    run = running(path)
    if run is None:
        return None
    try:
        told = ask_health(run)
        return Glance(
            str(told["name"]),
            str(told["state"]),
            str(told["why"]),
            str(told.get("driver") or ""),
            str(told.get("asking") or ""),
            int(told.get("watchers", 0)),
            str(told.get("controller", "nobody")),
            tuple(told.get("capabilities", ())),
        )
    except (URLError, OSError, ValueError, KeyError, TypeError):
        return Glance(run.name, "silent", "its process does not answer")


def diary(path: Path) -> list[Mapping[str, Any]] | None:
    """The last minute of the arm of a folder; None if its process does not run or answer."""
    found = _of(path, "diary")
    return None if found is None else list(found.get("entries", []))


def shape(path: Path) -> Mapping[str, Any] | None:
    """Where the parts of the arm of a folder are, and what it reaches; None if its process does not run or answer.

    {"points": (K, 3), "reach": (N, 3), "workspace": (2, 3), "joints": (J,)} as lists, metres and radians.
    """
    return _of(path, "shape")


def _of(path: Path, what: str) -> Mapping[str, Any] | None:
    run = running(path)
    try:
        return None if run is None else ask_health(run, 5.0, what)
    except (OSError, ValueError):
        return None


def ask_health(run: RunFile, timeout: float = PATIENCE, what: str = "health") -> dict[str, Any]:
    """`GET /health` of a process, with its secret; OSError or ValueError if it does not answer with an object."""
    request = Request(f"http://127.0.0.1:{run.port}/{what}", headers={"X-Askback-Secret": run.secret})
    with urlopen(request, timeout=timeout) as response:
        told = json.load(response)
    if not isinstance(told, dict):
        raise ValueError(f"expected an object, got {type(told).__name__}")
    return told
