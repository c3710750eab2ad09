"""A browser page and an arm process for tests."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from robot_io.launch import launch
from robot_io.remote import RemoteArm, ask_token
from robot_io.run_files import RunFile, read_run_file

ORIGIN = "http://localhost:8501"


@contextmanager
def arm_process(directory: Path, name: str = "fake:table", more: tuple[str, ...] = ()) -> Iterator[Any]:
    """A running arm process; ended in order afterwards."""
    process = launch(name, directory, origins=[ORIGIN], more=more)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(15)


@contextmanager
def linked(directory: Path) -> Iterator[RemoteArm]:
    """A connected client."""
    arm = RemoteArm(directory)
    arm.connect()
    try:
        yield arm
    finally:
        arm.disconnect()


def run_of(directory: Path) -> RunFile:
    run = read_run_file(directory, "arm")
    assert run is not None
    return run


class Page:
    """One browser tab on `/live`."""

    def __init__(self, directory: Path, session: str = "anna", role: str = "drive") -> None:
        run = run_of(directory)
        token = ask_token(run.port, run.secret, session, role)
        self.socket: ClientConnection = connect(
            f"ws://127.0.0.1:{run.port}/live", origin=ORIGIN, compression=None, proxy=None, close_timeout=0.5
        )
        self.tell(token=token, session=session)
        self.hello = self.hear("hello")
        self.beats = 0

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def tell(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def beat(self, *, frozen: bool = False) -> None:
        self.beats += not frozen
        self.tell(type="beat", n=self.beats)

    def drive(self) -> None:
        self.tell(type="lease", do="take")
        self.tell(type="drive", on=True)
        self.state(driving=True)

    def hear(self, kind: str, timeout: float = 5.0) -> dict[str, Any]:
        """The next message of a kind."""
        end = time.monotonic() + timeout
        while True:
            data = self.socket.recv(timeout=max(0.0, end - time.monotonic()))
            if isinstance(data, str):
                message: dict[str, Any] = json.loads(data)
                if message["type"] == kind:
                    return message

    def frame(self, timeout: float = 5.0) -> bytes:
        end = time.monotonic() + timeout
        while True:
            data = self.socket.recv(timeout=max(0.0, end - time.monotonic()))
            if isinstance(data, bytes):
                return data

    def state(self, timeout: float = 5.0, **wanted: Any) -> dict[str, Any]:
        """The next state that looks as wanted."""
        end = time.monotonic() + timeout
        while True:
            state = self.hear("state", max(0.0, end - time.monotonic()))
            if all(state[name] == value for name, value in wanted.items()):
                return state
