"""Rollouts in which the arm itself calls for help, by its doubt or by a detector, and forks that tell what it missed.

A stay is the time that the policy spends in one subtask. It fails when, left alone, it comes to the moment at which a
watching person would take over, or drops the peg from a height; a peg let go of where it stood and picked again is no
failure. A call by doubt ends a stay early; what would have become of it is found by letting a copy of that moment run
on without help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from robot_io.sim.assembly import AssemblySpec, AssemblyTruth
from robot_io.sim.bench_assembly import BenchAssembly
from teaching.experiments.rac_expert import ExpertConfig, Watch
from teaching.experiments.rac_rollouts import Driver, Pilot
from teaching.gating import MODES
from teaching.policies.chunks import bounded
from teaching.policies.flow import FlowPolicy
from teaching.rollout_phases import PROTOCOLS, Phase
from teaching.sag import Mode, Sag
from teaching.segments import NONE, SegmentKind
from teaching.types import Array, BadInput, explained

UNSEEN = -np.inf
"""The doubt of a stay before the policy's first plan in it."""
LIFTED = 0.1
"""Metres: a peg dropped from lower is where it was."""


@dataclass(frozen=True)
class Regime:
    """Who decides that help is needed."""

    mode: Mode | None = explained(None, "What the gate over the doubt promises; none: no gate")
    target: float = explained(0.9, "The promised share")
    contact: bool = explained(False, "Whoever touches the rim is more unsure than anybody who does not")
    detector: bool = explained(True, "Help also comes once the failure is there: a jam, a standstill, no progress")
    watched: bool = explained(False, "A person looks on all the time and is the detector")
    n_min: int = explained(15, "Failures that the gate must have seen; until then it always calls")

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode not in MODES:
            raise BadInput(f"expected a mode among {', '.join(MODES)} or none, got {self.mode!r}")
        if self.watched and (self.mode or not self.detector):
            raise BadInput("expected a person who watches to need no gate, and to be the detector")

    def threshold(self, doubt: Array, outcome: Array, rng: np.random.Generator) -> float:
        """From which doubt it calls, after stays with (N,) doubt and (N,) outcome ±1; −∞ until it knows enough."""
        if self.mode is None:
            return float("inf")
        if not len(doubt):
            return float("-inf")
        gate = Sag(self.target, self.mode, n_min=self.n_min)
        found = gate.threshold(doubt, outcome, np.zeros(len(doubt), np.int64), rng)
        return found.value if found.known else float("-inf")


@dataclass(frozen=True)
class Stay:
    """One stay of the policy in a subtask, as it ended or, if it was cut short by a call, as it would have."""

    stage: int
    doubt: float
    """The largest before it ended, in [0, 1]."""
    outcome: int
    """+1 the subtask was done, −1 it failed."""
    called: bool
    """By doubt, before it was decided."""


@dataclass(frozen=True)
class Call:
    """A call by doubt: the moment, to be forked."""

    stage: int
    doubt: float
    moment: Mapping[str, Any]


def perceived(states: Array) -> AssemblyTruth:
    """What the arm itself can know of (N, D) observations, as far as `Watch` reads it; a jam is a contact."""
    columns, nothing = BenchAssembly.columns, np.zeros(len(states))
    tool = states[:, columns["tool"]]
    jammed = states[:, columns["contact"]][:, 0] > 0
    return AssemblyTruth(tool, nothing, stages(states), tool, jammed, nothing, nothing, nothing, nothing)


def stages(states: Array) -> Array:
    """(N,) subtasks done; all three where no subtask is under way."""
    told = states[:, BenchAssembly.columns["stage"]]
    found: Array = np.where(told.any(axis=1), told.argmax(axis=1), told.shape[1])
    return found


def unsure(doubt: Array, states: Array, contact: bool) -> Array:
    """(N,) in [0, 1): spread and disagreement (N, 2); with contact, in the upper half where (N, D) perceive one."""
    found = bounded(doubt.sum(axis=1))
    touching = states[:, BenchAssembly.columns["contact"]][:, 0] > 0
    both: Array = (found + touching) / 2 if contact else found
    return both


class GatedDriver(Driver):
    """Rollouts that recover and correct as RaC does, then go on; help comes as a regime says."""

    def __init__(self, spec: AssemblySpec, seeds: Sequence[int], policy: FlowPolicy, rng: np.random.Generator,
                 regime: Regime, threshold: float, person: ExpertConfig) -> None:  # fmt: skip
        """Nothing under way yet; `run` does it."""
        self.kinematic = BenchAssembly(spec)
        super().__init__(self.kinematic, seeds, policy, rng, rules=PROTOCOLS["rule1"], config=person)
        n = len(self.seeds)
        self.regime, self.threshold = regime, threshold
        self.stays: list[Stay] = []
        self.calls: list[Call] = []
        self.called: Array = np.zeros((n, 2), np.int64)
        """(N, 2): calls by doubt, and by the detector."""
        self._top: Array = np.full(n, UNSEEN)
        self._stay: Array = np.zeros(n, np.int64)
        self._failed: Array = np.zeros(n, bool)

    def _tick(self) -> None:
        self._weigh()
        super()._tick()

    def _weigh(self) -> None:
        """Before anything moves: call where what is planned next is too unsure."""
        driving = np.array([phase is Phase.POLICY for phase in self._phases])
        if self._pilot is None or not driving.any():
            return
        found = unsure(self._pilot.ready(self._state, driving), self._state, self.regime.contact)
        self._top = np.where(driving, np.maximum(self._top, found), self._top)
        for i in np.flatnonzero(driving & (self._top >= self.threshold)).tolist():
            if not self._failed[i]:
                self.calls.append(Call(int(self._stay[i]), float(self._top[i]), self.kinematic.moment(i)))
            self.called[i, 0] += 1
            self._take_over(i)

    def _help(self) -> Array:
        """(N,) bool: what the last tick did was a failure, and help comes for it."""
        fired = self._watch(self._truth if self.regime.watched else perceived(self._state))
        kinds = self._rows[-1]["kinds"] if self._rows else np.full(len(self.seeds), NONE)
        driving, stage = kinds == SegmentKind.POLICY, self._truth.stage
        dropped = driving & (stage < self._stages[-min(2, len(self._stages))]) & (self._truth.tool[:, 2] >= LIFTED)
        changed = driving & ((stage > self._stay) | dropped)
        failing = driving & ~self._failed & (fired | dropped)
        for i in np.flatnonzero(~self._failed & (changed | failing)):
            self._end(i, 1 if stage[i] > self._stay[i] else -1)
        self._failed |= failing
        fresh = ~driving | changed
        self._top[fresh], self._stay[fresh], self._failed[fresh] = UNSEEN, stage[fresh], False
        self._watch.forget(fresh)
        policy = np.array([phase is Phase.POLICY for phase in self._phases])
        late: Array = policy & ~fresh & self._failed & self.regime.detector
        self.called[:, 1] += late
        return late

    def _end(self, i: int, outcome: int) -> None:
        self.stays.append(Stay(int(self._stay[i]), float(self._top[i]), outcome, False))


def forked(calls: Sequence[Call], policy: FlowPolicy, spec: AssemblySpec, person: ExpertConfig,
           rng: np.random.Generator, *, contact: bool = False) -> list[Stay]:  # fmt: skip
    """What would have become of stays that were cut short: the policy goes on from each moment, without help."""
    if not calls:
        return []
    bench = BenchAssembly(spec)
    state, n = bench.resume([call.moment for call in calls]), len(calls)
    pilot, watch = Pilot(policy, n, rng), Watch(n, person)
    begun = np.array([call.stage for call in calls])
    before = begun
    top: Array = np.array([call.doubt for call in calls])
    outcome: Array = np.zeros(n, np.int64)
    while not outcome.all():
        alive, actions = outcome == 0, np.zeros((n, 4))
        found = unsure(pilot.ready(state, alive), state, contact)
        top = np.where(alive, np.maximum(top, found), top)
        actions[alive], _ = pilot(state, alive)
        bench.step(actions)
        state = bench.observe()
        now, fired = stages(state), watch(perceived(state))
        dropped = (now < before) & (state[:, BenchAssembly.columns["tool"]][:, 2] >= LIFTED)
        ended = np.where(now > begun, 1, np.where(dropped | fired, -1, 0))
        outcome, before = np.where(alive, ended, outcome), now
    return [Stay(call.stage, float(u), int(r), True) for call, u, r in zip(calls, top, outcome, strict=True)]
