"""States of a scene that outlive the arm's process: one file each, whole or not there."""

from __future__ import annotations

import os
import re
from pathlib import Path

from robot_io.arm import ArmError

_NAME = re.compile(r"[0-9]{1,9}-[0-9a-f]{8}")
_ENDING = ".moment"


class KeyFrames:
    """Files in `DIR/moments`, named by tick and a few letters of chance."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "moments"

    def names(self) -> list[str]:
        """What is there, by name."""
        return sorted(path.stem for path in self._folder.glob(f"*{_ENDING}") if _NAME.fullmatch(path.stem))

    def keep(self, data: bytes, tick: int) -> str:
        """Write one, durably; returns its name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{max(tick, 0)}-{os.urandom(4).hex()}"
        whole = self._folder / f"{name}{_ENDING}"
        part = whole.with_suffix(".tmp")
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(whole)
        return name

    def read(self, name: str) -> bytes:
        """One of them; ArmError if there is none of that name."""
        path = self._folder / f"{name}{_ENDING}"
        if not _NAME.fullmatch(name) or not path.exists():
            raise ArmError(f"expected a kept moment among {self.names()[-5:]}, got {name[:40]!r}; keep one first")
        return path.read_bytes()
