"""The trainer process: warm, one training at a time, JSON lines as told in `docs/design/0002-wires.md`.

`python -m teaching.learner DIR` reads orders on stdin and writes messages on stdout. It reads committed files of the
replay buffer only and ends at the end of its input.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import torch

from teaching.curves import Curves
from teaching.policies import checkpoint
from teaching.policies.base import CheckpointError
from teaching.policies.methods import DEFAULT, methods
from teaching.replay import ReplayBuffer
from teaching.rollout_training import RolloutTraining
from teaching.training import Cancelled, Training
from teaching.types import AskbackError

log = logging.getLogger("teaching.learner")


@dataclass(frozen=True)
class Order:
    """One order and whether it was called off, which may happen before it begins."""

    message: Mapping[str, Any]
    off: threading.Event = field(default_factory=threading.Event)


class Worker:
    """Follows JSON lines until they end."""

    def __init__(self, training: Training | RolloutTraining, lines: TextIO, out: TextIO) -> None:
        self.training, self._out = training, out
        self.curves = Curves(training.buffer.path, training.buffer.lesson, tell=lambda words: log.warning("%s", words))
        self._orders: queue.Queue[Order | None] = queue.Queue()
        self._open: list[Order] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, args=(lines,), daemon=True).start()

    def _listen(self, lines: TextIO) -> None:
        for line in lines:
            try:
                message = json.loads(line)
                kind = message["do"]
            except (ValueError, KeyError, TypeError):
                self._say(type="failed", message=f"expected a JSON object with 'do', got {line.strip()[:200]!r}")
                continue
            if kind == "quit":
                break
            if kind == "cancel":
                self._call_off()
            else:
                self._take(Order(message))
        self._call_off()
        self._orders.put(None)

    def _take(self, order: Order) -> None:
        with self._lock:
            self._open.append(order)
        self._orders.put(order)

    def _call_off(self) -> None:
        with self._lock:
            for order in self._open:
                order.off.set()

    def _say(self, **message: Any) -> None:
        try:
            with self._lock:
                self._out.write(json.dumps(message) + "\n")
                self._out.flush()
        except BrokenPipeError:
            self._call_off()  # nobody listens any more; the end of stdin follows

    def run(self) -> None:
        """Follow orders until the input ends."""
        last = self.training.last
        self._say(type="ready", checkpoint=str(last) if last else None, problems=self.training.problems)
        while (order := self._orders.get()) is not None:
            self._follow(order)
            with self._lock:
                self._open.remove(order)
        self.curves.close()

    def _follow(self, order: Order) -> None:
        message = order.message
        if message["do"] != "train":
            self._say(type="failed", message=f"expected do to be train, cancel or quit, got {message['do']!r}")
            return
        try:
            steps, seed, update = (int(message[name]) for name in ("steps", "seed", "update"))
            path, figures = self.training.train(
                steps=steps,
                seed=seed,
                update=update,
                settings=message,
                report=self._progress,
                cancelled=order.off.is_set,
            )
        except Cancelled:
            self._say(type="cancelled", message="the training was called off; the model before it goes on")
        except (AskbackError, CheckpointError, RuntimeError, OSError, MemoryError, LookupError, TypeError) as error:
            self._say(type="failed", message=f"{type(error).__name__}: {error}")
        else:
            self._say(type="done", checkpoint=str(path), update=update, figures=figures)
            self.curves.trained(path)

    def _progress(self, step: int, steps: int, loss: float) -> None:
        self._say(type="progress", step=step, steps=steps, loss=loss)


def keep_memory() -> bool:
    """Let glibc keep the large blocks that every step frees and takes again; whether it could (Linux with glibc).

    By default each goes back to the kernel and comes back as thousands of page faults, which on a busy machine took
    more time than the arithmetic.
    """
    try:
        library = ctypes.CDLL("libc.so.6")
        trim_threshold, mmap_max = -1, -4
        return bool(library.mallopt(mmap_max, 0) and library.mallopt(trim_threshold, 2**31 - 1))
    except (OSError, AttributeError):
        return False


def _own_stdout() -> TextIO:
    """The real stdout for messages alone; whatever a library prints goes to stderr."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def main(arguments: list[str] | None = None) -> int:
    """Run the trainer on one replay buffer."""
    parser = argparse.ArgumentParser(prog="python -m teaching.learner", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR", help="the replay buffer")
    parser.add_argument("--method", choices=methods(), default=DEFAULT)
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--nice", type=int, default=19, help="how far to stand back for other processes")
    parser.add_argument("--keep", type=int, default=5, help="checkpoints kept")
    given = parser.parse_args(arguments)
    try:
        buffer = ReplayBuffer(given.directory, readonly=True)
        checkpoint.drop_unfinished(buffer.checkpoints)
    except AskbackError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    os.nice(given.nice)
    keep_memory()
    torch.set_num_threads(max(given.threads, 1))
    moving = buffer.lesson.get("kind") == "rollout"
    training: Training | RolloutTraining = (
        RolloutTraining(buffer, keep=given.keep) if moving else Training(buffer, method=given.method, keep=given.keep)
    )
    worker = Worker(training, sys.stdin, _own_stdout())
    worker.run()
    buffer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
