"""Pictures of an emulated bench: `emulated:DIR`, a camera whose lens is a file that is renamed into place.

`robot_io/sim/so_camera.py` writes it: a head (magic, number, height, width) and the pixels.
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
_HEAD = struct.Struct(">4sQHH")
_MAGIC = b"EMU1"


def write_frame(directory: Path, colour: Array, number: int) -> None:
    """Put a picture (H, W, 3) uint8 there, whole."""
    beside = directory / f"{FRAME}.tmp"
    beside.write_bytes(_HEAD.pack(_MAGIC, number, *colour.shape[:2]) + np.ascontiguousarray(colour).tobytes())
    beside.replace(directory / FRAME)


def read_frame(directory: Path) -> tuple[Array, int]:
    """The newest picture (H, W, 3) and its number; OSError if there is none, or it is none."""
    data = (directory / FRAME).read_bytes()
    if len(data) < _HEAD.size:
        raise OSError(f"expected a picture in {directory}, got {len(data)} bytes")
    magic, number, height, width = _HEAD.unpack_from(data)
    if magic != _MAGIC or len(data) != _HEAD.size + 3 * height * width:
        raise OSError(f"expected a picture in {directory}, got something else")
    return np.frombuffer(data, np.uint8, offset=_HEAD.size).reshape(height, width, 3), number


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

    def read(self) -> Array | None:
        """The next picture (H, W, 3); None if none comes any more."""
        end = self._clock() + GONE
        while self._clock() < end:
            colour, number = read_frame(self._directory)
            if number != self._number:
                self._number = number
                return colour
            self._sleep(0.25 / self.rate)
        return None

    def close(self) -> None:
        """Nothing to give back."""
