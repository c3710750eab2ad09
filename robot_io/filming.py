"""Makes the pictures that pages want to see of an arm: by its twin, or by its cameras. None is made twice."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from robot_io.arm import ArmError
from robot_io.eyes import Eye
from robot_io.lenses import Lenses
from robot_io.live_page import LivePage
from robot_io.loop import Loop
from robot_io.priority import be_nice
from robot_io.sizing import Sizing

log = logging.getLogger(__name__)
STILL_SECONDS = 1.0
"""How often a picture that did not change is sent again."""
FILMING_NICE = 5
"""Pictures for people come after everything else."""


class Filming:
    """Runs on the server's event loop; pictures are made in a thread of its own."""

    def __init__(
        self, loop: Loop, eye: Eye, lenses: Lenses, clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._loop, self._eye, self._lenses = loop, eye, lenses
        self._clock, self._wall = clock, wall
        self._sizing = Sizing()
        self._thread = ThreadPoolExecutor(1, "filming", initializer=be_nice, initargs=(FILMING_NICE,))

    async def run(self, pages: set[LivePage]) -> None:
        """For as long as it runs."""
        while True:
            wanted = {camera: page.fps for page in sorted(pages, key=lambda p: p.fps) for camera in page.cameras}
            started = self._clock()
            moving = [await self._film(camera, pages) for camera in wanted]
            if any(moving):
                self._sizing.took(self._clock() - started)
            period = 1.0 / max(wanted.values(), default=5.0)
            await asyncio.sleep(max(0.002, period - (self._clock() - started)))

    def close(self) -> None:
        """End its thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _film(self, camera: str, pages: set[LivePage]) -> bool:
        """Make the picture that some pages want; whether one of a moving scene was drawn."""
        real = camera in self._lenses
        now, revision = self._clock(), self._lenses.number(camera) if real else self._loop.revision
        for_pages = [page for page in pages if self._wants(page, camera, now, revision)]
        if not for_pages or (real and revision == 0):
            return False
        moving = not real and any(page.shown.get(camera, revision) != revision for page in for_pages)
        taken, size = self._wall(), self._sizing.size(moving=moving)
        work = (lambda: self._lenses.frame(camera)) if real else (lambda: self._eye.frame(camera, size))
        try:
            picture = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except ArmError as error:
            if not real:  # a real camera's trouble is told with its state
                log.warning("no picture from %s: %s", camera, error)
            await asyncio.sleep(STILL_SECONDS if not real else 0.05)
            return False
        if real:
            taken -= self._lenses.age(camera)
        stamp = struct.pack(">Bd", self._loop.arm.features.cameras.index(camera), taken)
        for page in for_pages:
            page.pictures[camera] = stamp + picture
            page.shown[camera] = revision
            page.due[camera] = max(page.due.get(camera, now) + 1 / page.fps, now)
            page.wake.set()
        return moving

    def _wants(self, page: LivePage, camera: str, now: float, revision: int) -> bool:
        if camera not in page.cameras:
            return False
        due = page.due.get(camera, now)
        return now >= (due if page.shown.get(camera) != revision else due + STILL_SECONDS)
