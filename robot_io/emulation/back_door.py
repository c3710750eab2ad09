"""The way behind an emulated arm: who lays its table, who knows where everything is, and what its camera looks at.

Over a local socket go frames of a length (4 bytes, big-endian) and a msgpack message: `{"do": verb, …}` there, `{"ok",
"value"}` or an error back. `DIR/bench` is a link to the socket, whose own path has to be short.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from robot_io import messages, wire
from robot_io.errors import ArmError, NotConnected

LINK = "bench"
PATIENCE = 5.0
"""Seconds that an answer may take."""
_LENGTH = struct.Struct(">I")
Verbs = Mapping[str, Callable[..., Any]]


class BackDoor:
    """The client; connects when first asked, and anew after the emulator was started again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def ask(self, do: str, **fields: Any) -> Any:
        """What a verb answers; its ArmError, or NotConnected if nobody is there."""
        with self._lock:
            try:
                if self._socket is None:
                    self._socket = self._connected()
                _send(self._socket, {"do": do, **fields})
                reply = _receive(self._socket)
            except (OSError, ValueError) as error:
                self._hang_up()
                raise NotConnected(
                    f"expected an emulated bench at {self._directory}, got: {error}; start it: "
                    f"python -m robot_io.emulate so101 --bench {self._directory}"
                ) from error
        if not reply["ok"]:
            raise messages.error_of(reply)
        return reply["value"]

    def close(self) -> None:
        """Hang up; twice is harmless."""
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connected(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(PATIENCE)
        try:
            line.connect(str((self._directory / LINK).readlink()))
        except OSError:
            line.close()
            raise
        return line


class Porter:
    """The server: answers with `verbs`, one thread per caller, until it is closed."""

    def __init__(self, directory: Path, verbs: Verbs) -> None:
        self._verbs, self._link = verbs, directory / LINK
        self._folder = tempfile.TemporaryDirectory(prefix="askback-")
        path = Path(self._folder.name) / LINK
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(path))
        path.chmod(0o600)
        self._listening.listen()
        directory.mkdir(parents=True, exist_ok=True)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(path)
        threading.Thread(target=self._accept, name="porter", daemon=True).start()

    def close(self) -> None:
        """Nobody is let in any more."""
        self._link.unlink(missing_ok=True)
        self._listening.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), name="caller", daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError, ValueError):
            while True:
                _send(caller, self._answer(_receive(caller)))

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        fields = dict(asked)
        verb = self._verbs.get(str(fields.pop("do", None)))
        try:
            if verb is None:
                raise ArmError(f"expected a verb among {', '.join(self._verbs)}, got {asked.get('do')!r}")
            return {"ok": True, "value": messages.plain(verb(**fields))}
        except ArmError as error:
            return messages.plain_error(error)
        except (TypeError, ValueError, KeyError) as error:
            return messages.plain_error(ArmError(f"expected the fields of {asked.get('do')!r}: {error!r}"))


def _send(line: socket.socket, message: Any) -> None:
    data = wire.pack(message)
    line.sendall(_LENGTH.pack(len(data)) + data)


def _receive(line: socket.socket) -> dict[str, Any]:
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if length > wire.MAX_BYTES:
        raise ValueError(f"expected a message of at most {wire.MAX_BYTES} bytes, got {length}")
    value = wire.unpack(_exactly(line, length))
    if not isinstance(value, dict):
        raise ValueError(f"expected a message, got {type(value).__name__}")
    return value


def _exactly(line: socket.socket, count: int) -> bytes:
    got = bytearray()
    while len(got) < count:
        data = line.recv(min(count - len(got), 1 << 20))
        if not data:
            raise OSError("the other side hung up")
        got += data
    return bytes(got)
