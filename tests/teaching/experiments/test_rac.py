from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from teaching.experiments import rac, rac_report, rac_rules, rac_test_time
from teaching.experiments.experiment import Given
from teaching.experiments.rac import RacConfig, compare
from teaching.policies.flow import FlowPolicy
from teaching.policies.flow_network import FlowConfig
from teaching.types import BadInput

TINY = RacConfig(
    arms=("demos", "rac"), rounds=1, first=300, each=60, beside=4, watched=8, rollouts=4, batch=16,
    flow=FlowConfig(width=16, steps=5),
)  # fmt: skip


def untimed(row: dict) -> dict:
    return {k: v for k, v in row.items() if k not in ("train_seconds", "wall_seconds", "cpu_seconds")}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict]]:
    out = tmp_path_factory.mktemp("rac")
    return out, compare(out, TINY)


def test_arms_begin_alike_and_spend_alike(done: tuple[Path, list[dict]]) -> None:
    _, rows = done
    first = [{**untimed(r), "arm": ""} for r in rows if r["round"] == 0]
    assert len(rows) == 4 and first[0] == first[1]
    for r in rows:
        assert 0 <= r["human_frames"] - 300 - 60 * r["round"] < 350
        assert r["capped"]["0"] <= r["capped"]["8"] <= r["successes"] <= r["rollouts"] == 4
    (helped,) = [r["collected"] for r in rows if r["arm"] == "rac" and r["round"] == 1]
    assert helped["interventions"] and helped["recovery_frames"] and helped["correction_frames"]


def test_a_cell_that_is_there_is_not_run_again(done: tuple[Path, list[dict]]) -> None:
    out, rows = done
    before = {path: path.stat().st_mtime_ns for path in (out / "cells").iterdir()}
    assert compare(out, TINY) == rows and {p: p.stat().st_mtime_ns for p in (out / "cells").iterdir()} == before
    (out / "cells" / "looks-rac-0.json").unlink()
    again = compare(out, TINY)
    assert [untimed(r) for r in again] == [untimed(r) for r in rows]


def test_a_start_depends_on_the_seed_alone() -> None:
    start = rac.Cell("perfect", "demos", 0, TINY, rac.silent).start()
    alone, given = (rac.Cell("looks", "rac", 0, TINY, rac.silent) for _ in range(2))
    assert str([untimed(r) for r in alone.rounds()]) == str([untimed(r) for r in given.rounds(start)])


def test_what_is_there_can_be_told_alone(done: tuple[Path, list[dict]], tmp_path: Path) -> None:
    every = RacConfig(**{**vars(TINY), "arms": rac.ARMS, "seeds": (0, 1)})
    assert compare(done[0], every, ["looks", "perfect"], there=True) == compare(done[0], TINY)
    with pytest.raises(BadInput, match="finished cells"):
        rac.run(Given(tmp_path, options={"cells": "there", "arms": "rac,rule1", "scenes": "perfect"}))


def test_the_last_policy_is_kept(done: tuple[Path, list[dict]]) -> None:
    policy = FlowPolicy()
    policy.load(done[0] / "checkpoints" / "looks-rac-0")
    assert policy.version == 5 and policy.config == TINY.flow


def test_figures_of_other_settings_are_not_mixed_in(done: tuple[Path, list[dict]]) -> None:
    with pytest.raises(BadInput, match="each differ"):
        compare(done[0], RacConfig(**{**vars(TINY), "each": 61}))
    with pytest.raises(BadInput, match="looks, perfect"):
        compare(done[0], TINY, ["fog"])
    with pytest.raises(BadInput, match="arms among"):
        RacConfig(arms=("luck",))


def test_what_is_told(done: tuple[Path, list[dict]]) -> None:
    told = rac_report.found(done[1], rac.settings(TINY))
    assert "| RaC (both rules) |" in told.markdown and "points more: one seed" in told.markdown
    assert "One arm with one seed" in told.markdown and told.rows == done[1]
    assert set(told.figures) == {"looks/demos", "looks/rac"} and told.plots["success"].startswith("<svg")


def test_its_parts_are_told_from_the_same_runs(
    done: tuple[Path, list[dict]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(done[0], tmp_path / "rac")
    monkeypatch.setattr(rac, "RacConfig", lambda arms, seeds: RacConfig(**{**vars(TINY), "arms": arms, "seeds": seeds}))
    given = Given(tmp_path / "rac-test-time", seeds=(0,), options={"cells": "there", "arms": "demos,rac"})
    capped = rac_test_time.run(given)
    assert cells(capped.rows) == cells(done[1]) and "recovery after so many" in capped.markdown
    assert capped.plots["capped"].startswith("<svg") and "interventions" not in capped.markdown
    rules = rac_rules.run(replace(given, work=tmp_path / "rac-rules"))
    assert cells(rules.rows) == cells(done[1]) and "recovery:correction by round" in rules.markdown
    assert rules.plots["rounds"].startswith("<svg") and rules.figures == capped.figures
    assert not (tmp_path / "rac-rules").exists()


def cells(found: Sequence[Mapping]) -> list[tuple]:
    return [(r["scene"], r["arm"], r["seed"], r["round"], r["successes"]) for r in found]


def rows(shares: dict[str, list[int]]) -> list[dict]:
    return [
        {"arm": arm, "seed": seed, "round": 0, "successes": hits, "rollouts": 100}
        for arm, each in shares.items() for seed, hits in enumerate(each)
    ]  # fmt: skip


def test_paired_by_seed() -> None:
    found = rac_report.paired(rows({"rac": [60, 70, 80, 65, 75], "demos": [20, 30, 40, 25, 35]}), "rac", "demos")
    assert found["difference"] == pytest.approx(0.4) and found["ratio"] == pytest.approx(70 / 30)
    assert found["p"] == 2 / 32 and found["ratios"][0] == 3.0
    same = rac_report.paired(rows({"rac": [10, 20], "demos": [20, 10]}), "rac", "demos")
    assert same["p"] == 1.0
    assert rac_report.pooled(rows({"rac": [10, 20]}), "rac", 0) == (30, 200)
    assert np.isclose(same["difference"], 0.0)


def test_it_is_reproduced_with_settings_of_its_own(done: tuple[Path, list[dict]]) -> None:
    with pytest.raises(BadInput, match="name another"):
        rac.run(Given(done[0]))
    with pytest.raises(BadInput, match="only arms, scenes and cells"):
        rac.run(Given(done[0], options={"luck": "1"}))
    assert json.loads((done[0] / "settings.json").read_text())["each"] == 60
