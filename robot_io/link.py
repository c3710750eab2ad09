"""`WS /link`: an arm for programs. One request, one reply, in any order; stop waits for nothing."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from robot_io import beat, wire
from robot_io.access import BAD_FRAME, Tokens, first_frame, receive_frame
from robot_io.arm import Action, ArmError, BadAction, Scene, Unsupported
from robot_io.errors import Driven
from robot_io.eyes import Eye
from robot_io.flow import Mode
from robot_io.key_frames import KeyFrames
from robot_io.loop import Loop
from robot_io.messages import numbers_of, plain, plain_error
from robot_io.priority import be_nice
from robot_io.sighted import Laid
from robot_io.stills import Stills
from robot_io.stopping import stop_soon
from robot_io.teleop import Places

FRAME_BYTES = 8 * 2**20
"""The longest request: a snapshot and a few numbers."""
AT_ONCE = 64
"""Requests of one program that may be under way."""
Message = Mapping[str, Any]


class Link:
    """Serves programs from the server's thread; everything that touches the arm runs on the loop's."""

    def __init__(self, loop: Loop, eye: Eye, tokens: Tokens, stopping: Executor,
                 kept: KeyFrames | None = None, stills: Stills | None = None) -> None:  # fmt: skip
        self.connected = 0
        self._kept, self._stills = kept, stills
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
        streamed = False
        try:
            while True:
                request = await receive_frame(websocket, FRAME_BYTES)
                streamed |= request.get("do") == "stream"
                task = asyncio.create_task(self._serve(websocket, request, len(tasks)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        except WebSocketDisconnect:
            pass
        except ValueError as error:
            await websocket.close(BAD_FRAME, str(error)[:120])
        finally:
            self.connected -= 1
            if streamed:
                self._loop.call(self._gone)
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

    def _laid(self) -> Laid:
        arm = self._loop.arm.arm
        if not {"laid", "scene"} & arm.features.capabilities or not isinstance(arm, Laid):
            raise Unsupported(f"expected an arm whose table is known, got {arm.features.name}")
        return arm

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
        action = Action(numbers_of(request["joints"]), float(request["gripper"]))
        return await self._moving(lambda: self._loop.send(action))

    async def _do_perform(self, request: Message) -> Any:
        actions = numbers_of(request["actions"])
        if "table" not in self._loop.arm.features.capabilities:
            raise Unsupported(f"expected an arm that picks and places, got {self._loop.arm.features.name}")
        self._loop.arm.refuse_if_stopped()
        if self._performing:
            raise ArmError("expected one motion at a time, but one is under way; wait for its end, or hold first")
        self._performing = True
        try:
            path = await self._think(self._eye.path, actions)
            if not request.get("anyway"):
                await self._think(self._eye.try_out, path)
            return await self._moving(lambda: self._loop.follow(path))
        finally:
            self._performing = False

    async def _do_check(self, request: Message) -> None:
        """Whether a pick and place can be done: Unreachable or Refused if not; moves nothing."""
        await self._think(self._eye.try_out, await self._think(self._eye.path, numbers_of(request["actions"])))

    async def _do_clear(self, _: Message) -> None:
        """Get the arm out of its own picture, if it is in it."""
        self._loop.arm.refuse_if_stopped()
        path = await self._think(self._eye.aside)
        if path is not None:
            await self._moving(lambda: self._loop.follow(path))

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
        laid = self._laid()
        seed, task, split = int(request["seed"]), str(request["task"]), str(request["split"])
        await self._do_clear(request)
        truth = await self._on_loop(self._changing(lambda: laid.reset(seed, task, split)))
        await self._do_clear(request)  # where it stands aside may depend on the scene
        return truth

    async def _do_snapshot(self, _: Message) -> Any:
        return await self._on_loop(self._loop.call(self._laid().snapshot))

    async def _do_restore(self, request: Message) -> Any:
        scene, snapshot = self._scene(), bytes(request["snapshot"])
        return await self._on_loop(self._changing(lambda: scene.restore(snapshot)))

    def _changing(self, work: Callable[[], Any]) -> Future[Any]:
        self._loop.arm.refuse_if_stopped()
        return self._loop.call(work, still=True, changes=True)

    async def _do_truth(self, _: Message) -> Any:
        return await self._on_loop(self._loop.call(self._laid().truth))

    async def _do_rehearse(self, request: Message) -> Any:
        self._laid()
        snapshot, actions = request.get("snapshot"), numbers_of(request["actions"])
        return await self._think(self._eye.rehearse, actions, None if snapshot is None else bytes(snapshot))

    async def _do_preview(self, request: Message) -> Any:
        self._scene()
        return await self._think(self._eye.preview, int(request["seed"]), str(request["task"]), str(request["split"]))

    def _gone(self) -> None:
        """The program that streamed is gone: what is left of its rows is not carried out."""
        if self._loop.flow.mode is Mode.POLICY:
            self._loop.flow.finish("the program that moved it is gone")

    async def _do_record(self, request: Message) -> Any:
        on = bool(request["on"])
        return await self._on_loop(self._loop.call(lambda: self._loop.memory.record(on, self._loop.tick)))

    async def _do_stream(self, request: Message) -> Any:
        """Rows to carry out; with `wait` the reply comes when no more than that many ticks are left of them."""
        rows, start, wait = numbers_of(request["actions"]), request.get("start"), request.get("wait")
        every, kind = int(request.get("every", 1)), str(request.get("kind", "joints"))
        begin, loop = None if start is None else int(start), self._loop

        def stream() -> int:
            loop.arm.refuse_if_stopped()
            if loop.heartbeat.driving or loop.in_motion:
                raise Driven("expected nobody else to drive, but a person or a motion does; wait for the hand-over")
            return loop.flow.stream(rows, loop.tick, start=begin, every=every, kind=kind)

        end, ended = await self._on_loop(self._loop.call(stream)), ""
        if wait is not None:
            ended = await self._on_loop(await self._on_loop(self._loop.call(lambda: self._loop.flow.until(int(wait)))))
        told = {"end": end, "tick": self._loop.tick, "ended": ended}
        return told if request.get("since") is None else {**told, "beat": await self._do_beat(request)}

    async def _do_glimpse(self, request: Message) -> Any:
        return await self._think(self._eye.glimpse, *(request[name] for name in ("cameras", "width", "height")))

    async def _do_stills(self, request: Message) -> Any:
        """Small pictures for a recording."""
        if self._stills is None:
            raise Unsupported("expected an arm process that takes pictures for recordings, got none")
        return await self._stills.taken(*(request[name] for name in ("cameras", "width", "height")))

    async def _do_now(self, _: Message) -> Any:
        return await self._on_loop(self._loop.call(lambda: beat.now(self._loop)))

    async def _do_beat(self, request: Message) -> Any:
        return await self._on_loop(self._loop.call(lambda: beat.beat(self._loop, int(request["since"]))))

    async def _do_frames(self, request: Message) -> Any:
        since, limit = int(request["since"]), min(max(int(request.get("limit", 2000)), 1), 20_000)
        return await self._on_loop(self._loop.call(lambda: self._loop.memory.recording.since(since, limit)))

    async def _do_places(self, request: Message) -> Any:
        arm = self._loop.arm.arm
        if not isinstance(arm, Places):
            raise Unsupported(f"expected an arm that knows where its tip is, got {arm.features.name}")
        return await self._think(arm.places, numbers_of(request["joints"], 2))

    async def _do_moments(self, _: Message) -> Any:
        found = await self._on_loop(self._loop.call(self._loop.memory.moments))
        return {**found, "kept": self._kept.names() if self._kept is not None else []}

    async def _do_rewind(self, request: Message) -> Any:
        tick = int(request["tick"])
        return await self._on_loop(self._back(lambda: self._loop.memory.rewind(tick)))

    async def _do_keep(self, _: Message) -> Any:
        kept, memory = self._need_kept(), self._loop.memory
        tick = self._loop.tick
        return await self._think(kept.keep, await self._on_loop(self._loop.call(memory.key_frame)), tick)

    async def _do_return(self, request: Message) -> Any:
        data = await self._think(self._need_kept().read, str(request["name"]))
        return await self._on_loop(self._back(lambda: self._loop.memory.return_to(data, self._loop.tick)))

    def _back(self, work: Callable[[], Any]) -> Future[Any]:
        """Change the scene to an earlier one, while nobody drives."""
        self._loop.arm.refuse_if_stopped()

        def back() -> Any:
            if self._loop.heartbeat.driving:
                raise ArmError("expected nobody to drive, but a person does; hand it back first")
            result = work()
            self._loop.revision += 1
            return result

        return self._loop.call(back, still=True)

    def _need_kept(self) -> KeyFrames:
        if self._kept is None:
            raise Unsupported("expected an arm process with a directory to keep moments in, got none")
        return self._kept
