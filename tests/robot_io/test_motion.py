"""Joint paths: straight, within speed, turned as asked, refused before anything moves."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import BadAction, TableView, Unreachable
from robot_io.kinematics import Chain, pointing_down
from robot_io.motion import Pace, parking, pick_and_place, surface
from robot_io.sim.world import HOME, panda_chain

pytestmark = pytest.mark.sim
PICK, PLACE = [0.45, -0.2, 0.04, 0.3], [0.6, 0.25, 0.06, -0.5]


@pytest.fixture(scope="module")
def chain() -> Chain:
    return panda_chain()


@pytest.fixture(scope="module")
def path(chain):
    return pick_and_place(chain, np.array([PICK, PLACE]), HOME, HOME)


def test_a_path_starts_where_the_arm_is_and_ends_at_home(path, chain):
    assert np.all(np.abs(path.joints[0] - HOME) <= chain.limits.speed / 60)
    np.testing.assert_allclose(path.joints[-1], HOME)


def test_no_joint_exceeds_its_speed(path, chain):
    steps = np.abs(np.diff(np.concatenate([HOME[None], path.joints]), axis=0))
    assert np.all(steps <= chain.limits.speed / 60)


def test_the_gripper_closes_at_the_pick_and_opens_at_the_place(path, chain):
    tips = chain.tips(path.joints)
    changes = np.flatnonzero(np.diff(path.gripper))
    assert len(changes) == 2
    np.testing.assert_allclose(tips[changes[0]], PICK[:3], atol=1e-3)
    np.testing.assert_allclose(tips[changes[1]], PLACE[:3], atol=1e-3)


def test_descents_are_straight(path, chain):
    tips = chain.tips(path.joints)
    for spot in (PICK, PLACE):
        low = (tips[:, 2] < Pace().travel - 0.005) & (np.linalg.norm(tips[:, :2] - spot[:2], axis=1) < 0.1)
        np.testing.assert_allclose(tips[low][:, :2], np.tile(spot[:2], (low.sum(), 1)), atol=1e-3)


def test_between_pick_and_place_the_tip_keeps_its_height(path, chain):
    tips = chain.tips(path.joints)
    away = np.min([np.linalg.norm(tips[:, :2] - s[:2], axis=1) for s in (PICK, PLACE)], axis=0) > 0.01
    assert tips[away, 2].min() > Pace().travel - 0.01


@pytest.mark.parametrize(("pick", "place"), [(0.0, 0.0), (0.0, 1.2), (2.0, -0.5), (3.0, -3.0)])
def test_what_is_held_turns_by_the_difference_of_the_yaws(chain, pick, place):
    path = pick_and_place(chain, np.array([[*PICK[:3], pick], [*PLACE[:3], place]]), HOME, HOME)
    grips = np.flatnonzero(np.diff(path.gripper))
    first, second = (chain.pose(path.joints[tick])[:3, 0] for tick in grips)
    turned = np.arctan2(second[1], second[0]) - np.arctan2(first[1], first[0])
    assert np.cos(turned - (place - pick)) == pytest.approx(1, abs=1e-4)


def test_out_of_reach_is_told_before_anything_moves(chain):
    with pytest.raises(Unreachable, match=r"1\.5"):
        pick_and_place(chain, np.array([PICK, [1.5, 0.0, 0.0, 0.0]]), HOME, HOME)


@pytest.mark.parametrize("wrong", [np.zeros((1, 4)), np.full((2, 4), np.nan)])
def test_what_is_no_plan_is_refused(chain, wrong):
    with pytest.raises(BadAction, match="pick and place"):
        pick_and_place(chain, wrong, HOME, HOME)


def test_the_same_plan_is_the_same_path(chain, path):
    again = pick_and_place(panda_chain(), np.array([PICK, PLACE]), HOME, HOME)
    np.testing.assert_array_equal(path.joints, again.joints)


def test_parking_rises_before_it_swings_and_holds_on(chain):
    low = chain.solve(pointing_down(np.array([PICK[:3]]), np.zeros(1)), HOME)[0]
    path = parking(chain, low, 1.0, HOME)
    tips = chain.tips(path.joints)
    far = np.linalg.norm(tips[:, :2] - PICK[:2], axis=1) > 0.01
    assert tips[far, 2].min() > Pace().travel - 0.01
    assert np.all(path.gripper == 1.0)
    np.testing.assert_allclose(path.joints[-1], HOME)


def test_a_click_gets_its_height_from_the_map():
    view, height = TableView(), np.zeros((80, 160), dtype=np.float32)
    height[view.pixel_of(0.5, 0.1)] = 0.04
    assert surface(height, view, 0.5, 0.1) == pytest.approx(0.04)
    with pytest.raises(ValueError, match="on the table"):
        surface(height, view, 2.0, 0.0)
