"""How large live pictures of a drawn scene are: full while they keep up, smaller, a step at a time, when they do not.

Drawing costs about as much as there are pixels. Pictures of what stands still are always full: nobody waits for them.
"""

from __future__ import annotations

Size = tuple[int, int]

SMALLER: tuple[Size, ...] = ((240, 180), (160, 120))
"""Width and height, pixels, after the full size, which is the twin's own."""
_SHARES = (1.0, 9 / 16, 1 / 4)
"""Of the full size's pixels."""
ENOUGH = 1 / 17
"""Seconds for one picture of every camera; a little less than the 15 a second that an eye takes for motion."""
ROOM = 0.75
"""Of ENOUGH: what a larger size may be expected to take before it is tried."""
ROUNDS, FEW, LONG = 6, 3, 1.0
"""Rounds before anything is changed, so that one slow picture is none; fewer if they took so many seconds."""


class Sizing:
    """Fed with how long each round of pictures took while the arm moved."""

    def __init__(self) -> None:
        self._level = 0
        self._took: list[float] = []

    def size(self, *, moving: bool) -> Size | None:
        """Width and height, pixels; None is the full size."""
        return SMALLER[self._level - 1] if moving and self._level else None

    def took(self, seconds: float) -> None:
        """A round of pictures of a moving arm is done: one of each camera."""
        self._took.append(seconds)
        if len(self._took) < (FEW if sum(self._took) > LONG else ROUNDS):
            return
        middle = sorted(self._took)[len(self._took) // 2]
        if middle > ENOUGH and self._level < len(SMALLER):
            self._change(1)
        elif self._level and middle * _SHARES[self._level - 1] / _SHARES[self._level] < ROOM * ENOUGH:
            self._change(-1)
        else:
            del self._took[0]

    def _change(self, by: int) -> None:
        self._level += by
        self._took.clear()
