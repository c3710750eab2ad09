"""One-dimensional logistic regression, unpenalised: P(failure | uncertainty) for the gate's unlabelled rows. Pure."""

from __future__ import annotations

import numpy as np

from teaching.types import Array

_LARGEST_STEP = 8.0
_ROUNDS = 60
_CERTAIN = float(np.log(1e6 - 1.0))
"""Log odds of a probability that is 1e-6 off 1."""


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^−x), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(x, dtype=np.float64)))


def fit_logistic(x: Array, failed: Array) -> tuple[float, float]:
    """Maximum likelihood by Newton's method.

    Labels that a cut separates have no finite optimum: the result is then a steep step halfway between the two nearest
    points of opposite label, where the probability is 1e-6 off 0 or 1.

    Args:
        x: (N,) float.
        failed: (N,) bool, both values present.

    Returns:
        (slope, intercept): P(failure | x) = sigmoid(slope · x + intercept).
    """
    step = _step(x, failed)
    if step is not None:
        return step
    centre, spread = float(x.mean()), float(x.std())
    share = float(failed.mean())
    start = float(np.log(share / (1.0 - share)))
    if spread <= 1e-12 * max(1.0, abs(centre)):
        return 0.0, start
    z, y = (x - centre) / spread, failed.astype(np.float64)
    slope, intercept = 0.0, start
    for _ in range(_ROUNDS):
        move, gradient = _newton(z, y, slope, intercept)
        if gradient < 1e-6:
            break
        slope, intercept = slope + move[0], intercept + move[1]
    return slope / spread, intercept - slope * centre / spread


def _step(x: Array, failed: Array) -> tuple[float, float] | None:
    """The step between labels that a cut separates; None if no cut does."""
    right, wrong = x[~failed], x[failed]
    for low, high, sign in ((right.max(), wrong.min(), 1.0), (wrong.max(), right.min(), -1.0)):
        if high - low > 1e-9:
            slope = sign * 2.0 * _CERTAIN / float(high - low)
            return slope, -slope * float(low + high) / 2.0
    return None


def _newton(z: Array, y: Array, slope: float, intercept: float) -> tuple[tuple[float, float], float]:
    """One Newton step, shortened if it is wild or overshoots, and the largest entry of the mean gradient."""
    p = sigmoid(slope * z + intercept)
    error, weight = y - p, p * (1.0 - p)
    g1, g0 = float(error @ z), float(error.sum())
    h11, h10, h00 = float(weight @ (z * z)), float(weight @ z), float(weight.sum())
    ridge = 1e-10 * (h11 + h00) + 1e-300
    h11, h00 = h11 + ridge, h00 + ridge
    determinant = max(h11 * h00 - h10 * h10, 1e-300)
    d1, d0 = (h00 * g1 - h10 * g0) / determinant, (h11 * g0 - h10 * g1) / determinant
    scale = min(1.0, _LARGEST_STEP / max(abs(d1), abs(d0), 1e-12))
    before = _loss(z, y, slope, intercept)
    while scale > 1e-4 and _loss(z, y, slope + scale * d1, intercept + scale * d0) > before + 1e-12:
        scale *= 0.5
    return (scale * d1, scale * d0), max(abs(g1), abs(g0)) / len(z)


def _loss(z: Array, y: Array, slope: float, intercept: float) -> float:
    """Negative log likelihood."""
    line = slope * z + intercept
    return float(np.sum(np.logaddexp(0.0, line) - y * line))
