"""A scripted person who supervises an arm in motion: demonstrates, notices, takes over, recovers, corrects. Pure.

It knows the truth, which no real operator does, and it never gives up: what it shows is the best case of each
protocol. How fast it notices and moves, and how steady its hand is, are settings. One row is 1/30 s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np

from teaching.rollout_task import ROW, RolloutTask, Sensed, Sight, make_rollout_task
from teaching.task import Truth
from teaching.types import Array, BadInput, explained

Mode = Literal["demonstrate", "recover", "correct"]
MODES = ("demonstrate", "recover", "correct")


@dataclass(frozen=True)
class RolloutOracleConfig:
    """How the scripted person behaves. Metres, radians, and rows of 1/30 s."""

    largest: float = explained(0.016, "The largest move of the gripper in one row, metres")
    speed: tuple[float, float] = explained((0.5, 0.85), "Share of the largest move, drawn once per episode")
    slow: float = explained(0.003, "The largest move where things may touch, metres")
    hand: float = explained(0.0006, "Standard deviation of the unsteadiness of its hand, metres")
    steady: float = explained(0.2, "How quickly the hand returns to where it should be, per row")
    reaction: int = explained(2, "Rows from noticing to taking over")
    stuck: int = explained(2, "Rows of contact beside the goal, or of standstill, until it notices")
    window: int = explained(20, "Rows over which a standstill is judged")
    still: float = explained(0.006, "A standstill is less than this way over the window, metres")
    patience: int = explained(240, "Rows without a finished subtask until it notices")
    travel: float = explained(0.045, "How far above the height of a new look it carries things, metres")
    lift: float = explained(0.05, "How far above the rim a minimal correction lifts, metres")
    pause: int = explained(4, "Rows it stays where it opens or closes the gripper")
    look_again: bool = explained(True, "While recovering, look anew until the view is right")

    def __post_init__(self) -> None:
        if not 0.0 < self.speed[0] <= self.speed[1] <= 1.0 or not 0.0 < self.slow <= self.largest <= 0.05:
            raise BadInput(f"expected 0 < speed ≤ 1 and 0 < slow ≤ largest ≤ 0.05, got {self}")
        if (
            min(self.reaction, self.hand, self.lift, self.travel, self.pause) < 0
            or min(self.stuck, self.window, self.patience) < 1
        ):
            raise BadInput(f"expected nothing below 0, and stuck, window and patience of at least 1, got {self}")


class RolloutOracle:
    """One person at one arm or two. Call `reset` before each episode; then one call of a verb for each row."""

    def __init__(
        self, task: RolloutTask | str, rng: np.random.Generator, config: RolloutOracleConfig | None = None
    ) -> None:
        """Of a task, by name or itself."""
        self.task = make_rollout_task(task) if isinstance(task, str) else task
        self.config = config or RolloutOracleConfig()
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        """A new episode: another speed, another way to drift aside."""
        self.clean = True
        """The demonstration was given under right looks only; what was shown under a wrong one teaches to miss."""
        self._speed = float(self._rng.uniform(*self.config.speed)) * self.config.largest
        angle = self._rng.uniform(0.0, 2 * np.pi)
        self._drift = self._rng.uniform(0.001, 0.003) * np.array([np.cos(angle), np.sin(angle)])
        self._hand = np.zeros((self.task.arms, 3))
        self._grip, self._pause = np.full(self.task.arms, np.nan), np.zeros(self.task.arms, dtype=int)
        self._past: deque[Array] = deque(maxlen=self.config.window)
        self._stuck = self._due = 0
        self._waited, self._stage = 0, -1
        self._watching, self._backed, self._lifted, self._dipping = True, False, False, False

    def watch(self, truth: Truth, observation: Sensed) -> bool:
        """Whether to take over now: a jam, a thing lost, a standstill or no progress, and the time to react is over."""
        tips = np.concatenate([sight.tip for sight in self.task.sights(truth, observation)])
        stage = int(truth["stage"])
        lost = stage < self._stage
        self._waited = 0 if stage > self._stage else self._waited + 1
        self._stage = stage
        full = len(self._past) == self.config.window
        still = full and float(np.linalg.norm(tips - self._past[0])) < self.config.still
        self._past.append(tips)
        self._stuck = self._stuck + 1 if still or truth["contact"] else 0
        noticed = lost or self._stuck >= self.config.stuck or self._waited >= self.config.patience
        self._due = self._due + 1 if noticed or self._due else 0
        self._watching = True
        return self._due > self.config.reaction

    def drive(self, truth: Truth, observation: Sensed, mode: Mode) -> Array:
        """The next row.

        Args:
            truth: where everything really is.
            observation: with the tip.
            mode: "demonstrate", "recover" or "correct". A correction that follows no recovery is minimal, as in
                HG-DAgger: lift, slide, push.

        Returns:
            (5,) for each arm, one after the other: dx, dy, dz, dyaw, gripper.
        """
        if mode not in MODES:
            raise BadInput(f"expected a mode among {', '.join(MODES)}, got {mode!r}")
        if self._watching:
            self._begin()
        self._backed |= mode == "recover"
        sights = self.task.sights(truth, observation)
        looked = any(sight.tip[2] >= self.task.look for sight in sights)
        self.clean &= mode != "demonstrate" or not looked or bool(truth["good_look"])
        rows = [self._row(arm, sight, truth, mode) for arm, sight in enumerate(sights)]
        return np.concatenate(rows)

    def recovered(self, truth: Truth, observation: Sensed) -> bool:
        """Back in a familiar place, and what is perceived is right if it looks until it is."""
        seen = bool(truth["good_look"]) or not self.config.look_again
        high = self.task.look + 0.4 * self.config.travel
        return seen and all(s.idle or s.tip[2] > high for s in self.task.sights(truth, observation))

    def _begin(self) -> None:
        """An intervention begins; nothing that was noticed before counts after it."""
        self._watching = self._backed = self._lifted = self._dipping = False
        self._past.clear()
        self._stuck = self._due = self._waited = 0
        self._grip[:] = np.nan

    def _row(self, arm: int, sight: Sight, truth: Truth, mode: Mode) -> Array:
        row = np.zeros(ROW)
        row[4] = sight.gripper
        if sight.idle:
            return row
        if mode == "recover":
            row[:3] = self._up(sight, truth)
            row[4] = float(truth.get("held_by", [truth["held"]])[arm] is not None)
        elif mode == "correct" and not self._backed:
            row[:3] = self._push(sight)
        else:
            row[:3] = self._on(sight)
        row[:3] *= self._moving(arm, row[4])
        row[3] = np.clip(sight.turn, -0.05, 0.05)
        noise = self.config.hand * np.sqrt(2 * self.config.steady) * self._rng.standard_normal(3)
        self._hand[arm] = (1 - self.config.steady) * self._hand[arm] + noise
        row[:3] += self._hand[arm]
        return row

    def _moving(self, arm: int, grip: float) -> bool:
        """Not while it waits for what it has just opened or closed."""
        if grip != self._grip[arm]:
            self._pause[arm] = 0 if np.isnan(self._grip[arm]) else self.config.pause
            self._grip[arm] = grip
        waits = bool(self._pause[arm] > 0)
        self._pause[arm] -= waits
        return not waits

    def _on(self, sight: Sight) -> Array:
        """Up, across, and down a cone above where the subtask ends; slowly where things may touch."""
        way = sight.target - sight.tip
        aside = float(np.linalg.norm(way[:2]))
        travel = self.task.look + self.config.travel
        low = sight.over + 0.02
        wanted = travel if aside > 0.06 else min(travel, low + 1.5 * max(0.0, aside - sight.fits))
        if aside < sight.fits or (sight.tip[2] < sight.over and aside < 2.5 * sight.fits):
            wanted = sight.target[2]
        share = float(np.clip((sight.tip[2] - self.task.look + 0.03) / 0.05, 0.03, 1.0)) if aside > 0.06 else 1.0
        return self._move(np.array([*way[:2], wanted - sight.tip[2]]), sight, share)

    def _push(self, sight: Sight) -> Array:
        """As little as is needed: lift, slide, push."""
        way = sight.target - sight.tip
        aside, high = float(np.linalg.norm(way[:2])), sight.over + self.config.lift
        self._lifted |= bool(sight.tip[2] >= high - 0.01) or aside < sight.fits
        low = sight.target[2] if aside < sight.fits else high
        return self._move(np.array([*(way[:2] * self._lifted), low - sight.tip[2]]), sight, 1.0)

    def _up(self, sight: Sight, truth: Truth) -> Array:
        """Up, drifting aside, to where it looks anew; down a little and up again if it saw wrongly."""
        top, bottom = self.task.look + 0.4 * self.config.travel, self.task.look - 0.02
        again = not truth["good_look"] and self.config.look_again
        self._dipping = (self._dipping or (again and sight.tip[2] >= top)) and sight.tip[2] > bottom
        goal = bottom - 0.01 if self._dipping else top + 0.02
        return self._move(np.array([*self._drift, goal - sight.tip[2]]), sight, 1.0)

    def _move(self, wanted: Array, sight: Sight, share: float) -> Array:
        """(3,): at most its speed, sideways at a share of it, and slowly below where things may touch."""
        going_down = wanted[2] < 0 and sight.tip[2] < sight.over + 0.025
        limit = min(self._speed, self.config.slow) if going_down else self._speed
        far = float(np.linalg.norm(wanted[:2]))
        flat = wanted[:2] * min(0.6, self._speed * share / max(far, 1e-9))
        return np.array([*flat, float(np.clip(0.6 * wanted[2], -limit, self._speed))])
