"""Joints and poses: the chain is the arm that the physics moves, and solving meets what was asked."""

from __future__ import annotations

import numpy as np
import pybullet
import pytest

from robot_io.arm import Unreachable
from robot_io.kinematics import Chain, pointing_down
from robot_io.sim import bodies
from robot_io.sim.world import HOME, panda_chain

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def chain() -> Chain:
    return panda_chain()


def test_the_chain_is_the_arm_that_the_physics_moves(chain):
    client = bodies.connect()
    try:
        robot = bodies.add_panda(client, solid=True)
        joints = np.array([0.3, -0.5, 0.2, -2.0, -0.4, 1.7, 0.9])
        for joint, angle in enumerate(joints):
            pybullet.resetJointState(robot, joint, angle, physicsClientId=client)
        state = pybullet.getLinkState(robot, 11, computeForwardKinematics=True, physicsClientId=client)
        turn = np.reshape(pybullet.getMatrixFromQuaternion(state[5]), (3, 3))
        np.testing.assert_allclose(chain.tip(joints), state[4] + turn @ [0, 0, 0.0075], atol=1e-6)
        np.testing.assert_allclose(chain.pose(joints)[:3, :3], turn, atol=1e-6)
    finally:
        pybullet.disconnect(client)


def test_solving_meets_the_poses(chain):
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(0.35, 0.6, 50), rng.uniform(-0.35, 0.35, 50), rng.uniform(0.0, 0.14, 50)])
    poses = pointing_down(points, rng.uniform(-1, 1, 50))
    joints = chain.solve(poses, HOME)
    np.testing.assert_allclose(chain.tips(joints), points, atol=5e-4)
    assert np.all((joints >= chain.limits.lower) & (joints <= chain.limits.upper))


def test_what_is_out_of_reach_is_told_by_its_place(chain):
    near, far = [0.5, 0.0, 0.1], [0.9, 0.9, 0.1]
    with pytest.raises(Unreachable, match=r"x = 0\.900 m, y = 0\.900 m"):
        chain.solve(pointing_down(np.array([near, far]), np.zeros(2)), HOME)


def test_a_pose_alone_and_among_others_is_solved_alike(chain):
    poses = pointing_down(np.array([[0.5, 0.1, 0.05], [0.4, -0.2, 0.1]]), np.zeros(2))
    both = chain.solve(poses, HOME)
    np.testing.assert_allclose(both[1], chain.solve(poses[1:], HOME)[0], atol=1e-6)


def test_one_tip_is_the_same_as_among_many(chain):
    joints = np.random.default_rng(1).uniform(-1, 1, (20, 7))
    np.testing.assert_allclose(chain.tips(joints), [chain.tip(row) for row in joints], atol=1e-12)
