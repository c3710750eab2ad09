"""Chunks of actions: what a chunked policy learns from, and what its plans say of their doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from teaching.segments import Timeline
from teaching.selection import Selection, chunk_index, pieces
from teaching.types import Array, BadInput, Plan


@dataclass(frozen=True)
class ChunkBatch:
    """What one optimiser step of a chunked policy sees. B samples, H actions each."""

    state: Array
    """(B, D) float."""
    actions: Array
    """(B, H, A) float."""
    padded: Array
    """(B, H) bool: past the end of what was shown, not to be learned."""
    weight: Array
    """(B,)"""
    pictures: Array | None = None
    """(B, H, W, C) uint8, for a policy that reads some."""

    def __post_init__(self) -> None:
        b, h = self.actions.shape[:2] if self.actions.ndim == 3 else (0, 0)
        if self.actions.ndim != 3 or self.state.ndim != 2 or len(self.state) != b:
            raise BadInput(f"expected state (B, D) and actions (B, H, A), got {self.state.shape}, {self.actions.shape}")
        if self.padded.shape != (b, h) or self.weight.shape != (b,):
            raise BadInput(f"expected padded {(b, h)} and weight {(b,)}, got {self.padded.shape}, {self.weight.shape}")


@dataclass(frozen=True)
class ChunkPlan(Plan):
    """A chunk of actions, with the two terms of its uncertainty as they are before they are brought into [0, 1]."""

    spread: float = 0.0
    """How far the ensemble's members are apart, in standard deviations of the actions."""
    disagreement: float = 0.0
    """How far this chunk is from what the one before it meant to do now, in the same unit."""


def disagreement(before: Array, now: Array, executed: int) -> Array:
    """How far chunks are from what those before them meant to do at the same time.

    Args:
        before: (N, H, A) the chunks of which `executed` actions were executed, in standard deviations.
        now: (N, H, A) the chunks that follow.
        executed: actions of the former that were carried out.

    Returns:
        (N,) root mean square over the actions that both hold.
    """
    overlap = before.shape[1] - executed
    if before.shape != now.shape or not executed > 0 or overlap < 1:
        raise BadInput(
            f"expected chunks of one shape that overlap, got {before.shape}, {now.shape}, {executed} executed"
        )
    apart = before[:, executed:] - now[:, :overlap]
    rms: Array = np.sqrt(np.mean(apart**2, axis=(1, 2)))
    return rms


def bounded(value: Array) -> Array:
    """[0, ∞) → [0, 1), in the same order: u / (1 + u)."""
    share: Array = np.asarray(value) / (1.0 + np.asarray(value))
    return share


class ChunkData:
    """What was recorded and is trained on, in memory; draws batches."""

    def __init__(self, timelines: Sequence[Timeline], states: Sequence[Array], actions: Sequence[Array], horizon: int,
                 selection: Selection | None = None, pictures: Sequence[Array] = ()) -> None:  # fmt: skip
        """From E episodes.

        Args:
            timelines: E of them.
            states: E of (T, D), T as in the timelines.
            actions: E of (T, A), as executed.
            horizon: H, actions in a chunk.
            selection: which frames count, and how much.
            pictures: E of (T, H, W, C) uint8, or nothing.
        """
        chosen, lengths = selection or Selection(), [t.frames for t in timelines]
        if [len(s) for s in states] != lengths or [len(a) for a in actions] != lengths:
            raise BadInput(f"expected states and actions as long as their timelines, {lengths} frames")
        self.index = chunk_index(pieces(timelines, chosen), lengths, horizon, chosen.weighting)
        if not len(self.index):
            raise BadInput("expected something to train on, got no frames that count; demonstrate or correct first")
        self._states, self._actions = np.concatenate(list(states)), np.concatenate(list(actions))
        self._pictures = np.concatenate(list(pictures)) if pictures else None
        self._share = np.cumsum(self.index.weight) / np.sum(self.index.weight)
        self.drawn = np.zeros(len(self.index), np.int64)
        """(N,) how often each chunk was drawn so far."""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def states(self) -> Array:
        """(N, D) that chunks start from."""
        return self._states[self.index.frames[:, 0]]

    @property
    def actions(self) -> Array:
        """(N, A) that chunks start with."""
        return self._actions[self.index.frames[:, 0]]

    def draw(self, size: int, rng: np.random.Generator) -> ChunkBatch:
        """A batch, each frame as often as it weighs."""
        rows = np.minimum(np.searchsorted(self._share, rng.random(size), side="right"), len(self) - 1)
        np.add.at(self.drawn, rows, 1)
        frames = self.index.frames[rows]
        seen = None if self._pictures is None else self._pictures[frames[:, 0]]
        return ChunkBatch(
            self._states[frames[:, 0]], self._actions[frames], self.index.padded[rows], np.ones(size), seen
        )
