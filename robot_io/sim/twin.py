"""A second table in a process of its own: `python -m robot_io.sim.twin`.

It draws and rehearses from snapshots, so that neither ever holds the control loop. Over its pipes go frames of a
length (4 bytes, big-endian) and a msgpack message: `{"do": verb, …}` there, `{"ok", "value"}` or an error back.
"""

from __future__ import annotations

import contextlib
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from robot_io import messages, wire
from robot_io.arm import ArmError, Array, JointPath, NotConnected, Observation, Rehearsal
from robot_io.priority import be_behind

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 20


class SimTwin:
    """The client: starts the process, and ends it when an answer takes too long.

    One call at a time. After NotConnected it is dead; make another one.
    """

    def __init__(self, *, patience: float = 30.0, module: str = "robot_io.sim.twin") -> None:
        """Args: patience in seconds; module: what the process runs."""
        self._patience = patience
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def observe(self, snapshot: bytes) -> Observation:
        """What the arm's `observe(pictures=True)` gives in the state of a snapshot."""
        return messages.observation_of(self._ask("observe", snapshot=snapshot))

    def frame(self, camera: str, snapshot: bytes) -> bytes:
        """One JPEG from a camera."""
        return bytes(self._ask("frame", camera=camera, snapshot=snapshot))

    def frames(self, cameras: Sequence[str], size: tuple[int, int] | None, snapshot: bytes) -> list[bytes]:
        """One JPEG from each camera; size: width and height in pixels, None for its own."""
        return [bytes(one) for one in self._ask("frames", cameras=list(cameras), size=size, snapshot=snapshot)]

    def glimpse(self, cameras: Sequence[str], width: int, height: int, snapshot: bytes) -> Array:
        """(V, height, width, 3) uint8 of a snapshot, one from each camera."""
        asked = {"cameras": list(cameras), "width": width, "height": height, "snapshot": snapshot}
        return np.asarray(self._ask("glimpse", **asked))

    def path(self, actions: Array, snapshot: bytes) -> JointPath:
        """The joint path of a pick and place from a snapshot."""
        return messages.path_of(self._ask("path", actions=actions, snapshot=snapshot))

    def rehearse(self, actions: Array, snapshot: bytes) -> Rehearsal:
        """Roll a pick and place forward from a snapshot."""
        return messages.rehearsal_of(self._ask("rehearse", actions=actions, snapshot=snapshot))

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """What `reset` of the arm would show."""
        return messages.rehearsal_of(self._ask("preview", seed=seed, task=task, split=split))

    def close(self) -> None:
        """End the process; twice is harmless."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._kill()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, verb: str, **arguments: Any) -> Any:
        end = time.monotonic() + self._patience
        try:
            self._write(wire.pack({"do": verb, **arguments}))
            reply = wire.unpack(self._read(end))
        except (OSError, ValueError) as error:
            self._kill()
            raise NotConnected(f"the table's twin died while asked to {verb}: {error}") from error
        if not reply["ok"]:
            raise messages.error_of(reply)
        return reply["value"]

    def _write(self, data: bytes) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise OSError("it was closed")
        pipe.write(_LENGTH.pack(len(data)) + data)
        pipe.flush()

    def _read(self, end: float) -> bytes:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, end))
        if length > wire.MAX_BYTES:
            raise OSError(f"expected a message of at most {wire.MAX_BYTES} bytes, got {length}")
        return self._exactly(length, end)

    def _exactly(self, count: int, end: float) -> bytes:
        pipe = self._process.stdout
        if pipe is None or pipe.closed:
            raise OSError("it was closed")
        got = bytearray()
        while len(got) < count:
            left = end - time.monotonic()
            if left <= 0 or not select.select([pipe.fileno()], [], [], left)[0]:
                raise OSError(f"no answer within {self._patience:g} s")
            data = os.read(pipe.fileno(), min(count - len(got), _CHUNK))
            if not data:
                raise OSError(f"it ended with status {self._process.poll()}")
            got += data
        return bytes(got)


def _verbs() -> Mapping[str, Callable[[dict[str, Any]], Any]]:
    """What the process can do. The physics is loaded here, after its chatter on stdout has been turned aside."""
    from robot_io.sim.scene import Recipe
    from robot_io.sim.stage import Stage

    stage = Stage()

    def path(asked: dict[str, Any]) -> JointPath:
        stage.world.restore(asked["snapshot"])
        return stage.path(asked["actions"])

    return {
        "observe": lambda asked: stage.observe_snapshot(asked["snapshot"]),
        "frame": lambda asked: stage.frame(asked["camera"], asked["snapshot"]),
        "frames": lambda asked: stage.frames(asked["cameras"], asked["size"], asked["snapshot"]),
        "glimpse": lambda a: stage.glimpse(a["cameras"], a["width"], a["height"], a["snapshot"]),
        "path": path,
        "rehearse": lambda asked: stage.rehearse(asked["actions"], asked["snapshot"]),
        "preview": lambda asked: stage.preview(Recipe(asked["seed"], asked["task"], asked["split"])),
    }


def _answer(verbs: Mapping[str, Callable[[dict[str, Any]], Any]], asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"ok": True, "value": messages.plain(verbs[asked["do"]](asked))}
    except ArmError as error:
        return messages.plain_error(error)


def _take(pipe: BinaryIO) -> bytes | None:
    """The next message, or None when whoever asks is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    return body if len(body) == length else None


def serve(make: Callable[[], Mapping[str, Callable[[dict[str, Any]], Any]]]) -> int:
    """Answer until stdin ends. Any other error than an ArmError ends the process: its client starts another one."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    be_behind(os.getppid())  # pictures and rehearsals wait for the control loop
    verbs = make()
    while (data := _take(sys.stdin.buffer)) is not None:
        reply = wire.pack(_answer(verbs, wire.unpack(data)))
        out.write(_LENGTH.pack(len(reply)) + reply)
        out.flush()
    return 0


def main() -> int:
    """The simulated table's."""
    return serve(_verbs)


if __name__ == "__main__":
    sys.exit(main())
