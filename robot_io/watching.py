"""Somebody watches an arm: a program that beats as a page does, for emulated arms in scripted runs.

A real arm under a policy holds when nobody watches it. An emulated one can hurt nobody, and is watched by this.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from robot_io.arm import ArmError, NotConnected
from robot_io.remote import ask_token
from robot_io.run_files import read_run_file

BEAT = 0.5
PAUSE = 1.0
"""Seconds between two tries to release."""


class Watch:
    """A context: while it is open, the arm process of a directory is watched."""

    def __init__(self, directory: Path, session: str = "watcher", *, release: Callable[[], None] | None = None) -> None:
        """Args: release: called a moment after the arm has stopped or failed, as a person would, until it goes on."""
        self._release, self._asked = release, 0.0
        run = read_run_file(directory, "arm")
        if run is None:
            raise NotConnected(f"expected a running arm process for {directory}, found none; start it")
        origin = f"http://127.0.0.1:{run.port}"
        token = ask_token(run.port, run.secret, session, "watch", origin=origin)
        self._socket = connect(f"ws://127.0.0.1:{run.port}/live", origin=origin, compression=None, proxy=None)  # type: ignore[arg-type]
        self._socket.send(json.dumps({"token": token, "session": session}))
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._beat, self._hear)]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._ending.set()
        self._socket.close()
        for thread in self._threads:
            thread.join(2.0)

    def _beat(self) -> None:
        number = 0
        while True:
            number += 1
            try:
                self._socket.send(json.dumps({"type": "beat", "n": number}))
            except (WebSocketException, OSError):
                return
            if self._ending.wait(BEAT):
                return

    def _hear(self) -> None:
        try:
            for data in self._socket:
                if isinstance(data, str) and json.loads(data).get("phase") in ("stopped", "fault"):
                    self._let_go()
        except (WebSocketException, OSError):
            return

    def _let_go(self) -> None:
        now = time.monotonic()
        if self._release is not None and now - self._asked > PAUSE:
            self._asked = now
            with contextlib.suppress(ArmError):  # it is not there yet; the next state asks again
                self._release()
