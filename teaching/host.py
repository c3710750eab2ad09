"""The lesson host: `python -m teaching.host DIR`. One process per lesson: novice, gate, store and its own socket.

The main thread is the lesson; a server thread talks to pages; the trainer is its child; the arm is another process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import uvicorn

from robot_io.access import Tokens, checked_origin, guarded, own_hosts
from robot_io.arm import ArmError
from robot_io.lease import Lease
from robot_io.remote_stream import StreamArm
from robot_io.run_files import Owned, RunFileError, own, remove_run_file, write_run_file
from teaching import novice
from teaching.intents import Intents
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.lesson_server import FRAME_BYTES, LessonServer
from teaching.plan_lesson import PlanLesson
from teaching.replay import ReplayBuffer
from teaching.rollout_intents import RolloutIntents
from teaching.rollout_lesson import RolloutLesson
from teaching.rollout_pilot import load_pilot
from teaching.rollout_task import make_rollout_task
from teaching.rollout_view import rollout_view
from teaching.trainer import Trainer
from teaching.types import AskbackError
from teaching.view import lesson_view

log = logging.getLogger("teaching.host")
SWITCH_SECONDS = 0.001
VIEW_SECONDS = 0.1
"""Between two views of a lesson in motion in which nothing changed but its traces."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    directory: Path
    port: int = 0
    bind: str = "127.0.0.1"
    origins: tuple[str, ...] = ()


def connect_arm(directory: Path, patience: float = 60.0) -> StreamArm:
    """The arm of a lesson, once its process answers; ArmError after `patience` seconds."""
    arm = StreamArm(directory, session="host")
    arm.reconnect(patience=patience)
    arm.disconnect()
    arm.connect()
    return arm


def make_lesson(directory: Path, buffer: ReplayBuffer, arm: StreamArm) -> PlanLesson | RolloutLesson:
    """The lesson of a buffer, of the kind that it was set up as, its novice loaded and its trainer warm."""
    config = LessonConfig.from_json(buffer.lesson)
    if config.kind == "rollout":
        return make_rollout(directory, buffer, arm, config)
    novice.prepare(buffer, config)
    policy, problems = novice.load_novice(buffer.checkpoints, arm.features.table, config.seed, config.text_encoder)
    trainer = Trainer(directory)
    trainer.start()
    learning = Learning(trainer, config.training, config.seed, version=policy.version)
    lesson = PlanLesson(buffer, arm, policy, learning)
    lesson.message = " ".join([*buffer.problems, *problems])
    return lesson


def make_rollout(directory: Path, buffer: ReplayBuffer, arm: StreamArm, config: LessonConfig) -> RolloutLesson:
    """A lesson in motion."""
    task = make_rollout_task(config.task)
    policy, problems = load_pilot(buffer, task, config.training.steps, config.seed, config.observe)
    trainer = Trainer(directory)
    trainer.start()
    learning = Learning(trainer, config.training, config.seed, version=policy.version)
    lesson = RolloutLesson(buffer, arm, policy, learning)
    lesson.message = " ".join([*buffer.problems, *problems])
    return lesson


def intents_of(lesson: PlanLesson | RolloutLesson, arm: StreamArm) -> Intents | RolloutIntents:
    """What may be asked of a lesson."""
    return RolloutIntents(lesson) if isinstance(lesson, RolloutLesson) else Intents(lesson, arm.features.table)


def serve(options: Options) -> None:
    """Own the lesson, run it until told to end, leave everything whole."""
    torch.set_num_threads(1)
    with own(options.directory, "host"), ReplayBuffer(options.directory) as buffer:
        arm = connect_arm(options.directory)
        lesson = make_lesson(options.directory, buffer, arm)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: lesson.post("request", (lesson.end, _nowhere())))
        tokens, origins = Tokens(), set(options.origins)
        intents = intents_of(lesson, arm)
        server = LessonServer(intents, tokens, Lease(time.monotonic, what="answering"), origins)
        with _listening(options) as listening:
            port = listening.getsockname()[1]
            hosts = own_hosts(port, origins) | {f"{options.bind}:{port}"}
            running = _start(guarded(server.app, origins=origins, hosts=hosts), listening)
            _publish_views(lesson, server, arm)
            started = time.time()
            write_run_file(
                options.directory, "host", port=port, secret=tokens.secret, name=lesson.config.name, started=started
            )
            try:
                lesson.run()
            finally:
                remove_run_file(options.directory, "host")
                running.should_exit = True
                arm.disconnect()
                lesson.learning.close()


def _nowhere() -> object:
    import queue

    return queue.Queue(1)


def _publish_views(lesson: PlanLesson | RolloutLesson, server: LessonServer, arm: StreamArm) -> None:
    """Draw the view after every event, and send it if it differs."""
    pictures: dict[str, object] = {}
    last = ""
    drawn: tuple[float, object] = (0.0, None)

    def changed() -> None:
        nonlocal last, drawn
        if isinstance(lesson, RolloutLesson):
            now, standing = time.monotonic(), (lesson.stand, lesson.phase, lesson.message, lesson.ended)
            if standing == drawn[1] and now - drawn[0] < VIEW_SECONDS:
                return  # the next beat comes soon
            drawn = now, standing
            view = rollout_view(lesson, pictures)
        else:
            view = lesson_view(lesson, arm.features.table, pictures)
        text = json.dumps(view, sort_keys=True)
        if text != last:
            last = text
            server.show(view)

    lesson.changed = changed


@contextlib.contextmanager
def _listening(options: Options):  # type: ignore[no-untyped-def]
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((options.bind, options.port))
        except OSError as error:
            raise AskbackError(f"expected port {options.port} to be free, got: {error}; use another, or 0") from error
        yield listening


def _start(app: object, listening: socket.socket) -> uvicorn.Server:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, args=([listening],), name="server", daemon=True).start()
    end = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > end:
            raise AskbackError("expected the lesson's server to start within 20 s")
        time.sleep(0.005)
    return server


def parse(arguments: Sequence[str]) -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m teaching.host", description="Run one lesson.")
    parser.add_argument("directory", type=Path, metavar="DIR", help="the lesson's replay buffer")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--origin", action="append", default=[], help="a page's origin that may connect; repeatable")
    got = parser.parse_args(arguments)
    try:
        return Options(got.directory, got.port, got.bind, tuple(checked_origin(o) for o in got.origin))
    except ValueError as error:
        parser.error(str(error))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: ended in order; 2: something it was given cannot be used."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        serve(parse(sys.argv[1:] if arguments is None else arguments))
    except (AskbackError, ArmError, Owned, RunFileError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
