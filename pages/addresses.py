"""Where the browser reaches the arm and the lesson host: from the supervisor, or under a proxy's paths.

Read from the environment: ASKBACK_SIDE_URL and ASKBACK_HOST_URL (`/arm/{name}/`, `/host/{name}/`), and
ASKBACK_ALLOW_ORIGIN.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

HOME = "datasets/lessons"


def home() -> Path:
    """The directory in which the lessons lie."""
    return Path(os.environ.get("ASKBACK_HOME") or HOME).resolve()


def allowed_origins() -> tuple[str, ...]:
    """Further origins that pages may be opened under, as given by the person who started the app."""
    return tuple(part.strip() for part in os.environ.get("ASKBACK_ALLOW_ORIGIN", "").split(",") if part.strip())


def web_origins(port: int) -> tuple[str, ...]:
    """Every origin that our own pages can have: what the arm and the host are told to accept."""
    return (f"http://localhost:{port}", f"http://127.0.0.1:{port}", *allowed_origins())


def outside(url: str, variable: str, name: str) -> str:
    """The address as a browser sees it: the proxy's path for that lesson, or the address itself."""
    template = os.environ.get(variable, "")
    return template.replace("{name}", quote(name, safe="")) if template else url


def for_browser(found: Mapping[str, str], *, name: str, session: str, teacher: str) -> dict[str, dict[str, str]]:
    """Component data for both sockets of a lesson.

    Args:
        found: `host_url`, `host_token`, `arm_url`, `arm_token` of the supervisor.
        name: the lesson's.
        session: this browser's.
        teacher: who answers.
    """
    arm = {"url": outside(found["arm_url"], "ASKBACK_SIDE_URL", name), "token": found["arm_token"], "session": session}
    host = {
        "url": outside(found["host_url"], "ASKBACK_HOST_URL", name),
        "token": found["host_token"],
        "session": session,
        "teacher": teacher,
        "lesson": name,
    }
    return {"arm": arm, "host": host}
