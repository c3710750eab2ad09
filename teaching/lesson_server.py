"""The lesson's own socket: intents in, acknowledgements and views out. It never decides; the lesson's thread does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io.access import BAD_FRAME, Tokens, first_frame, receive_frame, token_route
from robot_io.lease import Lease, LeaseRefused
from teaching.types import AskbackError, BadInput

FRAME_BYTES = 65_536
REMEMBERED = 2_000
"""Intents whose acknowledgement is kept, so that the same one sent twice counts once."""
FREE = ("lease", "practice")
"""Intents that need no lease."""


class Intents(Protocol):
    """What may be asked of a lesson; see `teaching.intents` and `teaching.rollout_intents`."""

    names: dict[str, str]
    """Session → the name that its person gave."""

    def carry_out(self, do: str, values: Mapping[str, Any], session: str) -> int | None:
        """Carry out an intent; its sequence number once it is durable, if it has one."""


class LessonServer:
    """Serves one lesson to many pages; one of them answers, the others watch."""

    def __init__(self, intents: Intents, tokens: Tokens, lease: Lease, origins: set[str]) -> None:
        self.intents, self.tokens, self.lease = intents, tokens, lease
        self.view: dict[str, Any] = {"phase": "starting"}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: dict[WebSocket, tuple[str, asyncio.Event]] = {}
        self._acks: OrderedDict[str, asyncio.Future[dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()
        routes = [
            Route("/health", self._health),
            token_route(tokens, origins),
            WebSocketRoute("/lesson", self._lesson),
        ]
        self.app = Starlette(routes=routes, lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> Any:
        self._loop = asyncio.get_running_loop()
        yield

    def show(self, view: dict[str, Any]) -> None:
        """Publish a view to every page; callable from the lesson's thread."""
        self.view = view
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for _, changed in self._pages.values():
            changed.set()

    async def _health(self, request: Request) -> JSONResponse:
        told = {"name": "host", "phase": self.view["phase"], "pages": len(self._pages)}
        if self.tokens.opens(request.headers.get("x-askback-secret", "")):
            question = self.view.get("question") or {}
            told |= {"asks": str(question.get("goal", "")), "message": str(self.view.get("message", ""))}
        return JSONResponse(told)

    async def _lesson(self, socket: WebSocket) -> None:
        opened = await first_frame(socket, self.tokens, roles=("drive", "watch"))
        if opened is None:
            return
        grant, frame = opened
        session, name = grant.session, str(frame.get("teacher") or "somebody")[:80]
        changed = asyncio.Event()
        changed.set()
        self._pages[socket] = (session, changed)
        self.lease.join(session)
        if grant.role == "drive" and self.lease.free:
            self.lease.take(session)
        self.intents.names[session] = name
        self._wake()
        await socket.send_text(json.dumps({"type": "hello", "role": grant.role}))
        pushing = asyncio.create_task(self._push(socket, session, changed))
        try:
            await self._listen(socket, session, grant.role)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page went away; what it had said is kept
        finally:
            pushing.cancel()
            self._pages.pop(socket, None)
            self.lease.leave(session)
            self._wake()

    async def _push(self, socket: WebSocket, session: str, changed: asyncio.Event) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page went away; `_listen` sees it, too
            while True:
                await changed.wait()
                changed.clear()
                view = self.view | {"lease": self._lease_view(session)}
                await socket.send_text(json.dumps({"type": "view", "view": view}))

    def _lease_view(self, session: str) -> dict[str, Any]:
        lease = self.lease
        return {
            "holder": self.intents.names.get(lease.holder or "", lease.holder),
            "you": lease.holds(session),
            "asking": self.intents.names.get(lease.asking or "", lease.asking),
            "watchers": lease.watchers,
        }

    async def _listen(self, socket: WebSocket, session: str, role: str) -> None:
        while True:
            try:
                frame = await receive_frame(socket, FRAME_BYTES)
            except ValueError as error:
                await socket.close(BAD_FRAME, str(error)[:120])
                return
            self.lease.heard(session)
            if frame.get("type") != "intent":
                continue
            asyncio.create_task(self._acknowledge(socket, session, role, frame))  # noqa: RUF006  its ack is kept in _acks

    async def _acknowledge(self, socket: WebSocket, session: str, role: str, frame: Mapping[str, Any]) -> None:
        key = f"{session} {frame.get('id')}"
        known = self._acks.get(key)
        if known is None:
            known = self._acks[key] = asyncio.get_running_loop().create_future()
            while len(self._acks) > REMEMBERED:
                self._acks.popitem(last=False)
            known.set_result(await self._carry_out(session, role, frame))
            if not known.result()["ok"]:
                self._acks.pop(key, None)  # refused, so nothing was counted: the same intent may be sent again
        ack = await asyncio.shield(known)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await socket.send_text(json.dumps({"type": "ack", "id": frame.get("id"), **ack}))

    async def _carry_out(self, session: str, role: str, frame: Mapping[str, Any]) -> dict[str, Any]:
        try:
            do = str(frame.get("do"))
            if do == "lease":
                self._lease(session, role, str(frame.get("lease")))
                return {"ok": True, "seq": None}
            if role != "drive" or (do not in FREE and not self.lease.holds(session)):
                raise BadInput("somebody else answers here; you are watching: ask for the turn first")
            sequence = await asyncio.to_thread(self.intents.carry_out, do, frame, session)
            return {"ok": True, "seq": sequence}
        except (AskbackError, LeaseRefused, OSError) as error:
            return {"ok": False, "error": str(error)}

    def _lease(self, session: str, role: str, do: str) -> None:
        if role != "drive":
            raise BadInput("this page may only watch")
        verbs = {"take": self.lease.take, "give": self.lease.give, "refuse": self.lease.refuse, "drop": self.lease.drop}
        if do not in verbs:
            raise BadInput(f"expected lease to be one of {', '.join(verbs)}, got {do!r}")
        verbs[do](session)
        self._wake()
