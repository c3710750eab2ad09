from __future__ import annotations

import numpy as np
import pytest

from robot_io.sim import stack_blocks as scene
from robot_io.sim.scene import NoSuchScene, Recipe, lay_out
from teaching.policies.goals import Vocabulary, phrases
from teaching.task import Task, is_valid, make_task
from teaching.tasks.stack_blocks import TASK, read, tower, wording
from teaching.types import BadInput
from tests.teaching.making import thing, truth

GOAL = "stack the red block on the green block then the blue one"
PLACES = {"red": (0.4, -0.2), "green": (0.5, 0.2), "blue": (0.6, -0.1), "gray": (0.55, 0.3)}


def standing(*towers: str) -> dict:
    """A truth in which some blocks stand on others, each tower's colours from the bottom up."""
    things = []
    for colour, place in PLACES.items():
        line = next((t.split() for t in towers if colour in t.split()), [colour])
        height = 0.02 + 0.04 * line.index(colour)
        things.append(thing("block", PLACES[line[0]], colour) | {"position": [*PLACES[line[0]], height]})
        assert place
    return truth(GOAL, *things)


def test_it_is_a_task_and_its_words_are_the_scene_s() -> None:
    assert isinstance(TASK, Task) and make_task("stack-blocks") is TASK and TASK.name == scene.NAME
    for seed in range(20):
        layout = lay_out(Recipe(seed, scene.NAME, ("seen", "unseen", "only:purple", "without:red")[seed % 4]))
        colours = [str(t.colour) for t in layout.things]
        named = read(layout.goal)
        assert TASK.check(layout.goal) == layout.goal and layout.max_steps == len(named) - 1
        assert tuple(colours[: len(named)]) == named and len(set(colours)) == len(colours) == scene.BLOCKS
        if seed % 4 == 2:
            assert "purple" in named
        if seed % 4 == 3:
            assert "red" not in colours
    with pytest.raises(NoSuchScene, match="colour"):
        lay_out(Recipe(0, scene.NAME, "only:octarine"))


@pytest.mark.parametrize(
    ("said", "goal"),
    [
        ("put red on green", wording("red", "green")),
        ("Please stack the grey cube onto the violet one!", wording("gray", "purple")),
        ("red on green, blue on top", wording("red", "green", "blue")),
        (GOAL, GOAL),
    ],
)
def test_goals_in_other_words(said: str, goal: str) -> None:
    assert TASK.check(said) == goal


@pytest.mark.parametrize(
    "said", ["", "red", "red green", "red on red", "red green on blue", "on red then blue", "stack it on that"]
)
def test_goals_that_are_not_clear_are_refused(said: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        TASK.check(said)


def test_the_order_of_the_words_is_the_order_of_the_work() -> None:
    assert tower(GOAL) == ("green", "red", "blue")
    assert TASK.progress(GOAL, standing()) == 0
    assert TASK.progress(GOAL, standing("green red")) == 0.5
    assert TASK.progress(GOAL, standing("green red blue")) == 1
    assert TASK.progress(GOAL, standing("red blue")) == 0  # before its turn
    assert TASK.progress(GOAL, standing("green blue red")) == 0
    assert TASK.reward(GOAL, standing("green red"), standing("green red blue")) == 0.5
    assert TASK.reward(GOAL, standing("green red"), standing()) == 0
    assert is_valid(TASK, GOAL, standing(), standing("green red"))
    assert not is_valid(TASK, GOAL, standing(), standing("green blue"))


def test_nothing_can_be_done_with_what_is_buried() -> None:
    assert TASK.best_step(GOAL, standing()) == 0.5
    for stuck in ("green blue", "red blue", "green red blue"):
        assert TASK.best_step(GOAL, standing(stuck)) == 0
        assert TASK.demonstrate(GOAL, standing(stuck), np.random.default_rng(0)) is None
    assert TASK.best_step(wording("red", "purple"), standing()) == 0  # not there


def test_a_wrong_plan_is_a_right_one_for_other_goals() -> None:
    assert TASK.achieved(GOAL, standing(), standing("green blue")) == (wording("blue", "green"),)
    assert TASK.achieved(GOAL, standing(), standing("green red")) == (wording("red", "green"),)
    on_a_tower = TASK.achieved(GOAL, standing("gray red"), standing("gray red blue"))
    assert on_a_tower == (wording("blue", "red"), wording("red", "gray", "blue"))
    for goal in on_a_tower:
        assert is_valid(TASK, goal, standing("gray red"), standing("gray red blue"))
    assert TASK.achieved(GOAL, standing("green red"), standing()) == ()


def test_it_shows_the_next_block_over_the_one_below() -> None:
    rng = np.random.default_rng(0)
    for before, block, below, height in (
        (standing(), "red", "green", 0.08),
        (standing("green red"), "blue", "green", 0.12),
    ):
        plan = TASK.demonstrate(GOAL, before, rng)
        assert plan is not None and plan.goal == GOAL
        pick, place = plan.actions
        np.testing.assert_allclose(pick[:2], PLACES[block], atol=0.005)
        np.testing.assert_allclose(place[:2] - pick[:2], np.subtract(PLACES[below], PLACES[block]), atol=1e-9)
        assert place[2] == pytest.approx(height)


def test_goals_of_a_scene() -> None:
    goals = TASK.goals(standing())
    assert goals[0] == GOAL and wording("blue", "red") in goals and len(goals) == 1 + 4 * 3


def test_the_novice_can_tell_the_order_from_the_words() -> None:
    """A bag of words alone would not know which block comes second."""
    one, other = wording("red", "green", "blue"), wording("red", "blue", "green")
    known = Vocabulary()
    known.learn_goals([one, other])
    rows = known.encode([one, other])
    assert sorted(rows[0, 1]) != sorted(rows[1, 1])
    assert phrases(one)[1] == ("on", "green", "block", "then blue", "then one")
    assert known.unknown(one) == () and known.unknown(wording("red", "green", "pink")) == ("pink",)
    assert Vocabulary(["stack", "red", "green", "block"]).unknown("stack the red block on the green block") == ()
