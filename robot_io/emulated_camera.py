"""Pictures of an emulated bench: `emulated:DIR`, a camera whose lens is a file that is renamed into place.

`robot_io/sim/so_camera.py` writes it: a head (magic, number, height, width, whether it has depth), the
pixels, and the depth of each in millimetres (uint16; 0: none), as depth cameras give it.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FRAME = "frame"
SIGHT = "camera.json"
"""Where the camera looks, known since it is emulated."""
RATE = 8.0
GONE = 3.0
"""Seconds without a new picture after which it counts as gone."""
_HEAD = struct.Struct(">4sQHHB")
_MAGIC = b"EMU2"


def write_frame(directory: Path, colour: Array, number: int, depth: Array | None = None) -> None:
    """Put a picture (H, W, 3) uint8 there, whole, with its depth (H, W) in metres if it has one."""
    beside = directory / f"{FRAME}.tmp"
    head = _HEAD.pack(_MAGIC, number, *colour.shape[:2], depth is not None)
    deep = b"" if depth is None else np.round(1000 * depth).astype("<u2").tobytes()
    beside.write_bytes(head + np.ascontiguousarray(colour).tobytes() + deep)
    beside.replace(directory / FRAME)


def read_frame(directory: Path) -> tuple[Array, int]:
    """The newest picture (H, W, 3) and its number; OSError if there is none, or it is none."""
    return _read(directory)[:2]


def _read(directory: Path) -> tuple[Array, int, Array | None]:
    """The newest picture (H, W, 3), its number, and its depth (H, W) in metres, if it has one."""
    data = (directory / FRAME).read_bytes()
    if len(data) < _HEAD.size:
        raise OSError(f"expected a picture in {directory}, got {len(data)} bytes")
    magic, number, height, width, deep = _HEAD.unpack_from(data)
    pixels = height * width
    if magic != _MAGIC or len(data) != _HEAD.size + (5 if deep else 3) * pixels:
        raise OSError(f"expected a picture in {directory}, got something else")
    colour = np.frombuffer(data, np.uint8, 3 * pixels, _HEAD.size).reshape(height, width, 3)
    if not deep:
        return colour, number, None
    depth = np.frombuffer(data, "<u2", pixels, _HEAD.size + 3 * pixels).reshape(height, width) / 1000
    return colour, number, depth


class EmulatedSource:
    """Reads the file whenever it is another one. A `Source` of `robot_io/cameras.py`."""

    live = True

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = RATE
        self._directory, self._clock, self._sleep = directory, clock, sleep
        self._number = read_frame(directory)[1]
        self.depth: Array | None = None

    def read(self) -> Array | None:
        """The next picture (H, W, 3); None if none comes any more."""
        end = self._clock() + GONE
        while self._clock() < end:
            colour, number, depth = _read(self._directory)
            if number != self._number:
                self._number, self.depth = number, depth
                return colour
            self._sleep(0.25 / self.rate)
        return None

    def close(self) -> None:
        """Nothing to give back."""
