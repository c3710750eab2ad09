"""When the novice is trained, and which novice runs: the host's half. A failure leaves the last good one."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from teaching.lesson import TrainingConfig
from teaching.policies.base import CheckpointError, Policy
from teaching.trainer import Message, Trainer
from teaching.types import AskbackError

ENDINGS = ("done", "failed", "cancelled")
"""Messages after which a training is over."""


@dataclass(frozen=True)
class Progress:
    """What the page shows of training."""

    state: str = "idle"
    """"idle", "running" or "failed"."""
    progress: float = 0.0
    message: str = ""
    loss: float | None = None
    version: int = 0
    """The newest finished model; a running training makes the one after it."""


class Learning:
    """Coalesces wishes to train, follows the trainer, hands finished checkpoints to the policy."""

    def __init__(
        self, trainer: Trainer | None, config: TrainingConfig, seed: int, *, sync: bool = False, version: int = 0
    ) -> None:
        """Without a trainer nothing is ever trained (an evaluation, a test of the gate).

        Args:
            trainer: makes the models.
            config: steps, batch, and how often.
            seed: of the lesson.
            sync: train before the next question is asked.
            version: model updates that the novice has behind it.
        """
        self.trainer, self.config, self.seed, self.sync = trainer, config, seed, sync
        self.due = False
        self.status = Progress(version=version)
        self.fresh: Path | None = None
        self.failures = 0
        self._inbox: queue.Queue[Message] = queue.Queue()

    def connect(self, post: Callable[[str, Any], None]) -> None:
        """Let the trainer's messages reach the lesson's events, or this object when training is synchronous."""
        if self.trainer is not None:
            self.trainer.post = self._inbox.put if self.sync else lambda message: post("trainer", message)

    def stored(self, storing_episodes: int) -> None:
        """An episode stored something: train after every `config.every`-th such episode."""
        if storing_episodes % self.config.every == 0:
            self.wanted()

    def wanted(self) -> None:
        """Train soon; wishes during a training make one more, not many."""
        self.due = self.trainer is not None
        if not self.sync:
            self._start()

    def cancel(self) -> None:
        """Give up the training under way."""
        self.due = False
        if self.trainer is not None:
            self.trainer.cancel()

    def _start(self) -> None:
        trainer = self.trainer
        if trainer is None or trainer.busy or not self.due:
            return
        self.due = False
        update = self.status.version + 1
        self.status = replace(self.status, state="running", progress=0.0, message=f"training model {update}")
        trainer.train(self.config.steps, self.seed, update)

    def handle(self, message: Message) -> None:
        """Follow one message of the trainer."""
        kind = message.get("type")
        if kind == "progress":
            done = message["step"] / max(message["steps"], 1)
            self.status = replace(self.status, progress=done, loss=message.get("loss"))
        elif kind == "done":
            version = int(message.get("update", self.status.version + 1))
            self.status = Progress(version=version, message=f"model {version} is ready", loss=self.status.loss)
            self.fresh = Path(message["checkpoint"])
            self.failures = 0
        elif kind == "ready" and message.get("problems"):
            self.status = replace(self.status, message=" ".join(message["problems"]))
        elif kind in ("failed", "cancelled"):
            self.failures += kind == "failed"
            text = str(message.get("message", "cancelled"))
            self.status = replace(self.status, state="failed" if kind == "failed" else "idle", message=text)
        if kind in ENDINGS and not self.sync and self.failures < 3:
            self._start()

    def adopt(self, policy: Policy) -> bool:
        """Load a finished checkpoint into the policy; whether there was one. A damaged one is told and left."""
        fresh, self.fresh = self.fresh, None
        if fresh is None:
            return False
        try:
            policy.load(fresh)
        except CheckpointError as error:
            self.status = replace(self.status, state="failed", message=str(error))
            return False
        return True

    def train_now(self, policy: Policy) -> None:
        """Train and adopt before returning; AskbackError if it fails."""
        while self.due:
            self._start()
            message: Message = {}
            while message.get("type") not in ENDINGS:
                message = self._inbox.get()
                self.handle(message)
            if self.status.state == "failed":
                raise AskbackError(f"training failed: {self.status.message}")
        self.adopt(policy)

    def close(self) -> None:
        """End the trainer."""
        if self.trainer is not None:
            self.trainer.close()
