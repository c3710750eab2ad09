"""Cameras and video files: frames with time stamps, dropped ones counted, a stalled or frozen one noticed.

A `Camera` reads in a thread of its own and keeps the newest frame; whoever looks never waits for a lens. Names: `0` or
`/dev/video0` for a camera, a path for a video file (`film.mp4`, played at its own pace, once or for ever),
`realsense:SERIAL` for a depth camera, `emulated:DIR` for an emulated bench.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from robot_io.camera_names import EMULATED, REALSENSE
from robot_io.camera_names import find_cameras as find_cameras
from robot_io.emulated_camera import EmulatedSource
from robot_io.errors import CameraError as CameraError
from robot_io.lerobot_camera import RealSense
from robot_io.opencv_camera import OpenCvSource

Array = NDArray[Any]
STALLED = 0.4
"""Seconds without a new frame after which a camera has stalled; noticed well within half a second."""
FROZEN = 0.4
"""Seconds for which a living camera never gives the very same picture twice: a lens has noise."""
OPENING = 10.0
"""Seconds that a camera may take for its first frame."""


@dataclass(frozen=True)
class Frame:
    """One picture."""

    colour: Array
    """(H, W, 3) uint8, red first."""
    time: float
    """Seconds on the camera's clock, at the moment it came."""
    number: int
    """Counts from 1; gaps are frames that came too late for anybody."""
    depth: Array | None = None
    """(H, W) metres along the lens's axis; 0 where none was found. None: the camera tells no depth."""


@dataclass(frozen=True)
class CameraState:
    """How a camera does, for people."""

    name: str
    rate: float
    """Frames per second, of late."""
    frames: int
    dropped: int
    """Frames that should have come by its rate and did not."""
    trouble: str
    """What is wrong, in a sentence; "" if nothing is."""
    age: float = 0.0
    """Seconds since its newest frame came; 0 before the first."""


class Source(Protocol):
    """Where frames come from."""

    rate: float
    """Frames per second that it promises."""
    live: bool
    """A lens: never the same picture twice. A film may stand still."""

    depth: Array | None
    """(H, W) metres along the lens's axis, of the frame read last; 0 where it found none. None: no depth camera."""

    def read(self) -> Array | None:
        """The next frame (H, W, 3), red first; blocks until it is there. None: there are no more."""

    def close(self) -> None:
        """Give it back."""


class Camera:
    """Reads a source for ever and keeps the newest frame; opens it again after it vanished."""

    def __init__(
        self,
        name: str,
        open_source: Callable[[], Source],
        clock: Callable[[], float] = time.monotonic,
        *,
        retry: float = 1.0,
    ) -> None:
        self.name = name
        self._open, self._clock, self._retry = open_source, clock, retry
        self._lock = threading.Condition()
        self._frame: Frame | None = None
        self._changed_at = -math.inf
        self._times: list[float] = []
        self._count = self._dropped = 0
        self._rate = 30.0
        self._live = True
        self._gone = ""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, *, patience: float = OPENING) -> None:
        """Open it; returns with the first frame. CameraError if none comes."""
        if self._thread is not None:
            raise CameraError(f"expected one start of camera {self.name}; it runs already")
        self._begin(self._open())
        with self._lock:
            if not self._lock.wait_for(lambda: self._frame is not None or bool(self._gone), timeout=patience):
                self._ending.set()
                raise CameraError(
                    f"expected a first frame of camera {self.name} within {patience:g} s; plug it in again"
                )
            if self._frame is None:
                self._ending.set()
                raise CameraError(self._gone)

    def begin(self) -> None:
        """Start without waiting: one that cannot be opened yet is in trouble until it can be."""
        if self._thread is None:
            self._begin(None)

    def _begin(self, source: Source | None) -> None:
        self._thread = threading.Thread(target=self._run, args=(source,), name=f"camera {self.name}", daemon=True)
        self._thread.start()

    def latest(self) -> Frame:
        """The newest frame.

        Raises:
            CameraError: it has stalled, is frozen, or is gone.
        """
        with self._lock:
            trouble = self._trouble()
            if trouble or self._frame is None:
                raise CameraError(trouble or f"expected a started camera, got {self.name} before its start")
            return self._frame

    def state(self) -> CameraState:
        """How it does; never raises."""
        with self._lock:
            times = self._times
            rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
            age = self._clock() - self._frame.time if self._frame is not None else 0.0
            return CameraState(self.name, rate, self._count, self._dropped, self._trouble(), age)

    def close(self) -> None:
        """End its thread; twice is harmless. A source that hangs is left to end with the process."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _trouble(self) -> str:
        if self._gone:
            return self._gone
        if self._frame is None:
            return ""
        now = self._clock()
        if now - self._frame.time > STALLED:
            return f"camera {self.name} has given no picture for {now - self._frame.time:.1f} s; check its cable"
        if self._live and self._frame.time - self._changed_at > FROZEN:
            return f"camera {self.name} gives the same picture again and again; plug it in again"
        return ""

    def _run(self, source: Source | None) -> None:
        while not self._ending.is_set():
            if source is None:
                source = self._reopened()
                continue
            self._rate, self._live = source.rate, source.live
            picture: Array | None = None
            with contextlib.suppress(OSError, RuntimeError):
                picture = source.read()
            if picture is None:
                source.close()
                source = None
                self._lose(f"camera {self.name} is gone; plug it in again")
                self._ending.wait(self._retry)
            else:
                self._take(picture, source.depth)
        if source is not None:
            source.close()

    def _reopened(self) -> Source | None:
        try:
            return self._open()
        except CameraError as error:
            self._lose(str(error))
            self._ending.wait(self._retry)
            return None

    def _lose(self, why: str) -> None:
        with self._lock:
            self._gone = why
            self._lock.notify_all()

    def _take(self, picture: Array, depth: Array | None = None) -> None:
        picture.setflags(write=False)
        now = self._clock()
        with self._lock:
            last = self._frame
            if last is None or self._gone or not np.array_equal(last.colour, picture):
                self._changed_at = now
            missed = max(0, round((now - last.time) * self._rate) - 1) if last is not None and not self._gone else 0
            self._dropped += missed
            self._count += 1
            number = (last.number if last is not None else 0) + 1 + missed
            self._frame, self._gone = Frame(picture, now, number, depth), ""
            self._times = [*self._times[-29:], now]
            self._lock.notify_all()


def open_camera(name: str, *, width: int = 640, height: int = 480, rate: float = 30.0) -> Camera:
    """A camera or video file by name, not yet started."""
    if not (name.startswith((EMULATED, REALSENSE)) or name.isdigit() or Path(name).exists()):
        there = ", ".join(find_cameras()) or "none"
        raise CameraError(f"expected a camera's number, its device or a video file, got {name!r}; cameras: {there}")
    return Camera(name, lambda: source_of(name, width=width, height=height, rate=rate))


def source_of(name: str, *, width: int = 640, height: int = 480, rate: float = 30.0) -> Source:
    """What stands behind a camera's name, opened; CameraError says why it cannot be. Only a lens heeds the size."""
    if name.startswith(EMULATED):
        return _emulated(Path(name.removeprefix(EMULATED)))
    if name.startswith(REALSENSE):
        return RealSense(name.removeprefix(REALSENSE), width=width, height=height, rate=rate)
    return OpenCvSource(name, width=width, height=height, rate=rate)


def _emulated(folder: Path) -> Source:
    try:
        return EmulatedSource(folder)
    except OSError as error:
        raise CameraError(
            f"expected an emulated camera at {folder}, got: {error}; start it: python -m robot_io.emulate so101 "
            f"--bench {folder}"
        ) from error
