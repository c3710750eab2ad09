"""`WS /live`: an arm for browsers. State, pictures, who drives, the heartbeat, and STOP."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io.access import BAD_FRAME, Grant, Tokens, first_frame, receive_frame
from robot_io.advice import advise
from robot_io.arm import ArmError
from robot_io.diary import Diary
from robot_io.eyes import Eye
from robot_io.lease import Lease, LeaseRefused
from robot_io.loop import Loop
from robot_io.messages import readable
from robot_io.phase import Phase
from robot_io.priority import be_nice
from robot_io.senses import Senses
from robot_io.steering import Steering
from robot_io.stopping import stop_soon

log = logging.getLogger(__name__)
FRAME_BYTES = 16 * 1024
"""The longest message from a browser."""
STATE_SECONDS = 0.2
STILL_SECONDS = 1.0
"""How often a picture that did not change is sent again."""
FILMING_NICE = 5
"""Pictures for people come after everything else."""
FASTEST = 60.0
"""Pictures per second."""


@dataclass(eq=False)
class _Page:
    """One browser tab: what it wants to see, and what waits to be sent to it."""

    websocket: WebSocket
    grant: Grant
    cameras: tuple[str, ...] = ()
    fps: float = 15.0
    counter: int | None = None
    feels: bool = False
    news: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def tell(self, **message: Any) -> None:
        """Send one JSON message."""
        await self.websocket.send_text(json.dumps(message))


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
    ) -> None:
        self.pages: set[_Page] = set()
        self.lease = Lease(clock)
        self._loop, self._eye, self._tokens, self._stopping = loop, eye, tokens, stopping
        self._clock, self._wall = clock, wall
        self._steering = Steering(loop, wall)
        self.diary = Diary()
        self._senses = Senses(loop, self.diary, clock, wall)
        self._filming = ThreadPoolExecutor(1, "filming", initializer=be_nice, initargs=(FILMING_NICE,))

    async def __call__(self, websocket: WebSocket) -> None:
        """One page, from its token to its end."""
        first = await first_frame(websocket, self._tokens, roles=("drive", "watch"))
        if first is None:
            return
        page = _Page(websocket, first[0])
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
        self._filming.shutdown(wait=False, cancel_futures=True)

    async def film(self) -> None:
        """Make the pictures that pages want, for as long as it runs; none is made twice."""
        while True:
            wanted = {camera: page.fps for page in sorted(self.pages, key=lambda p: p.fps) for camera in page.cameras}
            started = self._clock()
            for camera in wanted:
                await self._film_one(camera)
            period = 1.0 / max(wanted.values(), default=5.0)
            await asyncio.sleep(max(0.002, period - (self._clock() - started)))

    async def feel(self) -> None:
        """Feel the arm and tell the pages that want to know, for as long as it runs."""
        await self._senses.run(lambda: any(page.feels for page in self.pages), self._spread)

    def _spread(self, kind: str, message: dict[str, Any]) -> None:
        for page in self.pages:
            if page.feels:
                page.news[kind] = message
                page.wake.set()

    async def _film_one(self, camera: str) -> None:
        now, revision = self._clock(), self._loop.revision
        for_pages = [page for page in self.pages if self._wants(page, camera, now, revision)]
        if not for_pages:
            return
        stamp = struct.pack(">Bd", self._loop.arm.features.cameras.index(camera), self._wall())
        try:
            picture = await asyncio.get_running_loop().run_in_executor(self._filming, self._eye.frame, camera)
        except ArmError as error:
            log.warning("no picture from %s: %s", camera, error)
            await asyncio.sleep(STILL_SECONDS)
            return
        for page in for_pages:
            page.pictures[camera] = stamp + picture
            page.shown[camera] = revision
            page.due[camera] = max(page.due.get(camera, now) + 1 / page.fps, now)
            page.wake.set()

    def _wants(self, page: _Page, camera: str, now: float, revision: int) -> bool:
        if camera not in page.cameras:
            return False
        due = page.due.get(camera, now)
        return now >= (due if page.shown.get(camera) != revision else due + STILL_SECONDS)

    async def _write(self, page: _Page) -> None:
        """State at 5 Hz and on change, and the newest picture of each camera; a slow page misses some."""
        told: dict[str, Any] = {}
        told_at = -STATE_SECONDS
        try:
            while True:
                state, now = self._state(page), self._clock()
                if now - told_at >= STATE_SECONDS or any(state[k] != told.get(k) for k in state if k not in _DRIFTING):
                    await page.tell(**state)
                    told, told_at = state, now
                while page.news:
                    kind = next(iter(page.news))
                    await page.tell(type=kind, **page.news.pop(kind))
                while page.pictures:
                    await page.websocket.send_bytes(page.pictures.pop(next(iter(page.pictures))))
                page.wake.clear()
                try:
                    await asyncio.wait_for(page.wake.wait(), max(0.0, told_at + STATE_SECONDS - self._clock()))
                except TimeoutError:
                    continue
        except (WebSocketDisconnect, RuntimeError):
            return

    def _state(self, page: _Page) -> dict[str, Any]:
        state, lease, now = self._loop.state, self.lease, self._clock()
        return {
            "type": "state",
            "phase": state.phase.value,
            "why": state.why,
            "advice": advise(state.why) if state.phase is Phase.FAULT else None,
            "name": state.name,
            "tick": state.tick,
            "clipped": state.clipped,
            "driver": lease.holder,
            "asking": lease.asking,
            "watchers": lease.watchers,
            "you": "drive" if lease.holds(page.grant.session) else "watch",
            "driving": self._loop.heartbeat.driving,
            "controller": state.controller,
            "note": state.note,
            "dropped": self._steering.dropped,
            "time": self._wall(),
            "since": round(self._wall() - (now - state.since), 3),
            "age": round(now - self._loop.turned_at, 3),
        }

    async def _hear(self, page: _Page, message: Mapping[str, Any]) -> None:
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

    async def _stop(self, page: _Page, message: Mapping[str, Any]) -> None:
        tick = await stop_soon(self._loop, f"stopped by {page.grant.session}", self._stopping)
        await page.tell(type="stopped", id=message.get("id"), tick=tick, time=self._wall())

    async def _release(self, page: _Page, message: Mapping[str, Any]) -> None:
        if page.grant.role != "drive" or not (self.lease.holder is None or self.lease.holds(page.grant.session)):
            raise LeaseRefused("expected the one who drives to release the arm; take the lease first")
        await asyncio.wrap_future(self._loop.call(self._loop.release))
        await page.tell(type="released", id=message.get("id"))

    async def _beat(self, page: _Page, message: Mapping[str, Any]) -> None:
        counter = int(message["n"])
        if counter != page.counter:
            page.counter, self._loop.watched_at = counter, self._clock()
        if self.lease.holds(page.grant.session):
            self._loop.heartbeat.beat(counter)

    async def _view(self, page: _Page, message: Mapping[str, Any]) -> None:
        cameras, fps = tuple(message["cameras"]), float(message.get("fps", 15))
        known = self._loop.arm.features.cameras
        if not set(cameras) <= set(known) or not 0 < fps <= FASTEST:
            raise ArmError(f"expected cameras among {known} and 0 < fps ≤ {FASTEST:g}, got {cameras}, {fps}"[:300])
        page.cameras, page.fps = cameras, fps
        page.shown.clear()
        page.due.clear()

    async def _feel(self, page: _Page, message: Mapping[str, Any]) -> None:
        page.feels = bool(message["on"])

    async def _lease(self, page: _Page, message: Mapping[str, Any]) -> None:
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

    async def _drive(self, page: _Page, message: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who holds the lease to drive; take it first")
        work = self._steering.switch(on=bool(message["on"])) if "on" in message else self._steering.command(message)
        if work is not None:
            await asyncio.wrap_future(self._loop.call(work))
        if "on" in message:
            self.changed()

    async def _retrace(self, page: _Page, message: Mapping[str, Any]) -> None:
        if not self.lease.holds(page.grant.session):
            raise LeaseRefused("expected the one who holds the lease to drive; take it first")
        await asyncio.wrap_future(self._loop.call(self._steering.retrace(message)))

    async def _hide(self, page: _Page, _: Mapping[str, Any]) -> None:
        if self.lease.holds(page.grant.session):
            self._loop.heartbeat.pause()


_DRIFTING = ("tick", "time", "since", "age", "clipped", "dropped")
"""Fields of the state that change all the time; they alone are no news."""
_VERBS = {
    "stop": Live._stop,
    "release": Live._release,
    "beat": Live._beat,
    "view": Live._view,
    "feel": Live._feel,
    "lease": Live._lease,
    "drive": Live._drive,
    "retrace": Live._retrace,
    "hidden": Live._hide,
}
