"""The walk that calibrates a camera: reachable places, clicks where the joints are, and a table that is found again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from robot_io import hand_eye, so
from robot_io.arm import Limits, Unreachable
from robot_io.camera_places import LEAN, leaning, places
from robot_io.camera_walk import CameraWalk
from robot_io.errors import NotCalibrated
from robot_io.hand_eye import FEWEST_SPACE
from robot_io.safety import outside
from robot_io.so_motion import PAN_X, chain
from tests.robot_io.test_hand_eye import PICTURE, seen

LIMITS = Limits(so.LOWER, so.UPPER, so.SPEED, so.WORKSPACE)


@pytest.fixture
def walk(tmp_path):
    return CameraWalk(LIMITS, PICTURE, tmp_path / "arm.camera.json")


@pytest.fixture(params=["space", "flat"])
def way(request) -> str:
    return request.param


@pytest.mark.parametrize("flat", [False, True])
def test_the_places_are_all_over_the_table_and_can_be_reached(flat):
    found = places(LIMITS, flat=flat)
    assert len(found) >= (6 if flat else FEWEST_SPACE + 4)
    assert np.ptp(found[:, 0]) > 0.08
    assert np.ptp(found[:, 1]) > 0.25
    assert (np.ptp(found[:, 2]) >= 0.04) is not flat


def test_the_gripper_leans_outwards_so_that_its_tip_is_seen_from_above():
    arm = chain(LIMITS)
    for place in places(LIMITS):
        pose = arm.pose(leaning(place, LIMITS)[0])
        np.testing.assert_allclose(pose[:3, 3], place, atol=4e-3)
        assert np.arccos(-pose[2, 2]) == pytest.approx(LEAN, abs=0.01)
        outwards = place[:2] - [PAN_X, 0.0]
        assert pose[:2, 2] @ outwards / np.linalg.norm(outwards) == pytest.approx(np.sin(LEAN), abs=0.05)


def test_a_place_out_of_reach_is_told():
    with pytest.raises(Unreachable, match="lean outwards"):
        leaning(np.array([0.6, 0.0, 0.02]), LIMITS)


def test_a_whole_walk_finds_the_table(way, tmp_path):
    """The person's clicks are good to a pixel or so; the arm never quite gets where it was sent."""
    walk = CameraWalk(LIMITS, PICTURE, tmp_path / "arm.camera.json", way)
    arm, rng, joints = chain(LIMITS), np.random.default_rng(0), so.REST
    while walk.next < len(walk.places):
        path = walk.path(joints, 0.0)
        assert np.all(np.abs(np.diff(path.joints, axis=0)) <= LIMITS.speed / so.RATE + 1e-9)
        assert max(outside(arm.tip(row), LIMITS.workspace) for row in path.joints) == 0
        joints = path.joints[-1] + rng.normal(0, 0.01, 5)
        click = np.round(seen(arm.tip(joints)[None])[0] + rng.uniform(-0.7, 0.7, 2))
        walk.click(*np.clip(click, 0, [400, 300]), joints)
    told = walk.told()
    assert json.loads(json.dumps(told)) == told
    assert told["enough"]
    assert all(click["m"] < 0.005 and click["px"] < 8 for click in told["clicks"])
    sight = walk.finish()
    table = np.column_stack([rng.uniform(0.13, 0.28, 100), rng.uniform(-0.15, 0.15, 100)])
    pixels = seen(np.column_stack([table, np.zeros(100)]))
    assert np.max(np.linalg.norm(sight.table_of(pixels) - table, axis=1)) < 0.005
    assert hand_eye.load(tmp_path / "arm.camera.json").error == sight.error


def test_a_wrong_click_is_taken_back_and_the_walk_goes_on(walk):
    arm, joints = chain(LIMITS), so.REST
    while walk.next < len(walk.places):
        joints = walk.path(joints, 0.0).joints[-1]
        walk.click(*seen(arm.tip(joints)[None])[0], joints)
    walk.undo()
    walk.click(10, 10, joints)
    with pytest.raises(NotCalibrated, match=f"number {len(walk.places)} does not fit"):
        walk.finish()
    assert walk.undo() == len(walk.places) - 1
    walk.click(*seen(arm.tip(joints)[None])[0], joints)
    walk.finish()
    with pytest.raises(NotCalibrated, match="no further place"):
        walk.path(joints, 0.0)


def test_what_makes_no_sense_is_refused(walk):
    with pytest.raises(NotCalibrated, match="there is none"):
        walk.undo()
    with pytest.raises(NotCalibrated, match="a click in a picture"):
        walk.click(500, 10, so.REST)
    with pytest.raises(NotCalibrated, match="at least"):
        walk.finish()
    with pytest.raises(NotCalibrated, match="expected a way"):
        CameraWalk(LIMITS, PICTURE, walk._file, "by ear")


def test_how_far_each_click_is_off_is_told_once_there_are_enough(walk):
    arm, joints, rng = chain(LIMITS), so.REST, np.random.default_rng(1)
    while walk.next < len(walk.places):
        joints = walk.path(joints, 0.0).joints[-1]
        walk.click(*seen(arm.tip(joints)[None])[0] + rng.uniform(-0.5, 0.5, 2), joints)
        known = [click["m"] is not None for click in walk.told()["clicks"]]
        assert all(known) or not any(known)
    assert all(0 < click["px"] < 1 for click in walk.told()["clicks"])
    walk.undo()
    walk.click(10, 10, joints)
    assert max(click["m"] for click in walk.told()["clicks"]) > 0.005


def test_on_the_flat_way_a_tip_above_the_table_is_refused(tmp_path):
    walk, arm = CameraWalk(LIMITS, PICTURE, tmp_path / "flat.json", "flat"), chain(LIMITS)
    for place in walk.places[:3]:
        joints = leaning(place, LIMITS)[0]
        walk.click(*seen(arm.tip(joints)[None])[0], joints)
    joints = leaning(walk.places[3] + [0.0, 0.0, 0.03], LIMITS)[0]
    walk.click(*seen(arm.tip(joints)[None])[0], joints)
    with pytest.raises(NotCalibrated, match="number 4 it was 37 mm above"):
        walk.finish()
    assert not (tmp_path / "flat.json").exists()
