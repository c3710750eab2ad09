"""The arm's course: moves that were decided, in order, each with what it is foreseen to lead to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from teaching.episode_draft import EpisodeDraft
from teaching.types import Decision, Plan
from teaching.world import Moment, World

AHEAD = 3
"""Moves by which the questions may run ahead of a simulated arm."""


@dataclass
class Move:
    """One plan that the arm was told to carry out."""

    decision: Decision
    plan: Plan
    draft: EpisodeDraft
    expected: Moment | None
    """None: nothing was foreseen, so the lesson waits for what comes about."""
    last: bool = False
    """The episode ends with it."""
    anyway: bool = False
    """A person wants it though its rehearsal went wrong."""


class Course:
    """Lives on the lesson's thread; the world carries it out on another."""

    def __init__(self, world: World, ahead: bool) -> None:
        self.world, self.ahead = world, ahead
        self.moves: deque[Move] = deque()
        self._resets = 0

    @property
    def acting(self) -> Decision | None:
        """What the arm carries out now."""
        return self.moves[0].decision if self.moves else None

    @property
    def idle(self) -> bool:
        """The arm has nothing left to do."""
        return not self.moves and not self._resets

    @property
    def full(self) -> bool:
        """No move more may be decided now."""
        if not self.ahead:
            return not self.idle
        return len(self.moves) >= AHEAD or any(move.expected is None for move in self.moves)

    def perform(self, move: Move) -> None:
        """Tell the arm to carry out a move, after those before it."""
        self.moves.append(move)
        self.world.perform(move.plan.actions, look=move.expected is None, anyway=move.anyway)

    def reset(self, seed: int, *, look: bool) -> None:
        """Tell it to take a fresh scene, after the moves before it."""
        self._resets += 1
        self.world.reset(seed, look=look)

    def performed(self) -> Move:
        """The first move is over."""
        return self.moves.popleft()

    def was_reset(self) -> None:
        """A fresh scene is there."""
        self._resets = max(self._resets - 1, 0)

    def clear(self, end: str) -> list[EpisodeDraft]:
        """Forget every move that is not over; the episodes that they cut short, oldest first, with why."""
        self.world.forget()
        drafts: list[EpisodeDraft] = []
        for move in self.moves:
            if move.draft not in drafts:
                move.draft.cut(move.decision, end)
                drafts.append(move.draft)
        self.moves.clear()
        self._resets = 0
        return drafts
