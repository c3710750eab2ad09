"""From what an arm sensed and did to what a flow policy reads and is shown: states and rows of moves. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from teaching.rollout_glimpse import AGE
from teaching.rollout_task import ROW, RolloutTask
from teaching.types import Array, BadInput

EVERY = 2
"""Ticks of the arm to a row of the policy: 30 rows a second on an arm of 60 ticks."""


def per_tick(row: Array) -> Array:
    """A row (5 per arm) as each of its ticks carries it out: moves shared out, grippers as they are."""
    share = np.array(row, dtype=np.float64)
    share[np.arange(len(share)) % ROW != ROW - 1] /= EVERY
    return share


def summed(move: Array) -> Array:
    """Moves of ticks (T, `EVERY`, 5 per arm) → rows (T, 5 per arm): moves added up, grippers as they were last."""
    rows: Array = move.sum(axis=1)
    grips = np.arange(rows.shape[1]) % ROW == ROW - 1
    rows[:, grips] = move[:, -1, grips]
    return rows


def grippers(joints: tuple[str, ...]) -> list[int]:
    """Where in `executed` (J + 1) the grippers are, arm by arm: those among the joints by name, then the protocol's."""
    return [i for i, name in enumerate(joints) if name.endswith("/gripper")] + [len(joints)]


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


def read_of(task: RolloutTask, arrays: Mapping[str, Array], every: int = 1) -> Array:
    """As `states_of`, of a policy that sees: what the arm feels, and how old its picture is, (T / every, feels + 1)."""
    length = len(next(iter(arrays.values())))
    felt = [Sensed(arrays, i) for i in range(0, length, every)]
    return np.array([np.append(task.feel(one), one[AGE]) for one in felt]).reshape(-1, task.feels + 1)


def sensed(task: RolloutTask, arrays: Mapping[str, Array]) -> Array:
    """The arrays of one observation → (1, width)."""
    return task.state(Sensed({name: np.asarray(a)[None] for name, a in arrays.items()}, 0))[None]
