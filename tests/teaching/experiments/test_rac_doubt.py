from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from teaching.experiments import rac_doubt
from teaching.experiments.experiment import Given
from teaching.experiments.rac import RacConfig
from teaching.experiments.rac_doubt import AHEAD, SIGNALS, Visit, first_failure, matched_auroc, run, study, visits
from teaching.experiments.rac_rollouts import Recording
from teaching.segments import End, Segment, SegmentKind, Timeline
from teaching.types import Array, BadInput


def recording(stages: list[int], *, doubt: Array | None = None, jam: range = range(0)) -> Recording:
    """A rollout that keeps moving."""
    t = len(stages) - 1
    states = np.zeros((t, 24))
    states[:, 0] = 0.03 * np.arange(t)
    contact = np.isin(np.arange(t), list(jam))
    both = np.zeros((t, 2)) if doubt is None else np.stack([doubt, np.zeros(t)], axis=1)
    timeline = Timeline((Segment(SegmentKind.POLICY, 0, t),), End.FAILED)
    return Recording(0, timeline, states, np.zeros((t, 4)), np.array(stages), both, contact, 0, 0)


def test_first_failure_is_the_first_of_jam_and_drop() -> None:
    assert first_failure(recording([0] * 20 + [1] * 20)) is None
    assert first_failure(recording([0] * 20 + [1] * 10 + [0] * 5)) == 29
    assert first_failure(recording([0] * 20 + [1] * 20, jam=range(25, 35))) == 30
    assert first_failure(recording([0] * 20 + [1] * 10 + [0] * 9, jam=range(27, 39))) == 29


def test_stays_end_with_the_failure_and_begin_anew_with_each_subtask() -> None:
    doubt = np.concatenate([np.full(20, 0.9), np.linspace(0, 0.5, 20)])
    found = visits(recording([0] * 20 + [1] * 21, doubt=doubt), 34)
    assert [(v.stage, len(v), v.failed) for v in found] == [(0, 20, False), (1, 15, True)]
    assert found[1].signals["ensemble"].max() < 0.5


def stay(value: float, t: int = 30, *, failed: bool, stage: int = 1, since: int = 0) -> Visit:
    trace = np.where(np.arange(t) >= since, value, 0.0)
    return Visit(stage, {"ensemble": trace}, failed)


def test_auroc_compares_at_the_same_subtask_and_time() -> None:
    rng = np.random.default_rng(0)
    calm = [stay(x, 40, failed=False) for x in rng.random(200)]
    assert matched_auroc([stay(2.0, failed=True)] * 5, calm, "ensemble", 8) == (1.0, 5)
    chance, n = matched_auroc([stay(x, failed=True) for x in rng.random(200)], calm, "ensemble", 8)
    assert chance == pytest.approx(0.5, abs=0.06) and n == 200
    late = [stay(2.0, failed=True, since=25)] * 5
    assert matched_auroc(late, calm, "ensemble", 0)[0] == 1.0 and matched_auroc(late, calm, "ensemble", 8)[0] < 0.01


def test_what_cannot_be_matched_is_left_out() -> None:
    calm = [stay(0.5, 10, failed=False), stay(0.5, 40, failed=False, stage=2)]
    value, n = matched_auroc([stay(2.0, failed=True)], calm, "ensemble", 0)
    assert np.isnan(value) and n == 0
    assert matched_auroc([stay(2.0, 5, failed=True)], calm, "ensemble", 8)[1] == 0


def test_time_alone_is_no_foresight() -> None:
    growing = [Visit(1, {"ensemble": np.arange(t) / 100}, t < 60) for t in range(30, 90)]
    failed, calm = [v for v in growing if v.failed], [v for v in growing if not v.failed]
    assert matched_auroc(failed, calm, "ensemble", 8)[0] == 0.5


def test_study_needs_both_kinds() -> None:
    good, bad = recording([0] * 41), recording([0] * 41, jam=range(20, 40))
    figures = study([good, bad, good])
    assert figures["failing"] == 1 and figures["auroc"]["contact"]["0"] == [1.0, 1]
    assert figures["auroc"]["contact"]["8"] == [0.5, 1]
    with pytest.raises(BadInput, match="some that never do"):
        study([bad])


def test_rollouts_end_in_tables_and_are_kept(tmp_path: Path) -> None:
    def row(scene: str, seed: int) -> dict:
        auroc = {name: {str(a): [0.5 + 0.1 * seed, 7] for a in AHEAD} for name in SIGNALS}
        return {"scene": scene, "seed": seed, "failing": 3, "rollouts": 9, "auroc": auroc}

    for scene in ("looks", "perfect"):
        for seed in (1, 2):
            (tmp_path / f"{scene}-{seed}-9-5.json").write_text(json.dumps(row(scene, seed)))
    told = run(Given(tmp_path, (1, 2), options={"rollouts": "9", "steps": "5"}))
    assert "failing rollouts 3 of 9, 3 of 9" in told.markdown and "(0.60, 0.70)" in told.markdown
    assert told.figures["perfect/both/8"] == 0.65 and told.plots["auroc"].startswith("<svg")
    with pytest.raises(BadInput, match="only rollouts and steps"):
        run(Given(tmp_path, options={"luck": "1"}))


def test_what_demonstrations_teach_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rac_doubt, "RacConfig", lambda *given, **more: RacConfig(*given, **more, first=300, batch=16))
    policy = rac_doubt.demonstrated(tmp_path, 3, steps=3)
    kept = (tmp_path / "policies" / "3-3" / "checkpoint.json").stat().st_mtime_ns
    again = rac_doubt.demonstrated(tmp_path, 3, steps=3)
    state = np.zeros((1, 24))
    ours, theirs = (p.plan(state, np.random.default_rng(0)) for p in (policy, again))
    assert np.array_equal(ours.actions, theirs.actions) and ours.spread.any()
    assert (tmp_path / "policies" / "3-3" / "checkpoint.json").stat().st_mtime_ns == kept
