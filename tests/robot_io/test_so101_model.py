"""Our model of the SO-101 agrees with the kinematics, falls when limp, and can stand behind the emulated bus."""

from __future__ import annotations

import numpy as np
import pybullet
import pytest

from robot_io import so
from robot_io.arm import Limits
from robot_io.emulation.servo import GOAL, SPEED, TORQUE
from robot_io.emulation.servo_bus import WRITE, packet
from robot_io.emulation.so101 import RANGES, physical
from robot_io.sim.so101 import load, urdf
from robot_io.so_motion import ROLL_TO_TIP, chain

pytestmark = pytest.mark.sim
LIMITS = Limits(so.LOWER, so.UPPER, so.SPEED, so.WORKSPACE)


def test_its_tip_is_where_the_kinematics_have_it():
    client, rng = pybullet.connect(pybullet.DIRECT), np.random.default_rng(1)
    try:
        robot, arm = load(client), chain(LIMITS)
        for _ in range(30):
            joints = rng.uniform(so.LOWER, so.UPPER)
            for joint, angle in enumerate(joints):
                pybullet.resetJointState(robot, joint, angle, physicsClientId=client)
            state = pybullet.getLinkState(robot, 4, computeForwardKinematics=True, physicsClientId=client)
            turn = np.reshape(pybullet.getMatrixFromQuaternion(state[5]), (3, 3))
            roll_axis = np.array(state[4]) + turn @ [ROLL_TO_TIP, 0, 0]
            assert np.linalg.norm(roll_axis - arm.tip(joints)) < 0.0081, "the tip is 7.9 mm beside the roll's axis"
    finally:
        pybullet.disconnect(client)


def test_its_text_names_the_joints_of_the_bus():
    assert all(f'<joint name="{name}"' in urdf() for name in so.NUMBERS)


def test_behind_the_bus_it_follows_goals_and_falls_when_limp():
    bus = physical()
    servo = bus.servos[1]
    for number in so.NUMBERS.values():
        bus.receive(packet(number, WRITE, bytes([TORQUE, 1])), 0.0)
    goal = sum(RANGES["shoulder_lift"]) // 2 - 587
    bus.receive(packet(2, WRITE, bytes([SPEED]) + (800).to_bytes(2, "little")), 0.0)
    bus.receive(packet(2, WRITE, bytes([GOAL]) + goal.to_bytes(2, "little")), 0.0)
    for tick in range(1, 240):
        bus.advance(tick / 60)
    assert abs(servo.position - goal) < 30
    assert abs(servo.load) > 0.01, "it carries its own weight"
    before = servo.position
    for number in so.NUMBERS.values():
        bus.receive(packet(number, WRITE, bytes([TORQUE, 0])), 4.0)
    for tick in range(240, 400):
        bus.advance(tick / 60)
    assert abs(servo.position - before) > 100
    bus.motors.close()
