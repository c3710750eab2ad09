"""The two halves of a learning method: the Policy that acts, the Learner that improves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from robot_io.arm import Observation
from teaching.types import Array, Plan


@runtime_checkable
class Policy(Protocol):
    """Plans; used by the lesson host. Deterministic given the generator."""

    version: int
    """Model updates done."""

    def reset(self) -> None:
        """A new episode begins."""

    def __call__(self, observation: Observation, goal: str, rng: np.random.Generator) -> Plan:
        """What it intends. Always plans; its uncertainty is absolute: entropy over its largest possible value."""

    def unknown_words(self, goal: str) -> tuple[str, ...]:
        """Words of the goal that it never saw in training, so that the teacher can be told."""

    def load(self, directory: Path) -> None:
        """Take over a checkpoint's weights; a damaged one is a CheckpointError and changes nothing."""


@dataclass(frozen=True)
class Batch:
    """What one optimiser step sees. B samples."""

    colour: Array
    """(B, H, W, 3) uint8."""
    height: Array
    """(B, H, W) float32, metres."""
    goal: tuple[str, ...]
    """(B,)"""
    actions: Array
    """(B, T, A) float64, metres and radians."""
    weight: Array
    """(B,) importance-sampling weights."""


class CheckpointError(Exception):
    """A checkpoint that is missing, damaged or of another method; says which file and what to do."""


@runtime_checkable
class Learner(Protocol):
    """Improves a policy from batches; used by the trainer. Resumable bit for bit: 5 + 5 steps equal 10."""

    updates: int

    def update(self, batch: Batch, rng: np.random.Generator) -> Mapping[str, float]:
        """One optimiser step; returns its figures, "loss" among them."""

    def save(self, directory: Path, lineage: Mapping[str, Any]) -> None:
        """Write model.safetensors, optimiser.safetensors and checkpoint.json, atomically."""

    def load(self, directory: Path) -> Mapping[str, Any]:
        """Take over a checkpoint; returns its lineage."""
