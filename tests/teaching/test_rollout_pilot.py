"""Whose chunks are carried out: the newest policy that reads what the task tells now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from teaching.policies.flow import FlowLearner
from teaching.rollout_pilot import load_pilot
from teaching.rollout_shape import flow_config
from tests.teaching.reach_task import TASK


def saved(directory: Path, update: int, **changes: Any) -> None:
    config = replace(flow_config(TASK, 5), width=8, **changes)
    FlowLearner(config).save(directory / f"{update:06d}", {"update": update})


def test_a_policy_that_reads_something_else_is_told_of_and_passed_over(tmp_path):
    buffer: Any = SimpleNamespace(checkpoints=tmp_path)
    saved(tmp_path, 1)
    saved(tmp_path, 2, state=TASK.width - 1)
    policy, problems = load_pilot(buffer, TASK, 5, 0)
    assert policy.version == 1
    assert len(problems) == 1 and "000002" in problems[0] and "train again" in problems[0]


def test_without_any_it_is_an_untaught_one(tmp_path):
    policy, problems = load_pilot(SimpleNamespace(checkpoints=tmp_path), TASK, 5, 0)  # type: ignore[arg-type]
    assert policy.version == 0 and problems == [] and policy.config.state == TASK.width
