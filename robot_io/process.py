"""The arm process: `python -m robot_io.process --arm sim:panda --dir DIR`. One arm, one loop, one side port.

The main thread is the control loop; a server thread talks to programs and browsers. No torch here, and no rendering.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from robot_io import leading
from robot_io import link as link_room
from robot_io.access import Tokens, checked_origin, guarded, own_hosts, token_route
from robot_io.arm import Arm, ArmError, make_arm
from robot_io.diagnostics import LAST_MINUTE
from robot_io.eyes import Eye
from robot_io.heartbeat import Heartbeat
from robot_io.identity import check_identity
from robot_io.key_frames import KeyFrames
from robot_io.lenses import Lenses
from robot_io.live import Live
from robot_io.loop import Loop
from robot_io.priority import be_first
from robot_io.run_files import ENDED, Owned, RunFileError, birth_of, own, remove_run_file, write_run_file
from robot_io.safety import SafeArm
from robot_io.stills import Stills
from robot_io.telling import Telling
from robot_io.watchdog import Watchdog

log = logging.getLogger("robot_io.process")
DONE = 3
CRASHED = "restarted after a crash: release to go on"
SWITCH_SECONDS = 0.001
"""How long one thread may keep the interpreter while another waits: a STOP must not wait for five milliseconds."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    arm: str
    directory: Path
    port: int = 0
    bind: str = "127.0.0.1"
    origins: tuple[str, ...] = ()
    parent: int | None = None
    idle: float = 600.0
    """Seconds without a page or a program after which it parks and ends."""
    identity: Path | None = None
    """Tells which arm it has to be; None: any."""
    cameras: Mapping[str, str] = field(default_factory=dict)
    """Name → device or film, for people to watch."""


class Server:
    """The side port: everything that programs and browsers may ask of the arm."""

    def __init__(self, loop: Loop, options: Options, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.tokens = Tokens()
        self._loop, self._options, self._listening = loop, options, listening
        self._stopping = ThreadPoolExecutor(1, "stopping")
        self._thinking_eye, self._live_eye, self._still_eye = Eye(loop), Eye(loop), Eye(loop)
        kept = KeyFrames(options.directory)
        self.lenses = Lenses(options.cameras)
        self._stills = Stills(loop, self._still_eye, self.lenses)
        self.link = link_room.Link(loop, self._thinking_eye, self.tokens, self._stopping, kept, self._stills)
        arm, seen = loop.arm, self.lenses.names
        arm.features = replace(arm.features, cameras=(*arm.features.cameras, *seen))
        self.live = Live(
            *(loop, self._live_eye, self.tokens, self._stopping),
            clock=time.monotonic,
            wall=time.time,
            lenses=self.lenses,
            identity=options.identity,
            folder=options.directory,
        )
        if self.live.sighting.possible:
            arm.features = replace(arm.features, capabilities=arm.features.capabilities | {"sight"})
        self._uvicorn = uvicorn.Server(self._config())
        self._thread = Thread(target=self._uvicorn.run, args=([listening],), name="server", daemon=True)

    def start(self, *, patience: float = 20.0) -> None:
        """Serve, in a thread of its own; returns once it does."""
        self.lenses.start()
        self._thread.start()
        end = time.monotonic() + patience
        while not self._uvicorn.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise ArmError(f"expected the side port {self.port} to open, but its server did not start")
            time.sleep(0.005)

    def close(self) -> None:
        """End the server, its sockets and the twins."""
        self._uvicorn.should_exit = True
        for eye in (self._thinking_eye, self._live_eye, self._still_eye):
            eye.close()
        self._thread.join(5.0)
        self.link.close()
        self._stills.close()
        self.live.close()
        self.lenses.close()
        self._stopping.shutdown(wait=False)

    def _config(self) -> uvicorn.Config:
        origins = set(self._options.origins)
        hosts = own_hosts(self.port, origins) | {f"{self._options.bind}:{self.port}"}
        routes = [
            *Telling(self._loop, self.live, self.tokens).routes(),
            token_route(self.tokens, origins),
            WebSocketRoute("/link", self.link.__call__),
            WebSocketRoute("/live", self.live.__call__),
        ]
        app = guarded(Starlette(routes=routes, lifespan=self._lifespan), origins=origins, hosts=hosts)
        return uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=link_room.FRAME_BYTES,
            ws_per_message_deflate=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        events = asyncio.get_running_loop()
        self._loop.changed = functools.partial(_in_events, events, self.live.changed)
        tasks = [asyncio.create_task(work()) for work in (self.live.film, self.live.feel, self._care)]
        for task in tasks:
            task.add_done_callback(self._ended)
        warm = asyncio.create_task(asyncio.to_thread(self._thinking_eye.warm))
        yield
        self._loop.changed = lambda: None
        for task in [*tasks, warm]:
            task.cancel()
        await asyncio.gather(*tasks, warm, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """None of these ends before the process does: an arm that is no longer looked after is stopped."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part of the arm process failed", exc_info=error)
            self._loop.stop(f"a part of the arm process failed ({error!r}); save the diagnostics, connect again", 0.0)

    async def _care(self) -> None:
        """Watch the loop; end when the parent is gone, or when nobody was there for long."""
        used, dog = time.monotonic(), Watchdog(self._loop)
        while True:
            await asyncio.sleep(0.1)
            dog.look(time.monotonic())
            if self.link.connected or self.live.pages:
                used = time.monotonic()
            parent = self._options.parent
            orphan = parent is not None and birth_of(parent) is None
            if orphan or time.monotonic() - used > self._options.idle:
                log.warning("ending: %s", "the parent is gone" if orphan else "nobody was there for long")
                self._loop.ending = True


def serve(options: Options) -> bool:
    """Own the directory, run the arm until told to end, leave everything tidy; whether its work was done by then."""
    with own(options.directory, "arm") as crashed, _listening(options) as listening:
        name, leader = leading.parted(options.arm)
        arm: Arm = make_arm(name)
        safe = SafeArm(arm)
        loop = Loop(safe, Heartbeat(time.monotonic), time.monotonic)
        if leader:
            second = leading.made(leader, arm.features.joints)
            loop.flow.leader = leading.Leading(second, arm.features.limits, time.monotonic)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(loop, "ending", True))
        safe.connect()
        try:
            check_identity(arm, options.identity)
            if crashed:
                safe.stop(CRASHED)
            return _run(loop, options, listening)
        finally:
            safe.disconnect()
            remove_run_file(options.directory, "arm")


def _run(loop: Loop, options: Options, listening: socket.socket) -> bool:
    server = Server(loop, options, listening)
    server.start()
    try:
        write_run_file(
            options.directory,
            "arm",
            port=server.port,
            secret=server.tokens.secret,
            name=options.arm,
            started=time.time(),
        )
        if loop.flow.leader is not None:
            loop.flow.leader.start()
        loop.run()
        loop.park()
        return server.live.tending.done
    finally:
        if loop.flow.leader is not None:
            loop.flow.leader.close()
        server.live.diary.save(options.directory / "run" / LAST_MINUTE)
        server.close()


def _in_events(events: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    events.call_soon_threadsafe(call)


@contextlib.contextmanager
def _listening(options: Options) -> Iterator[socket.socket]:
    """The side port's socket, bound before anything else, so that its number is known."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((options.bind, options.port))
        except OSError as error:
            raise ArmError(
                f"expected port {options.port} of {options.bind} to be free, got: {error}; use another port, or 0"
            ) from error
        yield listening
    finally:
        listening.close()


def parse(arguments: Sequence[str]) -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m robot_io.process", description="Run one arm and its side port.")
    parser.add_argument("--arm", required=True, help="its name, such as sim:panda")
    parser.add_argument("--dir", required=True, type=Path, help="the directory that owns it; run files go to DIR/run")
    parser.add_argument("--port", type=int, default=0, help="side port; 0 takes a free one (default)")
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--origin", action="append", default=[], help="a page's origin that may connect; repeatable")
    parser.add_argument(
        "--parent-pid", type=int, nargs="?", const=os.getppid(), help="end when that process (default: the parent) ends"
    )
    parser.add_argument("--idle", type=float, default=600.0, help="seconds without a page or a program until it ends")
    parser.add_argument("--identity", type=Path, help="a file that tells which arm it has to be; made if there is none")
    parser.add_argument("--camera", action="append", default=[], help="name=device of a camera to watch; repeatable")
    got = parser.parse_args(arguments)
    try:
        origins = tuple(checked_origin(origin) for origin in got.origin)
        cameras = {name: source for name, _, source in (camera.partition("=") for camera in got.camera)}
    except ValueError as error:
        parser.error(str(error))
    if not all(cameras.values()):
        parser.error(f"expected --camera name=device, got {got.camera}")
    return Options(got.arm, got.dir, got.port, got.bind, origins, got.parent_pid, got.idle, got.identity, cameras)


def tell_end(directory: Path, error: Exception) -> None:
    """Why it could not go on, for a page; the log has it, too."""
    if not isinstance(error, Owned):
        with contextlib.suppress(OSError):
            (directory / "run" / ENDED).write_text(json.dumps({"why": f"{type(error).__name__}: {error}"}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: ended in order; 2: something it was given cannot be used; 3: calibrated, or that was cancelled."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    be_first()
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return DONE if serve(options) else 0
    except (ArmError, Owned, RunFileError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        tell_end(options.directory, error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
