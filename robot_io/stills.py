"""Small pictures of what an arm's cameras see, for a recording: made beside the loop, by the eye that draws for pages.

Nobody waits for them: who asks is told the tick that they show, and asks again when it likes.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from robot_io.arm import BadAction, Unsupported
from robot_io.eyes import SMALL, Eye
from robot_io.lenses import Lenses
from robot_io.loop import Loop
from robot_io.pictures import jpeg, smaller
from robot_io.priority import be_nice

QUALITY = 75
"""Of a JPEG: a gripper of ten pixels stays one."""
STILLS_NICE = 5
"""A recording's pictures come after those that somebody waits for; what comes too late is left out and counted."""


class Stills:
    """Pictures of cameras by name, lenses and drawn ones alike."""

    def __init__(self, loop: Loop, eye: Eye, lenses: Lenses) -> None:
        """Args: eye: of its own, so that neither a policy nor who watches waits for what is looked at later."""
        self._loop, self._eye, self._lenses = loop, eye, lenses
        self._thread = ThreadPoolExecutor(1, "stills", initializer=be_nice, initargs=(STILLS_NICE,))

    async def taken(self, cameras: Sequence[str], width: int, height: int) -> Mapping[str, Any]:
        """As `take`, on a thread of its own, so that nothing waits behind it."""
        work = functools.partial(self.take, cameras, width, height)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """End its thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def take(self, cameras: Sequence[str], width: int, height: int) -> Mapping[str, Any]:
        """One JPEG from each camera, none larger than width × height pixels.

        Returns:
            {"tick": the arm's count at the moment that they show, "pictures": one JPEG per camera}.

        Raises:
            Unsupported: a camera that the arm has not.
            BadAction: a size that is not small.
            CameraError: a camera that gives no pictures now.
        """
        known = self._loop.arm.features.cameras
        if not cameras or (wrong := [camera for camera in cameras if camera not in known]):
            raise Unsupported(f"expected cameras among {', '.join(known) or 'none'}, got {', '.join(wrong) or 'none'}")
        if not all(8 <= side <= SMALL for side in (width, height)):
            raise BadAction(f"expected small pictures, 8 to {SMALL} pixels a side, got {width} × {height}")
        if any(camera in self._lenses for camera in cameras):
            tick = self._loop.tick
            return {"tick": tick, "pictures": [self._real(camera, width, height) for camera in cameras]}
        try:
            tick, drawn = self._eye.glimpse(cameras, width, height)
        except Unsupported:  # no twin that draws small: its large picture, made smaller
            tick = self._loop.tick
            return {"tick": tick, "pictures": [self._real(camera, width, height) for camera in cameras]}
        return {"tick": tick, "pictures": [jpeg(picture, QUALITY) for picture in drawn]}

    def _real(self, camera: str, width: int, height: int) -> bytes:
        whole = self._lenses.frame(camera) if camera in self._lenses else self._eye.frame(camera)
        return smaller(whole, width, height, QUALITY)
