"""A small reverse proxy, as a person would put one before Askback: one origin, three paths."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import TracebackType

from aiohttp import ClientSession, WSMessage, WSMsgType, web

from robot_io.run_files import read_run_file

HOP = {"connection", "upgrade", "keep-alive", "transfer-encoding", "content-encoding", "content-length"}


class Proxy:
    """`/arm/NAME/` and `/host/NAME/` go to the processes of a lesson, everything else to the web process."""

    def __init__(self, port: int, web_port: int, home: Path) -> None:
        self.port, self.web_port, self.home = port, web_port, home
        self.passed: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._up = threading.Event()
        self._over = asyncio.Event()

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._pass)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self._up.set()
        await self._over.wait()
        await runner.cleanup()

    def _target(self, request: web.Request) -> str:
        parts = request.path.split("/")
        if len(parts) > 3 and parts[1] in ("arm", "host"):
            run = read_run_file(self.home / parts[2], parts[1])
            assert run is not None
            return f"http://127.0.0.1:{run.port}/" + "/".join(parts[3:])
        return f"http://127.0.0.1:{self.web_port}{request.rel_url}"

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        target = self._target(request)
        headers = {
            k: v for k, v in request.headers.items() if k.lower() not in HOP and not k.startswith("Sec-WebSocket")
        }
        if request.headers.get("Upgrade", "").lower() == "websocket":
            self.passed.append(request.path)
            return await self._socket(request, target, headers)
        async with (
            ClientSession(auto_decompress=False) as client,
            client.request(request.method, target, headers=headers, data=await request.read()) as answer,
        ):
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP - {"content-encoding"}}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    async def _socket(self, request: web.Request, target: str, headers: dict[str, str]) -> web.WebSocketResponse:
        offered = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if p.strip()]
        async with ClientSession() as client, client.ws_connect(target, headers=headers, protocols=offered) as behind:
            chosen = [behind.protocol] if behind.protocol else []
            before = web.WebSocketResponse(protocols=chosen, max_msg_size=0)
            await before.prepare(request)
            pumps = [asyncio.create_task(_pump(before, behind)), asyncio.create_task(_pump(behind, before))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await before.close()
            return before


async def _pump(source: web.WebSocketResponse, sink: web.WebSocketResponse) -> None:
    message: WSMessage
    async for message in source:
        if message.type == WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await sink.send_bytes(message.data)
