"""Lessons of one plan per scene on a simulated table: geometry, scenes kept, what a lesson stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from robot_io.arm import Scene
from teaching.experiments import table_courses
from teaching.experiments.experiment import Given
from teaching.experiments.lifting import agreement, lifted, taken
from teaching.experiments.short_table import SMALL, Novice, Stretch, TableLesson, TableWay
from teaching.experiments.starter import scene_of
from teaching.experiments.table_courses import audited, course, said, stretches
from teaching.experiments.table_scenes import BLOCK, TableScenes, coarser
from teaching.feedback import Fier
from teaching.sampling import Sampling
from teaching.task import is_valid, make_task
from teaching.types import BadInput

WAY = TableWay(phases=(Stretch("seen", 3),), sampling=Sampling(batch=2), steps=1)


@pytest.fixture
def arm() -> Iterator[Scene]:
    torch.set_num_threads(1)
    made = scene_of("fake:table")
    yield made
    made.disconnect()


@pytest.fixture
def scenes(arm: Scene, tmp_path: Path) -> TableScenes:
    return TableScenes(arm, "put-block-in-bowl", tmp_path / "scenes")


def test_the_cup_takes_what_lies_under_it_and_nothing_else_moves() -> None:
    block = {"kind": "block", "colour": "red", "position": [0.5, 0.0, 0.02], "yaw": np.pi / 4, "size": [0.04] * 3}
    bowl = {"kind": "bowl", "colour": "green", "position": [0.5, 0.2, 0.02], "yaw": 0.0, "size": [0.12, 0.12, 0.045]}
    truth = {"objects": [block, bowl]}
    assert taken(truth, np.array([0.5, 0.027])) == 0, "a corner of the turned block"
    assert taken(truth, np.array([0.521, 0.021])) == 0, "within a centimetre of its side"
    assert taken(truth, np.array([0.535, 0.021])) is None and taken(truth, np.array([0.5, 0.2])) is None
    after = lifted(truth, np.array([[0.51, 0.0, 0, 0], [0.5, 0.2, 0, np.pi / 2]]))
    np.testing.assert_allclose(after["objects"][0]["position"][:2], [0.5, 0.19], atol=1e-9)
    assert after["objects"][1] == bowl and truth["objects"][0]["position"] == [0.5, 0.0, 0.02]


def test_a_ring_has_a_hole() -> None:
    ring = {"kind": "shape", "shape": "ring", "position": [0.5, 0.0, 0.01], "yaw": 0.3, "size": [0.075, 0.075, 0.025]}
    assert taken({"objects": [ring]}, np.array([0.5, 0.03])) == 0
    assert taken({"objects": [ring]}, np.array([0.5, 0.0])) is None


@pytest.mark.sim
@pytest.mark.parametrize("task", table_courses.TASKS)
def test_geometry_says_what_the_physics_says(task: str) -> None:
    arm, known, rng = scene_of("sim:panda"), make_task(task), np.random.default_rng(0)
    try:
        plans = []
        for seed in range(6):
            truth = arm.reset(seed, task, "seen")
            goals = known.goals(truth)
            plan = known.demonstrate(goals[seed % 2 and len(goals) - 1], truth, rng)
            assert plan is not None
            plans.append((seed, replace(plan, goal=truth["goal"])))
        verdicts = {
            is_valid(known, p.goal, t, lifted(t, p.actions)) for s, p in plans for t in [arm.reset(s, task, "seen")]
        }
        assert verdicts == {True, False}, "right and wrong plans"
        assert agreement(arm, known, "seen", plans) == (6, 6)
    finally:
        arm.disconnect()


def test_scenes_are_looked_at_once(scenes: TableScenes, arm: Scene) -> None:
    first = scenes("seen", 3)
    arm.disconnect()
    again = TableScenes(arm, "put-block-in-bowl", scenes.directory)("seen", 3)
    assert again.seed == 3 and again.goal == first.goal and again.truth == first.truth
    np.testing.assert_array_equal(again.colour, first.colour)
    assert first.colour.shape == (*scenes.table.shape, 3) and len(list(scenes.directory.iterdir())) == 1
    assert scenes("seen", 3 + BLOCK - 4).seed == BLOCK - 1
    arm.connect()


def test_pixels_grow_only_as_far_as_the_network_can_take_them(arm: Scene) -> None:
    table = arm.features.table
    assert coarser(table, 1) == table
    with pytest.raises(BadInput, match="multiple of 8"):
        coarser(table, 3)


def test_a_lesson_is_the_same_again_and_active_dagger_shows_everything(scenes: TableScenes) -> None:
    lessons = [TableLesson(way, 1, scenes) for way in (WAY, WAY, replace(WAY, fier=Fier(False, False)))]
    tallies = [list(lesson.run())[-1][1] for lesson in lessons]
    assert tallies[0] == tallies[1] and tallies[0].storing == 3
    assert tallies[2].annotated == tallies[2].answers == 3 and tallies[2].seconds == 30
    assert lessons[0].score("seen", 4) == lessons[1].score("seen", 4)


def test_mirrored_views_are_turned_back(scenes: TableScenes) -> None:
    novice, scene = Novice(scenes.table, SMALL, 0), scenes("seen", 0)
    one, four = (novice.look([scene], [scene.goal], views)[0] for views in (1, 4))
    assert one.spread == 0 and four.spread >= 0 and four.nats.shape == (2,)


def test_a_course_is_kept_and_its_plans_are_audited(
    scenes: TableScenes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_courses, "FRESH", 2)
    given = Given(tmp_path / "work")
    rows = course(given, "ASkDAgger", WAY, 1, scenes, marks=(2,))
    assert [row["storing"] for row in rows] == [0, 2, 3] and rows[-1]["audited"] == 2
    assert course(given, "ASkDAgger", WAY, 1, scenes, marks=(2,)) == rows
    assert f"of {rows[-1]['audited']}." in audited(rows)
    assert "not to be believed" not in audited([{"agreed": 19, "audited": 20}])
    assert "not to be believed" in audited([{"agreed": 18, "audited": 20}])
    assert stretches(("seen", 2)) == (Stretch("seen", 2),)
    assert said(TableLesson(WAY, 1, scenes).tally)["answers"] == 0
