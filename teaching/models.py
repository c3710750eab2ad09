"""The models of a lesson as its checkpoints tell: lineage, figures, and which one goes on. Needs no torch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teaching.types import BadInput

INFO = "checkpoint.json"


@dataclass(frozen=True)
class Model:
    """One checkpoint that is on disk."""

    name: str
    update: int
    """Its number: the model updates behind it."""
    parent: str | None
    """The model that it was trained from, or is a copy of."""
    promoted: bool
    """A person chose its parent to go on from; nothing was trained."""
    time: float
    """Unix seconds of its file."""
    bytes: int
    lineage: Mapping[str, Any]

    @property
    def demonstrations(self) -> tuple[str, ...]:
        """Ids of what it was last trained on."""
        return tuple(self.lineage.get("demonstrations", ()))


def models(checkpoints: Path) -> list[Model]:
    """Those that are on disk and can be read, oldest first."""
    found = checkpoints.iterdir() if checkpoints.is_dir() else iter(())
    named = sorted(p for p in found if not p.name.startswith(".") and (p / INFO).is_file())
    return [model for path in named if (model := _model(path)) is not None]


def _model(path: Path) -> Model | None:
    try:
        lineage = json.loads((path / INFO).read_text())["lineage"]
        size = sum(file.stat().st_size for file in path.iterdir())
        return Model(
            path.name, int(lineage.get("update", 0)), lineage.get("parent"), bool(lineage.get("promoted")),
            (path / INFO).stat().st_mtime, size, lineage,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # it was just pruned, or is damaged: `verify` and the next training tell


def promote(checkpoints: Path, name: str, update: int) -> Path:
    """Publish a copy of a model as the newest one, so that everything goes on from it; nothing is lost by it.

    Args:
        checkpoints: the lesson's.
        name: of the model.
        update: the number of the copy; the next training makes the one after it.

    Raises:
        BadInput: there is no such model.
    """
    known = {m.name: m for m in models(checkpoints)}
    if name not in known:
        raise BadInput(f"expected a model among {', '.join(known) or 'none'}, got {name!r}; it may have been pruned")
    target = checkpoints / f"{update:06d}"
    if target.exists():
        raise BadInput(f"expected number {update} to be free, but there is such a model; try again")
    beside = checkpoints / f".{target.name}.{os.getpid()}.tmp"
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(checkpoints / name, beside)
    info = json.loads((beside / INFO).read_text())
    info["lineage"] |= {"update": update, "parent": name, "promoted": True, "curve": [], "draws": {}}
    (beside / INFO).write_text(json.dumps(info, indent=1, sort_keys=True))
    for file in (*beside.iterdir(), beside):
        _sync(file)
    beside.rename(target)
    _sync(checkpoints)
    return target


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
