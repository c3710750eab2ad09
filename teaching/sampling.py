"""How batches are drawn from the replay buffer; the settings that training and a lesson's config share. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from teaching.types import explained


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
