"""How sure a mean over few seeds is: Student's interval, paired differences, and what could have been seen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from teaching.types import Array, BadInput

_T = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060)
"""Student's 97.5 % quantile for 1 to 8 degrees of freedom."""
_Z, _POWER = 1.959964, 0.841621
"""Normal quantiles of 97.5 % and of 80 %."""
EXACT = 14
"""Most pairs of which every flip of signs is tried."""


def t_quantile(degrees: int) -> float:
    """Student's 97.5 % quantile (from 9 degrees on by Cornish and Fisher's expansion, right to 0.001)."""
    if degrees < 1:
        raise BadInput(f"expected at least 1 degree of freedom, got {degrees}")
    if degrees <= len(_T):
        return _T[degrees - 1]
    z, n = _Z, degrees
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


class Mean(NamedTuple):
    """A mean of independent values with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def told(self, digits: int = 1, factor: float = 1.0) -> str:
        """As text, times a factor."""
        value, low, high = (f"{factor * x:.{digits}f}" for x in self[:3])
        return f"{value} [{low}, {high}]" if self.n > 1 else value


def mean(values: Sequence[float]) -> Mean:
    """Student's interval; endless with a single value."""
    v = np.asarray(values, dtype=np.float64)
    if not len(v):
        raise BadInput("expected at least one value, got none")
    if len(v) == 1:
        return Mean(float(v[0]), float("-inf"), float("inf"), 1)
    half = t_quantile(len(v) - 1) * float(v.std(ddof=1)) / np.sqrt(len(v))
    return Mean(float(v.mean()), float(v.mean() - half), float(v.mean() + half), len(v))


@dataclass(frozen=True)
class Paired:
    """One thing less another, seed by seed."""

    difference: Mean
    p: float
    """Two-sided, by flipping signs; all flips up to EXACT pairs, else 20,000 drawn ones."""
    detectable: float
    """The true difference that so many seeds, spreading as they do, would have shown four times of five."""

    def told(self, digits: int = 1, factor: float = 1.0) -> str:
        """As a sentence."""
        shown = f"{self.difference.told(digits, factor)}, sign-flip p = {self.p:.3f}, {self.difference.n} pairs"
        if self.difference.low <= 0.0 <= self.difference.high:
            shown += (
                f"; a true difference of {factor * self.detectable:.{digits}f} would have shown in 80 % of such tries"
            )
        return shown


def paired(better: Sequence[float], other: Sequence[float]) -> Paired:
    """Compare two lists over the same seeds."""
    d = np.asarray(better, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    if len(d) < 2:
        raise BadInput(f"expected at least two pairs to compare, got {len(d)}")
    detectable = (t_quantile(len(d) - 1) + _POWER) * float(d.std(ddof=1)) / np.sqrt(len(d))
    return Paired(mean(d.tolist()), _sign_flip(d), float(detectable))


def _sign_flip(d: Array) -> float:
    if len(d) <= EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=len(d))))
    else:
        rng = np.random.default_rng(0)
        signs = rng.choice((1.0, -1.0), size=(20_000, len(d)))
    means = np.abs(signs @ d) / len(d)
    return float(np.mean(means >= abs(d.mean()) - 1e-12))
