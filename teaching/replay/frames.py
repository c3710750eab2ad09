"""What a supervised episode adds to an episode's file: one row per tick, and facts about the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np

from teaching.replay.pictures import Pictures, write_pictures
from teaching.types import Array, BadInput

GROUP = "frames"
_CHUNK = 1024
"""Ticks to a chunk of a column."""


@dataclass(frozen=True)
class Rollout:
    """T ticks, in the order in which they happened; those of branches that were left are among them."""

    columns: Mapping[str, Array]
    """Name → (T, …); what there is, `datasets/README.md` says."""
    facts: Mapping[str, Any]
    """Plain values: how it ended, its segments, who drove, which policy."""
    pictures: Pictures | None = None
    """What cameras saw, if that was recorded."""

    def __post_init__(self) -> None:
        columns = {name: np.array(column) for name, column in self.columns.items()}
        lengths = {name: len(column) if column.ndim else -1 for name, column in columns.items()}
        if len(set(lengths.values())) > 1 or -1 in lengths.values():
            raise BadInput(f"expected columns of one length (T, …), got {lengths}")
        if wrong := [name for name, column in columns.items() if column.dtype.kind not in "biuf"]:
            raise BadInput(f"expected numbers in every column, got something else in {', '.join(wrong)}")
        for column in columns.values():
            column.setflags(write=False)
        object.__setattr__(self, "columns", MappingProxyType(columns))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def write_frames(file: h5py.File, rollout: Rollout) -> None:
    """A dataset per column, gzip with shuffle, `_CHUNK` ticks to a chunk; pictures in a group of their own."""
    group = file.create_group(GROUP)
    for name, column in rollout.columns.items():
        how: dict[str, Any] = {}
        if len(column) > 1 and column.nbytes > 4096:
            chunks = (min(_CHUNK, len(column)), *column.shape[1:])
            how = {"chunks": chunks, "compression": "gzip", "compression_opts": 1, "shuffle": True}
        group.create_dataset(name, data=column, **how)
    if rollout.pictures is not None and len(rollout.pictures):
        write_pictures(file, rollout.pictures)


def frames_of(file: h5py.File, names: Iterable[str] | None = None) -> dict[str, Array]:
    """Columns of an open file by name, by default all; BadInput names the one that it lacks."""
    if GROUP not in file:
        raise BadInput("expected a supervised episode with frames, got one without")
    group = file[GROUP]
    wanted = list(group) if names is None else list(names)
    if missing := [name for name in wanted if name not in group]:
        raise BadInput(f"expected the columns {', '.join(missing)} among {', '.join(group)}, found none")
    return {name: group[name][()] for name in wanted}


def read_frames(path: Path, names: Iterable[str] | None = None) -> dict[str, Array]:
    """Columns of a committed episode file."""
    from teaching.replay.file import open_episode

    with open_episode(path, known=True) as file:
        return frames_of(file, names)
