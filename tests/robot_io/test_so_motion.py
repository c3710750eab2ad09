"""The SO arm's own kinematics: exact where it reaches, a sentence where it does not, limits on every tick."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robot_io import so
from robot_io.arm import BadAction, Limits, Parks, Pathed, Unreachable
from robot_io.safety import SafeArm, outside
from robot_io.so_motion import CARRY, chain, nudged, pick_and_place, solve
from tests.robot_io.loopback import Bench, arm_on

LIMITS = Limits(so.LOWER, so.UPPER, so.SPEED, so.WORKSPACE)
PICK = [0.2, 0.08, 0.02, 0.3]
PLACE = [0.22, -0.1, 0.03, -0.4]


def test_the_tip_at_zero_is_where_the_published_model_has_it():
    np.testing.assert_allclose(chain(LIMITS).tip(np.zeros(5)), [0.3914, 0.0, 0.2265], atol=3e-4)


@given(st.floats(0.10, 0.24), st.floats(-1.5, 1.5), st.floats(0.0, 0.03), st.floats(-3, 3))
@settings(max_examples=300, deadline=None)
def test_what_it_solves_is_there_and_straight_down(distance, azimuth, z, yaw):
    action = np.array([[0.0388 + distance * np.cos(azimuth), distance * np.sin(azimuth), z, yaw]])
    pose = chain(LIMITS).pose(solve(action, LIMITS)[0])
    np.testing.assert_allclose(pose[:3, 3], action[0, :3], atol=1e-9)
    assert pose[2, 2] == pytest.approx(-1)
    turned = np.arctan2(pose[1, 0], pose[0, 0]) - yaw
    assert abs((turned + np.pi / 2) % np.pi - np.pi / 2) < 1e-6, "half a turn grips the same"


@pytest.mark.parametrize(
    ("point", "words"), [([0.5, 0, 0, 0], "too far"), ([0.05, 0, 0, 0], r"near|turn"), ([0.2, 0, 0.3, 0], "too high")]
)
def test_what_it_cannot_reach_is_told_before_it_moves(point, words):
    with pytest.raises(Unreachable, match=words):
        pick_and_place(np.array([point, PLACE]), so.REST, LIMITS)
    with pytest.raises(Unreachable):
        pick_and_place(np.array([PICK, point]), so.REST, LIMITS)


@pytest.mark.parametrize("wrong", [np.zeros((3, 4)), np.full((2, 4), np.nan)])
def test_a_plan_that_is_none_is_refused(wrong):
    with pytest.raises(BadAction):
        pick_and_place(wrong, so.REST, LIMITS)


def test_a_path_keeps_every_limit_and_visits_both_places():
    path = pick_and_place(np.array([PICK, PLACE]), so.REST, LIMITS)
    rows = np.vstack([so.REST, path.joints])
    assert np.all(rows >= LIMITS.lower - 1e-9)
    assert np.all(rows <= LIMITS.upper + 1e-9)
    assert np.all(np.abs(np.diff(rows, axis=0)) <= LIMITS.speed / so.RATE + 1e-9)
    arm = chain(LIMITS)
    tips = np.array([arm.tip(joints) for joints in path.joints])
    assert max(outside(tip, LIMITS.workspace) for tip in tips) == 0
    closed = path.gripper == 1.0
    for place, tick in ((PICK, np.argmax(closed)), (PLACE, len(closed) - np.argmax(closed[::-1]))):
        assert np.linalg.norm(tips[tick] - place[:3]) < 1e-6
    speeds = np.linalg.norm(np.diff(tips, axis=0), axis=1) * so.RATE
    assert speeds.max() < 0.8
    np.testing.assert_allclose(path.joints[-1], so.REST)


def test_between_the_places_the_gripper_is_high():
    assert chain(LIMITS).tip(np.array([0.0, *CARRY, 0.0]))[2] > 0.12


def test_at_rest_it_may_let_go():
    assert so.folded(so.REST)
    assert not so.folded(np.zeros(5))
    assert outside(chain(LIMITS).tip(so.REST), so.WORKSPACE) == 0


def test_an_emulated_arm_follows_a_whole_plan_and_parks(tmp_path, monkeypatch):
    (tmp_path / "port").touch()
    bench = Bench("feetech")
    inner = arm_on(bench, str(tmp_path / "port"), monkeypatch)
    arm = SafeArm(inner)
    assert isinstance(inner, Pathed)
    assert isinstance(inner, Parks)
    tips = []
    for plan in (inner.parking, lambda: inner.path(np.array([PICK, PLACE])), inner.parking):
        path = plan()
        for tick in range(len(path)):
            arm.send(path[tick])
            bench.time += 1 / so.RATE
            tips.append(inner.tip(inner.observe()["joints"]))
    assert arm.clipped == 0
    for place in (PICK, PLACE):
        assert min(np.linalg.norm(tip - place[:3]) for tip in tips) < 0.004
    bench.time += 0.5
    arm.observe()
    arm.disconnect()
    assert not any(bench.board.show()["torque"]), "folded, it may let go"
    assert bench.board.show()["goals_outside"] == 0


DOWN = solve(np.array([[0.2, 0.05, 0.05, 0.3]]), LIMITS)[0]
LEANING = np.array([0.2, -0.5, 0.6, 0.3, 0.1])


@pytest.mark.parametrize("start", [DOWN, LEANING])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_hand_moves_the_tip_where_it_wants(start, axis):
    arm, move = chain(LIMITS), np.zeros(4)
    move[axis] = 0.01
    moved = nudged(arm, start, move)
    np.testing.assert_allclose(arm.tip(moved) - arm.tip(start), move[:3], atol=5e-4)
    assert arm.pose(moved)[2, 2] == pytest.approx(arm.pose(start)[2, 2], abs=0.02), "it keeps its lean"


def test_a_hand_turns_it_and_does_not_pull_it_beyond_its_reach():
    arm = chain(LIMITS)
    turned = nudged(arm, DOWN, np.array([0, 0, 0, 0.2]))
    pose, before = arm.pose(turned), arm.pose(DOWN)
    assert np.arctan2(pose[1, 0], pose[0, 0]) - np.arctan2(before[1, 0], before[0, 0]) == pytest.approx(0.2, abs=1e-3)
    far = solve(np.array([[0.28, 0.0, 0.03, 0.0]]), LIMITS)[0]
    for _ in range(20):
        far = nudged(arm, far, np.array([0.05, 0, 0, 0]))
    assert np.linalg.norm(arm.tip(far) - [0.28, 0.0, 0.03]) < 0.05
    assert np.all((far >= LIMITS.lower) & (far <= LIMITS.upper))
    assert arm.tip(far)[2] > 0.0, "pulled outwards it does not sink"
