"""The strip on every page: arm, who drives, novice, STOP. It owns the page's two sockets."""

from __future__ import annotations

from typing import Any

from pages.components.bundle import register, text

_MOUNT = register("strip", "arm_link.js", "host_link.js", "strip.js", ARM_WORKER=text("arm_worker.js"))


def strip(arm: dict[str, Any] | None, host: dict[str, Any] | None, cookies: dict[str, str]) -> bool:
    """Draw the strip; call it before the page, so that it stays mounted across pages.

    Args:
        arm: {"url", "port", "path", "token", "session"} of the arm's side port, or None while there is none.
        host: the same of the lesson host, with "teacher" and "lesson", or None.
        cookies: what is kept in this browser, so that a reload is the same person in the same lesson.

    Returns:
        Whether the addresses look old: ask for fresh ones and draw again.
    """
    data = {"arm": arm, "host": host, "cookies": cookies}
    result = _MOUNT(data=data, key="strip", on_stale_change=lambda: None, height="content")
    return bool(result.stale)
