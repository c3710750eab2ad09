"""What a person does to an arm besides moving it: a step of its calibration, and where it parks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from robot_io.arm import Unsupported
from robot_io.identity import Identified, remember
from robot_io.loop import Loop
from robot_io.senses import Walks


@runtime_checkable
class Calibrated(Walks, Protocol):
    """An arm that is there to be calibrated."""

    def calibrate(self, do: str) -> bool:
        """A step: begin, middle, finish or cancel; whether that was the last one."""


@runtime_checkable
class Shown(Protocol):
    """An arm that is shown where it parks."""

    @property
    def parks(self) -> bool:
        """Whether it was."""

    def park_here(self) -> None:
        """Here, from now on."""


class Tending:
    """Carries out what comes from a page; the arm is touched on the loop's thread only."""

    def __init__(self, loop: Loop, identity: Path | None) -> None:
        self._loop, self._identity = loop, identity
        self.done = False
        """Whether its work is done: the arm can be taken as what it is."""

    async def calibrate(self, do: str) -> Mapping[str, Any]:
        """One step; returns where the walk then is. After the last one the process ends."""
        arm = self._loop.arm.arm
        if not isinstance(arm, Calibrated):
            raise Unsupported(
                f"expected an arm that was connected to be calibrated, got {self._loop.arm.features.name}; "
                "press Calibrate on the Arms page"
            )
        self.done |= await asyncio.wrap_future(self._loop.call(lambda: arm.calibrate(do)))
        if self.done and do == "finish" and self._identity is not None and isinstance(arm, Identified):
            remember(arm.identity(), self._identity)
        return await asyncio.wrap_future(self._loop.call(arm.walk))

    @property
    def parks(self) -> bool | None:
        """Whether it was shown where to park; None if it is not for a person to say."""
        arm = self._loop.arm.arm
        return arm.parks if isinstance(arm, Shown) else None

    async def park_here(self) -> None:
        """From now on it parks where it stands."""
        arm = self._loop.arm.arm
        if not isinstance(arm, Shown):
            raise Unsupported(f"expected an arm that is shown where it parks, got {self._loop.arm.features.name}")

        def keep() -> None:
            self._loop.need_stillness()
            arm.park_here()

        await asyncio.wrap_future(self._loop.call(keep))

    def end(self) -> None:
        """The last step is told: end the process."""
        self._loop.ending |= self.done
