from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robot_io.sim.assembly import AssemblySpec
from robot_io.sim.bench_assembly import BenchAssembly
from teaching.experiments.rac_expert import Expert, ExpertConfig, Watch
from teaching.experiments.rac_rollouts import COUNTING, Driver, Recording, relative
from teaching.familiarity import Familiarity
from teaching.policies.flow import Chunks, FlowPolicy
from teaching.policies.flow_network import FlowConfig
from teaching.recoveries import recoveries
from teaching.rollout_metrics import supervision
from teaching.rollout_phases import PROTOCOLS
from teaching.segments import End, SegmentKind
from teaching.types import Array, BadInput

K = SegmentKind
C = BenchAssembly.columns


class Believer(FlowPolicy):
    """Does the task well, but believes every look, and pushes on where it jams."""

    def plan(self, states: Array, rng: np.random.Generator) -> Chunks:
        tool, stage = states[:, C["tool"]], states[:, C["stage"]]
        flat = np.stack([states[:, C["peg"]][:, :2], states[:, C["slot"]], states[:, C["button"]]], axis=1)
        way = np.einsum("ns,nsk->nk", stage, flat)
        aside = np.linalg.norm(way, axis=1, keepdims=True)
        down = np.where(stage[:, :1] > 0, 0.02, 0.06)
        height = np.where(aside > 0.1, 0.4, np.where(aside > 0.015, 0.25, down))
        move = np.concatenate([np.where(tool[:, 2:] > 0.2, way, 0.0), height - tool[:, 2:]], axis=1)
        near = (aside[:, 0] < 0.03) & (tool[:, 2] < 0.07)
        grip = np.where(stage[:, 0] > 0, near, (stage[:, 1] > 0) & ~near)
        actions = np.repeat(np.column_stack([np.clip(move, -0.025, 0.025), grip])[:, None], 2, axis=1)
        return Chunks(actions, actions, np.zeros(actions.shape[:2]))


NOVICE = Believer(FlowConfig(horizon=2, execute=1, width=1))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def supervised(n: int, **config: int) -> list[Recording]:
    """Rollouts under both rules in which it needed help."""
    driver = Driver(BenchAssembly(), range(n), NOVICE, rng(), rules=PROTOCOLS["rac"], config=ExpertConfig(**config))
    return [r for r in driver.run() if r.timeline.interventions]


def demonstrations(n: int = 20) -> list[Recording]:
    return Driver(BenchAssembly(AssemblySpec.perfect()), range(1000, 1000 + n), None, rng()).run()


@pytest.fixture(scope="module")
def known() -> Familiarity:
    states = [relative(d.states, BenchAssembly.columns) for d in demonstrations()]
    return Familiarity(states, scale=np.ones(states[0].shape[1]))


def test_the_scripted_person_demonstrates_every_scene() -> None:
    for demo in demonstrations(40):
        assert demo.success and demo.timeline.end is End.DEMONSTRATED and demo.drops == 0
        assert demo.timeline.count(K.DEMO) == len(demo.states)
        assert not np.any(demo.contact[:-1] & (demo.stages[1:-1] == 0))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_supervised_under_every_protocol(name: str) -> None:
    found = Driver(BenchAssembly(), range(12), NOVICE, rng(), rules=PROTOCOLS[name]).run()
    found = [r for r in found if r.timeline.interventions]
    assert len(found) >= 6
    figures = supervision([r.timeline for r in found])
    assert bool(figures.recovery_frames) == PROTOCOLS[name].require_recovery
    if PROTOCOLS[name].require_recovery:
        assert figures.marked.hits >= 0.9 * figures.marked.n
    if PROTOCOLS[name].terminate_after_intervention:
        assert all(r.timeline.interventions == 1 and r.timeline.end is End.INTERVENED for r in found)
        assert all(r.stages[-1] == r.stages[r.timeline.of(0)[0].start] + 1 for r in found)
    else:
        assert max(r.timeline.interventions for r in found) >= 2 and all(r.success for r in found)


def test_a_recovery_ends_high_and_with_a_good_look() -> None:
    for r in supervised(12):
        last = next(s for s in r.timeline.segments if s.kind is K.RECOVERY).stop
        assert r.states[last, 2] > BenchAssembly().spec.look


def test_reaction_time_delays_the_takeover() -> None:
    at = []
    for reaction in (0, 10):
        found = supervised(12, reaction=reaction)
        at.append(np.array([r.timeline.segments[0].stop for r in found]))
    assert np.all(at[1] == at[0] + 10)


def test_unaided_rollouts_end_in_success_or_time() -> None:
    found = Driver(BenchAssembly(replace(AssemblySpec(), limit=40)), range(6), NOVICE, rng()).run()
    assert all(r.timeline.end is End.FAILED and r.timeline.frames == 40 and not r.success for r in found)


def test_same_seeds_same_rollouts() -> None:
    one, two = (Driver(BenchAssembly(), range(6), NOVICE, rng(3), rules=PROTOCOLS["rac"]).run() for _ in range(2))
    assert all(np.array_equal(a.actions, b.actions) and a.timeline == b.timeline for a, b in zip(one, two, strict=True))


def test_what_was_done_is_recorded_not_what_was_asked_for() -> None:
    found = Driver(BenchAssembly(replace(AssemblySpec(), limit=30)), range(6), NOVICE, rng()).run()
    for r in found:
        assert np.abs(r.actions[:, :3]).max() <= 0.04 and set(np.unique(r.actions[:, 3])) <= {0.0, 1.0}


def test_nobody_to_supervise() -> None:
    with pytest.raises(BadInput, match="policy to supervise"):
        Driver(BenchAssembly(), range(2), None, rng(), rules=PROTOCOLS["rac"])


def believer(n: int, patience: int = 4) -> tuple[list[Array], Array, Array]:
    """A script that believes what it perceives, backs out of every jam and tries again.

    Returns:
        The states of each rollout, (N,) how many times the scene saw it begin a subtask again, (N,) bool successes.
    """
    b = BenchAssembly()
    b.reset(range(500, 500 + n))
    expert = Expert(n, b.spec, rng(), ExpertConfig(look_again=False))
    rows, lengths, jams, backing = [], np.full(n, 400), np.zeros(n, int), np.zeros(n, bool)
    for tick in range(400):
        truth, seen = b.truth(), b.observe()
        rows.append(seen)
        lengths[(truth.stage == 3) & (lengths == 400)] = tick
        fix = np.where((truth.stage == 1)[:, None], seen[:, b.columns["slot"]], seen[:, b.columns["button"]])
        target = truth.target.copy()
        target[truth.stage > 0, :2] = (truth.tool[:, :2] + fix)[truth.stage > 0]
        jams = np.where(truth.jammed, jams + 1, 0)
        backing = (backing | (jams >= patience)) & ~expert.recovered(truth)
        actions = np.where(backing[:, None], expert.recover(truth), expert.demonstrate(replace(truth, target=target)))
        b.step(actions)
    return [np.stack([r[i] for r in rows])[: lengths[i]] for i in range(n)], b.retries, b.stage == 3


def test_counted_recoveries_are_those_that_happened(known: Familiarity) -> None:
    states, retries, done = believer(60)
    found = np.array(
        [len(recoveries(known.phase(relative(s, BenchAssembly.columns)), config=COUNTING)) for s in states]
    )
    assert done.mean() > 0.8 and retries.max() >= 4
    right = found[done] == retries[done]
    assert right.mean() >= 0.9 and abs(found[done].mean() - retries[done].mean()) < 0.1


def test_proposed_boundary_is_near_the_marked_one(known: Familiarity) -> None:
    apart, missed = [], 0
    for r in supervised(40):
        start, stop = r.timeline.of(0)[0].start, r.timeline.of(0)[-1].stop
        states = relative(r.states, BenchAssembly.columns)
        proposed = known.boundary(states[start:stop], states[max(0, start - 3) : start])
        missed += proposed is None
        if proposed is not None:
            apart.append(abs(proposed - len(r.timeline.of(0)[0])))
    assert missed == 0 and np.median(apart) <= 4


def test_watch_notices_jam_standstill_and_no_progress() -> None:
    b, config = BenchAssembly(replace(AssemblySpec(), noise=0.0)), ExpertConfig(patience=50)
    b.reset(range(3))
    watch, noticed = Watch(3, config), np.full(3, -1)
    for tick in range(60):
        now = watch(b.truth())
        noticed[now & (noticed < 0)] = tick
        sway = 0.03 * np.sign(np.sin(2 * np.pi * tick / 40 + 0.1))
        b.step(np.array([[0, 0, 0, 0], [sway, 0, 0, 0], [sway, 0, 0, 0]], dtype=float))
    assert noticed[0] == config.window + config.stuck - 1 and np.all(noticed[1:] == 50)
