"""Training: sample, update, publish a checkpoint; for the trainer process and for runs within one process.

A checkpoint is published whole or not at all; after a failure or a cancel it goes on from the last published one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from teaching.policies import checkpoint
from teaching.policies.base import Batch, CheckpointError, Learner
from teaching.policies.methods import DEFAULT, make_learner
from teaching.replay import ReplayBuffer
from teaching.sampling import Sampling
from teaching.types import AskbackError, BadInput, Demonstration


class Source(Protocol):
    """What training reads: the replay buffer's mirror."""

    @property
    def demonstrations(self) -> tuple[Demonstration, ...]:
        """Those in force."""

    def sample(
        self,
        n: int,
        rng: np.random.Generator,
        *,
        alpha: float = 1.5,
        beta: float = 1.0,
        lam: float = 0.5,
        b: float = 10.0,
        prioritised: bool = True,
    ) -> Batch:
        """`n` of them, by priority."""


class Cancelled(Exception):
    """The training was called off between two steps."""


class TrainingFailed(AskbackError):
    """The training cannot go on; the last published model stays."""


Report = Callable[[int, int, float], None]


def train(
    learner: Learner,
    source: Source,
    *,
    steps: int,
    seed: int,
    update: int,
    sampling: Sampling | None = None,
    report: Report = lambda step, steps, loss: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """One training: `steps` optimiser steps on batches drawn by priority. Same arguments, same weights.

    Args:
        learner: is improved in place.
        source: the mirror, refreshed.
        steps: optimiser steps.
        seed: of the lesson; with `update` it seeds the draws and the augmentation.
        update: the number that the resulting model will have (k).
        sampling: how batches are drawn.
        report: told (step, steps, loss) after every step.
        cancelled: asked before every step.

    Returns:
        Mean figures over the steps, and how many demonstrations there were.

    Raises:
        Cancelled: called off.
        BadInput: nothing to train on.
        TrainingFailed: the loss is not a finite number.
    """
    if steps < 1:
        raise BadInput(f"expected at least 1 optimiser step, got {steps}")
    how = asdict(sampling or Sampling())
    size = how.pop("batch")
    rng = np.random.default_rng([abs(seed), update])
    history: list[Mapping[str, float]] = []
    for step in range(steps):
        if cancelled():
            raise Cancelled
        figures = learner.update(source.sample(size, rng, **how), rng)
        if not math.isfinite(figures["loss"]):
            raise TrainingFailed(f"expected a finite loss, got {figures['loss']} in step {step + 1} of {steps}")
        history.append(figures)
        report(step + 1, steps, figures["loss"])
    means = {name: float(np.mean([h[name] for h in history])) for name in history[0]}
    return {**means, "last_loss": history[-1]["loss"], "demonstrations": float(len(source.demonstrations))}


def last_good(parent: Path, learner: Learner) -> tuple[Path | None, list[str]]:
    """Load the newest checkpoint that is whole; it (None: start from nothing) and what was wrong with newer ones."""
    problems: list[str] = []
    for path in reversed(checkpoint.checkpoints(parent)):
        try:
            learner.load(path)
            return path, problems
        except CheckpointError as error:
            problems.append(str(error))
    return None, problems


class Training:
    """A learner on one replay buffer: trains and publishes. In-process for `--sync` runs and tests."""

    def __init__(
        self,
        buffer: ReplayBuffer,
        *,
        method: str = DEFAULT,
        keep: int = 5,
        parent: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Goes on from the newest whole checkpoint.

        Args:
            buffer: may be read-only.
            method: name of the learning method.
            keep: checkpoints kept.
            parent: where checkpoints are; by default the buffer's own directory.
            clock: seconds, to tell how long a training took.
        """
        self._clock = clock
        self.only: frozenset[str] | None = None
        """The demonstrations that are trained on, by id; None: all in force."""
        self.buffer, self.method, self.keep = buffer, method, keep
        self.checkpoints = parent or buffer.checkpoints
        self.seed = int(buffer.lesson.get("seed", 0))
        self.problems: list[str] = []
        self.restore()

    def restore(self) -> None:
        """Back to the newest whole checkpoint, or to fresh weights."""
        self.learner = make_learner(
            self.method, seed=self.seed, text_encoder=str(self.buffer.lesson.get("text_encoder") or "")
        )
        self.last, self.problems = last_good(self.checkpoints, self.learner)

    @property
    def version(self) -> int:
        """The number of the newest model (k), as its policy tells it; 0 before the first training."""
        if self.last is None:
            return 0
        info = checkpoint.read_info(self.last)
        return int(info["lineage"].get("update", info["updates"]))

    def train(
        self,
        *,
        steps: int,
        seed: int,
        update: int,
        settings: Mapping[str, Any] | None = None,
        report: Report = lambda step, steps, loss: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[Path, dict[str, float]]:
        """Train on what is committed now and publish; the checkpoint and its figures.

        Raises what `train` raises, and then is where it was before.
        """
        if self.last is None and self.problems:  # fresh weights must not take the place of what was learned
            raise TrainingFailed(f"expected a whole checkpoint to go on from, got none: {'; '.join(self.problems)}")
        sampling = Sampling.of(self.buffer.lesson.get("training") or {}, settings or {})
        begun = self._clock()
        curve: list[float] = []

        def followed(step: int, of: int, loss: float) -> None:
            curve.append(round(loss, 6))
            report(step, of, loss)

        try:
            self.buffer.refresh()
            read = self.buffer.last_sequence
            source = self.buffer.mirror()
            if self.only is not None:
                source.keep_only(self.only)
            figures = train(
                self.learner, source, steps=steps, seed=seed, update=update,
                sampling=sampling, report=followed, cancelled=cancelled,
            )  # fmt: skip
            how = {"seconds": round(self._clock() - begun, 3), "curve": curve, "draws": source.draws(), "read": read}
            return self._publish(source, figures, sampling, steps, seed, update, how), figures
        except BaseException:
            self.restore()
            raise

    def _publish(
        self, source: Source, figures: Mapping[str, float], sampling: Sampling, steps: int, seed: int, update: int,
        how: Mapping[str, Any],
    ) -> Path:  # fmt: skip
        path = self.checkpoints / f"{update:06d}"
        lineage = {
            "update": update,
            "parent": self.last.name if self.last else None,
            "seed": seed,
            "steps": steps,
            "config": asdict(sampling),
            "figures": dict(figures),
            "demonstrations": [d.id for d in source.demonstrations],
            **how,
        }
        self.learner.save(path, lineage)
        self.last = path
        checkpoint.prune(self.checkpoints, self.keep)
        return path
