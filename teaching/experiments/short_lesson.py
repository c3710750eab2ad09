"""A lesson of one plan per scene, for experiments that need many: when to ask, FIER and PIER are a lesson's own code.

What differs from table to table (scenes, novice, what a plan leads to) is left to the class that is built on this one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from teaching.experiments.baseline_gates import Asker, Past
from teaching.feedback import Fier, consequence
from teaching.metrics import Costs
from teaching.priority import pier_priority, sampling_distribution
from teaching.sampling import Sampling
from teaching.types import Array, Decision, Feedback, Kind, Outcome, Plan
from teaching.uncertainty import EntropyScale


class Domain(Protocol):
    """One domain of a lesson."""

    @property
    def storing(self) -> int:
        """Episodes that store something before the next domain."""


class Way(Protocol):
    """One way of teaching."""

    @property
    def asker(self) -> Asker:
        """When to ask."""

    @property
    def fier(self) -> Fier:
        """What of FIER is on."""

    @property
    def sampling(self) -> Sampling:
        """How batches are drawn."""

    @property
    def phases(self) -> Sequence[Any]:
        """Domains, one after the other."""

    @property
    def steps(self) -> int:
        """Steps of one training."""

    @property
    def costs(self) -> Costs:
        """Seconds of an answer."""

    @property
    def most(self) -> int:
        """Decisions at most: a gate that stops asking stores nothing more."""


class Look(NamedTuple):
    """What a novice makes of a scene."""

    plan: Plan
    nats: Array
    """(2,) entropies of what to take and of where to put it."""
    doubt: Array
    """(2,) one less the largest probability of each."""
    spread: float
    """How much several novices, or passes of one, differ."""


@dataclass
class Tally:
    """What was said so far."""

    storing: int = 0
    answers: int = 0
    seconds: float = 0.0
    decisions: int = 0
    failed: int = 0
    """Wrong plans that nobody was asked about."""
    caught: int = 0
    """Wrong plans that were asked about."""
    stored: dict[str, int] = field(default_factory=lambda: {kind.value: 0 for kind in Kind})

    @property
    def annotated(self) -> int:
        """Demonstrations that the teacher showed."""
        return self.stored[Kind.ANNOTATED.value]


class ShortLesson(ABC):
    """State of one lesson. The scenes of a seed are the same whatever the rules, as long as as many were shown."""

    def __init__(self, config: Way, seed: int) -> None:
        self.config, self.seed = config, seed
        self.luck, self.tally = np.random.default_rng([seed, 2]), Tally()
        self.own: list[int] = []
        """Which row each demonstration belongs to."""
        self._scale, self._updates, self._n = EntropyScale(), 0, 0
        self._rows: Array = np.zeros((256, 8))
        """u, r, k, spread, four features."""

    def run(self) -> Iterator[tuple[int, Tally]]:
        """Teach; yields (phase, tally) after every storing episode, once its training is over."""
        for number, phase in enumerate(self.config.phases):
            until = self.tally.storing + phase.storing
            while self.tally.storing < until and self.tally.decisions < self.config.most:
                if self._episode(phase):
                    yield number, self.tally

    @abstractmethod
    def _scene(self, phase: Any) -> Any:
        """The scene of the next decision."""

    @abstractmethod
    def _look(self, scene: Any) -> Look:
        """What the novice intends."""

    @abstractmethod
    def _feedback(self, scene: Any, plan: Plan) -> Feedback:
        """What the teacher would say of it."""

    @abstractmethod
    def _store(self, scene: Any, goal: str, actions: Array) -> None:
        """One demonstration more."""

    @abstractmethod
    def _learn(self, drawn: Array, weight: Array) -> None:
        """One step on demonstrations (B,), each loss weighted by (B,)."""

    def _judged(self, scene: Any, outcome: Outcome) -> None:  # noqa: B027  (most need not know)
        """Told of every verdict."""

    def _episode(self, phase: Any) -> bool:
        scene = self._scene(phase)
        look = self._look(scene)
        u = self._note(look)
        asked = bool(self.config.asker(self._past(), self.luck)[0])
        self.tally.decisions += 1
        if not asked:
            self.tally.failed += self._feedback(scene, look.plan).outcome != Outcome.SUCCESS
            return False
        return self._answer(scene, look.plan, u)

    def _note(self, look: Look) -> float:
        """Append the row of a decision; its uncertainty."""
        self._scale, _, u = self._scale.update(look.nats)
        self._append([u, 0, self._updates, look.spread, *look.nats, *look.doubt])
        return u

    def _append(self, row: Sequence[float]) -> None:
        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._n] = row
        self._n += 1

    def _past(self) -> Past:
        rows = self._rows[: self._n]
        rows = rows[~np.isnan(rows[:, 0])]
        k = np.unique(rows[:, 2], return_inverse=True)[1]
        return Past(rows[:, 0], rows[:, 1].astype(int), k, rows[:, 4:], rows[:, 3])

    def _answer(self, scene: Any, plan: Plan, u: float) -> bool:
        feedback = self._feedback(scene, plan)
        weighed = Plan(plan.actions, plan.goal, uncertainty=min(u, 1.0))
        decision = Decision("0-0", "0", 0, weighed, 0.0, True, False, self._updates)
        result = consequence(decision, feedback, self.config.fier)
        row = self._n - 1
        self._rows[row, 1] = int(result.outcome)
        self._judged(scene, result.outcome)
        self.tally.answers += 1
        self.tally.caught += result.outcome == Outcome.FAILURE
        self.tally.seconds += self.config.costs.of(feedback)
        for one in result.demonstrations:
            self._store(scene, one.goal, one.actions)
            self.own.append(row if one.kind != Kind.RELABELLED else self._relabelled())
            self.tally.stored[one.kind.value] += 1
        if not result.demonstrations:
            return False
        self.tally.storing += 1
        self._train()
        return True

    def _relabelled(self) -> int:
        """A row of its own, which is no decision."""
        self._append([np.nan, 0, self._updates, 0, 0, 0, 0, 0])
        return self._n - 1

    def _train(self) -> None:
        how, n = self.config.sampling, len(self.own)
        probability: Array = np.full(n, 1 / n)
        weight: Array = np.ones(n)
        if how.prioritised:
            rows = self._rows[: self._n]
            priority = pier_priority(rows[:, 0], rows[:, 1].astype(int), rows[:, 2].astype(int), b=how.b, lam=how.lam)
            probability, weight = sampling_distribution(priority[self.own], alpha=how.alpha, beta=how.beta)
        for _ in range(self.config.steps):
            drawn = self.luck.choice(n, size=how.batch, p=probability)
            self._learn(drawn, weight[drawn])
        self._updates += 1


def at(curve: Sequence[tuple[float, float]], x: float) -> float:
    """The value of a curve of (x, y) points at x, linear between points; NaN beyond its end."""
    xs, ys = (np.array(v, dtype=np.float64) for v in zip(*curve, strict=True))
    return float(np.interp(x, xs, ys)) if xs[0] <= x <= xs[-1] else float("nan")
