"""Who may talk: Host and Origin on every path, a secret that buys tokens, a token as the first frame of a socket.

A stranger's page in a browser can reach a server on this machine. What it cannot do is choose its own Origin header, or
know the secret of a file that only this user can read.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io import wire

ROLES = ("drive", "watch", "link")
FIRST_FRAME_BYTES = 4096
"""The longest first frame, and the longest body of a token request."""
FIRST_FRAME_SECONDS = 5.0
UNAUTHORISED = 4401
"""Close code: no good token came."""
BAD_FRAME = 4400
"""Close code: a frame that is no message of ours."""


def own_hosts(port: int, origins: Iterable[str] = ()) -> frozenset[str]:
    """The Host headers of a server on this machine, and of the given origins (a proxy keeps its own Host)."""
    ours = {f"localhost:{port}", f"127.0.0.1:{port}"}
    if port == 80:
        ours |= {"localhost", "127.0.0.1"}
    return frozenset(ours | {urlsplit(origin).netloc.lower() for origin in origins})


def own_origins(port: int, allowed: Iterable[str] = ()) -> set[str]:
    """The origins of the web pages served on a port of this machine, and those that were allowed by name."""
    return {f"http://localhost:{port}", f"http://127.0.0.1:{port}", *(checked_origin(o) for o in allowed)}


def checked_origin(origin: str) -> str:
    """An origin in standard form, scheme://host[:port]; ValueError if it is something else."""
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError(f"expected an origin like https://robot.example.org or http://localhost:8501, got {origin!r}")
    return f"{parts.scheme}://{parts.netloc}".lower()


def guarded(app: ASGIApp, *, origins: Collection[str], hosts: Collection[str]) -> ASGIApp:
    """The app behind the checks of Host and Origin, for HTTP and WebSocket, on every path.

    Args:
        app: any ASGI application.
        origins: allowed Origin headers, exact; a request without one (a program, a typed address) passes.
        hosts: allowed Host headers, exact, port included. Both are read at every request, so they may grow.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            wrong = _wrong(scope, origins, hosts)
            if wrong is not None:
                await _refuse(scope, receive, send, wrong)
                return
        await app(scope, receive, send)

    return guard


def _wrong(scope: Scope, origins: Collection[str], hosts: Collection[str]) -> str | None:
    """Why a request is refused, or None."""
    host = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    if len(host) != 1 or host[0] not in hosts:
        return f"expected the Host of this server, got {host}; open it as http://localhost, or allow it by name"
    origin = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"origin"]
    if len(origin) > 1 or (origin and origin[0] not in origins):
        return f"expected the Origin of Askback's own pages, got {origin}; allow another one with --allow-origin"
    return None


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    response = PlainTextResponse(why + "\n", status_code=403)
    if scope["type"] == "http":
        await response(scope, receive, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})


@dataclass(frozen=True)
class Grant:
    """What a token allows."""

    session: str
    role: str


class Tokens:
    """Tokens of one server. A token is its grant, signed with the secret, so nothing has to be remembered."""

    def __init__(self, secret: str | None = None) -> None:
        self.secret = secret or secrets.token_urlsafe(32)

    def opens(self, secret: str) -> bool:
        """Whether that is the secret, compared in constant time."""
        return hmac.compare_digest(secret.encode(), self.secret.encode())

    def issue(self, session: str, role: str) -> str:
        """A token for one session in one role; ValueError names the roles."""
        if role not in ROLES or not 1 <= len(session) <= 200:
            raise ValueError(f"expected a session of 1 to 200 characters and a role among {ROLES}, got {role!r}")
        grant = json.dumps([session, role, secrets.token_hex(8)]).encode()
        return f"{_text(grant)}.{_text(self._sign(grant))}"

    def grant(self, token: str) -> Grant | None:
        """What a token allows; None if it is none of ours."""
        try:
            grant, signature = (_bytes(part) for part in token.split("."))
        except ValueError:
            return None
        if not hmac.compare_digest(self._sign(grant), signature):
            return None
        session, role, _ = json.loads(grant)
        return Grant(session, role)

    def _sign(self, grant: bytes) -> bytes:
        return hmac.new(self.secret.encode(), grant, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("expected base64") from error


def token_route(tokens: Tokens, origins: set[str] | None = None) -> Route:
    """`POST /token`: who knows the secret gets tokens, and may add the origin of the pages that will use them."""

    async def token(request: Request) -> Response:
        if not tokens.opens(request.headers.get("x-askback-secret", "")):
            return PlainTextResponse("expected the secret of the run file in X-Askback-Secret\n", status_code=401)
        try:
            wanted = json.loads(await _body(request))
            issued = tokens.issue(str(wanted["session"]), str(wanted["role"]))
            if origins is not None and wanted.get("origin"):
                origins.add(checked_origin(str(wanted["origin"])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return PlainTextResponse(f'expected {{"session", "role"}}, got something else: {error}\n', status_code=400)
        return JSONResponse({"token": issued})

    return Route("/token", token, methods=["POST"])


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FIRST_FRAME_BYTES:
            raise ValueError(f"expected at most {FIRST_FRAME_BYTES} bytes")
    return body


async def first_frame(
    websocket: WebSocket, tokens: Tokens, *, roles: Collection[str], timeout: float = FIRST_FRAME_SECONDS
) -> tuple[Grant, dict[str, Any]] | None:
    """Accept a socket and read its first frame, JSON text or msgpack, which must carry a token.

    Returns:
        The grant and the frame; None if it was refused, and then the socket is closed with a reason.
    """
    await websocket.accept()
    try:
        frame = await asyncio.wait_for(receive_frame(websocket, FIRST_FRAME_BYTES), timeout)
    except (TimeoutError, ValueError):
        await websocket.close(UNAUTHORISED, "expected a token in the first frame")
        return None
    except WebSocketDisconnect:
        return None
    grant = tokens.grant(frame["token"]) if isinstance(frame.get("token"), str) else None
    if grant is None or grant.role not in roles or frame.get("session", grant.session) != grant.session:
        await websocket.close(UNAUTHORISED, "expected a good token for this socket; ask for a new one")
        return None
    return grant, frame


async def receive_frame(websocket: WebSocket, limit: int) -> dict[str, Any]:
    """The next frame as a mapping; ValueError if it is too long or none, WebSocketDisconnect at the end."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1005)
    text: str | None = message.get("text")
    data: bytes = message.get("bytes") or b""
    length = len(text) if text is not None else len(data)
    if length > limit:
        raise ValueError(f"expected a frame of at most {limit} bytes, got {length}")
    frame = json.loads(text) if text is not None else wire.unpack(data)
    if not isinstance(frame, dict):
        raise ValueError(f"expected a mapping, got {type(frame).__name__}")
    return frame
