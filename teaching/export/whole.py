"""A file or directory that appears under its name only when it is whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from teaching.replay.disk import Disk
from teaching.types import BadInput

PART = ".part"
"""Suffix of what is not whole yet; what a killed command leaves behind under it can be deleted."""


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """Where to write, in a hidden directory beside; what is there at the end is synced and gets its name.

    Raises:
        BadInput: `out` is there already, or its parent is not a directory that can be written to.
    """
    out = Path(out)
    if out.exists() or out.is_symlink():
        raise BadInput(f"expected a new name, but {out} is there; give another one, or move it away")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=PART, dir=out.parent))
    except OSError as error:
        raise BadInput(f"expected a place to write {out}, got: {error}") from error
    try:
        yield beside / out.name
        _sync(beside)
        if out.exists():
            raise BadInput(f"expected nobody else to write {out} meanwhile, but it is there now")
        Disk().rename(beside / out.name, out)
        Disk().sync_directory(out.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _sync(root: Path) -> None:
    """Every file, then every directory, innermost first."""
    disk = Disk()
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            descriptor = disk.open(Path(folder) / name, os.O_RDONLY)
            try:
                disk.sync(descriptor)
            finally:
                disk.close(descriptor)
        disk.sync_directory(Path(folder))
