"""The task for two arms: what its state tells, and that the scripted person does it and helps with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from robot_io.safety import SafeArm
from robot_io.sim.hold_and_insert import GOAL, LIMIT, LOOK, NAME, SUBTASKS
from teaching.rollout_task import make_rollout_task, rollout_tasks
from teaching.tasks.hold_and_insert import OPENING, opening
from tests.teaching.rollout_sim import TICKS, Rows, demonstrated, supervised

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def pair() -> Iterator[Rows]:
    rows = Rows(NAME)
    yield rows
    rows.table.disconnect()


def test_it_is_a_task_for_two_arms_and_its_words_are_the_scenes():
    task = make_rollout_task(NAME)
    assert task.name in rollout_tasks(arms=2)
    assert task.name not in rollout_tasks()
    assert (task.goal, task.subtasks, task.look) == (GOAL, SUBTASKS, LOOK)
    assert task.limit == LIMIT / TICKS
    assert [s.stop for s in task.columns.values()][-1] == task.width


def test_its_state_and_what_is_near(pair):
    pair.reset(3, "seen")
    _, observation = pair.now()
    state = pair.task.state(observation)
    assert state.shape == (pair.task.width,)
    np.testing.assert_allclose(state[pair.task.columns["handle"]], observation["handle"])
    fine, middle = np.abs(state[pair.task.columns["near"]]).reshape(2, -1)
    assert (fine.max(), middle.max()) == (0.02, 0.08) and np.all(fine <= middle)
    later = {**observation.arrays, "stage": np.eye(5)[2][:4]}
    near = pair.task.relative(np.stack([state, pair.task.state(later)]))
    assert np.linalg.norm(near[0] - near[1]) > 10


def test_a_cup_is_on_or_off_whatever_a_policy_told_it(pair):
    pair.reset(3, "seen")
    _, observation = pair.now()
    on = pair.task.state({**observation.arrays, "grippers": np.array([0.4, 0.7])})
    np.testing.assert_array_equal(on[pair.task.columns["grippers"]], [0.0, 1.0])


def test_the_opening_is_where_the_scene_has_it(pair):
    pair.reset(3, "without:errors")
    truth, observation = pair.now()
    seen = observation["opening"] + observation["tip"][3:]
    np.testing.assert_allclose(opening(truth), seen, atol=1e-3)
    assert opening(truth)[0] - truth["objects"][1]["position"][0] == pytest.approx(OPENING, abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2])
def test_both_hands_do_the_whole_task(pair, seed):
    story = demonstrated(pair, seed, "seen")
    assert story.success
    assert story.drops == 0
    assert story.rows < 400
    assert np.all(story.most.reshape(2, 5)[:, :4] < [0.02, 0.02, 0.02, 0.06])
    assert isinstance(pair.arm, SafeArm)
    assert pair.arm.clipped == 0


def test_it_helps_who_believes_a_wrong_look(pair):
    story = supervised(pair, 2, "seen")
    assert story.success
    assert story.interventions[0]["stage"] == 2
    assert all(i["done"] for i in story.interventions)
