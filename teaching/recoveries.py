"""Counting recoveries in a rollout, from how far along the task it was. Pure.

A recovery: the phase falls by at least `fall` from where it had been, then comes back to there. It has come back when
it is within `slack` of its earlier maximum, so that a second try that reaches as far as the first counts although noise
keeps it a little below. A gripper that opened inside the dip makes it a re-grasp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from teaching.types import Array, BadInput, explained


@dataclass(frozen=True)
class RecoveryConfig:
    """What counts as a recovery."""

    fall: float = explained(0.05, "How far the phase has to fall (δ)")
    slack: float = explained(0.03, "How close to its earlier maximum it has to come back")
    smooth: int = explained(5, "Frames of a running median over the phase")

    def __post_init__(self) -> None:
        if not 0.0 <= self.slack < self.fall or self.smooth < 1 or not self.smooth % 2:
            raise BadInput(f"expected 0 ≤ slack < fall and an odd smooth ≥ 1, got {self}")


@dataclass(frozen=True)
class Recovery:
    """One dip of the phase."""

    start: int
    """The frame of the earlier maximum."""
    lowest: int
    stop: int
    """The frame at which it was back there."""
    regrasp: bool
    """The gripper opened inside the dip."""


def smoothed(phase: Array, width: int) -> Array:
    """(T,) → (T,) running median over an odd number of frames; the ends repeat."""
    values = np.asarray(phase, dtype=np.float64)
    if width == 1 or not len(values):
        return values
    padded = np.pad(values, width // 2, mode="edge")
    medians: Array = np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    return medians


def recoveries(phase: Array, opened: Array | None = None, config: RecoveryConfig | None = None) -> list[Recovery]:
    """The recoveries of one rollout.

    Args:
        phase: (T,) in [0, 1], such as `Familiarity.phase`.
        opened: (T,) bool, the gripper is open.
        config: what counts.
    """
    chosen = config or RecoveryConfig()
    values = np.asarray(phase, dtype=np.float64)
    if values.ndim != 1 or not np.all(np.isfinite(values)):
        raise BadInput(f"expected finite phases (T,), got shape {values.shape}")
    open_now = np.zeros(len(values), dtype=bool) if opened is None else np.asarray(opened, dtype=bool)
    if open_now.shape != values.shape:
        raise BadInput(f"expected the gripper's {values.shape} frames like the phase's, got {open_now.shape}")
    found: list[Recovery] = []
    top = lowest = 0
    trace = smoothed(values, chosen.smooth)
    for i, value in enumerate(trace):
        lowest = i if value < trace[lowest] else lowest
        deep = trace[top] - trace[lowest] >= chosen.fall
        if deep and value >= trace[top] - chosen.slack:
            inside = open_now[top : i + 1]
            found.append(Recovery(top, lowest, i, bool(np.any(inside[1:] & ~inside[:-1]))))
            top = lowest = i
        elif value >= trace[top]:
            top = lowest = i
    return found


def within(counts: Array, succeeded: Array, limit: int) -> Array:
    """Which rollouts would have succeeded had they ended at recovery `limit` + 1.

    Args:
        counts: (N,) recoveries of each rollout.
        succeeded: (N,) bool.
        limit: recoveries allowed.

    Returns:
        (N,) bool. Exact: up to its last allowed recovery a capped rollout is the same rollout.
    """
    kept: Array = np.asarray(succeeded, dtype=bool) & (np.asarray(counts) <= limit)
    return kept
