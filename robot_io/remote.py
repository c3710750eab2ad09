"""An arm in another process, used as if it were here: a Scene over `WS /link`."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from robot_io import wire
from robot_io.arm import Action, ArmError, Array, Features, NotConnected, Observation, Rehearsal, Report
from robot_io.messages import action_of, error_of, features_of, observation_of, rehearsal_of, report_of
from robot_io.run_files import alive, read_run_file


def ask_token(port: int, secret: str, session: str, role: str, *, origin: str = "", timeout: float = 5.0) -> str:
    """Buy a token with the secret of a run file.

    Args:
        port: of the process, on this machine.
        secret: from its run file.
        session: who will use it.
        role: "drive", "watch" or "link".
        origin: of the pages that will use it, if the process does not know them yet.
        timeout: seconds.

    Raises:
        NotConnected: nobody answers there, or the secret is not theirs.
    """
    body = json.dumps({"session": session, "role": role, "origin": origin}).encode()
    request = Request(f"http://127.0.0.1:{port}/token", body, {"X-Askback-Secret": secret}, method="POST")
    try:
        with urlopen(request, timeout=timeout) as response:
            return str(json.load(response)["token"])
    except (URLError, OSError, ValueError, KeyError) as error:
        raise NotConnected(
            f"expected a process that gives tokens on port {port}, got: {error}; start it again"
        ) from error


@dataclass
class _Link:
    """One open socket, and who waits for what on it."""

    socket: ClientConnection
    waiting: dict[int, Future[Mapping[str, Any]]] = field(default_factory=dict)


class RemoteArm:
    """A Scene in another process. Thread-safe; a long verb in one thread holds up no verb in another."""

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int = 0,
        secret: str = "",
        session: str = "program",
        timeout: float = 120.0,
    ) -> None:
        self._directory, self._port, self._secret = directory, port, secret
        self._session, self._timeout = session, timeout
        self._ids = itertools.count(1)
        self._lock = Lock()
        self._link: _Link | None = None
        self._features: Features | None = None
        self._connected = False

    @property
    def features(self) -> Features:
        """What the arm has; asked once."""
        if self._features is None:
            if self._link is None:
                self._open()
            self._features = features_of(self._ask("features"))
        return self._features

    @property
    def connected(self) -> bool:
        """Whether the process can be asked."""
        return self._link is not None

    def connect(self) -> None:
        """Open the link; the process has the arm already. Twice is an ArmError."""
        if self._connected and self._link is not None:
            raise ArmError("expected one connect; this arm is connected already, disconnect it first")
        if self._link is None:
            self._open()
        self._features = features_of(self._ask("features"))
        self._connected = True

    def reconnect(self, *, patience: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """After the process was restarted: try until it answers; NotConnected after `patience` seconds."""
        self.disconnect()
        end = clock() + patience
        while True:
            try:
                self._open()
                self._ask("state")
                return
            except NotConnected:
                if clock() >= end:
                    raise
                time.sleep(0.1)

    def disconnect(self) -> None:
        """Close the link; the process goes on."""
        link, self._link = self._link, None
        self._connected = False
        if link is not None:
            link.socket.close()

    def observe(self, *, pictures: bool = False) -> Observation:
        """As `Arm.observe`."""
        return observation_of(self._ask("observe", pictures=pictures))

    def send(self, action: Action) -> Action:
        """As `Arm.send`; returns on the tick on which it was sent."""
        return action_of(self._ask("send", joints=action.joints, gripper=action.gripper))

    def hold(self) -> None:
        """As `Arm.hold`; a motion under way ends."""
        self._ask("hold")

    def stop(self) -> None:
        """As `Arm.stop`; waits behind nothing."""
        self._ask("stop")

    def release(self) -> None:
        """As `Arm.release`."""
        self._ask("release")

    def perform(self, actions: Array, *, anyway: bool = False) -> Report:
        """As `Table.perform`; as long as the motion takes. A real arm's is rehearsed first, and refused if that goes
        wrong, unless a person wants it `anyway`.
        """
        return report_of(self._ask("perform", actions=actions, anyway=anyway, patient=True))

    def check(self, actions: Array) -> None:
        """Whether `perform` would begin: Unreachable or Refused if not; moves nothing."""
        self._ask("check", actions=actions)

    def clear(self) -> None:
        """Get the arm out of its own picture, if it is in it."""
        self._ask("clear")

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """As `Scene.reset`."""
        truth: Mapping[str, Any] = self._ask("reset", seed=seed, task=task, split=split)
        return truth

    def snapshot(self) -> bytes:
        """As `Scene.snapshot`."""
        return bytes(self._ask("snapshot"))

    def restore(self, snapshot: bytes) -> None:
        """As `Scene.restore`."""
        self._ask("restore", snapshot=snapshot)

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """As `Scene.rehearse`."""
        return rehearsal_of(self._ask("rehearse", actions=actions, snapshot=snapshot))

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """As `Scene.preview`."""
        return rehearsal_of(self._ask("preview", seed=seed, task=task, split=split))

    def truth(self) -> Mapping[str, Any]:
        """As `Scene.truth`."""
        truth: Mapping[str, Any] = self._ask("truth")
        return truth

    def state(self) -> Mapping[str, Any]:
        """{"phase", "why", "name", "tick", "clipped", "pace"}."""
        state: Mapping[str, Any] = self._ask("state")
        return state

    def pace(self, factor: float) -> None:
        """1 is real time, 0 as fast as it can."""
        self._ask("pace", factor=factor)

    def _open(self) -> None:
        port, secret = self._address()
        token = ask_token(port, secret, self._session, "link")
        try:
            socket = connect(
                f"ws://127.0.0.1:{port}/link",
                compression=None,
                max_size=wire.MAX_BYTES,
                open_timeout=10,
                ping_interval=None,
                proxy=None,
            )
            socket.send(wire.pack({"token": token}))
            wire.unpack(_bytes(socket.recv(timeout=10)))
        except (OSError, TimeoutError, WebSocketException) as error:
            raise NotConnected(f"expected an arm process on port {port}, got: {error}; start it again") from error
        self._link = _Link(socket)
        Thread(target=self._read, args=(self._link,), name="link", daemon=True).start()

    def _address(self) -> tuple[int, str]:
        if self._directory is None:
            return self._port, self._secret
        run = read_run_file(self._directory, "arm")
        if run is None or not alive(run):
            raise NotConnected(f"expected a running arm process for {self._directory}, found none; start it")
        return run.port, run.secret

    def _ask(self, do: str, *, patient: bool = False, **fields: Any) -> Any:
        """Ask, and wait for the reply; `patient`: for as long as the arm is held."""
        link = self._link
        if link is None:
            raise NotConnected("expected a connected arm; call connect, or reconnect after the process is back")
        number = next(self._ids)
        waiting: Future[Mapping[str, Any]] = Future()
        link.waiting[number] = waiting
        try:
            message = wire.pack({"id": number, "do": do, **fields})
            with self._lock:
                link.socket.send(message)
            reply = self._reply(waiting, patient)
        except FutureTimeout as error:
            raise ArmError(
                f"expected {do} to be answered within {self._timeout:g} s, got nothing; try again"
            ) from error
        except (ConnectionClosed, OSError) as error:
            raise NotConnected(f"the arm process is gone ({error}); start it again and reconnect") from error
        finally:
            link.waiting.pop(number, None)
        if not reply.get("ok"):
            raise error_of(reply)
        return reply.get("value")

    def _reply(self, waiting: Future[Mapping[str, Any]], patient: bool) -> Mapping[str, Any]:
        while True:
            try:
                return waiting.result(self._timeout)
            except FutureTimeout:
                if not patient or self.state()["phase"] not in ("held", "moving"):
                    raise

    def _read(self, link: _Link) -> None:
        """Hand every reply to who waits for it; at the end, tell all that it is the end."""
        why = "it closed the link"
        try:
            for data in link.socket:
                reply = wire.unpack(_bytes(data))
                waiting = link.waiting.get(reply.get("id"))
                if waiting is not None:
                    waiting.set_result(reply)
        except (WebSocketException, wire.WireError) as error:
            why = str(error)
        if self._link is link:
            self._link = None
        for waiting in list(link.waiting.values()):
            if not waiting.done():
                waiting.set_exception(NotConnected(f"the arm process is gone ({why}); start it again and reconnect"))


def _bytes(data: str | bytes) -> bytes:
    if isinstance(data, str):
        raise wire.WireError("expected a binary frame, got text")
    return data
