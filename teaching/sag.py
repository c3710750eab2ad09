"""S-aware gating: a history and a promise give a threshold (SAG). Pure.

ASkDAgger (arXiv 2508.05310), Algorithm 1. Positive = the novice would fail, so sensitivity is P(asked | would fail).
Where the reference implementation fails or depends on rounding, this one does not: it takes a window without unlabelled
rows, imputation off in every mode, a generator of its own, an end point below negative uncertainties, and values that
detrending made equal up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from teaching.logistic import fit_logistic, sigmoid
from teaching.types import Array, BadInput

Mode = Literal["sensitivity", "specificity", "success"]
Fallback = Literal["query_all", "quantile"]

MODES: tuple[Mode, ...] = ("sensitivity", "specificity", "success")
FALLBACKS: tuple[Fallback, ...] = ("query_all", "quantile")
_TIE = 1e-12
"""Detrended uncertainties nearer than this are one value."""


@dataclass(frozen=True)
class Threshold:
    """A threshold and what it rests on."""

    value: float
    """Query if the uncertainty is at least this; ∞: the gate itself asks nothing."""
    known: bool
    """False: too few labels yet, so it is the fallback."""
    failures: int
    """Labelled failures in all decisions so far."""
    successes: int
    """Labelled successes in all decisions so far."""
    window: int = 0
    """Decisions that it was computed from."""


@dataclass(frozen=True)
class Sag:
    """The settings of `sag_threshold`, checked."""

    target: float = 0.9
    mode: Mode = "sensitivity"
    p_rand: float = 0.0
    n_min: int = 15
    n_rep: int = 10
    normalise: bool = True
    impute: bool = True
    fallback: Fallback = "query_all"

    def __post_init__(self) -> None:
        if not 0.0 <= self.target <= 1.0:
            raise BadInput(f"expected a target in [0, 1], such as 0.9, got {self.target}")
        if not 0.0 <= self.p_rand <= 1.0:
            raise BadInput(f"expected a probability p_rand in [0, 1], got {self.p_rand}")
        if self.n_min < 1 or self.n_rep < 1:
            raise BadInput(f"expected n_min and n_rep of at least 1, got {self.n_min} and {self.n_rep}")
        if self.mode not in MODES:
            raise BadInput(f"expected a mode among {', '.join(MODES)}, got {self.mode!r}")
        if self.fallback not in FALLBACKS:
            raise BadInput(f"expected a fallback among {', '.join(FALLBACKS)}, got {self.fallback!r}")

    def threshold(
        self, uncertainty: Array, outcome: Array, update: Array, rng: np.random.Generator | None = None
    ) -> Threshold:
        """`sag_threshold` with what it rests on, for a page to explain."""
        u, r, k = _decisions(uncertainty, outcome, update)
        failures, successes = int(np.sum(r < 0)), int(np.sum(r > 0))
        inside = _window(r, k, self.mode, self.n_min)
        if inside is None:
            return Threshold(_fallback(u, self.target, self.mode, self.fallback), False, failures, successes)
        u, r, k = u[inside], r[inside], k[inside]
        if self.normalise:
            u = _without_drift(u, k)
        u, failed = _complete(u, r, self.n_rep, self.impute, rng)
        thresholds = [_cross(x, t, self.target) for x, t in _curves(u, failed, self.mode, self.p_rand)]
        value = float(np.median(thresholds))
        return Threshold(float(u.min()) if np.isnan(value) else value, True, failures, successes, int(inside.sum()))


def sag_threshold(
    uncertainty: Array,
    outcome: Array,
    update: Array,
    *,
    target: float = 0.9,
    mode: Mode = "sensitivity",
    p_rand: float = 0.0,
    n_min: int = 15,
    n_rep: int = 10,
    normalise: bool = True,
    impute: bool = True,
    fallback: Fallback = "query_all",
    rng: np.random.Generator | None = None,
) -> float:
    """The threshold γ that keeps a promise: query if u ≥ γ (Algorithm 1, "SAG").

    Args:
        uncertainty: (N,) float, one row per decision in the order they were made, the one to gate last; NaN for rows
            that are not decisions (relabelled and offline pairs), which change nothing.
        outcome: (N,) int: +1 the plan was right, −1 wrong, 0 not known.
        update: (N,) int: model updates done when the row was made.
        target: the promise σ in [0, 1].
        mode: what is promised: the share of failures asked about (sensitivity), of right plans left alone
            (specificity), of decisions right or asked about (success).
        p_rand: probability of asking at random, whatever the uncertainty.
        n_min: labels of the rarer kind (failures; successes for specificity) that the window must hold.
        n_rep: repetitions of the imputation; the result is their median.
        normalise: remove the linear drift of the uncertainty over updates.
        impute: draw labels for unlabelled decisions from a logistic regression.
        fallback: with too few labels: "query_all" (min of u), or "quantile" of u.
        rng: for the imputation; None: a generator seeded with 0, so equal inputs give equal results.

    Returns:
        γ; ∞ when random queries alone keep the promise, or nothing can.

    Raises:
        BadInput: shapes that differ, no decision at all, or a setting out of range.
    """
    settings = Sag(target, mode, p_rand, n_min, n_rep, normalise, impute, fallback)
    return settings.threshold(uncertainty, outcome, update, rng).value


def _decisions(uncertainty: Array, outcome: Array, update: Array) -> tuple[Array, Array, Array]:
    """The rows that are decisions, as (u float, r int, k int)."""
    u = np.asarray(uncertainty, dtype=np.float64)
    r, k = np.asarray(outcome), np.asarray(update)
    if u.ndim != 1 or r.shape != u.shape or k.shape != u.shape:
        raise BadInput(f"expected three arrays of one shape (N,), got {u.shape}, {r.shape} and {k.shape}")
    if np.any(np.isinf(u)):
        raise BadInput("expected finite uncertainties, or NaN for rows that are not decisions, got an infinite one")
    if np.any((r != 0) & (r != 1) & (r != -1)):
        raise BadInput(f"expected outcomes among +1, −1 and 0, got {sorted(set(r.tolist()) - {-1, 0, 1})}")
    usable = ~np.isnan(u)
    if not usable.any():
        raise BadInput("expected at least one decision, the one to gate, got none; append it before asking")
    return u[usable], r[usable], k[usable].astype(np.int64)


def _window(r: Array, k: Array, mode: Mode, n_min: int) -> Array | None:
    """(N,) bool: the newest updates that hold enough labels; None if there are too few.

    Grows by one update at a time, and gives up once it spans more updates than it holds rows.
    """
    relevant = 1 if mode == "specificity" else -1
    age = np.clip(k[-1] - k, 0, len(k) + 1)

    def within(rows: Array) -> Array:
        return np.cumsum(np.bincount(age[rows], minlength=len(k) + 2))

    enough = (within(r == relevant) >= n_min) & (within(r == -relevant) >= 1)
    widths = np.arange(len(enough))
    given_up = within(np.ones(len(k), dtype=bool)) < widths
    stop = enough | given_up
    first = int(np.argmax(stop))
    return age <= first if enough[first] else None


def _fallback(u: Array, target: float, mode: Mode, fallback: Fallback) -> float:
    if fallback == "query_all":
        return float(u.min())
    return float(np.quantile(u, target if mode == "specificity" else 1.0 - target))


def _without_drift(u: Array, k: Array) -> Array:
    """u with its least-squares line over updates removed, as of the newest update; near-equal values made equal."""
    offset = (k - k[-1]).astype(np.float64)
    centred = offset - offset.mean()
    spread = float(centred @ centred)
    if spread == 0.0:
        return u
    detrended: Array = u - float(centred @ u) / spread * offset
    order = np.argsort(detrended, kind="stable")
    ascending = detrended[order]
    starts = np.concatenate([[True], np.diff(ascending) > _TIE])
    result = np.empty_like(detrended)
    result[order] = ascending[starts][np.cumsum(starts) - 1]
    return result


def _complete(u: Array, r: Array, n_rep: int, impute: bool, rng: np.random.Generator | None) -> tuple[Array, Array]:
    """Uncertainties (N,) and labels (R, N) bool, True for a failure: drawn for unlabelled rows, or without them."""
    labelled = r != 0
    if not impute or labelled.all():
        return u[labelled], (r[labelled] < 0)[None, :]
    slope, intercept = fit_logistic(u[labelled], r[labelled] < 0)
    chance = sigmoid(slope * u[~labelled] + intercept)
    failed = np.broadcast_to(r < 0, (n_rep, len(r))).copy()
    draws = (rng or np.random.default_rng(0)).random((n_rep, len(chance)))
    failed[:, ~labelled] = chance > draws
    return u, failed


def _curves(u: Array, failed: Array, mode: Mode, p_rand: float) -> list[tuple[Array, Array]]:
    """Per repetition (x ascending, t): the share kept at each threshold. Each distinct u is a point, none is pruned."""
    order = np.argsort(-u, kind="stable")
    u, failed = u[order], failed[:, order]
    last = np.concatenate([u[1:] != u[:-1], [True]])
    distinct, caught, above = u[last], np.cumsum(failed, axis=1)[:, last], np.flatnonzero(last) + 1
    if mode == "success":
        return _success_curves(distinct, caught, failed.shape[1], p_rand)
    t = np.concatenate([[np.inf], distinct])
    curves = []
    for row in caught:
        total = int(row[-1])
        if mode == "sensitivity":
            rate = np.concatenate([[0.0], row / total]) if total else np.full(len(t), np.nan)
            curves.append((rate + p_rand * (1.0 - rate), t))
        else:
            right = int(above[-1]) - total
            alone = np.concatenate([[right], right - (above - row)])
            curves.append(((1.0 - p_rand) * (alone / right if right else alone * np.nan)[::-1], t[::-1]))
    return curves


def _success_curves(distinct: Array, caught: Array, n: int, p_rand: float) -> list[tuple[Array, Array]]:
    """A failure that sits at the threshold counts as autonomous here: slightly conservative, as published."""
    end = min(0.0, float(distinct[-1]) - 1e-9)
    t = np.concatenate([distinct, [end]])
    curves = []
    for row in caught:
        missed = int(row[-1]) - np.concatenate([[0], row[:-1]])
        share = np.concatenate([(n - missed) / n, [1.0]])
        curves.append((share + p_rand * (1.0 - share), t))
    return curves


def _cross(x: Array, t: Array, target: float) -> float:
    """t where x reaches the target, linearly between points; on a plateau its last point; ∞ if that touches ∞."""
    if np.isnan(x[-1]):
        return float(np.nan)
    at = int(np.searchsorted(x, target, side="right")) - 1
    if at < 0:
        return float(t[0])
    if x[at] == target or at == len(x) - 1:
        return float(t[at])
    if np.isinf(t[at]) or np.isinf(t[at + 1]):
        return float(np.inf)
    return float(t[at] + (t[at + 1] - t[at]) * (target - x[at]) / (x[at + 1] - x[at]))
