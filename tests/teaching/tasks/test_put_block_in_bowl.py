from __future__ import annotations

import numpy as np
import pytest

from robot_io.sim import put_block_in_bowl as scene
from teaching.task import Task, is_valid, make_task
from teaching.tasks.put_block_in_bowl import COLOURS, TASK
from teaching.types import BadInput
from tests.teaching.making import moved, thing, truth

GOAL = "put the red blocks in a green bowl"
BOWLS = ((0.4, -0.3), (0.4, 0.3))
START = truth(
    GOAL,
    thing("bowl", BOWLS[0], "green"),
    thing("bowl", BOWLS[1], "green"),
    thing("block", (0.6, 0.0), "red"),
    thing("block", (0.5, -0.25), "red"),
    thing("block", (0.6, 0.4), "blue"),
    thing("bowl", (0.65, -0.4), "gray"),
)
RNG = np.random.default_rng


def test_it_is_a_task_that_knows_the_scene_s_colours() -> None:
    assert isinstance(TASK, Task) and make_task("put-block-in-bowl") is TASK
    assert set(COLOURS) == set(scene.COLOURS) and TASK.name == scene.NAME


@pytest.mark.parametrize(
    ("said", "goal"),
    [
        (GOAL, GOAL),
        ("Red cubes into the GREEN bowl!", GOAL),
        ("red to green", GOAL),
        ("the green bowl gets the red blocks", GOAL),
        ("  put  every grey block\nin a violet dish ", "put the gray blocks in a purple bowl"),
        ("put the red blocks in a red bowl", "put the red blocks in a red bowl"),
    ],
)
def test_goals_in_other_words(said: str, goal: str) -> None:
    assert TASK.check(said) == goal


UNCLEAR = ("", "tidy up", "the red blocks", "magenta blocks in a green bowl", "red, green and blue", "x" * 10000,
           "red blocks and blue blocks in a green bowl")  # fmt: skip


@pytest.mark.parametrize("said", UNCLEAR)
def test_goals_that_are_not_clear_are_refused(said: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        TASK.check(said)


def test_the_scene_s_own_goal_comes_first() -> None:
    goals = TASK.goals(START)
    assert goals[0] == GOAL and len(set(goals)) == len(goals)
    assert set(goals) == {GOAL, "put the red blocks in a gray bowl", "put the blue blocks in a green bowl",
                          "put the blue blocks in a gray bowl"}  # fmt: skip


def test_each_block_near_a_bowl_earns_its_share() -> None:
    assert TASK.progress(GOAL, START) == 0.0 and TASK.best_step(GOAL, START) == 0.5
    one = moved(START, 2, (0.4 + 0.049, -0.3))
    assert TASK.progress(GOAL, one) == TASK.reward(GOAL, START, one) == 0.5
    assert is_valid(TASK, GOAL, START, one)
    both = moved(one, 3, BOWLS[1])
    assert TASK.progress(GOAL, both) == 1.0 and TASK.best_step(GOAL, both) == 0.0
    assert TASK.demonstrate(GOAL, both, RNG(0)) is None


@pytest.mark.parametrize(
    ("index", "to"), [(2, (0.4 + 0.051, -0.3)), (2, (0.65, -0.4)), (4, BOWLS[0]), (2, (0.62, 0.05))]
)
def test_anything_else_earns_nothing(index: int, to: tuple[float, float]) -> None:
    after = moved(START, index, to)
    assert TASK.reward(GOAL, START, after) == 0.0 and not is_valid(TASK, GOAL, START, after)


def test_what_is_gained_and_lost_in_one_plan_is_not_valid() -> None:
    before = moved(START, 2, BOWLS[0])
    after = moved(moved(before, 3, BOWLS[1]), 2, (0.6, 0.0))
    assert TASK.reward(GOAL, before, after) == 0.0 and not is_valid(TASK, GOAL, before, after)
    assert TASK.reward(GOAL, before, START) == 0.0


def test_goals_without_their_things_earn_nothing() -> None:
    for goal in ("put the pink blocks in a green bowl", "put the red blocks in a pink bowl"):
        assert TASK.progress(goal, START) == TASK.best_step(goal, START) == 0.0
        assert TASK.demonstrate(goal, START, RNG(0)) is None


# -- relabelling -----------------------------------------------------------------------------------------------------


def test_a_wrong_plan_achieves_another_goal() -> None:
    assert TASK.achieved(GOAL, START, moved(START, 4, BOWLS[0])) == ("put the blue blocks in a green bowl",)
    assert TASK.achieved(GOAL, START, moved(START, 2, (0.65, -0.4))) == ("put the red blocks in a gray bowl",)


def test_the_goal_itself_and_nothing_new_are_no_relabel() -> None:
    assert TASK.achieved(GOAL, START, moved(START, 2, BOWLS[0])) == ()
    assert TASK.achieved(GOAL, START, START) == ()
    assert TASK.achieved(GOAL, START, moved(START, 4, (0.3, 0.0))) == ()


def test_a_bowl_that_was_occupied_is_ignored() -> None:
    before = moved(START, 2, BOWLS[0])
    assert TASK.achieved(GOAL, before, moved(before, 4, (0.41, -0.3))) == ()


def test_a_bowl_of_the_block_s_own_colour_gives_none() -> None:
    before = truth(GOAL, thing("bowl", BOWLS[0], "blue"), thing("block", (0.6, 0.0), "blue"))
    assert TASK.achieved(GOAL, before, moved(before, 1, BOWLS[0])) == ()


def test_the_block_nearest_its_bowl_s_centre_comes_first() -> None:
    after = moved(moved(START, 4, (0.4, -0.27)), 2, (0.65, -0.41))
    assert TASK.achieved(GOAL, START, after) == (
        "put the red blocks in a gray bowl", "put the blue blocks in a green bowl",
    )  # fmt: skip


# -- demonstrating ---------------------------------------------------------------------------------------------------


def test_the_farthest_block_goes_to_a_free_bowl() -> None:
    plan = TASK.demonstrate(GOAL, START, RNG(0))
    assert plan.goal == GOAL and plan.actions.shape == (2, 4)
    np.testing.assert_allclose(plan.actions[0, :2], (0.6, 0.0), atol=0.0081)
    assert plan.actions[0, 2] == pytest.approx(0.04)
    assert tuple(plan.actions[1, :2]) in BOWLS
    np.testing.assert_array_equal(plan.actions[:, 3], 0.0)
    second = TASK.demonstrate(GOAL, moved(START, 2, BOWLS[0]), RNG(0))
    np.testing.assert_allclose(second.actions[0, :2], (0.5, -0.25), atol=0.0081)
    np.testing.assert_allclose(second.actions[1, :2], BOWLS[1])


def test_demonstrations_vary_within_the_top_and_repeat_with_the_seed() -> None:
    picks = np.array([TASK.demonstrate(GOAL, START, RNG(seed)).actions[0] for seed in range(30)])
    assert len(np.unique(picks, axis=0)) == 30
    np.testing.assert_array_equal(picks[3], TASK.demonstrate(GOAL, START, RNG(3)).actions[0])


def test_the_grip_that_a_truth_tells_is_used() -> None:
    block = thing("block", (0.6, 0.0), "red", grip=[0.61, 0.01, 0.05])
    plan = TASK.demonstrate(GOAL, truth(GOAL, thing("bowl", BOWLS[0], "green"), block), RNG(0))
    np.testing.assert_allclose(plan.actions[0, :3], (0.61, 0.01, 0.05), atol=0.0081)


def test_with_every_bowl_taken_the_least_crowded_is_used() -> None:
    one_bowl = truth(GOAL, thing("bowl", BOWLS[0], "green"), thing("block", BOWLS[0], "red"),
                     thing("block", (0.6, 0.0), "red"))  # fmt: skip
    assert TASK.demonstrate(GOAL, one_bowl, RNG(0)) is not None


@pytest.mark.parametrize("seed", range(8))
def test_step_by_step_it_finishes_every_scene(seed: int) -> None:
    recipe = scene.Recipe(seed, scene.NAME)
    layout = scene.build(recipe, recipe.generator())
    now = truth(layout.goal, *(thing(t.kind, t.position[:2], t.colour) for t in layout.things))
    for _ in range(layout.max_steps):
        plan = TASK.demonstrate(layout.goal, now, RNG(seed))
        index = int(np.argmin([np.hypot(*(plan.actions[0, :2] - o["position"][:2])) for o in now["objects"]]))
        after = moved(now, index, tuple(plan.actions[1, :2]))
        assert is_valid(TASK, layout.goal, now, after)
        now = after
    assert TASK.progress(layout.goal, now) == pytest.approx(1.0)
