"""How near a state is to what was demonstrated, and how far along the task it is. Pure.

RaC leaves "in distribution" to the operator's eye (Hu et al. 2025, section 4 of our notes). Here it is the distance to
the nearest demonstrated states, calibrated on the distances of demonstrated states to the *other* demonstrations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from teaching.types import Array, BadInput, explained

ROWS = 512
"""States compared at a time, so that memory stays small."""


@dataclass(frozen=True)
class FamiliarityConfig:
    """How near counts as near."""

    neighbours: int = explained(5, "Demonstrated states that a state is compared with")
    quantile: float = explained(0.9, "Share of demonstrated states that count as familiar to the other demonstrations")
    pull: float = explained(0.2, "How much strangeness weighs against progress when a boundary is proposed")
    shortest: int = explained(3, "Fewest frames that a proposed recovery has")

    def __post_init__(self) -> None:
        if self.neighbours < 1 or not 0.0 < self.quantile < 1.0 or self.pull < 0.0 or self.shortest < 1:
            raise BadInput(f"expected neighbours ≥ 1, 0 < quantile < 1, pull ≥ 0 and shortest ≥ 1, got {self}")


class Familiarity:
    """Compares states with demonstrated ones. States are (N, D), told relative to what they are about."""

    def __init__(
        self, demonstrations: Sequence[Array], config: FamiliarityConfig | None = None, *, scale: Array | None = None
    ) -> None:
        """Calibrate.

        Args:
            demonstrations: at least two of (T, D), T may differ.
            config: how near counts as near.
            scale: (D,) what counts as one unit in each dimension; by default its standard deviation.

        Raises:
            BadInput: too few demonstrations, or of different widths.
        """
        self.config = config or FamiliarityConfig()
        given = [np.asarray(d, dtype=np.float64) for d in demonstrations]
        if len(given) < 2 or any(d.ndim != 2 or not len(d) or d.shape[1] != given[0].shape[1] for d in given):
            raise BadInput(f"expected two or more demonstrations (T, D) of one D, got {[d.shape for d in given]}")
        states = np.concatenate(given)
        spread = states.std(axis=0) if scale is None else np.asarray(scale, dtype=np.float64)
        self._scale = np.where(spread > 0, spread, 1.0)
        self._states = states / self._scale
        self._squares = (self._states**2).sum(axis=1)
        self._phases = np.concatenate([np.linspace(0.0, 1.0, len(d)) for d in given])
        self._owner = np.repeat(np.arange(len(given)), [len(d) for d in given])
        self._calibrated = np.sort(self._leave_one_out())
        self.limit = float(np.quantile(self._calibrated, self.config.quantile))
        """The largest distance that is familiar."""

    def distance(self, states: Array) -> Array:
        """(N, D) → (N,) mean distance to the nearest demonstrated states, in units of `scale`."""
        return self._look(states)[0]

    def phase(self, states: Array) -> Array:
        """(N, D) → (N,) in [0, 1]: mean normalised time of the nearest demonstrated states, by nearness."""
        return self._look(states)[1]

    def bar(self, states: Array) -> Array:
        """(N, D) → (N,) in [0, 1]: the share of demonstrated states that are no nearer to the other demonstrations."""
        return self.bar_of(self.distance(states))

    def bar_of(self, distances: Array) -> Array:
        """(N,) distances → (N,) in [0, 1], as `bar`."""
        below = np.searchsorted(self._calibrated, distances, side="left")
        share: Array = 1.0 - below / len(self._calibrated)
        return share

    @property
    def mark(self) -> float:
        """From where on the bar says familiar."""
        return 1.0 - self.config.quantile

    def familiar(self, states: Array) -> Array:
        """(N, D) → (N,) bool."""
        near: Array = self.distance(states) <= self.limit
        return near

    def boundary(self, states: Array, before: Array) -> int | None:
        """Where a recovery seems to have ended, when nobody marked it.

        The moment of the intervention that is furthest back in the task and yet familiar: argmin of φ + λ·d, where d is
        the distance, over `limit`, to demonstrated states no further along than the take-over (section 5 of our notes).

        Args:
            states: (T, D) from the take-over to the end of the intervention.
            before: (B, D) the last states before the take-over; the furthest along of them counts.

        Returns:
            The first frame of the correction, or None if nothing says that there was a recovery.
        """
        reached = float(self.phase(before).max())
        known = self._phases <= reached
        if not known.any() or len(states) <= self.config.shortest:
            return None
        distance, _ = self._look(states, known)
        phase = self.phase(states)
        place = int(np.argmin(phase + self.config.pull * distance / self.limit))
        if place < self.config.shortest or distance[place] > self.limit or phase[place] >= reached:
            return None
        return place

    def _look(self, states: Array, known: Array | None = None) -> tuple[Array, Array]:
        """Distance and phase of (N, D), compared with the demonstrated states that are `known`."""
        given = np.asarray(states, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != self._states.shape[1]:
            raise BadInput(f"expected states (N, {self._states.shape[1]}), got {given.shape}")
        scaled = given / self._scale
        parts = [self._nearest(scaled[i : i + ROWS], known) for i in range(0, len(scaled), ROWS)]
        if not parts:
            return np.zeros(0), np.zeros(0)
        return np.concatenate([d for d, _ in parts]), np.concatenate([p for _, p in parts])

    def _nearest(self, scaled: Array, known: Array | None, owner: Array | None = None) -> tuple[Array, Array]:
        squares = (scaled**2).sum(axis=1)[:, None] + self._squares - 2.0 * scaled @ self._states.T
        if known is not None:
            squares[:, ~known] = np.inf
        if owner is not None:
            squares[owner[:, None] == self._owner] = np.inf
        k = min(self.config.neighbours, squares.shape[1])
        which = np.argpartition(squares, k - 1, axis=1)[:, :k]
        distances = np.sqrt(np.maximum(np.take_along_axis(squares, which, axis=1), 0.0))
        there = np.isfinite(distances)
        near = np.where(there, 1.0 / (distances + 1e-6), 0.0)
        phase = (near * self._phases[which]).sum(axis=1) / near.sum(axis=1)
        return np.where(there, distances, 0.0).sum(axis=1) / there.sum(axis=1), phase

    def _leave_one_out(self) -> Array:
        """The distance of each demonstrated state to the other demonstrations."""
        return np.concatenate(
            [
                self._nearest(self._states[i : i + ROWS], None, self._owner[i : i + ROWS])[0]
                for i in range(0, len(self._states), ROWS)
            ]
        )


def rewind_point(bar: Array, uncertainty: Array, *, familiar: float, sure: float, unsure: float) -> int | None:
    """The moment to which to go back: the latest that was familiar, before the doubt that is there now, rose.

    Args:
        bar: (T,) familiarity so far.
        uncertainty: (T,) the novice's.
        familiar: the bar from which a state is familiar (`Familiarity.mark`).
        sure: doubt has risen where the uncertainty left this behind …
        unsure: … on its way above this. The last such rise counts; without one, the present does.

    Returns:
        A frame in [0, T), or None if nothing before the rise was familiar.
    """
    share, doubt = np.asarray(bar), np.asarray(uncertainty)
    if share.shape != doubt.shape or share.ndim != 1 or sure > unsure:
        raise BadInput(
            f"expected two traces (T,) and sure ≤ unsure, got {share.shape}, {doubt.shape}, {sure}, {unsure}"
        )
    rise = len(doubt)
    above = np.flatnonzero(doubt >= unsure)
    if len(above):
        calm = np.flatnonzero(doubt[: above[-1]] < sure)
        rise = int(calm[-1]) + 1 if len(calm) else 0
    before = np.flatnonzero(share[:rise] >= familiar)
    return int(before[-1]) if len(before) else None
