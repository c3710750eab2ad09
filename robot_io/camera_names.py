"""Which cameras there are, by the names that `robot_io/cameras.py` opens."""

from __future__ import annotations

import os
from pathlib import Path

from robot_io.port import find_benches

EMULATED = "emulated:"
"""Before the folder of an emulated bench."""


def find_cameras() -> list[str]:
    """Devices that may be cameras, films that ASKBACK_CAMERAS names, separated by commas, and emulated benches'."""
    films = [path for path in os.environ.get("ASKBACK_CAMERAS", "").split(",") if path and Path(path).exists()]
    benches = [f"{EMULATED}{folder}" for folder in find_benches()]
    return [str(path) for path in sorted(Path("/dev").glob("video*"))] + films + benches
