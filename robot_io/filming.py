"""Makes the pictures that pages want to see of an arm: by its twin, or by its cameras. None is made twice."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from robot_io.arm import ArmError
from robot_io.eyes import Eye
from robot_io.lenses import Lenses
from robot_io.live_page import LivePage
from robot_io.loop import Loop
from robot_io.priority import be_behind
from robot_io.sizing import Sizing

log = logging.getLogger(__name__)
T = TypeVar("T")
STILL_SECONDS = 1.0
"""How often a picture that did not change is sent again."""


class Filming:
    """Runs on the server's event loop; pictures are made in a thread of its own."""

    def __init__(
        self, loop: Loop, eye: Eye, lenses: Lenses, clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._loop, self._eye, self._lenses = loop, eye, lenses
        self._clock, self._wall = clock, wall
        self._sizing = Sizing()
        self._thread = ThreadPoolExecutor(1, "filming", initializer=be_behind, initargs=(os.getpid(),))

    async def run(self, pages: set[LivePage]) -> None:
        """For as long as it runs."""
        while True:
            wanted = {camera: page.fps for page in sorted(pages, key=lambda p: p.fps) for camera in page.cameras}
            started = self._clock()
            await self._draw([camera for camera in wanted if camera not in self._lenses], pages)
            for camera in filter(self._lenses.__contains__, wanted):
                await self._film(camera, pages)
            period = 1.0 / max(wanted.values(), default=5.0)
            await asyncio.sleep(max(0.002, period - (self._clock() - started)))

    def close(self) -> None:
        """End its thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _draw(self, cameras: Sequence[str], pages: set[LivePage]) -> None:
        """Make the pictures of a drawn scene that some pages want, all at once; how long that takes sets their size."""
        now, revision = self._clock(), self._loop.revision
        wanted = {camera: self._wanting(camera, pages, now, revision) for camera in cameras}
        wanted = {camera: for_pages for camera, for_pages in wanted.items() if for_pages}
        if not wanted:
            return
        moving = any(page.shown.get(camera, revision) != revision for camera in wanted for page in wanted[camera])
        taken, size = self._wall(), self._sizing.size(moving=moving)
        try:
            pictures = await self._made(functools.partial(self._eye.frames, list(wanted), size))
        except ArmError as error:
            log.warning("no picture from %s: %s", ", ".join(wanted), error)
            await asyncio.sleep(STILL_SECONDS)
            return
        for (camera, for_pages), picture in zip(wanted.items(), pictures, strict=True):
            self._give(for_pages, camera, picture, now, revision, taken)
        if moving:
            self._sizing.took(self._clock() - now)

    async def _film(self, camera: str, pages: set[LivePage]) -> None:
        """Make the picture of a lens that some pages want."""
        now, number = self._clock(), self._lenses.number(camera)
        for_pages = self._wanting(camera, pages, now, number)
        if not for_pages or number == 0:
            return
        taken = self._wall()
        try:
            picture = await self._made(functools.partial(self._lenses.frame, camera))
        except ArmError:  # a real camera's trouble is told with its state
            await asyncio.sleep(0.05)
            return
        self._give(for_pages, camera, picture, now, number, taken - self._lenses.age(camera))

    async def _made(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _give(
        self, pages: Sequence[LivePage], camera: str, picture: bytes, now: float, revision: int, taken: float
    ) -> None:
        stamp = struct.pack(">Bd", self._loop.arm.features.cameras.index(camera), taken)
        for page in pages:
            page.pictures[camera] = stamp + picture
            page.shown[camera] = revision
            page.due[camera] = max(page.due.get(camera, now) + 1 / page.fps, now)
            page.wake.set()

    def _wanting(self, camera: str, pages: set[LivePage], now: float, revision: int) -> list[LivePage]:
        return [page for page in pages if self._wants(page, camera, now, revision)]

    def _wants(self, page: LivePage, camera: str, now: float, revision: int) -> bool:
        if camera not in page.cameras:
            return False
        due = page.due.get(camera, now)
        return now >= (due if page.shown.get(camera) != revision else due + STILL_SECONDS)
