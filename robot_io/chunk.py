"""What a policy wants next: rows of actions, laid out one per control tick.

A row may stand for several ticks; joints go there in equal steps, the gripper at once. A chunk is appended, or takes
the place of what is left from a tick on: rows whose ticks are over are skipped, so that a late chunk joins in step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import BadAction

Array = NDArray[Any]
KINDS = ("joints", "tip")
TIP = 5
"""Numbers in a tip row of one arm: dx, dy, dz, dyaw, gripper."""
LONGEST = 6000
"""Ticks that may wait: a hundred seconds."""


class Chunk:
    """Rows that wait, from one tick on. `kind` "joints": targets (J+1); "tip": dx, dy, dz, dyaw per tick, grip."""

    def __init__(self, joints: int, arms: int = 1) -> None:
        self._widths = {"joints": joints + 1, "tip": TIP * arms}
        self.kind = "joints"
        self._rows: Array = np.zeros((0, joints + 1))
        self._first = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def end(self) -> int:
        """The tick after which nothing is left."""
        return self._first + len(self._rows)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._rows = self._rows[:0]

    def put(self, actions: Array, now: int, last: Array, *, start: int | None, every: int, kind: str) -> int:
        """Lay out a chunk.

        Args:
            actions: (T, J+1) joint targets in radians and gripper, or (T, 5) moves of the tip in metres and radians
                and gripper, five more for each further arm.
            now: ticks so far.
            last: (J,) radians, where the arm was told to be.
            start: ticks before the first row; None: after what waits.
            every: ticks per row.
            kind: "joints" or "tip".

        Returns:
            The tick after which nothing is left.

        Raises:
            BadAction: wrong shape, not finite, too long, or it begins too late or is over already.
        """
        rows = self._checked(actions, every, kind)
        if len(self) == 0 or kind != self.kind:
            self._rows, self._first = np.zeros((0, self._widths[kind])), now
        begin = self.end if start is None else start
        if begin > self.end:
            raise BadAction(
                f"expected a chunk that begins by tick {self.end}, got one from {begin}; send what is before"
            )
        kept = self._rows[: max(begin - self._first, 0)]
        before = kept[-1, :-1] if len(kept) and kind == "joints" else last
        spread = spread_out(rows, before, every, kind)[max(self._first - begin, 0) :]
        if len(spread) == 0:
            raise BadAction(
                f"expected a chunk that reaches beyond tick {now}, got one over by {begin + len(rows) * every}"
            )
        if len(kept) + len(spread) > LONGEST:
            raise BadAction(f"expected at most {LONGEST} ticks to wait, got {len(kept) + len(spread)}")
        self._rows, self.kind = np.concatenate([kept, spread]), kind
        return self.end

    def _checked(self, actions: Array, every: int, kind: str) -> Array:
        if kind not in KINDS or not 1 <= every <= 60:
            raise BadAction(f"expected a kind among {', '.join(KINDS)} and 1 … 60 ticks a row, got {kind!r}, {every}")
        rows = np.asarray(actions, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self._widths[kind] or len(rows) == 0 or not np.all(np.isfinite(rows)):
            raise BadAction(f"expected finite rows (T, {self._widths[kind]}) with T ≥ 1, got shape {rows.shape}")
        return rows

    def take(self) -> Array | None:
        """The next tick's row, or None."""
        if len(self._rows) == 0:
            return None
        row, self._rows = self._rows[0], self._rows[1:]
        self._first += 1
        return np.asarray(row)


def spread_out(rows: Array, before: Array, every: int, kind: str) -> Array:
    """(T, D) rows → (T · every, D), one per tick: targets reached in equal steps, moves shared out equally."""
    if every == 1:
        return rows
    out = np.repeat(rows, every, axis=0)
    share = np.tile(np.arange(1, every + 1) / every, len(rows))[:, None]
    if kind == "tip":
        out[:, np.arange(rows.shape[1]) % TIP < TIP - 1] /= every
        return out
    starts = np.repeat(np.concatenate([before[None], rows[:-1, :-1]]), every, axis=0)
    out[:, :-1] = np.where(share == 1.0, out[:, :-1], starts + share * (out[:, :-1] - starts))
    return out
