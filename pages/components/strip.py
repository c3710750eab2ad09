"""The strip on every page: arm, who drives, novice, STOP. It owns the page's two sockets."""

from __future__ import annotations

from typing import Any

from pages.components.bundle import register, text

_MOUNT = register("strip", "arm_link.js", "host_link.js", "strip.js", ARM_WORKER=text("arm_worker.js"))


def strip(arm: dict[str, Any] | None, host: dict[str, Any] | None, session: str) -> bool:
    """Draw the strip; call it before the page, so that it stays mounted across pages.

    Args:
        arm: {"url", "token", "session"} of the arm's side port, or None while no lesson is open.
        host: {"url", "token", "session", "teacher", "lesson"} of the lesson host, or None.
        session: who this browser is; kept in a cookie so that a reload is the same person.

    Returns:
        Whether the addresses look old: ask for fresh ones and draw again.
    """
    data = {"arm": arm, "host": host, "session": session}
    result = _MOUNT(data=data, key="strip", on_stale_change=lambda: None, height="content")
    return bool(result.stale)
