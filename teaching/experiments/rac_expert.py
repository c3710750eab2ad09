"""A scripted person at the assembly: demonstrates, notices that help is needed, recovers, corrects.

It knows the truth, which no real operator does, and it never fumbles: what it shows is the best case of each protocol.
Its speed, its unsteady hand and its reaction time are settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robot_io.sim.assembly import AssemblySpec, AssemblyTruth
from teaching.types import Array, BadInput, explained

TRAVEL, NEAR = 0.42, 0.12
"""Metres: the height at which it crosses, and how near above its goal it begins to come down."""


@dataclass(frozen=True)
class ExpertConfig:
    """How the scripted person behaves. Metres and ticks."""

    speed: tuple[float, float] = explained((0.45, 0.75), "Share of the largest move, drawn once per rollout")
    hand: float = explained(0.003, "Standard deviation of the unsteadiness of its hand")
    steady: float = explained(0.2, "How quickly the hand returns to where it should be, per tick")
    reaction: int = explained(0, "Ticks from noticing to taking over")
    stuck: int = explained(6, "Ticks of jam or standstill until it notices")
    window: int = explained(12, "Ticks over which a standstill is judged")
    still: float = explained(0.02, "A standstill is less than this way over the window")
    patience: int = explained(90, "Ticks without a finished subtask until it notices")
    lift: float = explained(0.09, "How far above the rim a minimal correction lifts")
    look_again: bool = explained(True, "While recovering, look anew until the view is right")

    def __post_init__(self) -> None:
        if not 0.0 < self.speed[0] <= self.speed[1] <= 1.0 or min(self.reaction, self.hand) < 0 or self.stuck < 1:
            raise BadInput(f"expected 0 < speed ≤ 1, reaction and hand ≥ 0 and stuck ≥ 1, got {self}")


class Watch:
    """Notices when a rollout needs help: a jam, a standstill, or no progress. N rollouts at once."""

    def __init__(self, n: int, config: ExpertConfig) -> None:
        """Nothing seen yet."""
        self.config = config
        self._past = np.full((n, config.window, 3), np.inf)
        self._stuck: Array
        self._waited: Array
        self._due: Array
        self._stuck, self._waited, self._due = (np.zeros(n, np.int64) for _ in range(3))
        self._stage: Array = np.full(n, -1)

    def __call__(self, truth: AssemblyTruth) -> Array:
        """(N,) bool: take over now. Call it once per tick."""
        moved = np.linalg.norm(truth.tool - self._past[:, 0], axis=1)
        self._past = np.concatenate([self._past[:, 1:], truth.tool[:, None]], axis=1)
        stuck = truth.jammed | (moved < self.config.still)
        self._stuck = np.where(stuck, self._stuck + 1, 0)
        self._waited = np.where(truth.stage > self._stage, 0, self._waited + 1)
        self._stage = truth.stage.copy()
        noticed = (self._stuck >= self.config.stuck) | (self._waited >= self.config.patience)
        self._due = np.where(noticed | (self._due > 0), self._due + 1, 0)
        now: Array = self._due > self.config.reaction
        return now

    def forget(self, which: Array) -> None:
        """Start anew for some rollouts (N,) bool, after an intervention."""
        self._past[which] = np.inf
        for counter in (self._stuck, self._waited, self._due):
            counter[which] = 0


class Expert:
    """The hands. N rollouts at once; each verb gives (N, 4) actions for all of them."""

    def __init__(
        self, n: int, spec: AssemblySpec, rng: np.random.Generator, config: ExpertConfig | None = None
    ) -> None:
        """With a speed and a drift of its own for each rollout."""
        self.spec, self.config, self._rng = spec, config or ExpertConfig(), rng
        self._speed = rng.uniform(*self.config.speed, n) * spec.step
        angle = rng.uniform(0, 2 * np.pi, n)
        self._drift = rng.uniform(0.005, 0.02, n)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        self._hand = np.zeros((n, 3))
        self._dipping: Array = np.zeros(n, bool)
        self._lifted: Array = np.zeros(n, bool)

    def begin(self, which: Array) -> None:
        """An intervention begins in some rollouts (N,) bool."""
        self._dipping[which] = self._lifted[which] = False

    def demonstrate(self, truth: AssemblyTruth) -> Array:
        """On with the task: up, across, and down a cone above where the subtask ends."""
        offset = truth.target - truth.tool
        aside = np.linalg.norm(offset[:, :2], axis=1)
        base = np.where(truth.stage == 0, truth.target[:, 2], self.spec.rim)
        above = np.where(aside > NEAR, TRAVEL, base + 0.07 + 0.8 * aside)
        wanted = np.where(aside < 0.012, truth.target[:, 2] - 0.02, above)
        ready = np.where(aside > NEAR, np.clip((truth.tool[:, 2] - self.spec.rim - 0.05) / 0.1, 0.0, 1.0), 1.0)
        move = np.column_stack([offset[:, :2], wanted - truth.tool[:, 2]])
        return self._move(truth, move, share=ready)

    def correct(self, truth: AssemblyTruth, *, minimal: bool = False) -> Array:
        """The subtask from here: as in a demonstration, or, minimal, as little as is needed: lift, slide, push."""
        if not minimal:
            return self.demonstrate(truth)
        offset = truth.target - truth.tool
        aside = np.linalg.norm(offset[:, :2], axis=1)
        base = np.where(truth.stage == 0, truth.target[:, 2] + 0.05, self.spec.rim)
        high = base + self.config.lift
        self._lifted |= truth.tool[:, 2] >= high - 0.02
        low = np.where(aside < 0.012, truth.target[:, 2] - 0.02, high)
        move = np.column_stack([np.where(self._lifted[:, None], offset[:, :2], 0.0), low - truth.tool[:, 2]])
        self._lifted |= aside < 0.012
        return self._move(truth, move)

    def recover(self, truth: AssemblyTruth) -> Array:
        """Up, drifting aside, to above the height from which the arm looks anew; dipping again if it saw wrongly."""
        top, bottom = self.spec.look + 0.03, self.spec.look - 0.04
        high = truth.tool[:, 2]
        again = ~truth.good_look & self.config.look_again
        self._dipping = (self._dipping | (again & (high >= top))) & (high > bottom)
        goal = np.where(self._dipping, bottom - 0.02, top + 0.03)
        return self._move(truth, np.column_stack([self._drift, goal - high]))

    def recovered(self, truth: AssemblyTruth) -> Array:
        """(N,) bool: back in a familiar place, and what is seen is right if it looks until it is."""
        seen = truth.good_look | (not self.config.look_again)
        back: Array = (truth.tool[:, 2] > self.spec.look + 0.03) & seen
        return back

    def _move(self, truth: AssemblyTruth, wanted: Array, *, share: Array | float = 1.0) -> Array:
        """At most at its speed, sideways at a share of it, with an unsteady hand; the gripper as the stage asks for."""
        speed = self._speed[:, None]
        steps = np.clip(wanted, -speed, speed)
        far = np.linalg.norm(wanted[:, :2], axis=1, keepdims=True)
        limit = speed * np.reshape(share, (-1, 1))
        steps[:, :2] = wanted[:, :2] * np.minimum(1.0, limit / np.maximum(far, 1e-9))
        noise = self.config.hand * np.sqrt(2 * self.config.steady) * self._rng.standard_normal(self._hand.shape)
        self._hand = (1 - self.config.steady) * self._hand + noise
        return np.column_stack([steps + self._hand, self._grip(truth)])

    def _grip(self, truth: AssemblyTruth) -> Array:
        near = np.linalg.norm(truth.tool - truth.target, axis=1) < 0.6 * self.spec.tolerance[0]
        pick = (truth.stage == 0) & near & ~truth.closed
        aside = np.linalg.norm((truth.tool - truth.target)[:, :2], axis=1)
        sunk = (truth.tool[:, 2] < self.spec.depth - 0.01) & (aside < self.spec.tolerance[1])
        closed: Array = np.where(truth.stage == 0, pick, (truth.stage == 1) & ~sunk)
        return closed.astype(np.float64)
