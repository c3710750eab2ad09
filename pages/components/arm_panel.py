"""One arm, close up, on the Arms page: joints, limits, loads, hold-to-run, faults, cameras, calibration."""

from __future__ import annotations

from pages.components.bundle import register, text

_MOUNT = register(
    "arm_panel",
    *("arm_link.js", "skeleton.js", "camera_views.js", "walk.js", "sight.js", "arm_panel.js"),
    ARM_WORKER=text("arm_worker.js"),
)


def arm_panel(key: str) -> None:
    """Draw the panel of the arm that the strip is connected to.

    Args:
        key: names that arm: with another one the panel is drawn anew.
    """
    _MOUNT(data={"key": key}, key="arm-panel")
