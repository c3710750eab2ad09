"""The fake arm keeps the contract of a Scene."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import Arm, ArmError, ArmNotFound, Pathed, Twinned, make_arm
from robot_io.fake import FakeArm
from robot_io.fake_scene import TASKS, make_world
from tests.contracts.arm_contract import SceneContract


class TestFakeArm(SceneContract):
    def make_unconnected(self) -> Arm:
        return FakeArm()


def test_its_names():
    assert make_arm("fake:table").features.simulated
    assert not make_arm("fake:real").features.simulated
    with pytest.raises(ArmNotFound, match="fake:table"):
        make_arm("fake:chair")


def test_it_can_be_followed_and_copied():
    arm = FakeArm()
    assert isinstance(arm, Pathed)
    assert isinstance(arm, Twinned)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("split", ["seen", "unseen"])
def test_every_scene_can_be_laid(task, split):
    arm = FakeArm()
    arm.connect()
    for seed in range(30):
        truth = arm.reset(seed, task, split)
        assert truth["goal"]
        places = np.array([o["position"][:2] for o in truth["objects"]])
        view = arm.features.table
        assert np.all(places[:, 0] > view.x[0])
        assert np.all(places[:, 0] < view.x[1])


def test_its_path_keeps_the_speed_limit():
    arm = FakeArm()
    arm.connect()
    path = arm.path(np.array([[0.3, -0.4, 0.0, 1.0], [0.7, 0.4, 0.0, -3.0]]))
    steps = np.abs(np.diff(path.joints, axis=0))
    assert np.all(steps <= arm.features.limits.speed / arm.features.rate + 1e-9)


def test_a_twin_makes_a_jpeg():
    arm = FakeArm()
    arm.connect()
    arm.reset(1, TASKS[0], "seen")
    assert arm.twin().frame("side", arm.snapshot())[:2] == b"\xff\xd8"


@pytest.mark.parametrize(("task", "word"), [("put-block-in-bowl", "purple"), ("packing-shapes", "ring")])
def test_scenes_about_one_word(task: str, word: str) -> None:
    view = FakeArm().features.table
    assert all(word in make_world(seed, task, f"only:{word}", view).goal.split() for seed in range(12))
    for wrong in ("only:mud", "only:", "seen:red"):
        with pytest.raises(ArmError, match="expected"):
            make_world(0, task, wrong, view)
