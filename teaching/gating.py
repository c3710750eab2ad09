"""When to ask: the gates, and what they promise in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from teaching.sag import FALLBACKS, MODES, Fallback, Mode, Sag, Threshold, sag_threshold
from teaching.types import BadInput, Rows, explained

__all__ = ["FALLBACKS", "KINDS", "MODES", "Gate", "Weighing", "sag_threshold"]

Kind = Literal["sag", "fixed", "always", "never"]
Variant = Literal["paper", "code"]

KINDS: tuple[Kind, ...] = ("sag", "fixed", "always", "never")
VARIANTS: tuple[Variant, ...] = ("paper", "code")


class Weighing(NamedTuple):
    """What a gate made of one plan."""

    threshold: float
    """May be ±∞."""
    gated: bool
    """uncertainty ≥ threshold."""
    random: bool
    """Drawn to be asked at random, gated or not."""
    reason: str
    """Why it asks or not, for the teacher."""
    known: bool = True
    """The threshold follows from answers; else there were too few of them."""


@dataclass(frozen=True)
class Gate:
    """When the arm asks."""

    kind: Kind = explained("sag", "sag keeps a promise; fixed asks above a level; always and never do as they say.")
    target: float = explained(0.9, "The promised share, from 0 to 1: of mistakes asked about, for instance.")
    mode: Mode = explained("sensitivity", "What is promised: mistakes caught, good plans left alone, or good endings.")
    p_rand: float = explained(0.2, "Share of plans asked about at random, to keep the gate honest.")
    level: float = explained(0.5, "The uncertainty from which a fixed gate asks.")
    n_min: int = explained(15, "Mistakes (or successes) needed before the promise is computed; until then it asks.")
    n_rep: int = explained(10, "Times that missing answers are guessed; the middle result counts.")
    normalise: bool = explained(True, "Correct for uncertainty that drifts as the novice learns.")
    impute: bool = explained(True, "Guess the outcome of plans that nobody judged.")
    fallback: Fallback = explained("query_all", "With too few answers: ask always, or by rank of uncertainty.")
    variant: Variant = explained("paper", "Random questions are answered in full (paper), or only judged (code).")

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"expected a gate among {', '.join(KINDS)}, got {self.kind!r}")
        if self.variant not in VARIANTS:
            raise BadInput(f"expected a variant among {', '.join(VARIANTS)}, got {self.variant!r}")
        if not 0.0 <= self.level <= 1.0:
            raise BadInput(f"expected a level in [0, 1], got {self.level}")
        self._sag()

    def weigh(self, rows: Rows, uncertainty: float, update: int, rng: np.random.Generator) -> Weighing:
        """Weigh one plan against the history before it.

        Args:
            rows: all rows so far, without this plan's.
            uncertainty: of the plan, in [0, 1].
            update: model updates done so far (k).
            rng: draws the imputation, then the random question.
        """
        if not np.isfinite(uncertainty):
            raise BadInput(f"expected a finite uncertainty, got {uncertainty}")
        found = self._threshold(rows, uncertainty, update, rng)
        gated = bool(uncertainty >= found.value)
        chance = self.p_rand if self.kind in ("sag", "fixed") else 0.0
        random = bool(rng.random() < chance)
        return Weighing(found.value, gated, random, self._reason(found, uncertainty, gated, random), found.known)

    def _sag(self) -> Sag:
        return Sag(
            self.target, self.mode, self.p_rand, self.n_min, self.n_rep, self.normalise, self.impute, self.fallback
        )

    def _threshold(self, rows: Rows, uncertainty: float, update: int, rng: np.random.Generator) -> Threshold:
        if self.kind == "sag":
            # The window counts updates and takes for granted that each has a decision: skip trainings without one.
            decided = np.append(~np.isnan(rows.uncertainty), True)
            dense = np.unique(np.append(rows.update, update)[decided], return_inverse=True)[1]
            u, r = np.append(rows.uncertainty, uncertainty)[decided], np.append(rows.outcome, 0)[decided]
            return self._sag().threshold(u, r, dense, rng)
        value = {"fixed": self.level, "always": -np.inf, "never": np.inf}[self.kind]
        return Threshold(float(value), True, 0, 0)

    def _reason(self, found: Threshold, uncertainty: float, gated: bool, random: bool) -> str:
        if self.kind == "always":
            return "I ask about every plan."
        if self.kind == "never":
            return "I never ask."
        if gated and not found.known:
            return f"I ask about every plan until I know enough: {self._missing(found)}."
        compared = f"uncertainty {uncertainty:.2f}, I ask from {found.value:.2f}"
        if gated:
            return f"I am less sure than I should be: {compared}."
        if random:
            return "A random check, to see whether I am right when I feel sure."
        if np.isinf(found.value):
            return "Random checks alone keep my promise, so I go ahead."
        return f"I am sure enough: {compared}."

    def _missing(self, found: Threshold) -> str:
        failures, successes = (1, self.n_min) if self.mode == "specificity" else (self.n_min, 1)
        if found.failures < failures:
            return f"{found.failures} of {failures} mistakes seen"
        if found.successes < successes:
            return f"{found.successes} of {successes} successes seen"
        return "too few of the answers are recent"

    def promise(self) -> str:
        """What it promises, in words."""
        share = f"{100 * self.target:g} of 100"
        if self.kind == "always":
            return "asks about every plan"
        if self.kind == "never":
            return "never asks, and promises nothing"
        if self.kind == "fixed":
            return f"asks when the uncertainty is {self.level:g} or more, and promises nothing"
        return {
            "sensitivity": f"catches at least {share} plans that would fail",
            "specificity": f"leaves you alone for at least {share} plans that would work",
            "success": f"at least {share} plans work or are asked about",
        }[self.mode]

    def feasibility(self) -> str | None:
        """A sentence when the promise cannot bind, cannot be kept, or leaves nothing to choose; else None."""
        if self.kind != "sag":
            return None
        if self.mode == "specificity":
            if self.target >= 1.0 - self.p_rand:
                return (
                    f"Random checks already ask about {100 * self.p_rand:g} of 100 good plans, so at most "
                    f"{100 * (1 - self.p_rand):g} can be left alone: it will ask at random only."
                )
            return None
        if self.target >= 1.0:
            return "Nothing may slip through, so it will ask about nearly every plan."
        if self.mode == "sensitivity" and self.target <= self.p_rand:
            return (
                f"Random checks alone catch {100 * self.p_rand:g} of 100 mistakes, which already keeps this promise: "
                "it will ask at random only."
            )
        return None
