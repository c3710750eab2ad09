"""A copy of a closed lesson that goes on under other settings: several protocols from the same start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from teaching.replay import nouns
from teaching.replay.disk import Disk
from teaching.replay.file import SCHEMA
from teaching.replay.shelf import Shelf
from teaching.types import BadInput

LEFT = ("run", "index.sqlite*", "lesson.json")
"""Not copied: where processes meet, what is made anew from the log, and what is written with the changes."""


def branch(path: Path, out: Path, changes: Mapping[str, Any]) -> None:
    """Copy a lesson that nobody writes to; all of it or nothing.

    Args:
        path: the lesson.
        out: the copy; BadInput if something is there.
        changes: settings of the copy that differ.
    """
    lesson = Shelf(path, Disk()).lesson()
    if unknown := set(changes) - set(lesson):
        raise BadInput(f"expected settings that the lesson has, got {', '.join(sorted(unknown))}")
    if out.exists():
        raise BadInput(f"expected a new place for the copy, but {out} is there; choose another")
    beside = out.with_name(f"{out.name}.{os.getpid()}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(path, beside, ignore=shutil.ignore_patterns(*LEFT))
    Disk().publish(beside / "lesson.json", nouns.to_bytes({"schema": SCHEMA, "lesson": {**lesson, **changes}}))
    beside.replace(out)
