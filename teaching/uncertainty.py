"""How unsure a prediction is: one or many distributions → a number, and words for it. Pure.

ASkDAgger's measure (arXiv 2508.05310): natural-log entropy of the softmax over the whole pick map and over the whole
place map, each over its running maximum in the run; u is their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from teaching.types import Array, BadInput, Rows, frozen

Words = Literal["sure", "unsure", "guessing"]


def softmax(logits: Array) -> Array:
    """Probabilities of the same shape, over all entries, temperature 1."""
    shifted = np.asarray(logits, dtype=np.float64) - np.max(logits)
    raised = np.exp(shifted)
    return np.asarray(raised / raised.sum())


def entropy(probability: Array) -> float:
    """Natural-log entropy over all entries, in nats; ln(size) at most."""
    p = _distribution(probability)
    positive = p[p > 0.0]
    return float(-np.sum(positive * np.log(positive))) + 0.0


def one_minus_max(probability: Array) -> float:
    """1 − the largest probability."""
    return 1.0 - float(_distribution(probability).max())


def one_minus_margin(probability: Array) -> float:
    """1 − (largest − second largest probability)."""
    p = _distribution(probability)
    if len(p) < 2:
        return 0.0
    second, first = np.partition(p, -2)[-2:]
    return 1.0 - float(first - second)


def consensus_entropy(passes: Array) -> float:
    """Entropy of the mean of M distributions, passes (M, …)."""
    return entropy(_passes(passes).mean(axis=0))


def vote_entropy(passes: Array) -> float:
    """Entropy of how M distributions vote with their largest entry, passes (M, …); ln(M) at most."""
    votes = np.unique(_passes(passes).argmax(axis=1), return_counts=True)[1]
    return entropy(votes / votes.sum())


def disagreement(passes: Array) -> float:
    """Mean Kullback-Leibler divergence of M distributions from their mean, passes (M, …), in nats."""
    p = _passes(passes)
    return max(0.0, entropy(p.mean(axis=0)) - float(np.mean([entropy(one) for one in p])))


def variance(passes: Array) -> float:
    """Variance over M distributions, summed over entries, passes (M, …)."""
    return float(_passes(passes).var(axis=0).sum())


def _distribution(probability: Array) -> Array:
    p = np.asarray(probability, dtype=np.float64).ravel()
    if not len(p) or np.any(p < 0.0) or not abs(float(p.sum()) - 1.0) < 1e-4:
        raise BadInput(f"expected probabilities that sum to 1, got {len(p)} that sum to {p.sum()}")
    return p


def _passes(passes: Array) -> Array:
    p = np.asarray(passes, dtype=np.float64)
    if p.ndim < 2:
        raise BadInput(f"expected several distributions of shape (M, …), got shape {p.shape}")
    return np.asarray(p.reshape(len(p), -1))


class Scaled(NamedTuple):
    """What `EntropyScale.update` returns."""

    scale: EntropyScale
    """The next one, to be kept."""
    per_step: Array
    """(T,) in [0, 1]."""
    u: float
    """Their mean."""


@dataclass(frozen=True)
class EntropyScale:
    """The running maximum of every step's entropy. Nothing scaled before is scaled again."""

    maxima: tuple[float, ...] = ()
    """(T,) nats; empty before the first plan."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "maxima", tuple(frozen(self.maxima, (None,), "maxima").tolist()))

    def update(self, entropy: Array) -> Scaled:
        """Scale the entropies (T,) of one plan, in nats, by the maxima so far, their own included: the first u is 1."""
        e = frozen(entropy, (None,), "entropy")
        if not len(e) or np.any(e < 0.0):
            raise BadInput(f"expected entropies of at least one step, none negative, got {e.tolist()}")
        before = np.asarray(self.maxima) if len(self.maxima) else np.zeros(len(e))
        if len(before) != len(e):
            raise BadInput(f"expected entropies of {len(before)} steps as before, got {len(e)}")
        maxima = np.maximum(before, e)
        per_step = np.divide(e, maxima, out=np.ones(len(e)), where=maxima > 0.0)
        return Scaled(EntropyScale(tuple(maxima.tolist())), per_step, float(per_step.mean()))


def in_words(u: float, threshold: float, history: Array, *, recent: int = 100) -> Words:
    """How sure the novice is, relative to where it asks and to how it has been lately.

    Sure: below the threshold (or, without a finite one, below the median of its recent uncertainties). Guessing: not
    sure, and among the upper quarter of them. Unsure: between.

    Args:
        u: of the plan.
        threshold: of the gate; may be ±∞.
        history: (N,) uncertainties before it, NaN ignored.
        recent: how many of the newest to compare with.
    """
    past = np.asarray(history, dtype=np.float64)
    past = past[np.isfinite(past)][-recent:]
    if not len(past):
        return "guessing"
    if u < (threshold if np.isfinite(threshold) else float(np.median(past))):
        return "sure"
    return "guessing" if u >= float(np.quantile(past, 0.75)) else "unsure"


class Frequency(NamedTuple):
    """Right so many times of so many."""

    right: int
    of: int


def frequency(u: float, rows: Rows, *, nearest: int = 10, recent: int = 100, within: float = 0.15) -> Frequency | None:
    """How often plans as uncertain as this one were right; None when too few like it were judged.

    Every judged plan was made before its answer was learnt from, so this is a held-out count.

    Args:
        u: of the plan.
        rows: the history.
        nearest: how many judged plans to count, the nearest in uncertainty.
        recent: among how many of the newest judged plans, since the novice changes.
        within: how far in uncertainty they may be.
    """
    judged = np.flatnonzero(np.isfinite(rows.uncertainty) & (np.asarray(rows.outcome) != 0))[-recent:]
    distance = np.abs(np.asarray(rows.uncertainty)[judged] - u)
    like = judged[np.argsort(distance, kind="stable")[:nearest]]
    if len(like) < nearest or float(np.sort(distance)[nearest - 1]) > within:
        return None
    return Frequency(int(np.sum(np.asarray(rows.outcome)[like] > 0)), nearest)
