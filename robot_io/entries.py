"""What is kept of an arm that a person keeps, and under which name its process runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

ENTRY = "entry.json"
WIRED_KINDS = ("feetech", "so101", "so100", "dynamixel", "line")
"""Kinds of arms at a port that may be chosen on a page."""
CALIBRATES = ("feetech", "so101", "so100", "dynamixel")
RUN, CALIBRATE, LEADER = "run", "calibrate", "calibrate leader"
"""What a process is wanted for."""


@dataclass(frozen=True)
class Entry:
    """One arm that a person keeps."""

    path: Path
    name: str
    """As `make_arm` knows it: kind:port."""
    title: str
    """What people call it."""
    cameras: Mapping[str, str] = field(default_factory=dict)
    """Name → source."""
    leader: str = ""
    """The port of the leader arm that it may be driven by; "" if there is none."""

    @property
    def kind(self) -> str:
        """Before the colon of its name."""
        return self.name.partition(":")[0]

    @property
    def port(self) -> str:
        """Where it is plugged in; "" for a simulated arm."""
        return self.name.partition(":")[2] if self.kind in WIRED_KINDS else ""

    @property
    def can_be_calibrated(self) -> bool:
        """Whether it has a guided calibration."""
        return self.kind in CALIBRATES


def read(file: Path) -> Entry | None:
    """An entry; None if it is damaged."""
    try:
        kept = {"leader": "", **json.loads(file.read_text())}
        return Entry(file.parent, str(kept["name"]), str(kept["title"]), dict(kept["cameras"]), str(kept["leader"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(entry: Entry) -> None:
    """Keep it, whole or not at all."""
    fields = {name: value for name, value in asdict(entry).items() if name != "path"}
    beside = entry.path / f".{ENTRY}"
    with beside.open("w") as file:
        json.dump(fields, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(entry.path / ENTRY)


def mode_of(entry: Entry, running: str) -> str:
    """What a process that runs under that name is for."""
    if not running.startswith("calibrate:"):
        return RUN
    port = running.partition(":")[2].partition(",")[0]
    return LEADER if entry.leader and port == entry.leader else CALIBRATE


def named(entry: Entry, mode: str) -> str:
    """The name of the arm that a process is started with."""
    if mode == LEADER:
        return f"calibrate:{entry.leader}"  # a leader is what its servos carry; there is no file of it
    if mode == CALIBRATE and entry.kind == "dynamixel":
        return f"calibrate:{entry.port},servos=dynamixel"
    if mode == CALIBRATE:
        return f"calibrate:{entry.port},id={entry.path.name}"
    return f"{entry.name},leader={entry.leader}" if entry.leader else entry.name
