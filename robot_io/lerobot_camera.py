"""Depth cameras through LeRobot, loaded when the first one is opened: colours and how far away they are.

Written against LeRobot's `RealSenseCamera` (`async_read`, `read_depth`); never run on such a camera.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.errors import CameraError
from robot_io.lerobot_door import make_realsense

Array = NDArray[Any]
PATIENCE = 1000
"""Milliseconds that a frame may take before the camera counts as gone."""


class RealSense:
    """A depth camera by its serial number. A `Source` of `robot_io/cameras.py`."""

    live = True

    def __init__(
        self,
        serial: str,
        *,
        width: int = 640,
        height: int = 480,
        rate: float = 30.0,
        make: Callable[[str, int, int, int], Any] = make_realsense,
    ) -> None:
        """Raises: CameraError if it does not open; MissingDriver without LeRobot or its vendor's library."""
        self.rate = rate
        self.depth: Array | None = None
        self._camera = make(serial, width, height, round(rate))
        try:
            self._camera.connect()
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise CameraError(
                f"expected a RealSense camera with the serial number {serial}, LeRobot says: {str(error)[:200]}; plug "
                "it into USB 3, or close the program that uses it"
            ) from error

    def read(self) -> Array | None:
        """The next frame (H, W, 3); its depth is in `depth`. None if none comes any more."""
        try:
            colour = self._camera.async_read(timeout_ms=PATIENCE)
            # LeRobot's read_depth waits for a frame of its own, so depth is that of the next: as good, for what lies.
            depth = self._camera.read_depth()
        except (ConnectionError, TimeoutError, RuntimeError):
            return None
        self.depth = np.asarray(depth, dtype=np.float64) / 1000
        return np.asarray(colour)

    def close(self) -> None:
        """Give it back."""
        try:
            self._camera.disconnect()
        except (ConnectionError, RuntimeError):
            return  # it is gone already
