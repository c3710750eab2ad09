"""`WS /link`: an arm for programs. One request, one reply, in any order; stop waits for nothing."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io import wire
from robot_io.access import BAD_FRAME, Tokens, first_frame, receive_frame
from robot_io.arm import Action, ArmError, BadAction, Scene, Unsupported
from robot_io.eyes import Eye
from robot_io.loop import Loop, stop_soon
from robot_io.messages import plain, plain_error
from robot_io.priority import be_nice

FRAME_BYTES = 8 * 2**20
"""The longest request: a snapshot and a few numbers."""
AT_ONCE = 64
"""Requests of one program that may be under way."""
Message = Mapping[str, Any]


class Link:
    """Serves programs from the server's thread; everything that touches the arm runs on the loop's."""

    def __init__(self, loop: Loop, eye: Eye, tokens: Tokens, stopping: Executor) -> None:
        self.connected = 0
        self._loop, self._eye, self._tokens = loop, eye, tokens
        self._performing = False
        self._thinking = ThreadPoolExecutor(1, "thinking", initializer=be_nice)
        self._stopping = stopping

    async def __call__(self, websocket: WebSocket) -> None:
        """One program, from its token to its end. Its motion ends with it."""
        if await first_frame(websocket, self._tokens, roles=("link",)) is None:
            return
        await websocket.send_bytes(wire.pack({"ok": True}))
        self.connected += 1
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                request = await receive_frame(websocket, FRAME_BYTES)
                task = asyncio.create_task(self._serve(websocket, request, len(tasks)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        except WebSocketDisconnect:
            pass
        except ValueError as error:
            await websocket.close(BAD_FRAME, str(error)[:120])
        finally:
            self.connected -= 1
            for task in tasks:
                task.cancel()

    def close(self) -> None:
        """End its thread."""
        self._thinking.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, websocket: WebSocket, request: Message, under_way: int) -> None:
        reply: dict[str, Any] = {"id": request.get("id")}
        try:
            verb = self._verb(request)
            if under_way > AT_ONCE and request["do"] != "stop":
                raise ArmError(f"expected at most {AT_ONCE} requests at once; wait for replies")
            reply |= {"ok": True, "value": plain(await verb(request))}
        except ArmError as error:
            reply |= plain_error(error)
        except (KeyError, TypeError, ValueError) as error:
            reply |= plain_error(BadAction(f"expected the fields of {request.get('do')!r}: {error!r}"))
        try:
            await websocket.send_bytes(wire.pack(reply))
        except (WebSocketDisconnect, RuntimeError):
            return

    def _verb(self, request: Message) -> Callable[[Message], Awaitable[Any]]:
        verb = getattr(self, f"_do_{request.get('do')}", None)
        if verb is None:
            known = sorted(name[4:] for name in dir(self) if name.startswith("_do_"))
            raise Unsupported(f"expected a verb among {', '.join(known)}, got {request.get('do')!r}")
        checked: Callable[[Message], Awaitable[Any]] = verb
        return checked

    async def _think(self, work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thinking, functools.partial(work, *args))

    async def _on_loop(self, future: Future[Any]) -> Any:
        return await asyncio.wrap_future(future)

    def _scene(self) -> Scene:
        arm = self._loop.arm.arm
        if "scene" not in arm.features.capabilities or not isinstance(arm, Scene):
            raise Unsupported(f"expected an arm with a scene, got {arm.features.name}")
        return arm

    async def _do_features(self, _: Message) -> Any:
        return self._loop.arm.features

    async def _do_state(self, _: Message) -> Any:
        return asdict(self._loop.state)

    async def _do_pace(self, request: Message) -> Any:
        return self._loop.set_pace(float(request["factor"]))

    async def _do_stop(self, _: Message) -> Any:
        return await stop_soon(self._loop, "stopped by a program", self._stopping)

    async def _do_release(self, _: Message) -> Any:
        return await self._on_loop(self._loop.call(self._loop.release))

    async def _do_hold(self, _: Message) -> Any:
        return await self._on_loop(self._loop.hold())

    async def _do_observe(self, request: Message) -> Any:
        if request.get("pictures"):
            return await self._think(self._eye.observe)
        return await self._on_loop(self._loop.call(lambda: self._loop.arm.observe()))

    async def _do_send(self, request: Message) -> Any:
        action = Action(_numbers(request["joints"]), float(request["gripper"]))
        return await self._moving(lambda: self._loop.send(action))

    async def _do_perform(self, request: Message) -> Any:
        actions = _numbers(request["actions"])
        if "table" not in self._loop.arm.features.capabilities:
            raise Unsupported(f"expected an arm that picks and places, got {self._loop.arm.features.name}")
        self._loop.arm.refuse_if_stopped()
        if self._performing:
            raise ArmError("expected one motion at a time, but one is under way; wait for its end, or hold first")
        self._performing = True
        try:
            path = await self._think(self._eye.path, actions)
            return await self._moving(lambda: self._loop.follow(path))
        finally:
            self._performing = False

    async def _moving(self, start: Callable[[], Future[Any]]) -> Any:
        """A motion; if the program that asked for it goes away, the arm holds."""
        motion = start()
        try:
            return await asyncio.shield(asyncio.wrap_future(motion))
        except asyncio.CancelledError:
            if not motion.done():
                self._loop.hold("the program that moved it is gone")
            raise

    async def _do_reset(self, request: Message) -> Any:
        scene = self._scene()
        seed, task, split = int(request["seed"]), str(request["task"]), str(request["split"])
        return await self._on_loop(self._changing(lambda: scene.reset(seed, task, split)))

    async def _do_snapshot(self, _: Message) -> Any:
        return await self._on_loop(self._loop.call(self._scene().snapshot))

    async def _do_restore(self, request: Message) -> Any:
        scene, snapshot = self._scene(), bytes(request["snapshot"])
        return await self._on_loop(self._changing(lambda: scene.restore(snapshot)))

    def _changing(self, work: Callable[[], Any]) -> Future[Any]:
        self._loop.arm.refuse_if_stopped()
        return self._loop.call(work, still=True, changes=True)

    async def _do_truth(self, _: Message) -> Any:
        return await self._on_loop(self._loop.call(self._scene().truth))

    async def _do_rehearse(self, request: Message) -> Any:
        self._scene()
        snapshot = request.get("snapshot")
        actions = _numbers(request["actions"])
        return await self._think(self._eye.rehearse, actions, None if snapshot is None else bytes(snapshot))

    async def _do_preview(self, request: Message) -> Any:
        self._scene()
        return await self._think(self._eye.preview, int(request["seed"]), str(request["task"]), str(request["split"]))


def _numbers(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadAction(f"expected numbers, got {str(value)[:80]}") from error
