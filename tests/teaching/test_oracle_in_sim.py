"""The scripted teacher on the real simulated table: what it shows works, what it judges is what happened."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import make_arm
from teaching.feedback import consequence
from teaching.oracle import OracleTeacher
from teaching.task import make_task
from teaching.types import Kind, Outcome, Plan
from tests.teaching.making import decision

pytestmark = pytest.mark.sim


@pytest.mark.parametrize("name", ["put-block-in-bowl", "packing-shapes", "stack-blocks"])
def test_what_it_shows_is_what_it_would_approve(name: str) -> None:
    arm, task = make_arm("sim:panda"), make_task(name)
    arm.connect()
    try:
        before = arm.reset(4, name, "seen")
        goal = str(before["goal"])
        teacher = OracleTeacher(task, np.random.default_rng(0))
        shown = task.demonstrate(goal, before, np.random.default_rng(1))
        after = arm.rehearse(shown.actions).truth
        assert teacher.answer(decision(made=shown), before, after).feedback.outcome == Outcome.SUCCESS
        other = task.goals(before)[-1 if name == "stack-blocks" else 1]  # its first others begin as the goal does
        elsewhere = Plan(task.demonstrate(other, before, np.random.default_rng(1)).actions, goal)
        missed = arm.rehearse(elsewhere.actions).truth
        said = teacher.answer(decision(made=elsewhere), before, missed, lambda a: arm.rehearse(a).truth)
        assert said.feedback.outcome == Outcome.FAILURE and said.feedback.relabel == other and not said.act_fails
        stored = consequence(decision(made=elsewhere), said.feedback).demonstrations
        assert [d.kind for d in stored] == [Kind.ANNOTATED, Kind.RELABELLED]
    finally:
        arm.disconnect()
