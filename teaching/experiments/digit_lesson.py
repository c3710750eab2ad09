"""One run of the gate on the stream of digits: what was asked, and what was true. Section 8 of our notes on ASkDAgger.

Per step one threshold for a whole batch; what is at least as uncertain, or drawn at random, gets its class from the
teacher and joins what the novice learns from. Every fifth step the novice takes five steps of descent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from teaching.experiments.digits import Changes, Novice, NoviceConfig, stream
from teaching.sag import Mode, sag_threshold
from teaching.types import Array, BadInput, explained


@dataclass(frozen=True)
class DigitConfig:
    """How long, and by which rules; the published ones where they are known."""

    steps: int = explained(468, "Batches shown.")
    size: int = explained(128, "Digits in one.")
    p_rand: float = explained(0.1, "Share asked about at random.")
    n_min: int = explained(50, "Mistakes (or successes) needed before the promise is computed.")
    every: int = explained(5, "Steps between trainings.")
    descents: int = explained(5, "Steps of descent in one.")
    bootstrap: int = explained(100, "Steps before anything is scored.")
    looks_back: int = explained(8192, "Decisions handed to the gate; its window is shorter, so this saves time only.")
    changes: Changes = field(default_factory=Changes)
    novice: NoviceConfig = field(default_factory=NoviceConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.bootstrap < self.steps or min(self.size, self.every, self.descents) < 1:
            raise BadInput(f"expected a bootstrap shorter than the run, and sizes of at least 1, got {self}")


@dataclass(frozen=True)
class Promise:
    """What the gate is to keep, and which of its parts are on."""

    mode: Mode
    target: float
    normalise: bool = True
    impute: bool = True


@dataclass(frozen=True)
class Record:
    """Every decision of one run, in order."""

    asked: Array
    """(N,) bool, gated or at random."""
    outcome: Array
    """(N,) int: +1 the novice was right, −1 wrong."""
    step: Array
    """(N,) int."""

    def after(self, step: int) -> Record:
        """From a step on."""
        kept = self.step >= step
        return Record(self.asked[kept], self.outcome[kept], self.step[kept])


def lesson(promise: Promise, seed: int, config: DigitConfig | None = None) -> Record:
    """One run. The stream, the first weights and the luck are the same for every promise of one seed."""
    config = config or DigitConfig()
    weights, luck = (np.random.default_rng([seed, i]) for i in (1, 2))
    novice, data = Novice(config.novice, weights), _Data(config)
    u: Array = np.zeros(0)
    r: Array = np.zeros(0, dtype=int)
    k: Array = np.zeros(0, dtype=int)
    asked_all, truth_all, back = [], [], config.looks_back
    for step, (pictures, classes) in enumerate(_shown(config.steps, config.size, config.changes, seed)):
        mean = novice.predict(pictures).mean(axis=0)
        truth = np.where(mean.argmax(axis=1) == classes, 1, -1)
        u, r = np.append(u, 1.0 - mean.max(axis=1)), np.append(r, np.zeros(config.size, dtype=int))
        k = np.append(k, np.full(config.size, step // config.every))
        threshold = sag_threshold(
            u[-back:], r[-back:], k[-back:], target=promise.target, mode=promise.mode, p_rand=config.p_rand,
            n_min=config.n_min, normalise=promise.normalise, impute=promise.impute, fallback="quantile", rng=luck,
        )  # fmt: skip
        asked = (u[-config.size :] >= threshold) | (luck.random(config.size) < config.p_rand)
        r[-config.size :] = np.where(asked, truth, 0)
        data.add(pictures[asked], classes[asked])
        if step % config.every == config.every - 1:
            data.teach(novice, luck)
        asked_all.append(asked)
        truth_all.append(truth)
    steps = np.repeat(np.arange(config.steps), config.size)
    return Record(np.concatenate(asked_all), np.concatenate(truth_all), steps)


@lru_cache(1)
def _shown(steps: int, size: int, changes: Changes, seed: int) -> list[tuple[Array, Array]]:
    """What all promises of one seed are shown."""
    return list(stream(steps, size, changes, np.random.default_rng([seed, 0])))


class _Data:
    """What the teacher told the class of."""

    def __init__(self, config: DigitConfig) -> None:
        self.config, self.n = config, 0
        self._pictures = np.zeros((config.steps * config.size, 64), dtype=np.float32)
        self._classes = np.zeros(config.steps * config.size, dtype=np.int64)

    def add(self, pictures: Array, classes: Array) -> None:
        end = self.n + len(classes)
        self._pictures[self.n : end], self._classes[self.n : end] = pictures, classes
        self.n = end

    def teach(self, novice: Novice, rng: np.random.Generator) -> None:
        for _ in range(self.config.descents if self.n else 0):
            rows = rng.integers(self.n, size=self.config.novice.batch)
            novice.learn(self._pictures[rows], self._classes[rows])
