"""How batches are drawn from the replay buffer: settings, the distribution that they give, and the drawing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from teaching.priority import pier_priority, sampling_distribution
from teaching.types import Array, BadInput, Rows, explained


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn."""

    batch: int = explained(16, "Demonstrations in one step.")
    alpha: float = explained(1.5, "How strongly priorities are preferred when drawing; 0 draws evenly.")
    beta: float = explained(1.0, "How fully the preference is corrected for in the loss.")
    lam: float = explained(0.5, "Share of uncertainty, against age, in a priority.")
    b: float = explained(10.0, "How sharply certainty and newness move a priority.")
    prioritised: bool = explained(True, "Prioritised replay (PIER); off draws evenly.")

    @classmethod
    def of(cls, *layers: Mapping[str, Any]) -> Self:
        """From settings, later ones over earlier ones; what is not about sampling is passed over."""
        names = {f.name for f in fields(cls)}
        return cls(**{k: v for layer in layers for k, v in layer.items() if k in names})


@dataclass(frozen=True)
class Stock:
    """What there is to draw from: the history, and which of its rows own a demonstration, M of them."""

    rows: Rows
    """All N rows, since the largest uncertainty and the newest update are taken over all."""
    owned: Array
    """(M,) int: the row of each demonstration."""
    factor: Array
    """(M,) what a person multiplied its priority with; 1 for most."""
    pinned: Array
    """(M,) bool: it has at least the priority 1 of a neutral one."""

    def __post_init__(self) -> None:
        if not len(self.owned) == len(self.factor) == len(self.pinned):
            raise BadInput(
                f"expected one row, factor and pin per demonstration, got {len(self.owned)}, {len(self.factor)} "
                f"and {len(self.pinned)}"
            )

    def priority(self, how: Sampling) -> Array:
        """(M,) priorities after what a person set by hand."""
        rows = self.rows
        priority = pier_priority(rows.uncertainty, rows.outcome, rows.update, b=how.b, lam=how.lam)[self.owned]
        by_hand: Array = priority * self.factor
        return np.where(self.pinned, np.maximum(by_hand, 1.0), by_hand)

    def distribution(self, how: Sampling) -> tuple[Array, Array]:
        """Probability (M,) and importance weight (M,) of each demonstration."""
        if not how.prioritised:
            n = len(self.owned)
            return np.full(n, 1.0 / max(n, 1)), np.ones(n)
        return sampling_distribution(self.priority(how), alpha=how.alpha, beta=how.beta)


class Drawer:
    """Draws rows with replacement by probability, batch after batch; the sums are made once."""

    def __init__(self, probability: Array) -> None:
        """Args: probability (M,), summing to 1."""
        self._sums = np.cumsum(np.asarray(probability, dtype=np.float64))
        if not len(self._sums) or not np.isclose(self._sums[-1], 1.0, atol=1e-6):
            raise BadInput(f"expected probabilities that sum to 1, got {len(self._sums)} of them")
        self._sums /= self._sums[-1]

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """(n,) rows: those that `rng.choice(M, n, p=probability)` would give."""
        return np.asarray(self._sums.searchsorted(rng.random(n), side="right"))
