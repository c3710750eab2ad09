"""`WS /live`: an arm for browsers. State, pictures, who drives, the heartbeat, and STOP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io.access import BAD_FRAME, Tokens, first_frame, receive_frame
from robot_io.advice import advise
from robot_io.arm import ArmError
from robot_io.diary import Diary
from robot_io.eyes import Eye
from robot_io.filming import Filming
from robot_io.lease import Lease, LeaseRefused
from robot_io.lenses import Lenses
from robot_io.live_page import LivePage
from robot_io.loop import Loop
from robot_io.messages import readable
from robot_io.phase import Phase
from robot_io.senses import Senses
from robot_io.sighting import Sighting
from robot_io.steering import Steering
from robot_io.stopping import stop_soon
from robot_io.tending import Tending

FRAME_BYTES = 16 * 1024
"""The longest message from a browser."""
STATE_SECONDS = 0.2
FASTEST = 60.0
"""Pictures per second."""
FAREWELL = 0.5
"""Seconds between the last step of a calibration and the end of its process: the page has heard of it then."""


class Live:
    """Serves the pages; all on the server's event loop."""

    def __init__(
        self,
        loop: Loop,
        eye: Eye,
        tokens: Tokens,
        stopping: Executor,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        lenses: Lenses | None = None,
        identity: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        lenses = lenses or Lenses({})
        self.pages: set[LivePage] = set()
        self.lease = Lease(clock)
        self._loop, self._tokens, self._stopping = loop, tokens, stopping
        self._clock, self._wall = clock, wall
        self._steering = Steering(loop, wall)
        self.diary = Diary()
        self.tending = Tending(loop, identity)
        self.sighting = Sighting(loop, lenses, folder)
        self._senses = Senses(loop, self.diary, clock, wall, lenses)
        self._filming = Filming(loop, eye, lenses, clock, wall)

    async def __call__(self, websocket: WebSocket) -> None:
        """One page, from its token to its end."""
        first = await first_frame(websocket, self._tokens, roles=("drive", "watch"))
        if first is None:
            return
        page = LivePage(websocket, first[0])
        await page.tell(type="hello", role=page.grant.role, features=readable(self._loop.arm.features))
        self.pages.add(page)
        self.lease.join(page.grant.session)
        writer = asyncio.create_task(self._write(page))
        try:
            while True:
                await self._hear(page, await receive_frame(websocket, FRAME_BYTES))
        except WebSocketDisconnect:
            pass
        except ValueError as error:
            await websocket.close(BAD_FRAME, str(error)[:120])
        finally:
            if self.lease.holds(page.grant.session):
                self._loop.heartbeat.pause()  # a closed socket is known at once: silence need not be waited for
            self.pages.discard(page)
            self.lease.leave(page.grant.session)
            writer.cancel()
            self.changed()

    def changed(self) -> None:
        """Tell every page the state, now."""
        for page in self.pages:
            page.wake.set()

    def close(self) -> None:
        """End its thread."""
        self._filming.close()

    async def film(self) -> None:
        """Make the pictures that pages want, for as long as it runs."""
        await self._filming.run(self.pages)

    async def feel(self) -> None:
        """Feel the arm and tell the pages that want to know, for as long as it runs."""
        await self._senses.run(lambda: any(page.feels for page in self.pages), self._spread)

    def _spread(self, kind: str, message: dict[str, Any]) -> None:
        for page in self.pages:
            if page.feels:
                page.news[kind] = message
                page.wake.set()

    async def _write(self, page: LivePage) -> None:
        """State at 5 Hz and on change, and the newest picture of each camera; a slow page misses some."""
        told: dict[str, Any] = {}
        told_at = -STATE_SECONDS
        try:
            while True:
                state, now = self._state(page), self._clock()
                if now - told_at >= STATE_SECONDS or any(state[k] != told.get(k) for k in state if k not in _DRIFTING):
                    await page.tell(**state)
                    told, told_at = state, now
                await page.flush()
                page.wake.clear()
                try:
                    await asyncio.wait_for(page.wake.wait(), max(0.0, told_at + STATE_SECONDS - self._clock()))
                except TimeoutError:
                    continue
        except (WebSocketDisconnect, RuntimeError):
            return

    def _state(self, page: LivePage) -> dict[str, Any]:
        state, lease, now = self._loop.state, self.lease, self._clock()
        leader = self._loop.flow.leader
        return {
            "type": "state",
            "phase": state.phase.value,
            "why": state.why,
            "advice": advise(state.why) if state.phase is Phase.FAULT else None,
            "name": state.name,
            "tick": state.tick,
            "clipped": state.clipped,
            "clips": dict(self._loop.arm.tally),
            "driver": lease.holder,
            "asking": lease.asking,
            "watchers": lease.watchers,
            "you": "drive" if lease.holds(page.grant.session) else "watch",
            "driving": self._loop.heartbeat.driving,
            "controller": state.controller,
            "note": state.note,
            "leader": None if leader is None else {"stage": leader.stage.value, "why": leader.why},
            "blind": state.blind,
            "parks": self.tending.parks,
            "dropped": self._steering.dropped,
            "time": self._wall(),
            "since": round(self._wall() - (now - state.since), 3),
            "age": round(now - self._loop.turned_at, 3),
        }

    async def _hear(self, page: LivePage, message: Mapping[str, Any]) -> None:
        """One message from a page; what cannot be done is answered with a sentence."""
        self.lease.heard(page.grant.session)
        verb = _VERBS.get(str(message.get("type")))
        try:
            if verb is None:
                raise ArmError(f"expected a type among {', '.join(_VERBS)}, got {str(message.get('type'))[:40]!r}")
            await verb(self, page, message)
        except (ArmError, LeaseRefused) as error:
            await page.tell(type="error", id=message.get("id"), message=str(error))
        except (KeyError, TypeError, ValueError) as error:
            wrong = f"expected the fields of {message.get('type')!r}, got: {error!r}"[:300]
            await page.tell(type="error", id=message.get("id"), message=wrong)

    async def _stop(self, page: LivePage, message: Mapping[str, Any]) -> None:
        tick = await stop_soon(self._loop, f"stopped by {page.grant.session}", self._stopping)
        await page.tell(type="stopped", id=message.get("id"), tick=tick, time=self._wall())

    async def _release(self, page: LivePage, message: Mapping[str, Any]) -> None:
        if page.grant.role != "drive" or not (self.lease.holder is None or self.lease.holds(page.grant.session)):
            raise LeaseRefused("expected the one who drives to release the arm; take the lease first")
        await asyncio.wrap_future(self._loop.call(self._loop.release))
        await page.tell(type="released", id=message.get("id"))

    async def _beat(self, page: LivePage, message: Mapping[str, Any]) -> None:
        counter = int(message["n"])
        if counter != page.counter:
            page.counter, self._loop.watched_at = counter, self._clock()
        if self.lease.holds(page.grant.session):
            self._loop.heartbeat.beat(counter)

    async def _view(self, page: LivePage, message: Mapping[str, Any]) -> None:
        cameras, fps = tuple(message["cameras"]), float(message.get("fps", 15))
        known = self._loop.arm.features.cameras
        if not set(cameras) <= set(known) or not 0 < fps <= FASTEST:
            raise ArmError(f"expected cameras among {known} and 0 < fps ≤ {FASTEST:g}, got {cameras}, {fps}"[:300])
        page.cameras, page.fps = cameras, fps
        page.shown.clear()
        page.due.clear()

    async def _feel(self, page: LivePage, message: Mapping[str, Any]) -> None:
        page.feels = bool(message["on"])
        if page.feels:
            await page.tell(type="sight", **await self.sighting.told())

    async def _lease(self, page: LivePage, message: Mapping[str, Any]) -> None:
        session, do = page.grant.session, message["do"]
        before = self.lease.holder
        if do == "take" and page.grant.role == "drive":
            self.lease.take(session)
        elif do in ("give", "refuse", "drop"):
            getattr(self.lease, do)(session)
        else:
            raise LeaseRefused(
                f"expected take (who may drive), give, refuse or drop, got {do!r} from a {page.grant.role}"
            )
        if self.lease.holder != before and self._loop.heartbeat.driving:
            self._loop.heartbeat.end()
            self._loop.hold("the one who drove put it down")
        self.changed()

    async def _drive(self, page: LivePage, message: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who holds the lease to drive; take it first")
        work = self._steering.switch(on=bool(message["on"])) if "on" in message else self._steering.command(message)
        if work is not None:
            await asyncio.wrap_future(self._loop.call(work))
        if "on" in message:
            if not message["on"]:
                await self.sighting.stand()
            self.changed()

    async def _lead(self, page: LivePage, message: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who holds the lease to lead; take it first")
        await asyncio.wrap_future(self._loop.call(self._steering.lead(on=bool(message["on"]))))
        self.changed()

    async def _sight(self, page: LivePage, message: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who drives to calibrate a camera; press Drive first")
        self._spread("sight", dict(await self.sighting.do(message)))
        self.changed()

    async def _retrace(self, page: LivePage, message: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who holds the lease to drive; take it first")
        await asyncio.wrap_future(self._loop.call(self._steering.retrace(message)))

    async def _calibrate(self, page: LivePage, message: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who drives to calibrate; press Drive first")
        told = await self.tending.calibrate(str(message["do"]))
        self._spread("calibration", dict(told))
        await page.tell(type="calibration", id=message.get("id"), **told)
        if self.tending.done:
            await asyncio.sleep(FAREWELL)
            self.tending.end()

    async def _park_here(self, page: LivePage, _: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who drives to say where it parks; press Drive first")
        await self.tending.park_here()
        self.changed()

    async def _hide(self, page: LivePage, _: Mapping[str, Any]) -> None:
        if self.lease.holds(page.grant.session):
            self._loop.heartbeat.pause()


_DRIFTING = ("tick", "time", "since", "age", "clipped", "clips", "dropped")
"""Fields of the state that change all the time; they alone are no news."""
_VERBS = {
    "stop": Live._stop,
    "release": Live._release,
    "beat": Live._beat,
    "view": Live._view,
    "feel": Live._feel,
    "lease": Live._lease,
    "drive": Live._drive,
    "lead": Live._lead,
    "retrace": Live._retrace,
    "calibrate": Live._calibrate,
    "sight": Live._sight,
    "park-here": Live._park_here,
    "hidden": Live._hide,
}
