"""Which cameras there are, by the names that `robot_io/cameras.py` opens."""

from __future__ import annotations

import os
from pathlib import Path

from robot_io.port import find_benches

EMULATED = "emulated:"
"""Before the folder of an emulated bench."""
REALSENSE = "realsense:"
"""Before the serial number of a RealSense depth camera."""


def find_cameras() -> list[str]:
    """Devices that may be cameras, those that ASKBACK_CAMERAS names, separated by commas, and emulated benches'.

    Named are films, and depth cameras, whose library is not asked what is plugged in: it would be loaded for a list.
    """
    named = os.environ.get("ASKBACK_CAMERAS", "").split(",")
    films = [name for name in named if name and (name.startswith(REALSENSE) or Path(name).exists())]
    benches = [f"{EMULATED}{folder}" for folder in find_benches()]
    return [str(path) for path in sorted(Path("/dev").glob("video*"))] + films + benches
