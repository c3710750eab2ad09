"""What a starter was taught, a little of it kept with its weights and mixed into every batch of a lesson.

Without it a novice that is taught one new colour forgets the others within some tens of steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from teaching.policies.base import Batch, CheckpointError
from teaching.types import Array

FILE = "rehearsal.safetensors"
MILLIMETRES = 1000.0


@dataclass(frozen=True)
class Rehearsal:
    """Demonstrations in memory, small enough to travel in a checkpoint."""

    colour: Array
    """(N, H, W, 3) uint8."""
    height: Array
    """(N, H, W) uint8, millimetres above the table; 255 stands for all above."""
    goal: tuple[str, ...]
    actions: Array
    """(N, T, A) float64."""

    @classmethod
    def of(cls, colour: Array, height: Array, goal: Sequence[str], actions: Array) -> Rehearsal:
        """From pictures with heights in metres."""
        millimetres = np.clip(np.rint(height * MILLIMETRES), 0, 255).astype(np.uint8)
        return cls(colour, millimetres, tuple(goal), np.asarray(actions, dtype=np.float64))

    def mixed_into(self, batch: Batch, count: int, rng: np.random.Generator) -> Batch:
        """The batch and `count` of these, drawn evenly, each counting as much as a sample of the batch on average."""
        rows = rng.integers(len(self.goal), size=count)
        height = self.height[rows].astype(np.float32) / np.float32(MILLIMETRES)
        return Batch(
            np.concatenate([batch.colour, self.colour[rows]]),
            np.concatenate([batch.height, height]),
            (*batch.goal, *(self.goal[i] for i in rows)),
            np.concatenate([batch.actions, self.actions[rows]]),
            np.concatenate([batch.weight, np.full(count, batch.weight.mean())]),
        )

    def tensors(self) -> dict[str, Tensor]:
        """As a checkpoint keeps them, beside the goals."""
        arrays = {"colour": self.colour, "height": self.height, "actions": self.actions}
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], goal: Any) -> Rehearsal:
        """Undo `tensors`; CheckpointError if they do not belong together."""
        try:
            colour, height, actions = (tensors[name].numpy() for name in ("colour", "height", "actions"))
        except KeyError as error:
            raise CheckpointError(f"expected {error} among what was rehearsed; take another checkpoint") from error
        count = len(goal) if isinstance(goal, list) else -1
        if colour.shape != (*height.shape, 3) or not len(colour) == len(actions) == count or not count:
            raise CheckpointError(
                f"expected as many pictures, actions and goals in what was rehearsed, got {colour.shape}, "
                f"{height.shape}, {actions.shape} and {count} goals; take another checkpoint"
            )
        return cls(colour, height, tuple(map(str, goal)), actions)
