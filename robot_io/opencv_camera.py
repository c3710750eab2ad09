"""A camera or a video file through OpenCV, which comes with LeRobot and is imported when the first camera is opened."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.camera_names import find_cameras
from robot_io.errors import CameraError, MissingDriver

Array = NDArray[Any]


class OpenCvSource:
    """A camera or a video file through OpenCV."""

    def __init__(
        self,
        name: str,
        *,
        width: int = 640,
        height: int = 480,
        rate: float = 30.0,
        again: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cv2 = _opencv()
        self._name, self._again = name, again
        self._clock, self._sleep = clock, sleep
        self._next = -math.inf
        self.depth: Array | None = None
        self.live = name.isdigit() or name.startswith("/dev/")
        self._capture = self._cv2.VideoCapture(int(name) if name.isdigit() else name)
        if not self._capture.isOpened():
            self.close()
            there = ", ".join(find_cameras()) or "none"
            raise CameraError(
                f"expected a camera or a video at {name}, got nothing that opens; cameras there now: {there}. Plug it "
                "in, or close the program that uses it"
            )
        if self.live:
            for what, value in ((3, width), (4, height), (5, rate)):
                self._capture.set(what, value)
        told = float(self._capture.get(5))
        self.rate = told if 1 <= told <= 240 else rate

    def read(self) -> Array | None:
        """The next frame; a film comes at its own pace."""
        if not self.live:
            self._wait()
        whole, picture = self._capture.read()
        if not whole and not self.live and self._again:
            self._capture.set(1, 0)
            whole, picture = self._capture.read()
        return np.ascontiguousarray(picture[..., ::-1]) if whole else None

    def close(self) -> None:
        """Give it back."""
        self._capture.release()

    def _wait(self) -> None:
        now = self._clock()
        self._next = max(self._next + 1 / self.rate, now)
        if self._next > now:
            self._sleep(self._next - now)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingDriver("expected OpenCV for cameras, got none; run: pip install opencv-python-headless") from error
    return cv2
