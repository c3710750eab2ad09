"""Every tick of an arm as it was: what was sensed before it, what was asked for, what was done, and who drove.

Ticks count on for ever; after a rewind the next tick's parent is the one rewound to, so what was recorded is a tree.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import Action, ArmError, Observation

Array = NDArray[Any]
CONTROLLERS = ("policy", "human", "retrace", "program")
"""Who drives, by the numbers of the column."""
BLOCK = 1024
LIMIT = 216_000
"""Ticks kept: an hour at 60 Hz."""


@dataclass(frozen=True)
class Frame:
    """One tick."""

    tick: int
    parent: int
    """The tick before it; not tick − 1 after a rewind, −1 if there is none."""
    time: float
    """Seconds on the loop's clock."""
    controller: str
    requested: Action
    executed: Action
    """After clipping."""
    clipped: bool
    observation: Observation
    """Sensed before the tick."""


class Recording:
    """The last hour of ticks, in columns."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._blocks: deque[dict[str, Array]] = deque()
        self._rows = 0
        self.branches: list[list[int]] = []
        """[first tick, last tick, parent of the first] of every unbroken run."""
        self.head = -1
        """The tick that the arm's state follows from; −1 before any."""

    def clear(self, head: int = -1) -> None:
        """Forget everything; the next frame has no parent."""
        self._blocks.clear()
        self.branches.clear()
        self._rows, self.head = 0, head

    def add(self, frame: Frame) -> None:
        """One more tick."""
        values = _values(frame)
        if not self._blocks or self._rows == BLOCK or not _fits(self._blocks[-1], values):
            self._close()
            self._blocks.append({n: np.zeros((BLOCK, *np.shape(v)), np.asarray(v).dtype) for n, v in values.items()})
            self._rows = 0
            if len(self._blocks) * BLOCK > self._limit + BLOCK:
                self._blocks.popleft()
        for name, value in values.items():
            self._blocks[-1][name][self._rows] = value
        self._rows += 1
        if frame.parent == frame.tick - 1 and self.branches:
            self.branches[-1][1] = frame.tick
        else:
            self.branches.append([frame.tick, frame.tick, frame.parent])
        self.head = frame.tick

    def _close(self) -> None:
        """Cut the block under way to what is in it."""
        if self._blocks and self._rows < BLOCK:
            self._blocks[-1] = {name: column[: self._rows].copy() for name, column in self._blocks[-1].items()}

    def _filled(self) -> list[dict[str, Array]]:
        blocks = list(self._blocks)
        if blocks:
            blocks[-1] = {name: column[: self._rows] for name, column in blocks[-1].items()}
        return blocks

    def since(self, tick: int, limit: int = 2000) -> dict[str, Any]:
        """Columns of the first `limit` ticks after one; "observation" by names, the rest as in `Frame`."""
        parts: list[dict[str, Array]] = []
        left = limit
        for block in self._filled():
            start = int(np.searchsorted(block["tick"], tick, side="right"))
            part = {name: column[start : start + left] for name, column in block.items()}
            if len(part["tick"]) and (not parts or _fits(parts[-1], {n: c[0] for n, c in part.items()})):
                parts.append(part)
                left -= len(part["tick"])
            if left <= 0:
                break
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
        plain = {name: column for name, column in columns.items() if not name.startswith("observation/")}
        seen = {name[12:]: column for name, column in columns.items() if name.startswith("observation/")}
        return {**plain, "observation": seen, "controllers": list(CONTROLLERS), "head": self.head, **self.span()}

    def span(self) -> dict[str, int]:
        """{"first", "last"}: the oldest and the newest tick in memory; −1 if there is none."""
        blocks = self._filled()
        if not blocks or not len(blocks[-1]["tick"]):
            return {"first": -1, "last": -1}
        return {"first": int(blocks[0]["tick"][0]), "last": int(blocks[-1]["tick"][-1])}

    def row(self, tick: int) -> dict[str, Any]:
        """One tick's values; ArmError if it is not in memory."""
        for block in self._filled():
            if len(block["tick"]) and block["tick"][0] <= tick <= block["tick"][-1]:
                found = int(np.searchsorted(block["tick"], tick))
                if block["tick"][found] == tick:
                    return {name: column[found] for name, column in block.items()}
        span = self.span()
        raise ArmError(
            f"expected a recorded tick in [{span['first']}, {span['last']}], got {tick}; choose one of these"
        )

    def parent(self, tick: int) -> int:
        """The tick before a tick."""
        return int(self.row(tick)["parent"])

    def back(self, to: int | None, most: int) -> tuple[Array, Array]:
        """Executed joints (K, J) and gripper (K,) from the head backwards to a tick, along its own branch."""
        rows: list[Array] = []
        tick = self.head
        while len(rows) < most and tick >= 0:
            try:
                row = self.row(tick)
            except ArmError:
                break
            rows.append(row["executed"])
            if tick == to:
                break
            tick = int(row["parent"])
        path: Array = np.array(rows) if rows else np.zeros((0, 1))
        return path[:, :-1], path[:, -1:].reshape(-1)


def _values(frame: Frame) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "tick": np.int64(frame.tick),
        "parent": np.int64(frame.parent),
        "time": np.float64(frame.time),
        "controller": np.int8(CONTROLLERS.index(frame.controller)),
        "requested": np.append(frame.requested.joints, frame.requested.gripper),
        "executed": np.append(frame.executed.joints, frame.executed.gripper),
        "clipped": np.bool_(frame.clipped),
    }
    return columns | {f"observation/{name}": np.asarray(value) for name, value in frame.observation.arrays.items()}


def _fits(block: dict[str, Array], values: dict[str, Any]) -> bool:
    return block.keys() == values.keys() and all(block[n].shape[1:] == np.shape(v) for n, v in values.items())
