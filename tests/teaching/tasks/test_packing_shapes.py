from __future__ import annotations

import numpy as np
import pytest

from robot_io.sim import outlines
from robot_io.sim import packing_shapes as scene
from teaching.task import Task, is_valid, make_task
from teaching.tasks.packing_shapes import SEEN, TASK, UNSEEN
from teaching.types import BadInput
from tests.teaching.making import moved, thing, truth

GOAL = "pack the star in the brown box"
BOX = (0.5, 0.2)
START = truth(
    GOAL,
    thing("box", BOX, "brown", yaw=np.pi / 2),
    thing("shape", (0.4, -0.2), shape="star", grip=[0.41, -0.2, 0.025]),
    thing("shape", (0.6, -0.3), shape="T"),
)
RNG = np.random.default_rng


def test_it_is_a_task_that_knows_the_scene_s_shapes() -> None:
    assert isinstance(TASK, Task) and make_task("packing-shapes") is TASK and TASK.name == scene.NAME
    assert (SEEN, UNSEEN) == (outlines.SEEN, outlines.UNSEEN)


@pytest.mark.parametrize(
    ("said", "goal"),
    [
        (GOAL, GOAL),
        ("Star into the box!", GOAL),
        ("put the t in the square box", "pack the T in the brown box"),
        ("pack the circle", "pack the disc in the brown box"),
        ("half disk please", "pack the half disc in the brown box"),
        ("a semicircle", "pack the half disc in the brown box"),
    ],
)
def test_goals_in_other_words(said: str, goal: str) -> None:
    assert TASK.check(said) == goal


@pytest.mark.parametrize("name", [*SEEN, *UNSEEN])
def test_the_standard_words_of_every_shape_are_understood(name: str) -> None:
    goal = f"pack the {name} in the brown box"
    assert TASK.check(goal) == goal


@pytest.mark.parametrize("said", ["", "pack it", "pack the banana in the brown box", "the star and the T", "z" * 10000])
def test_goals_that_are_not_clear_are_refused(said: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        TASK.check(said)


def test_goals_name_every_shape_there_is() -> None:
    assert TASK.goals(START) == (GOAL, "pack the T in the brown box")


def test_the_centre_between_the_walls_counts_however_the_box_is_turned() -> None:
    # turned by a quarter: 0.12 m along y, 0.10 m along x
    for to, inside in [((0.5, 0.2), True), ((0.5, 0.259), True), ((0.549, 0.2), True), ((0.551, 0.2), False),
                       ((0.5, 0.261), False)]:  # fmt: skip
        after = moved(START, 1, to)
        assert TASK.progress(GOAL, after) == TASK.reward(GOAL, START, after) == float(inside)
        assert is_valid(TASK, GOAL, START, after) is inside


def test_a_packed_shape_leaves_nothing_to_do() -> None:
    after = moved(START, 1, BOX)
    assert TASK.best_step(GOAL, START) == 1.0 and TASK.best_step(GOAL, after) == 0.0
    assert TASK.demonstrate(GOAL, after, RNG(0)) is None


def test_a_shape_that_is_not_there_cannot_be_packed() -> None:
    goal = "pack the ring in the brown box"
    assert TASK.best_step(goal, START) == 0.0 and TASK.demonstrate(goal, START, RNG(0)) is None


def test_another_shape_in_the_box_is_another_goal() -> None:
    wrong = moved(START, 2, BOX)
    assert TASK.achieved(GOAL, START, wrong) == ("pack the T in the brown box",)
    assert TASK.achieved(GOAL, START, moved(START, 1, BOX)) == ()
    assert TASK.achieved(GOAL, wrong, wrong) == ()


def test_the_shape_is_held_at_its_grip_and_lands_in_the_middle() -> None:
    plan = TASK.demonstrate(GOAL, START, RNG(0))
    np.testing.assert_allclose(plan.actions[0, :3], (0.41, -0.2, 0.025), atol=0.0021)
    np.testing.assert_allclose(plan.actions[1, :2] - plan.actions[0, :2], np.array(BOX) - (0.4, -0.2), atol=1e-12)
    assert plan.actions[1, 2] == pytest.approx(0.029)
