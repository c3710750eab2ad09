"""The Rollout card: live views, timeline, take-over and teleoperation; it talks to arm and host by itself."""

from __future__ import annotations

from typing import Any

from pages.components.bundle import register, text

_MOUNT = register(
    "rollout",
    *("arm_link.js", "host_link.js", "overlay.js", "keys.js", "sound.js", "told.js", "panels.js"),
    *("rollout_past.js", "rollout_view.js", "rollout_drive.js", "rollout_timeline.js", "rollout_told.js"),
    *("rollout_face.js", "rollout_scrub.js", "rollout.js"),
    styles=("question.css",),
    ARM_WORKER=text("arm_worker.js"),
)


def rollout(
    arm: dict[str, Any] | None,
    host: dict[str, Any] | None,
    keymap: list[dict[str, Any]],
    explained: dict[str, str],
) -> None:
    """Draw the card.

    Args:
        arm: where live pictures come from and driving goes, as for the strip; None if there is no arm.
        host: where intents go, as for the strip.
        keymap: `pages.keymap.as_data` of the page.
        explained: one line about each setting of the gate, for its tooltip.
    """
    _MOUNT(data={"arm": arm, "host": host, "keymap": keymap, "help": explained}, key="rollout")
