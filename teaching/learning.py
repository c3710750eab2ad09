"""When the novice is trained, and which novice runs: the host's half. A failure leaves the last good one."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from teaching.lesson import TrainingConfig
from teaching.policies.base import CheckpointError, Policy
from teaching.trainer import Message, Trainer
from teaching.types import AskbackError, BadInput

ENDINGS = ("done", "failed", "cancelled")
"""Messages after which a training is over."""


def entry(message: Message, version: int) -> dict[str, Any]:
    """What the diary keeps of a training that is over."""
    if message.get("type") != "done":
        return {"update": version + 1, str(message.get("type")): str(message.get("message", ""))}
    path = Path(message["checkpoint"])
    found: dict[str, Any] = {"update": version, "checkpoint": path.name, "figures": message.get("figures", {})}
    try:
        lineage = json.loads((path / "checkpoint.json").read_text())["lineage"]
    except (OSError, ValueError, KeyError):
        return found  # the policy says what is wrong with it when it is to take it over
    found |= {
        n: lineage[n]
        for n in ("parent", "seed", "steps", "config", "seconds", "curve", "draws", "read")
        if n in lineage
    }
    return found | {"demonstrations": len(lineage.get("demonstrations", ()))}


@dataclass(frozen=True)
class Progress:
    """What the page shows of training."""

    state: str = "idle"
    """"idle", "running" or "failed"."""
    progress: float = 0.0
    message: str = ""
    loss: float | None = None
    curve: tuple[float, ...] = ()
    """Losses of the training under way, or of the last one."""
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
        self.diary: Callable[[Mapping[str, Any]], object] = lambda entry: None
        """Told how each training went, and why it was wanted."""
        self._reason = self._why = ""
        self._inbox: queue.Queue[Message] = queue.Queue()

    def connect(self, post: Callable[[str, Any], None]) -> None:
        """Let the trainer's messages reach the lesson's events, or this object when training is synchronous."""
        if self.trainer is not None:
            self.trainer.post = self._inbox.put if self.sync else lambda message: post("trainer", message)

    def stored(self, storing_episodes: int) -> None:
        """An episode stored something: train after every `config.every`-th such episode."""
        if storing_episodes % self.config.every == 0:
            self.wanted("something new was stored")

    def wanted(self, why: str = "asked for") -> None:
        """Train soon; wishes during a training make one more, not many."""
        self._reason = why
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
        self.due, self._why = False, self._reason
        update = self.status.version + 1
        self.status = replace(self.status, state="running", progress=0.0, message=f"training model {update}", curve=())
        trainer.train(self.config.steps, self.seed, update)

    def handle(self, message: Message) -> None:
        """Follow one message of the trainer."""
        kind = message.get("type")
        if kind == "progress":
            done = message["step"] / max(message["steps"], 1)
            loss = message.get("loss")
            curve = self.status.curve if loss is None else (*self.status.curve[-999:], float(loss))
            self.status = replace(self.status, progress=done, loss=loss, curve=curve)
        elif kind == "done":
            version = int(message.get("update", self.status.version + 1))
            self.status = Progress(version=version, message=f"model {version} is ready", loss=self.status.loss,
                                   curve=self.status.curve)  # fmt: skip
            self.fresh = Path(message["checkpoint"])
            self.failures = 0
        elif kind == "ready" and message.get("problems"):
            self.status = replace(self.status, message=" ".join(message["problems"]))
        elif kind in ("failed", "cancelled"):
            self.failures += kind == "failed"
            text = str(message.get("message", "cancelled"))
            self.status = replace(self.status, state="failed" if kind == "failed" else "idle", message=text)
        if kind in ENDINGS:
            self.diary({"why": self._why, **entry(message, self.status.version)})
            if not self.sync and self.failures < 3:
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

    def promote(self, publish: Callable[[int], Path]) -> int:
        """Go on from another model: `publish` makes it the newest of that number; the number.

        The policy takes it over between two plans, and the next training starts from it.
        """
        if self.trainer is not None and self.trainer.busy:
            raise BadInput("a training is under way; cancel it or wait until it ends, then choose a model")
        update = self.status.version + 1
        self.fresh = publish(update)
        self.status = Progress(version=update, message=f"model {update} was chosen by hand")
        if self.trainer is not None and self.trainer.pid is not None:
            self.trainer.close()  # a new one reads its weights from the newest model, which is this
            self.trainer.start()
        return update

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
