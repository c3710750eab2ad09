"""An emulator as a process of its own, as a person starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Emulator:
    """`python -m robot_io.emulate KIND`; `say` types a command and returns what it prints."""

    def __init__(self, kind: str, *, pace: float = 1.0, seed: int = 0, more: Sequence[str] = ()) -> None:
        command = [sys.executable, "-m", "robot_io.emulate", kind, "--pace", str(pace), "--seed", str(seed), *more]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.name = self._line()
        self.port = self.name.partition(":")[2].partition(",")[0]

    def say(self, command: str) -> Any:
        """A command; its answer, decoded if it is JSON."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self._line()
        decoded = json.loads(answer) if answer.startswith("{") else answer
        assert "error" not in decoded, decoded
        return decoded

    def show(self) -> dict[str, Any]:
        """What it looks like inside."""
        return self.say("show")

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.communicate(timeout=10)
        assert not Path(self.port).exists()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, f"the emulator ended with {self.process.poll()}"
        return line
