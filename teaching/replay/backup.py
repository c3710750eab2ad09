"""A lesson as one tar file, whole even while its host goes on writing."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from teaching.replay.disk import TEMPORARY, Disk
from teaching.replay.shelf import NotABuffer
from teaching.types import BadInput


def backup(path: Path, out: Path) -> int:
    """Write `out`, beside first; its size in bytes.

    The log is read first: every file that it commits is there by then and never changes, and a question that was folded
    into its episode meanwhile is found in the episodes, which come last. What is newer than the log is adopted when the
    backup is opened.

    Raises:
        NotABuffer: no lesson there.
        BadInput: `out` is there already.
    """
    if not (path / "lesson.json").is_file():
        raise NotABuffer(f"expected a lesson in {path}, found none")
    if out.exists():
        raise BadInput(f"expected a new file, but {out} is there; give another name")
    beside = out.with_name(out.name + TEMPORARY)
    try:
        with tarfile.open(beside, "w") as tar:
            for item in _members(path):
                _add(tar, item, f"{path.resolve().name}/{item.relative_to(path)}")
        with beside.open("rb") as file:
            Disk().sync(file.fileno())
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return out.stat().st_size


def _members(path: Path) -> Iterator[Path]:
    yield path / "lesson.json"
    yield path / "events.log"
    for folder in ("pending", "episodes", "checkpoints", "quarantine"):
        yield path / folder
        for item in sorted((path / folder).rglob("*")):
            if TEMPORARY not in item.name and not any(TEMPORARY in p.name for p in item.relative_to(path).parents):
                yield item


def _add(tar: tarfile.TarFile, item: Path, name: str) -> None:
    """A file as it is at this moment, or a folder; what has just gone is left out."""
    try:
        entry = tar.gettarinfo(item, name)
        data = item.read_bytes() if entry.isfile() else b""
    except FileNotFoundError:
        return
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
