"""The assembly without a physics engine: a point gripper, numpy only, N rollouts at once. For experiments.

Kinematic, so a jam is a rule and not a force: who comes down beside slot or button by more than the tolerance is
blocked at the rim and cannot move sideways until lifted. A hundred rollouts of 400 ticks take well under a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from robot_io.arm import Array
from robot_io.sim.assembly import AssemblySpec, AssemblyTruth, BadScene

FLOOR, CEILING = 0.02, 0.5
APART = 0.3
"""Metres between peg, slot and button at least."""
LOOKS = 32
"""Different looks of a rollout; after that they come round again."""
NEAR = 0.15
"""Metres within which an offset is also told on a finer scale."""
_STATE = ("tool", "closed", "stage", "peg", "slot", "button", "jammed", "contact", "trace", "looks", "retries", "drops",
          "tick", "aimed", "_noise", "_fixes", "_wrong")  # fmt: skip


class BenchAssembly:
    """N rollouts of the assembly. Arrays are (N, …)."""

    columns: Mapping[str, slice] = {
        "tool": slice(0, 3), "closed": slice(3, 4), "stage": slice(4, 7), "peg": slice(7, 10), "slot": slice(10, 12),
        "button": slice(12, 14), "near": slice(14, 22), "contact": slice(22, 23), "trace": slice(23, 24),
    }  # fmt: skip
    width = 24

    tool: Array
    peg: Array
    slot: Array
    button: Array
    closed: Array
    stage: Array
    jammed: Array
    contact: Array
    trace: Array
    """(N,) memory of the last contact: 1 at it, fading."""
    looks: Array
    retries: Array
    drops: Array
    aimed: Array
    """(N,) the stage at the last look."""
    tick: int
    _noise: Array
    _fixes: Array
    _wrong: Array

    def __init__(self, spec: AssemblySpec | None = None) -> None:
        """A bench; `reset` puts something on it."""
        self.spec = spec or AssemblySpec()

    def reset(self, seeds: Sequence[int]) -> Array:
        """N fresh scenes. Scene, noise and the luck of every look follow from its seed alone."""
        if not len(seeds):
            raise BadScene("expected at least one seed, got none")
        drawn = [self._draw(int(seed)) for seed in seeds]
        for i, name in enumerate(("tool", "peg", "slot", "button", "_noise", "_fixes", "_wrong")):
            setattr(self, name, np.stack([d[i] for d in drawn]))
        n = len(drawn)
        self.closed, self.jammed, self.contact = (np.zeros(n, bool) for _ in range(3))
        self.stage, self.looks, self.retries, self.drops = (np.zeros(n, np.int64) for _ in range(4))
        self.aimed, self.trace, self.tick = np.zeros(n, np.int64), np.zeros(n), 0
        return self.observe()

    def _draw(self, seed: int) -> tuple[Array, ...]:
        rng, spec = np.random.default_rng([seed, 77]), self.spec
        while True:
            places = rng.uniform(0.1, 0.9, (3, 2))
            if np.linalg.norm(places - np.roll(places, 1, axis=0), axis=1).min() >= APART:
                break
        tool = np.array([*rng.uniform(0.3, 0.7, 2), rng.uniform(0.36, 0.44)])
        noise = spec.noise * rng.standard_normal((spec.limit, 3))
        wrong = rng.random((LOOKS, 2)) < np.array(spec.wrong)
        angle, radius = rng.uniform(0, 2 * np.pi, (LOOKS, 2)), rng.uniform(*spec.off, (LOOKS, 2))
        away = radius[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        fixes = np.where(wrong[..., None], away, 0.0)
        return tool, np.array([*places[0], FLOOR]), places[1], places[2], noise, fixes, wrong

    def observe(self) -> Array:
        """(N, 24): what the arm perceives; `columns` names it. Offsets are as the last look saw them."""
        look = self.looks % LOOKS
        fixes = self._fixes[np.arange(len(look)), look]
        offsets = np.concatenate(
            [self.peg - self.tool, self.slot + fixes[:, 0] - self.tool[:, :2],
             self.button + fixes[:, 1] - self.tool[:, :2]], axis=1,
        )  # fmt: skip
        above = self.tool[:, 2:] - self.spec.rim
        near = np.clip(np.concatenate([offsets, above], axis=1), -NEAR, NEAR)
        stage = np.eye(4)[self.stage][:, :3]
        grip, contact = self.closed[:, None], self.contact[:, None]
        return np.concatenate([self.tool, grip, stage, offsets, near, contact, self.trace[:, None]], axis=1)

    def step(self, actions: Array) -> Array:
        """One tick; returns what was really done: moves clipped, grip 0 open or 1 closed."""
        given = np.asarray(actions, dtype=np.float64)
        if given.shape != (len(self.tool), 4) or not np.all(np.isfinite(given)):
            raise BadScene(f"expected finite actions ({len(self.tool)}, 4), got {given.shape}")
        move = np.clip(given[:, :3], -self.spec.step, self.spec.step)
        grip = given[:, 3] > 0.5
        before = self.tool.copy()
        self._move(move + self._noise[:, self.tick % self.spec.limit])
        self._grip(grip)
        self._press()
        self._look(before[:, 2])
        self.trace = np.maximum(self.contact, self.spec.fade * self.trace)
        self.tick += 1
        return np.concatenate([move, grip[:, None]], axis=1)

    def _move(self, move: Array) -> None:
        rim = self.spec.rim
        sunk = (self.tool[:, 2] < rim) & (self.stage > 0)
        still = (self.jammed | sunk)[:, None] & np.array([True, True, False])
        wanted = np.clip(self.tool + np.where(still, 0.0, move), [0, 0, FLOOR], [1, 1, CEILING])
        tolerance = np.array([*self.spec.tolerance, 0.0])[self.stage]
        beside = np.linalg.norm(wanted[:, :2] - self._target()[:, :2], axis=1) > tolerance
        blocked = (self.stage > 0) & ~sunk & (wanted[:, 2] < rim) & beside
        wanted[blocked, 2] = rim
        self.tool, self.contact = wanted, blocked
        self.jammed = (self.jammed | blocked) & (wanted[:, 2] <= rim + self.spec.freed)

    def _grip(self, grip: Array) -> None:
        near = np.linalg.norm(self.tool - self.peg, axis=1) <= self.spec.tolerance[0]
        taken = grip & ~self.closed & (self.stage == 0) & near
        let_go = ~grip & (self.stage == 1)
        at = np.linalg.norm(self.tool[:, :2] - self.slot, axis=1) <= self.spec.tolerance[1]
        home = let_go & at & (self.tool[:, 2] < self.spec.depth)
        dropped = let_go & ~home
        self.stage = np.where(taken, 1, np.where(home, 2, np.where(dropped, 0, self.stage)))
        self.peg = np.where((self.stage == 1)[:, None], self.tool, self.peg)
        inside = np.clip(self.tool[:, :2], 0.05, 0.95)
        self.peg = np.where(dropped[:, None], np.column_stack([inside, np.full(len(inside), FLOOR)]), self.peg)
        self.drops = self.drops + dropped
        self.closed = grip
        self.jammed = self.jammed & (self.stage > 0)

    def _press(self) -> None:
        at = np.linalg.norm(self.tool[:, :2] - self.button, axis=1) <= self.spec.tolerance[2]
        self.stage = np.where((self.stage == 2) & at & (self.tool[:, 2] < self.spec.depth), 3, self.stage)

    def _look(self, height: Array) -> None:
        risen = (height < self.spec.look) & (self.tool[:, 2] >= self.spec.look)
        self.looks = self.looks + risen
        self.retries = self.retries + (risen & (self.stage <= self.aimed))
        self.aimed = np.where(risen, self.stage, self.aimed)

    def _target(self) -> Array:
        """(N, 3): where the current subtask ends; the button once all is done."""
        low = np.full((len(self.stage), 1), self.spec.depth - 0.02)
        ends = np.stack([self.peg, np.hstack([self.slot, low]), np.hstack([self.button, low])], axis=1)
        target: Array = ends[np.arange(len(ends)), np.minimum(self.stage, 2)]
        return target

    def truth(self) -> AssemblyTruth:
        """Copies of where everything really is."""
        look, rows = self.looks % LOOKS, np.arange(len(self.looks))
        wrong = np.where(self.stage == 0, False, self._wrong[rows, look, np.maximum(self.stage - 1, 0) % 2])
        return AssemblyTruth(
            self.tool.copy(), self.closed.copy(), self.stage.copy(), self._target().copy(), self.jammed.copy(), ~wrong,
            self.looks.copy(), self.retries.copy(), self.drops.copy(),
        )  # fmt: skip

    def snapshot(self) -> Mapping[str, Any]:
        """Everything that the future depends on, as arrays."""
        return {name: np.copy(getattr(self, name)) for name in _STATE}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Back to a snapshot, bit for bit."""
        if missing := set(_STATE) - snapshot.keys():
            raise BadScene(f"expected a snapshot of this bench, got one without {sorted(missing)}")
        for name in _STATE:
            setattr(self, name, np.copy(snapshot[name]))
        self.tick = int(self.tick)

    def moment(self, row: int) -> Mapping[str, Any]:
        """One rollout's own snapshot, its noise turned so that it begins now; `resume` goes on from it."""
        if not 0 <= row < len(self.tool):
            raise BadScene(f"expected a rollout from 0 to {len(self.tool) - 1}, got {row}")
        found = {name: np.copy(getattr(self, name)[row]) for name in _STATE if name != "tick"}
        return found | {"_noise": np.roll(found["_noise"], -(self.tick % self.spec.limit), axis=0)}

    def resume(self, moments: Sequence[Mapping[str, Any]]) -> Array:
        """Moments of rollouts of this kind, whenever they were, side by side from now on; returns what is perceived."""
        if not moments:
            raise BadScene("expected at least one moment, got none")
        names = set(_STATE) - {"tick"}
        self.restore({name: np.stack([m[name] for m in moments]) for name in names} | {"tick": 0})
        return self.observe()
