"""The walk that calibrates a camera: reachable places, clicks where the joints are, and a table that is found again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from robot_io import hand_eye, so
from robot_io.arm import Limits
from robot_io.camera_walk import CameraWalk, places
from robot_io.errors import NotCalibrated
from robot_io.hand_eye import FEWEST_SPACE
from robot_io.safety import outside
from robot_io.so_motion import chain
from tests.robot_io.test_hand_eye import PICTURE, seen

LIMITS = Limits(so.LOWER, so.UPPER, so.SPEED, so.WORKSPACE)


@pytest.fixture
def walk(tmp_path):
    return CameraWalk(LIMITS, PICTURE, tmp_path / "arm.camera.json")


def test_the_places_are_all_over_the_table_and_can_be_reached():
    found = places(LIMITS)
    assert len(found) >= FEWEST_SPACE + 2
    assert np.ptp(found[:, 1]) > 0.25
    assert np.ptp(found[:, 2]) >= 0.04


def test_a_whole_walk_finds_the_table(walk, tmp_path):
    """The person's clicks are good to a pixel or so; the arm never quite gets where it was sent."""
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
