from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from robot_io.sim.assembly import AssemblySpec
from robot_io.sim.bench_assembly import BenchAssembly
from teaching.experiments import robot_gated, robot_gated_report
from teaching.experiments.experiment import Given
from teaching.experiments.gated_rollouts import GatedDriver, Regime, forked, perceived, stages, unsure
from teaching.experiments.rac_expert import ExpertConfig
from teaching.experiments.robot_gated import REGIMES, GatedConfig, compare
from teaching.policies.flow import Chunks
from teaching.policies.flow_network import FlowConfig
from teaching.types import Array, BadInput
from tests.teaching.experiments.test_rac_rollouts import Believer, C, rng

INFINITE = float("inf")


class Doubter(Believer):
    """Unsure while it carries the peg."""

    def plan(self, states: Array, rng: np.random.Generator) -> Chunks:
        found = super().plan(states, rng)
        carrying = states[:, C["stage"]][:, 1] > 0
        return found._replace(spread=np.repeat(np.where(carrying, 1.0, 0.0)[:, None], 2, axis=1))


DOUBTER = Doubter(FlowConfig(horizon=2, execute=1, width=1))
PERSON = ExpertConfig()


def driven(regime: Regime, threshold: float = INFINITE, n: int = 20, spec: AssemblySpec | None = None) -> GatedDriver:
    driver = GatedDriver(spec or AssemblySpec(), range(n), DOUBTER, rng(), regime, threshold, PERSON)
    driver.recordings = driver.run()  # type: ignore[attr-defined]
    return driver


def success(driver: GatedDriver) -> float:
    return float(np.mean([r.success for r in driver.recordings]))  # type: ignore[attr-defined]


def test_who_watches_helps_late_and_finishes() -> None:
    driver = driven(REGIMES["watching"])
    assert success(driver) > 0.9 and not driver.calls and driver.called[:, 1].sum() > 5
    outcomes = {s.outcome for s in driver.stays}
    assert outcomes == {-1, 1} and not any(s.called for s in driver.stays)
    lonely = driven(Regime(detector=False))
    assert not lonely.called.any() and success(lonely) < success(driver)


def test_the_detector_knows_what_the_person_sees() -> None:
    watched, alone = driven(REGIMES["watching"]), driven(REGIMES["detector"])
    assert abs(int(watched.called.sum()) - int(alone.called.sum())) <= 3


def test_a_call_by_doubt_comes_before_the_failure() -> None:
    driver = driven(REGIMES["sensitivity"], threshold=0.5)
    assert len(driver.calls) == driver.called[:, 0].sum() >= 20
    assert {call.stage for call in driver.calls} == {1} and all(call.doubt >= 0.5 for call in driver.calls)
    assert not any(s.outcome < 0 for s in driver.stays if s.stage == 1)
    assert success(driver) > 0.9


def test_forks_tell_what_would_have_become_of_it() -> None:
    spec, driver = AssemblySpec(), driven(REGIMES["sensitivity"], threshold=0.5, n=60)
    told = forked(driver.calls, DOUBTER, spec, PERSON, rng())
    assert all(s.called and s.stage == 1 for s in told) and len(told) == len(driver.calls)
    share = np.mean([s.outcome < 0 for s in told])
    assert share == pytest.approx(spec.wrong[0], abs=0.15)
    right = driven(REGIMES["sensitivity"], threshold=0.5, spec=AssemblySpec.perfect())
    assert all(s.outcome > 0 for s in forked(right.calls, DOUBTER, AssemblySpec.perfect(), PERSON, rng()))
    assert forked([], DOUBTER, spec, PERSON, rng()) == []


def test_what_the_arm_perceives() -> None:
    bench = BenchAssembly()
    state = bench.reset(range(3))
    bench.stage[:] = [0, 1, 3]
    state = bench.observe()
    assert stages(state).tolist() == [0, 1, 3] and not perceived(state).jammed.any()
    state[1, C["contact"]] = 1.0
    assert perceived(state).jammed.tolist() == [False, True, False]


def test_a_contact_outweighs_any_doubt() -> None:
    states = np.zeros((2, 24))
    states[1, C["contact"]] = 1.0
    doubt = np.array([[50.0, 50.0], [0.0, 0.0]])
    assert unsure(doubt, states, False) == pytest.approx([0.990, 0.0], abs=1e-3)
    assert unsure(doubt, states, True) == pytest.approx([0.495, 0.5], abs=1e-3)
    driver = driven(REGIMES["sensitivity, contact"], threshold=0.5)
    late = int(driven(REGIMES["detector"]).called[:, 1].sum())
    assert driver.called[:, 0].sum() >= late > 5 and not driver.called[:, 1].any()


def test_thresholds_keep_the_promise_on_what_was_seen() -> None:
    doubt, outcome = np.linspace(0, 1, 101), np.where(np.arange(101) % 3, 1, -1)
    regime = Regime("sensitivity", 0.9)
    threshold = regime.threshold(doubt, outcome, rng())
    assert np.mean(doubt[outcome < 0] >= threshold) == pytest.approx(0.9, abs=0.04)
    assert (
        regime.threshold(doubt[:20], outcome[:20], rng()) == -INFINITE == regime.threshold(doubt[:0], doubt[:0], rng())
    )
    assert Regime().threshold(doubt, outcome, rng()) == INFINITE
    with pytest.raises(BadInput, match="mode among"):
        Regime("luck")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no gate"):
        Regime("success", watched=True)


TINY = GatedConfig(scenes=("looks",), learners=("demos",), rollouts=4, beside=2)


def doubter(scene: str, learner: str, seed: int) -> Believer:
    return DOUBTER


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict]]:
    out = tmp_path_factory.mktemp("gated")
    return out, compare(out, TINY, doubter)


def test_every_regime_meets_the_same_scenes(done: tuple[Path, list[dict]]) -> None:
    _, rows = done
    assert [(r["policy"], r["person"], r["regime"]) for r in rows] == [("demos", "prompt", r) for r in REGIMES]
    for row in rows:
        assert {len(each) for each in row["rollouts"].values()} == {4}
        assert 0 <= row["forestalled"] <= row["failing"] and 0 <= row["needless"] <= row["fine"]
    gated = [r for r in rows if r["regime"] == "sensitivity"]
    assert all(r["thresholds"][0] == "-inf" and r["forestalled"] + r["needless"] for r in gated)


def test_it_resumes_and_refuses_other_settings(done: tuple[Path, list[dict]]) -> None:
    out, rows = done
    before = (out / "cells" / "looks-demos-0.json").stat().st_mtime_ns
    assert compare(out, TINY, doubter) == rows
    assert (out / "cells" / "looks-demos-0.json").stat().st_mtime_ns == before
    with pytest.raises(BadInput, match="name another"):
        compare(out, GatedConfig(**{**vars(TINY), "rollouts": 3}), doubter)
    with pytest.raises(BadInput, match="name another"):
        robot_gated.run(Given(out))
    with pytest.raises(BadInput, match="only cells"):
        robot_gated.run(Given(out, options={"luck": "1"}))
    assert compare(out, GatedConfig(**{**vars(TINY), "seeds": (0, 1)}), None) == rows
    with pytest.raises(BadInput, match="finished cells"):
        compare(out, GatedConfig(**{**vars(TINY), "seeds": (1,)}), None)
    with pytest.raises(BadInput, match="learners among"):
        GatedConfig(learners=("nobody",))


def fates(success: int, ticks: int, driven: int, calls: int) -> Array:
    return np.tile(np.array([success, ticks, driven, calls, 0.0]), (3, 10, 1))


def test_seconds_and_savings() -> None:
    watched, called = fates(1, 200, 50, 1), fates(1, 300, 60, 2)
    assert robot_gated_report.per_success(watched, True, 5.0) == 20.0
    assert robot_gated_report.per_success(called, False, 5.0) == 16.0
    assert robot_gated_report.saving(called, watched, 5.0, rng(), draws=5) == pytest.approx((0.2, 0.2, 0.2))
    assert robot_gated_report.dearest(called, watched, 0.3) == 4.0
    assert robot_gated_report.per_success(fates(0, 1, 1, 1), True, 0.0) == INFINITE
    with pytest.raises(BadInput, match="two arrays"):
        robot_gated_report.saving(called, watched[:2], 5.0, rng())


def test_what_is_told(done: tuple[Path, list[dict]]) -> None:
    def finished(row: Mapping) -> dict:
        return {**row, "rollouts": {**row["rollouts"], "success": [1, 0, 1, 1]}}

    told = robot_gated_report.found([finished(r) for r in done[1]])
    assert "## Scene `looks`, policy `demos`, prompt person" in told.markdown and "nan" not in told.markdown
    assert set(told.figures) == {f"looks/demos/prompt/{name}" for name in REGIMES if name != "watching"}
    assert told.plots["seconds"].startswith("<svg")
