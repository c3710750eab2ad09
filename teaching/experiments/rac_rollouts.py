"""Rollouts of the assembly side by side: demonstrated, supervised under some rules, or unaided.

Every rollout goes through the table of `teaching.rollout_phases` and ends as a `Recording`: what was perceived, what
was really done, who drove. The rollouts only share their ticks; each has its own scene, luck and operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from robot_io.sim.assembly import SUBTASKS, Assembly
from teaching.experiments.rac_expert import Expert, ExpertConfig, Watch
from teaching.policies.chunks import disagreement
from teaching.policies.flow import FlowPolicy
from teaching.recoveries import RecoveryConfig
from teaching.rollout_phases import Event, Phase, Rules, after
from teaching.segments import NONE, SegmentKind, Timeline, segments_of
from teaching.types import Array, BadInput

GRACE = 200
"""Ticks after the policy's time is out in which a person may still finish."""
DONE = len(SUBTASKS)


@dataclass(frozen=True)
class Recording:
    """One rollout. T ticks."""

    seed: int
    timeline: Timeline
    states: Array
    """(T, D) perceived."""
    actions: Array
    """(T, 4) really done, after clipping."""
    stages: Array
    """(T + 1,) subtasks done, before the first tick and after each."""
    doubt: Array
    """(T, 2) the ensemble's spread, and the disagreement with the chunk before; of the policy's ticks."""
    contact: Array
    """(T,) bool, after each tick: the gripper meets the rim, or is jammed."""
    drops: int
    retries: int
    """Looks that began a subtask again, as the scene counted them."""

    def __post_init__(self) -> None:
        t = self.timeline.frames
        sizes = [len(self.states), len(self.actions), len(self.stages) - 1, len(self.doubt), len(self.contact)]
        if sizes != [t] * 5:
            raise BadInput(f"expected {t} ticks in every array like the timeline, got {sizes}")

    @property
    def success(self) -> bool:
        """All subtasks were done, by whomever."""
        return bool(self.stages[-1] == DONE)


class Driver:
    """N rollouts under way."""

    def __init__(self, bench: Assembly, seeds: Sequence[int], policy: FlowPolicy | None, rng: np.random.Generator, *,
                 rules: Rules | None = None, config: ExpertConfig | None = None) -> None:  # fmt: skip
        """Without a policy a person demonstrates; without rules nobody helps."""
        if policy is None and rules is not None:
            raise BadInput("expected a policy to supervise, got none")
        self.bench, self.seeds, self.rules = bench, list(seeds), rules
        n = len(self.seeds)
        self._state = bench.reset(self.seeds)
        self._truth = bench.truth()
        self._expert = Expert(n, bench.spec, rng, config)
        self._watch = Watch(n, self._expert.config)
        self._pilot = Pilot(policy, n, rng) if policy else None
        start = after(Phase.READY, Event.START if policy else Event.DEMONSTRATE, rules or Rules())
        self._phases = [start] * n
        self._helped: Array = np.zeros(n, np.int64)
        self._marked: list[set[int]] = [set() for _ in range(n)]
        self._goal: Array = np.zeros(n, np.int64)
        self._stages = [self._truth.stage]
        self._rows: list[dict[str, Array]] = []

    def run(self) -> list[Recording]:
        """Until every rollout has ended."""
        while True:
            self._notice()
            if all(phase.end for phase in self._phases):
                return [self._recording(i) for i in range(len(self.seeds))]
            self._tick()

    def _tick(self) -> None:
        kinds = np.array([NONE if p.segment is None else int(p.segment) for p in self._phases])
        by_policy = kinds == SegmentKind.POLICY
        actions, doubt = self._human(kinds), np.zeros((len(kinds), 2))
        if self._pilot is not None and by_policy.any():
            actions[by_policy], doubt[by_policy] = self._pilot(self._state, by_policy)
        row = {"states": self._state, "kinds": kinds, "doubt": doubt, "actions": self.bench.step(actions)}
        helping = (kinds == SegmentKind.RECOVERY) | (kinds == SegmentKind.CORRECTION)
        row["interventions"] = np.where(helping, self._helped - 1, NONE)
        self._state, self._truth = self.bench.observe(), self.bench.truth()
        row["contact"] = self._truth.jammed | (self._state[:, self.bench.columns["contact"]][:, 0] > 0)
        row["retries"], row["drops"] = self._truth.retries, self._truth.drops
        self._rows.append(row)
        self._stages.append(self._truth.stage)

    def _human(self, kinds: Array) -> Array:
        """(N, 4): what the person does where one drives; zeros elsewhere count for nothing."""
        actions = np.zeros((len(kinds), 4))
        minimal = self.rules is not None and not self.rules.require_recovery
        for kind, verb in (
            (SegmentKind.DEMO, self._expert.demonstrate),
            (SegmentKind.RECOVERY, self._expert.recover),
            (SegmentKind.CORRECTION, lambda truth: self._expert.correct(truth, minimal=minimal)),
        ):
            which = kinds == kind
            if which.any():
                actions[which] = verb(self._truth)[which]
        return actions

    def _notice(self) -> None:
        """What happened since the last tick, to each rollout that is still going."""
        help_now = self._help() if self.rules else np.zeros(len(self.seeds), bool)
        back = self._expert.recovered(self._truth)
        late = len(self._rows) - self.bench.spec.limit
        for i, phase in enumerate(self._phases):
            stage = int(self._truth.stage[i])
            if phase.end:
                continue
            if stage == DONE:
                self._happen(i, Event.SUCCESS)
            elif late >= GRACE or (late >= 0 and phase is Phase.POLICY):
                self._happen(i, Event.TIMEOUT)
            elif phase is Phase.POLICY and help_now[i]:
                self._take_over(i)
            elif phase is Phase.RECOVERY and back[i]:
                self._goal[i] = stage
                self._marked[i].add(int(self._helped[i]) - 1)
                self._happen(i, Event.MARK_RECOVERED)
            elif phase is Phase.CORRECTION and stage > self._goal[i]:
                self._happen(i, Event.SUBTASK_DONE)

    def _take_over(self, i: int) -> None:
        self._goal[i] = int(self._truth.stage[i])
        self._helped[i] += 1
        self._expert.begin(self._only(i))
        self._happen(i, Event.TAKEOVER)

    def _help(self) -> Array:
        """(N,) bool: a person takes over now, where the policy drives."""
        return self._watch(self._truth)

    def _happen(self, i: int, event: Event) -> None:
        self._phases[i] = after(self._phases[i], event, self.rules or Rules(), aided=bool(self._helped[i]))
        if self._phases[i] is Phase.POLICY and self._pilot is not None:
            self._pilot.forget(self._only(i))
            self._watch.forget(self._only(i))

    def _only(self, i: int) -> Array:
        mask: Array = np.arange(len(self.seeds)) == i
        return mask

    def _recording(self, i: int) -> Recording:
        own = {name: np.stack([row[name][i] for row in self._rows]) for name in self._rows[0]}
        t = int(np.sum(own["kinds"] != NONE))
        end = self._phases[i].end
        assert end is not None
        resumes = self.rules is not None and not self.rules.terminate_after_intervention
        segments = segments_of(own["kinds"][:t], own["interventions"][:t], self._marked[i])
        return Recording(
            self.seeds[i], Timeline(segments, end, resumes), own["states"][:t], own["actions"][:t],
            np.array([stage[i] for stage in self._stages[: t + 1]]), own["doubt"][:t], own["contact"][:t].astype(bool),
            int(own["drops"][t - 1]), int(own["retries"][t - 1]),
        )  # fmt: skip


class Pilot:
    """Carries out a policy's chunks, N rollouts at once, each with a clock of its own."""

    def __init__(self, policy: FlowPolicy, n: int, rng: np.random.Generator) -> None:
        """Nothing planned yet."""
        self.policy, self._rng = policy, rng
        shape = (n, policy.config.horizon, policy.config.action)
        self._chunk, self._standard, self._doubt = np.zeros(shape), np.zeros(shape), np.zeros((n, 2))
        self._cursor: Array = np.full(n, NONE)

    def __call__(self, states: Array, which: Array) -> tuple[Array, Array]:
        """The next actions (M, 4) and doubts (M, 2) of the M rollouts that the policy drives, `which` (N,) bool."""
        self.ready(states, which)
        rows = np.flatnonzero(which)
        actions = self._chunk[rows, self._cursor[rows]]
        self._cursor[rows] += 1
        return actions, self._doubt[rows]

    def ready(self, states: Array, which: Array) -> Array:
        """Plan where a chunk is due, without acting; the doubts (N, 2) of the chunks that come next."""
        execute = self.policy.config.execute
        need = which & ((self._cursor == NONE) | (self._cursor >= execute))
        if need.any():
            found = self.policy.plan(states[need], self._rng)
            apart = disagreement(self._standard[need], found.standard, execute) if execute < self._chunk.shape[1] else 0
            again = self._cursor[need] != NONE
            self._doubt[need] = np.column_stack([found.spread[:, :execute].mean(axis=1), np.where(again, apart, 0.0)])
            self._chunk[need], self._standard[need], self._cursor[need] = found.actions, found.standard, 0
        return self._doubt

    def forget(self, which: Array) -> None:
        """A hand-over: what was meant before no longer counts."""
        self._cursor[which] = NONE


COUNTING = RecoveryConfig(fall=0.04)
"""How recoveries are counted here; checked against scripted rollouts whose retries the scene counted."""
FINE = 0.1
"""Metres that count as much as one unit of another kind, when states are compared."""


def relative(states: Array, columns: Mapping[str, slice]) -> Array:
    """Perceived states (T, D) → (T, 7) told relative to the current subtask, as `teaching.familiarity` compares them.

    Subtask (three, far apart), gripper, and the way to where the subtask ends, in `FINE`. Use it with scale 1.
    """
    stage = states[:, columns["stage"]]
    above = states[:, columns["tool"]][:, 2:]
    flat = [states[:, columns["peg"]][:, :2], states[:, columns["slot"]], states[:, columns["button"]]]
    aside = np.einsum("ts,tsk->tk", stage, np.stack(flat, axis=1))
    return np.concatenate([10.0 * stage, states[:, columns["closed"]], aside / FINE, above / FINE], axis=1)
