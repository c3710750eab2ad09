"""What to replay: priorities, probabilities and weights (PIER). Pure.

ASkDAgger (arXiv 2508.05310), prioritised interactive experience replay. Failures weigh most while they are new and the
novice was sure of itself; successes weigh least then; both drift back to 1 as they grow old or were uncertain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from teaching.types import Array, BadInput

LEAST_SHARE = 0.1
"""No row is drawn less often than this share of an even draw. See `sampling_distribution`."""


@dataclass(frozen=True)
class Terms:
    """The priority of every row and what it is made of, for a page to explain. All (N,) float."""

    u_scaled: Array
    """ũ: uncertainty over the largest one; NaN for rows that are not decisions."""
    age_scaled: Array
    """max k̃ − k̃: 0 for the newest model update, up to 1 for the oldest."""
    outcome: Array
    """r̃: +1, −1, or 0 for rows that are not decisions."""
    c: Array
    """λ ũ + (1 − λ) · age: large means uncertain or old; NaN for rows that are not decisions."""
    priority: Array
    """In [0, 2]; 1 is indifferent."""


def terms(uncertainty: Array, outcome: Array, update: Array, *, b: float = 10.0, lam: float = 0.5) -> Terms:
    """The priorities of `pier_priority` with their terms; same arguments, same errors."""
    u, r, k = _checked(uncertainty, outcome, update, b, lam)
    decided = np.isfinite(u)
    largest, newest = _scales(u, k)
    u_scaled = u / largest
    age = 1.0 - k / newest if newest > 0.0 else np.zeros(k.shape)
    r = np.where(decided, r, 0.0)
    c = np.where(decided, lam * u_scaled + (1.0 - lam) * age, np.nan)
    return Terms(u_scaled, age, r, c, np.where(decided, 1.0 - r * _sharpened(c.copy(), b), 1.0))


def _checked(uncertainty: Array, outcome: Array, update: Array, b: float, lam: float) -> tuple[Array, Array, Array]:
    u, r, k = np.asarray(uncertainty, dtype=np.float64), np.asarray(outcome), np.asarray(update)
    if u.ndim != 1 or r.shape != u.shape or k.shape != u.shape:
        raise BadInput(f"expected three arrays of one shape (N,), got {u.shape}, {r.shape} and {k.shape}")
    if not 0.0 <= lam <= 1.0 or not b > 0.0:
        raise BadInput(f"expected lam in [0, 1] and b above 0, got {lam} and {b}")
    return u, r, k


def _scales(u: Array, k: Array) -> tuple[float, float]:
    """The largest uncertainty, 1 if there is none above 0, and the newest update."""
    largest = float(np.fmax.reduce(u)) if len(u) else 0.0
    return largest if largest > 0.0 else 1.0, float(k.max()) if len(k) else 0.0


def _sharpened(c: Array, b: float) -> Array:
    """(b^(1−c) − 1)/(b − 1), or 1 − c for b = 1; in place."""
    np.subtract(1.0, c, out=c)
    if not np.isclose(b, 1.0):
        np.power(b, c, out=c)
        c -= 1.0
        c /= b - 1.0
    return c


def pier_priority(uncertainty: Array, outcome: Array, update: Array, *, b: float = 10.0, lam: float = 0.5) -> Array:
    """The priority of every row: 1 − r̃ (b^(1−c) − 1)/(b − 1), with c = λ ũ + (1 − λ)(max k̃ − k̃).

    Called with all rows, since the largest uncertainty and the newest update are taken over all; the caller keeps the
    rows that own a Demonstration afterwards.

    Args:
        uncertainty: (N,) float as stored when the decision was made; NaN for rows that are not decisions.
        outcome: (N,) int in {+1, −1, 0}.
        update: (N,) int, model updates done when the row was made.
        b: how sharply certainty and newness move a priority; 1 gives the linear form.
        lam: λ, the share of uncertainty, against age.

    Returns:
        (N,) float in [0, 2]; 1 for rows that are not decisions.

    Raises:
        BadInput: shapes that differ, or a setting out of range.
    """
    u, r, k = _checked(uncertainty, outcome, update, b, lam)
    largest, newest = _scales(u, k)
    c = u / largest  # what follows is `terms` with one array for all, which counts at a million rows
    c *= lam
    if newest > 0.0:
        age = k / newest
        np.subtract(1.0, age, out=age)
        age *= 1.0 - lam
        c += age
    _sharpened(c, b)
    c *= r
    np.subtract(1.0, c, out=c)
    c[np.isnan(c)] = 1.0
    return c


def sampling_distribution(priority: Array, *, alpha: float = 1.5, beta: float = 1.0) -> tuple[Array, Array]:
    """How often to draw each row, and how much it then counts.

    P ∝ priority^α, w ∝ (1/(N P))^β with a largest weight of 1, exactly as published as long as no P is below a tenth of
    1/N. A priority of (nearly) 0 would make its own weight 1 and all others vanish; so such rows are raised to
    P = 0.1/N, the others keep their proportions, and w follows from the raised P. Then, for any priorities, the average
    weight of a drawn row is at least 0.1 and the effective sample size (Σ P w)² / Σ P w² at least N/10 of N draws.

    Args:
        priority: (N,) float, none negative, of the rows that own a Demonstration.
        alpha: how strongly priorities are preferred; 0 draws evenly.
        beta: how fully the weights undo the preference; 0 not at all, 1 fully (w · P is constant).

    Returns:
        probability (N,), summing to 1, and weight (N,) in (0, 1].

    Raises:
        BadInput: a negative or non-finite priority, or a setting out of range.
    """
    p = np.asarray(priority, dtype=np.float64)
    if p.ndim != 1 or not np.all(np.isfinite(p)) or np.any(p < 0.0):
        raise BadInput(f"expected priorities of shape (N,), finite and not negative, got shape {p.shape}: {p}")
    if alpha < 0.0 or not 0.0 <= beta <= 1.0:
        raise BadInput(f"expected alpha of at least 0 and beta in [0, 1], got {alpha} and {beta}")
    if not len(p):
        return p.copy(), p.copy()
    raised = p**alpha
    total = float(raised.sum())
    if total > 0.0:
        raised /= total
    else:
        raised.fill(1.0 / len(p))
    probability = _floored(raised)
    weight = probability.min() / probability
    return probability, weight if beta == 1.0 else weight**beta


def _floored(probability: Array) -> Array:
    """The nearest distribution of the same proportions in which nothing is below LEAST_SHARE / N."""
    least = LEAST_SHARE / len(probability)
    low = probability < least
    if not low.any():
        return probability
    result = np.empty_like(probability)
    while True:
        rest = float(probability[~low].sum())
        np.multiply(probability, (1.0 - least * low.sum()) / rest, out=result)
        more = result < least * (1.0 - 1e-12)
        more &= ~low
        if not more.any():
            result[low] = least
            return result
        low |= more


def beta_at(storing_episodes: int, *, start: float = 1.0, horizon: int = 100) -> float:
    """β after so many storing episodes: rises linearly from `start` to 1 over `horizon`."""
    return min(start + storing_episodes * (1.0 - start) / horizon, 1.0)
