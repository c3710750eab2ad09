"""Two films of the same frozen scene, side by side on one clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pages.components.bundle import register

_MOUNT = register("films", "reel.js", "films.js")


def films(name: str, before: Mapping[str, Any], after: Mapping[str, Any], captions: tuple[str, str]) -> None:
    """Draw them.

    Args:
        name: of the pair; another one starts anew.
        before: as `teaching.films.for_browser` gives it.
        after: likewise.
        captions: over each.
    """
    _MOUNT(data={"name": name, "before": before, "after": after, "captions": list(captions)}, key="films")
