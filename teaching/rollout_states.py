"""From what an arm sensed and did to what a flow policy reads and is shown: states, rows of moves, its shape."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from teaching.policies.flow_network import FlowConfig
from teaching.rollout_task import ROW, RolloutTask
from teaching.types import Array, BadInput

EVERY = 2
"""Ticks of the arm to a row of the policy: 30 rows a second on an arm of 60 ticks."""
ACTION = ROW


class Sensed:
    """One instant of columns, by name."""

    def __init__(self, arrays: Mapping[str, Array], index: int) -> None:
        self._arrays, self._index = arrays, index

    def __getitem__(self, name: str) -> Array:
        if name not in self._arrays:
            raise BadInput(f"expected an arm that senses {name!r}, got one that senses {', '.join(self._arrays)}")
        row: Array = np.atleast_1d(self._arrays[name][self._index])
        return row


def states_of(task: RolloutTask, arrays: Mapping[str, Array], every: int = 1) -> Array:
    """Columns of an observation by name, (T, n) each → (T / every, width); BadInput names one that is missing."""
    length = len(next(iter(arrays.values())))
    return np.array([task.state(Sensed(arrays, i)) for i in range(0, length, every)]).reshape(-1, task.width)


def sensed(task: RolloutTask, arrays: Mapping[str, Array]) -> Array:
    """The arrays of one observation → (1, width)."""
    return task.state(Sensed({name: np.asarray(a)[None] for name, a in arrays.items()}, 0))[None]


def flow_config(task: RolloutTask, steps: int) -> FlowConfig:
    """The policy's shape: half a second ahead, a quarter carried out."""
    return FlowConfig(state=task.width, action=ROW * task.arms, horizon=16, execute=8, members=3, steps=steps)
