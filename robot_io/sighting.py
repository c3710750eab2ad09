"""A person calibrates one of an arm's cameras on a page: `camera_walk` on the control loop, one message per step.

The way to the next place is hold-to-run: who drives holds a button, the heartbeat says so, and letting go holds the
arm.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from robot_io.arm import ArmError, Report, Unsupported
from robot_io.camera_walk import CameraWalk
from robot_io.errors import CameraError
from robot_io.hand_eye import Sight
from robot_io.lenses import Lenses
from robot_io.loop import Loop
from robot_io.so_motion import SoArm

ARRIVED = 0.05
"""Radians of any joint from the end of its way within which the arm counts as there."""


def sight_file(folder: Path, source: str) -> Path:
    """Where the calibration of a camera is kept in an arm's folder: by what it looks through, not by its name."""
    return folder / f"sight-{re.sub(r'[^A-Za-z0-9]+', '-', source).strip('-')}.json"


class Sighting:
    """The walk of one arm, if one is under way."""

    def __init__(self, loop: Loop, lenses: Lenses, folder: Path | None) -> None:
        """Args: folder: of the arm, where calibrations are kept; None: none can be kept, so none is made."""
        self._loop, self._lenses, self._folder = loop, lenses, folder
        self._walk: CameraWalk | None = None
        self._camera = ""
        self._motion: Future[Report] | None = None
        self._end: np.ndarray[Any, Any] | None = None
        self._found: Sight | None = None

    @property
    def possible(self) -> bool:
        """Whether this arm is its own ruler, and has cameras to calibrate."""
        return isinstance(self._loop.arm.arm, SoArm) and bool(self._lenses.names) and self._folder is not None

    async def do(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """A step: begin, look, go, stand, click, undo, finish or close; returns what a page has to know then."""
        do = str(message["do"])
        verb = getattr(self, f"_do_{do}", None)
        if verb is None and do != "look":
            raise ArmError(f"expected begin, look, go, stand, click, undo, finish or close, got {do[:40]!r}")
        if verb is not None:
            await verb(message)
        return await self.told()

    async def told(self) -> Mapping[str, Any]:
        """Where the walk is; {"camera": ""} if there is none."""
        if self._walk is None:
            return {"camera": ""}
        found = self._found
        done = None if found is None else {"error": found.error, "plane": found.plane.tolist()}
        return {"camera": self._camera, **self._walk.told(), "there": await self._there(), "done": done}

    async def stand(self) -> None:
        """Whoever held the arm on its way has let go."""
        if self._motion is not None and not self._motion.done():
            await asyncio.wrap_future(self._loop.hold("the button was let go"))

    async def _do_begin(self, message: Mapping[str, Any]) -> None:
        camera, way = str(message["camera"]), str(message.get("way", "space"))
        if not self.possible or self._folder is None:
            raise Unsupported(f"expected an SO arm with a camera, got {self._loop.arm.features.name}")
        if camera not in self._lenses:
            raise CameraError(f"expected a camera among {', '.join(self._lenses.names)}, got {camera[:40]!r}")
        picture, file = self._lenses.size(camera), sight_file(self._folder, self._lenses.source(camera))
        self._walk = CameraWalk(self._loop.arm.features.limits, picture, file, way)
        self._camera, self._found, self._end = camera, None, None

    async def _do_go(self, _: Mapping[str, Any]) -> None:
        walk = self._need_walk()
        if not self._loop.heartbeat.driving:
            raise ArmError("expected a held button; hold it down while the arm moves")
        seen = await asyncio.wrap_future(self._loop.call(self._loop.arm.observe, still=True))
        path = walk.path(seen["joints"], float(seen["gripper"][0]))
        self._end = path.joints[-1]
        self._motion = self._loop.follow(path)

    async def _do_stand(self, _: Mapping[str, Any]) -> None:
        await self.stand()

    async def _do_click(self, message: Mapping[str, Any]) -> None:
        column, row = (float(value) for value in message["pixel"])
        self._lenses.need()
        seen = await asyncio.wrap_future(self._loop.call(self._loop.arm.observe, still=True))
        self._need_walk().click(column, row, seen["joints"])
        self._found = self._end = None

    async def _do_undo(self, _: Mapping[str, Any]) -> None:
        self._need_walk().undo()
        self._found = None

    async def _do_finish(self, _: Mapping[str, Any]) -> None:
        self._found = await asyncio.to_thread(self._need_walk().finish)

    async def _do_close(self, _: Mapping[str, Any]) -> None:
        await self.stand()
        self._walk = self._found = None

    async def _there(self) -> bool:
        """Whether the arm is where the way led."""
        if self._end is None or self._loop.moving:
            return False
        seen = await asyncio.wrap_future(self._loop.call(self._loop.arm.observe))
        return bool(np.max(np.abs(seen["joints"] - self._end)) < ARRIVED)

    def _need_walk(self) -> CameraWalk:
        if self._walk is None:
            raise ArmError("expected a calibration under way; choose a camera and begin")
        return self._walk
