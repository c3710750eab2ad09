"""Recipes and layouts: splits, goals, room on the table."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.sim import outlines
from robot_io.sim.put_block_in_bowl import COLOURS, DISTRACTORS, SEEN, UNSEEN
from robot_io.sim.scene import REACH, NoSuchScene, Recipe, lay_out, tasks

SEEDS = range(60)


def bowls(split: str, seed: int):
    return lay_out(Recipe(seed, "put-block-in-bowl", split))


def goal_colours(layout) -> tuple[str, str]:
    words = layout.goal.split()
    return words[2], words[6]


@pytest.mark.parametrize("task", tasks())
def test_the_same_recipe_is_the_same_layout(task):
    assert lay_out(Recipe(5, task)) == lay_out(Recipe(5, task)) != lay_out(Recipe(6, task))


@pytest.mark.parametrize("task", tasks())
@pytest.mark.parametrize("split", ["seen", "unseen"])
def test_things_stand_apart_and_within_reach(task, split):
    for seed in SEEDS:
        things = lay_out(Recipe(seed, task, split)).things
        places = np.array([thing.position[:2] for thing in things])
        assert np.all((np.hypot(*places.T) >= REACH[0]) & (np.hypot(*places.T) <= REACH[1]))
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(len(places))
        radius = np.array([min(thing.size[:2]) / 2 for thing in things])
        assert np.all(apart >= radius[:, None] + radius[None] - 2 * np.eye(len(places)) * radius)


@pytest.mark.parametrize(("split", "pool"), [("seen", SEEN), ("unseen", UNSEEN)])
def test_goals_keep_to_their_split_and_distractors_come_in_every_colour(split, pool):
    goals, distractors = set(), set()
    for seed in SEEDS:
        layout = bowls(split, seed)
        pair = goal_colours(layout)
        goals |= set(pair)
        distractors |= {t.colour for t in layout.things if t.colour not in pair}
    assert goals == set(pool)
    assert distractors == set(COLOURS)


def test_bowls_blocks_and_distractors_are_as_many_as_told():
    for seed in SEEDS:
        layout = bowls("seen", seed)
        block, bowl = goal_colours(layout)
        mine = [t for t in layout.things if t.colour in (block, bowl)]
        blocks = [t for t in mine if t.kind == "block"]
        assert {t.colour for t in blocks} == {block}
        assert 1 <= len(blocks) == layout.max_steps <= len(mine) - len(blocks) <= 3
        assert len(layout.things) - len(mine) <= DISTRACTORS


def test_only_puts_the_colour_into_every_goal_in_either_role():
    roles = [goal_colours(bowls("only:purple", seed)).index("purple") for seed in SEEDS]
    assert 0.25 < np.mean(roles) < 0.75


def test_without_leaves_the_colour_out_altogether():
    for seed in SEEDS:
        layout = bowls("without:purple", seed)
        assert "purple" not in layout.goal
        assert all(thing.colour != "purple" for thing in layout.things)


@pytest.mark.parametrize(("split", "pool"), [("seen", outlines.SEEN), ("unseen", outlines.UNSEEN)])
def test_shapes_to_pack_keep_to_their_split(split, pool):
    names = set()
    for seed in range(150):
        layout = lay_out(Recipe(seed, "packing-shapes", split))
        shapes = [t.shape for t in layout.things if t.kind == "shape"]
        assert layout.goal == f"pack the {shapes[0]} in the brown box"
        assert len(set(shapes)) == 5
        assert layout.max_steps == 1
        names.add(shapes[0])
    assert names == set(pool)


@pytest.mark.parametrize("split", ["both", "only:", "only", "seen:purple", ""])
def test_a_split_that_is_none_is_refused(split):
    with pytest.raises(NoSuchScene, match="only:purple"):
        Recipe(0, "put-block-in-bowl", split)


@pytest.mark.parametrize(("task", "word"), [("put-block-in-bowl", "ultraviolet"), ("packing-shapes", "spoon")])
def test_a_word_that_is_none_is_refused(task, word):
    with pytest.raises(NoSuchScene, match=word):
        lay_out(Recipe(0, task, f"only:{word}"))


def test_an_unknown_task_is_refused_with_the_names():
    with pytest.raises(NoSuchScene, match="put-block-in-bowl"):
        lay_out(Recipe(0, "fold-laundry"))
