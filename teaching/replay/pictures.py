"""What cameras saw of an episode in motion, a few times a second: JPEGs beside its ticks, for people to watch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from teaching.types import Array, BadInput

GROUP = "pictures"
_BEGINS = b"\xff\xd8"
"""Every JPEG."""


@dataclass(frozen=True)
class Pictures:
    """N pictures, in the order in which they were taken."""

    ticks: Array
    """(N,) int64: the tick of the episode that each shows, after it."""
    cameras: Array
    """(N,) uint8: which of the cameras that the episode's facts name."""
    jpegs: tuple[bytes, ...]

    def __post_init__(self) -> None:
        for name, kind in (("ticks", np.int64), ("cameras", np.uint8)):
            object.__setattr__(self, name, np.array(getattr(self, name), kind).reshape(-1))
            getattr(self, name).setflags(write=False)
        if not len(self.ticks) == len(self.cameras) == len(self.jpegs):
            told = f"{len(self.ticks)}, {len(self.cameras)} and {len(self.jpegs)}"
            raise BadInput(f"expected a tick, a camera and a JPEG of every picture, got {told}")
        if wrong := sum(not jpeg.startswith(_BEGINS) for jpeg in self.jpegs):
            raise BadInput(f"expected JPEGs, got {wrong} of {len(self.jpegs)} that are none")

    def __len__(self) -> int:
        return len(self.jpegs)


def write_pictures(file: h5py.File, pictures: Pictures) -> None:
    """Four plain arrays; JPEGs are not compressed once more."""
    group = file.create_group(GROUP)
    group.create_dataset("tick", data=pictures.ticks)
    group.create_dataset("camera", data=pictures.cameras)
    group.create_dataset("end", data=np.cumsum([len(jpeg) for jpeg in pictures.jpegs], dtype=np.int64))
    group.create_dataset("jpeg", data=np.frombuffer(b"".join(pictures.jpegs), np.uint8))


def pictures_of(file: h5py.File) -> Pictures | None:
    """Those of an open file; None of one without; BadInput if they do not fit together."""
    if GROUP not in file:
        return None
    group = file[GROUP]
    if missing := [name for name in ("tick", "camera", "end", "jpeg") if name not in group]:
        raise BadInput(f"expected {', '.join(missing)} among the pictures, found none")
    ends, data = group["end"][()].astype(np.int64), group["jpeg"][()].astype(np.uint8).tobytes()
    begins = np.concatenate([[0], ends[:-1]])
    if len(ends) and not (np.all(ends > begins) and ends[-1] == len(data)):
        raise BadInput(f"expected pictures one after the other in {len(data)} bytes, got ends up to {ends[-1]}")
    jpegs = tuple(data[a:b] for a, b in zip(begins.tolist(), ends.tolist(), strict=True))
    return Pictures(group["tick"][()], group["camera"][()], jpegs)


def read_pictures_of(path: Path) -> Pictures | None:
    """Those of a committed episode file."""
    from teaching.replay.file import open_episode

    with open_episode(path, known=True) as file:
        return pictures_of(file)
