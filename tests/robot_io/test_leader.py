"""A leader arm is driven to the follower, and taking over jolts nothing."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robot_io.driver import Pose
from robot_io.leader import ALIGNED, Handover, Leader
from tests.robot_io.emulator import Emulator

pytestmark = pytest.mark.process

angles = arrays(np.float64, 5, elements=st.floats(-1.5, 1.5))


@given(angles, angles, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_a_handover_begins_where_the_follower_is_and_ends_with_the_leader(follower, leader, grip, other):
    start = Handover(Pose(follower, grip), Pose(leader, other))
    first, last = start.target(start.leader, 0.0), start.target(start.leader, 2.0)
    np.testing.assert_allclose(first.joints, follower, atol=1e-12)
    assert first.gripper == pytest.approx(grip)
    np.testing.assert_allclose(last.joints, leader, atol=1e-12)
    steps = np.array([start.target(start.leader, t / 100).joints for t in range(151)])
    assert np.max(np.abs(np.diff(steps, axis=0))) <= 1.1 * start.gap / 1.5 * np.pi / 2 / 100 + 1e-9


def test_a_leader_with_motors_comes_to_the_follower_and_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    with Emulator("so101", pace=4) as emulator:
        leader = Leader(emulator.port)
        leader.connect()
        try:
            assert not any(emulator.show()["torque"])
            follower = Pose(leader.read().joints + np.array([0.3, 0.4, -0.3, 0.2, 0.1]), 0.5)
            left = leader.align(follower, time.monotonic, time.sleep)
            assert left < 2 * ALIGNED
            assert not any(emulator.show()["torque"])
        finally:
            leader.disconnect()
