"""The client of a lesson's socket, for scripts: see the view, say an intent, wait until it is durable."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from robot_io.remote import ask_token
from robot_io.run_files import alive, read_run_file
from teaching.types import AskbackError

View = dict[str, Any]


class Channel:
    """One person, or script, at a lesson. Not thread-safe."""

    def __init__(
        self, directory: Path, *, session: str = "script", teacher: str = "script", role: str = "drive"
    ) -> None:
        """Connect to the lesson of a directory; AskbackError if it does not run."""
        run = read_run_file(Path(directory), "host")
        if run is None or not alive(run):
            raise AskbackError(f"expected a running lesson in {directory}, got none; open it on the start page first")
        token = ask_token(run.port, run.secret, session, role)
        self.view: View = {}
        """The latest one."""
        self._acks: dict[str, Mapping[str, Any]] = {}
        self._socket: ClientConnection = connect(
            f"ws://127.0.0.1:{run.port}/lesson", max_size=None, compression=None, proxy=None
        )
        self._socket.send(json.dumps({"token": token, "session": session, "teacher": teacher}))

    def __enter__(self) -> Channel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave; the lesson goes on."""
        self._socket.close()

    def hear(self, timeout: float = 1.0) -> bool:
        """Take in one message; whether one came within `timeout` seconds."""
        try:
            message = json.loads(self._socket.recv(timeout=timeout))
        except TimeoutError:
            return False
        except ConnectionClosed as error:
            raise AskbackError(f"the lesson has ended or refused this token: {error}") from error
        if message["type"] == "view":
            self.view = message["view"]
        elif message["type"] == "ack":
            self._acks[message["id"]] = message
        return True

    def wait(self, until: Callable[[View], bool], timeout: float = 60.0) -> View:
        """The first view for which `until` holds; AskbackError after `timeout` seconds."""
        end = time.monotonic() + timeout
        while not (self.view and until(self.view)):
            left = end - time.monotonic()
            if left <= 0:
                raise AskbackError(f"it did not come about within {timeout:g} s; phase {self.view.get('phase')}")
            self.hear(min(left, 1.0))
        return self.view

    def question(self, timeout: float = 60.0, *, after: str | None = None) -> Mapping[str, Any]:
        """The open question, other than `after`."""
        view = self.wait(lambda v: v["question"] is not None and v["question"]["id"] != after, timeout)
        found: Mapping[str, Any] = view["question"]
        return found

    def intend(self, do: str, *, id: str | None = None, timeout: float = 30.0, **values: Any) -> int | None:
        """Say an intent; its sequence number once it is durable. AskbackError says why it was refused."""
        name = id or uuid.uuid4().hex
        self._acks.pop(name, None)
        self._socket.send(json.dumps({"type": "intent", "id": name, "do": do, **values}))
        end = time.monotonic() + timeout
        while name not in self._acks:
            if time.monotonic() > end:
                raise AskbackError(f"no acknowledgement of {do!r} within {timeout:g} s")
            self.hear(min(max(end - time.monotonic(), 0.0), 1.0))
        ack = self._acks.pop(name)
        if not ack["ok"]:
            raise AskbackError(ack["error"])
        sequence: int | None = ack["seq"]
        return sequence
