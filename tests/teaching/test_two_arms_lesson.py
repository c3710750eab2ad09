"""A whole taught lesson with two arms in contact: shown, trained on, driven, helped, trained on again."""

from __future__ import annotations

import numpy as np
import pytest

from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_headless import run
from teaching.rollout_oracle import RolloutOracleConfig
from teaching.segments import SegmentKind

pytestmark = pytest.mark.sim


@pytest.mark.timeout(900)
def test_two_arms_are_taught_by_demonstration_and_by_an_intervention(tmp_path):
    config = LessonConfig.from_json(
        {"name": "pair", "kind": "rollout", "task": "hold-and-insert", "arm": "sim:panda2", "teacher": "oracle",
         "wanted": 1, "seed": 3, "split": "without:errors", "training": {"steps": 20, "batch": 64}}
    )  # fmt: skip
    told = run(tmp_path / "l", config, 1, oracle=RolloutOracleConfig(patience=40))
    assert told["problems"] == [] and [row["version"] for row in told["rounds"]] == [0, 1]
    with ReplayBuffer(tmp_path / "l", readonly=True) as buffer:
        shown, helped = (s for s in buffer.rollouts() if s.rollout["end"] in ("demonstrated", "intervened"))
        assert shown.rollout["success"] and helped.rollout["policy"] == 1
        for summary in (shown, helped):
            columns = buffer.frames(summary.id, ["move", "executed", "segment"])
            assert columns["move"].shape[1] == 10 and columns["executed"].shape[1] == 16
            assert np.all(np.abs(columns["move"]).max(axis=0)[[4, 9]] <= 1.0)
        kinds = set(buffer.frames(helped.id, ["segment"])["segment"].tolist())
        assert kinds == {SegmentKind.POLICY, SegmentKind.RECOVERY, SegmentKind.CORRECTION}
        assert buffer.verify().whole
    assert [p.name for p in sorted((tmp_path / "l" / "checkpoints").iterdir())][-1] == "000002"
