"""The host's end of the trainer: starts it, asks it to train, restarts it when it dies."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from teaching.types import AskbackError

Message = Mapping[str, Any]


class Trainer:
    """One warm child process; `post` receives its messages, and `{"type": "failed"}` when it dies in mid-work."""

    def __init__(self, directory: Path, *, threads: int = 1, nice: int = 19) -> None:
        self.directory, self.threads, self.nice = directory, threads, nice
        self.post: Callable[[Message], None] = lambda message: None
        self.busy = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, while it lives."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        """Start the child if none lives; importing torch takes it 2–3 s, in the background."""
        if self.pid is not None:
            return
        command = [sys.executable, "-m", "teaching.learner", str(self.directory)]
        command += ["--threads", str(self.threads), "--nice", str(self.nice)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def train(self, steps: int, seed: int, update: int, **settings: Any) -> None:
        """Ask for `steps` optimiser steps that make update number `update`."""
        if self.busy:
            raise AskbackError("expected an idle trainer; a training is under way, wait for it or cancel it")
        self.start()
        self.busy = True
        self._send({"do": "train", "steps": steps, "seed": seed, "update": update, **settings})

    def cancel(self) -> None:
        """Ask it to give up the training under way; the last good model stays."""
        if self.busy:
            self._send({"do": "cancel"})

    def close(self) -> None:
        """End the child; what it had published stays."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()

    def _send(self, message: Message) -> None:
        process = self._process
        try:
            if process is None or process.stdin is None:
                raise BrokenPipeError
            with self._lock:
                process.stdin.write(json.dumps(message) + "\n")
                process.stdin.flush()
        except (BrokenPipeError, ValueError):
            self.busy = False
            self.post(
                {"type": "failed", "message": "the training process has ended; it starts again with the next training"}
            )

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                message = json.loads(line)
            except json.JSONDecodeError:
                continue  # a library that prints; the protocol is one JSON object per line
            if message.get("type") in ("done", "failed", "cancelled"):
                self.busy = False
            self.post(message)
        code = process.wait()
        if self._process is process and self.busy:
            self.busy = False
            reason = f"signal {-code}" if code < 0 else f"exit status {code}"
            self.post(
                {"type": "failed", "message": f"the training process ended ({reason}); the last good model goes on"}
            )
