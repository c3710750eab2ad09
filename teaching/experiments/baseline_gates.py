"""When to ask, by the rules that ASkDAgger is compared with; written from their papers for plans that are judged whole.

Each looks at the history and says which of its newest, not yet judged rows are asked about. As long as too few failures
are known, all of them ask about everything, like the gate of ASkDAgger itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from teaching.logistic import sigmoid
from teaching.sag import Mode, sag_threshold
from teaching.types import Array, BadInput, explained


@dataclass(frozen=True)
class Past:
    """Every decision so far, the newest last; those are weighed now and have outcome 0."""

    uncertainty: Array
    """(N,)"""
    outcome: Array
    """(N,) int: +1, −1, or 0 where nobody judged."""
    update: Array
    """(N,) int."""
    features: Array
    """(N, F): what a classifier may look at."""
    spread: Array
    """(N,): how much several novices, or passes of one, differ."""
    fresh: int = 1
    """How many of the newest are weighed."""

    def known(self, failures: int) -> bool:
        """Whether so many failures and one success were judged."""
        return int(np.sum(self.outcome < 0)) >= failures and bool(np.any(self.outcome > 0))


class Asker(Protocol):
    """A rule with one knob."""

    def __call__(self, past: Past, rng: np.random.Generator) -> Array:
        """(fresh,) bool: which of the newest are asked about."""


@dataclass(frozen=True)
class SagAsker:
    """The gate of ASkDAgger, and of Active DAgger."""

    target: float = 0.9
    mode: Mode = "sensitivity"
    p_rand: float = 0.2
    n_min: int = 15

    def __call__(self, past: Past, rng: np.random.Generator) -> Array:
        """Also some at random."""
        threshold = sag_threshold(
            past.uncertainty, past.outcome, past.update, target=self.target, mode=self.mode, p_rand=self.p_rand,
            n_min=self.n_min, rng=rng,
        )  # fmt: skip
        asked: Array = past.uncertainty[-past.fresh :] >= threshold
        return asked | (rng.random(past.fresh) < self.p_rand)


@dataclass(frozen=True)
class RandomAsker:
    """Asks about a share, whatever the novice thinks."""

    share: float = explained(0.5, "Share of plans asked about.")
    n_min: int = 15

    def __call__(self, past: Past, rng: np.random.Generator) -> Array:
        """Drawn."""
        if not past.known(self.n_min):
            return np.ones(past.fresh, dtype=bool)
        asked: Array = rng.random(past.fresh) < self.share
        return asked


@dataclass(frozen=True)
class SafeAsker:
    """SafeDAgger (Zhang and Cho 2017, arXiv 1605.06450): a classifier predicts where the novice would be wrong.

    The paper learns it from states that a teacher labelled, by whether the novice strays from what the teacher did; it
    asks where it predicts that. The cut at one half is the paper's; here it is the knob.
    """

    cut: float = explained(0.5, "Predicted probability of failure from which it asks.")
    n_min: int = 15

    def __call__(self, past: Past, rng: np.random.Generator) -> Array:
        """Where the classifier says so."""
        if not past.known(self.n_min):
            return np.ones(past.fresh, dtype=bool)
        asked: Array = failing(past.features, past.outcome)[-past.fresh :] >= self.cut
        return asked


@dataclass(frozen=True)
class ThriftyAsker:
    """ThriftyDAgger (Hoque et al. 2021, arXiv 2109.08273): asks where states are new or the task is at risk.

    New: members of an ensemble differ. At risk: one less the learnt chance of success; with one decision until success
    is known, the paper's Q function is that chance. Both thresholds are quantiles of what was met so far, set from a
    budget, so that no unit has to be chosen.
    """

    budget: float = explained(0.3, "Share of what was met so far that lies above each threshold.")
    n_min: int = 15

    def __call__(self, past: Past, rng: np.random.Generator) -> Array:
        """What is newer, or riskier, than most."""
        if not past.known(self.n_min):
            return np.ones(past.fresh, dtype=bool)
        risk = failing(past.features, past.outcome)
        above = [v[-past.fresh :] > np.quantile(v[: -past.fresh], 1 - self.budget) for v in (past.spread, risk)]
        asked: Array = above[0] | above[1]
        return asked


def failing(features: Array, outcome: Array, ridge: float = 1.0, rounds: int = 8) -> Array:
    """(N,) the predicted probability of failure: logistic regression on what was judged, slightly penalised.

    Args:
        features: (N, F).
        outcome: (N,) int: +1, −1, or 0 where nobody judged.
        ridge: weight of the penalty, in rows.
        rounds: of Newton's method.
    """
    f, r = np.asarray(features, dtype=np.float64), np.asarray(outcome)
    if f.ndim != 2 or len(f) != len(r):
        raise BadInput(f"expected features (N, F) and outcome (N,), got {f.shape} and {r.shape}")
    judged = r != 0
    middle, spread = f[judged].mean(axis=0), np.maximum(f[judged].std(axis=0), 1e-9)
    x = np.c_[(f - middle) / spread, np.ones(len(f))]
    known, y = x[judged], (r[judged] < 0).astype(np.float64)
    penalty = np.diag([*np.full(f.shape[1], ridge), 1e-6])
    w = np.zeros(x.shape[1])
    for _ in range(rounds):
        p = sigmoid(known @ w)
        slope = known.T @ (y - p) - penalty @ w
        bend = (known * (p * (1 - p) + 1e-9)[:, None]).T @ known + penalty
        w = w + np.clip(np.linalg.solve(bend, slope), -4, 4)
    return sigmoid(x @ w)
