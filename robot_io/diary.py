"""The last minute of an arm, for whoever has to find out what went wrong."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

SECONDS = 60.0
EVERY = 0.2
"""Seconds between two entries that say the same."""


class Diary:
    """Entries of the last minute, oldest first; every change of the phase or its reason is one. Thread-safe."""

    def __init__(self, seconds: float = SECONDS, every: float = EVERY) -> None:
        self._seconds, self._every = seconds, every
        self._entries: deque[Mapping[str, Any]] = deque()
        self._lock = Lock()

    def add(self, entry: Mapping[str, Any]) -> None:
        """One more; `time` (seconds), `phase` and `why` have to be in it."""
        with self._lock:
            last = self._entries[-1] if self._entries else None
            same = last is not None and (last["phase"], last["why"]) == (entry["phase"], entry["why"])
            if same and last is not None and 0 <= entry["time"] - last["time"] < self._every:
                return
            self._entries.append(dict(entry))
            while self._entries and entry["time"] - self._entries[0]["time"] > self._seconds:
                self._entries.popleft()

    def entries(self) -> list[Mapping[str, Any]]:
        """All of them."""
        with self._lock:
            return list(self._entries)

    def save(self, path: Path) -> None:
        """Into a file, whole or not at all, one entry a line."""
        lines = [json.dumps(entry) for entry in self.entries()]
        beside = path.with_suffix(".tmp")
        with beside.open("w") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
