from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from teaching.metrics import Costs
from teaching.oracle import OracleConfig, OracleTeacher
from teaching.tasks.put_block_in_bowl import TASK
from teaching.types import Outcome
from tests.teaching.making import GOAL, decision, moved, plan, thing, truth

BOWL, GREY = (0.4, -0.3), (0.65, -0.4)
START = truth(
    GOAL,
    thing("bowl", BOWL, "green"),
    thing("block", (0.6, 0.0), "red"),
    thing("block", (0.6, 0.4), "blue"),
    thing("bowl", GREY, "gray"),
)
RIGHT, WRONG, ELSEWHERE = moved(START, 1, BOWL), moved(START, 2, GREY), moved(START, 1, (0.3, 0.3))


def oracle(**settings: object) -> OracleTeacher:
    return OracleTeacher(TASK, np.random.default_rng(0), OracleConfig(**settings))


def test_a_right_plan_is_approved() -> None:
    said = oracle().answer(decision(), START, RIGHT)
    assert said.feedback.outcome == Outcome.SUCCESS and said.feedback.demonstration is None
    assert said.seconds == 3.0


def test_a_wrong_plan_gets_a_relabel_and_a_demonstration() -> None:
    said = oracle().answer(decision(), START, WRONG)
    assert said.feedback.outcome == Outcome.FAILURE
    assert said.feedback.relabel == "put the blue blocks in a gray bowl"
    np.testing.assert_allclose(said.feedback.demonstration.actions[1, :2], BOWL)
    assert said.seconds == 15.0


def test_a_plan_that_achieves_nothing_gets_a_demonstration_only() -> None:
    said = oracle().answer(decision(), START, ELSEWHERE)
    assert said.feedback.relabel is None and said.feedback.demonstration is not None and said.seconds == 10.0


def test_a_plan_that_cannot_be_carried_out_is_wrong() -> None:
    assert oracle().answer(decision(), START, None).feedback.outcome == Outcome.FAILURE


def test_it_can_say_less() -> None:
    said = oracle(relabels=False, demonstrates=False).answer(decision(), START, WRONG)
    assert said.feedback.relabel is said.feedback.demonstration is None and said.seconds == Costs().wrong


def test_the_baseline_s_teacher_shows_right_plans_too() -> None:
    said = oracle(always_demonstrates=True).answer(decision(), START, RIGHT)
    assert said.feedback.outcome == Outcome.SUCCESS and said.feedback.demonstration is not None
    assert said.seconds == 10.0


def test_it_thinks_again_until_its_own_act_works() -> None:
    seen = []

    def rehearse(actions: np.ndarray) -> dict | None:
        seen.append(actions)
        return [None, ELSEWHERE, RIGHT][len(seen) - 1]

    said = oracle().answer(decision(), START, WRONG, rehearse)
    assert len(seen) == 3 and not said.act_fails
    np.testing.assert_array_equal(said.feedback.demonstration.actions, seen[2])


def test_an_act_that_never_works_is_not_shown_and_the_relabel_is_kept() -> None:
    said = oracle(tries=2).answer(decision(), START, WRONG, lambda _: ELSEWHERE)
    assert said.act_fails and said.feedback.demonstration is None and said.feedback.relabel is not None


def test_with_nothing_left_to_do_it_shows_nothing() -> None:
    said = oracle().answer(decision(), RIGHT, RIGHT)
    assert said.feedback.outcome == Outcome.FAILURE and said.feedback.demonstration is None and said.act_fails


def test_noise_turns_verdicts_round_at_its_rate() -> None:
    teacher = oracle(noise=0.25)
    wrong = [teacher.answer(decision(), START, RIGHT).feedback.outcome == Outcome.FAILURE for _ in range(800)]
    assert np.mean(wrong) == pytest.approx(0.25, abs=0.05)


def test_every_setting_is_explained() -> None:
    assert all(setting.metadata["help"] for setting in fields(OracleConfig))


def test_goals_of_a_person_are_judged_too() -> None:
    own = replace(plan(), goal="put the blue blocks in a gray bowl")
    assert oracle().answer(decision(made=own), START, WRONG).feedback.outcome == Outcome.SUCCESS
