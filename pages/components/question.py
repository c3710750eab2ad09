"""The Teach card: a question, its plan over the picture, and its answers, straight to the lesson host."""

from __future__ import annotations

import json
from typing import Any

from pages.components.bundle import HERE, register, text

_MOUNT = register(
    "question",
    *(
        "arm_link.js",
        "host_link.js",
        "draft.js",
        "overlay.js",
        "cursor.js",
        "canvas.js",
        "keys.js",
        "sound.js",
        "side_view.js",
    ),
    *("told.js", "panels.js", "practice.js", "card_face.js", "question.js"),
    ARM_WORKER=text("arm_worker.js"),
)


def practice() -> list[dict[str, Any]]:
    """Questions with known answers for a first visit, made from pictures of the simulated table."""
    path = HERE / "practice.json"
    questions: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return questions


def question(
    arm: dict[str, Any] | None,
    host: dict[str, Any] | None,
    keymap: list[dict[str, Any]],
    explained: dict[str, str],
    questions: list[dict[str, Any]] | None = None,
) -> None:
    """Draw the card.

    Args:
        arm: where the live pictures come from, as for the strip; None if there is no arm.
        host: where answers go, as for the strip.
        keymap: `pages.keymap.as_data` of the page.
        explained: one line about each setting of the gate, for its tooltip.
        questions: the practice questions; those of `practice` if None.
    """
    data = {
        "arm": arm,
        "host": host,
        "keymap": keymap,
        "help": explained,
        "practice": practice() if questions is None else questions,
    }
    _MOUNT(data=data, key="question")
