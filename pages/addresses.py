"""Where the browser reaches the arm and the lesson host, as component data: by port, or under a proxy's paths.

Read from the environment: ASKBACK_SIDE_URL and ASKBACK_HOST_URL (`/arm/{name}/`, `/host/{name}/`), and
ASKBACK_ALLOW_ORIGIN.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from robot_io.fleet import running
from robot_io.remote import ask_token
from teaching import supervisor

HOME = "datasets/lessons"
Address = dict[str, str]


def home() -> Path:
    """The directory in which the lessons lie."""
    return Path(os.environ.get("ASKBACK_HOME") or HOME).resolve()


def allowed_origins() -> tuple[str, ...]:
    """Further origins that pages may be opened under, as given by the person who started the app."""
    return tuple(part.strip() for part in os.environ.get("ASKBACK_ALLOW_ORIGIN", "").split(",") if part.strip())


def lesson_addresses(path: Path, session: str, teacher: str) -> dict[str, Address | None]:
    """Component data of both sockets of a lesson; None for a process that does not answer yet.

    Args:
        path: the lesson.
        session: this browser's.
        teacher: who answers.
    """
    side, host = os.environ.get("ASKBACK_SIDE_URL", ""), os.environ.get("ASKBACK_HOST_URL", "")
    found = supervisor.addresses(path, session, teacher, side_url=side, host_url=host)
    who = {"teacher": teacher, "lesson": path.name}
    return {"arm": _address(found, "arm", "live", {}), "host": _address(found, "host", "lesson", who)}


def _address(found: Mapping[str, str], kind: str, route: str, more: Address) -> Address | None:
    if not found[f"{kind}_token"]:
        return None
    named = {name: found[f"{kind}_{name}"] for name in ("url", "port", "token")}
    return {**named, "path": route, "session": found["session"], **more}


def arm_address(path: Path, session: str) -> Address | None:
    """Component data of the side port of the arm in a folder; None while it does not run.

    Args:
        path: its folder.
        session: this browser's.
    """
    run = running(path)
    if run is None:
        return None
    side = os.environ.get("ASKBACK_SIDE_URL", "")
    url = side.replace("{name}", path.name).rstrip("/") + "/live" if side else ""
    token = ask_token(run.port, run.secret, session, "drive")
    return {"url": url, "port": str(run.port), "token": token, "path": "live", "session": session}
