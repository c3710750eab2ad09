"""What becomes of a leader arm: brought to the arm, leading, held, lost. By a hand that is a list of numbers."""

from __future__ import annotations

import time

import numpy as np
import pytest

from robot_io import leading
from robot_io.arm import ArmError, ArmNotFound, Limits
from robot_io.driver import Pose
from robot_io.errors import NoReply, Unplugged
from robot_io.leader import Relative
from robot_io.leading import Leading, Stage, parted

LIMITS = Limits(np.full(2, -2.0), np.full(2, 2.0), np.ones(2), np.array([[-1.0] * 3, [1.0] * 3]))
ARM = Pose(np.array([0.5, -0.5]), 0.2)


class Hand:
    """A leader device whose wire and motors do as they are told."""

    port = "/dev/leader"

    def __init__(self, *, motors: bool = True) -> None:
        self.has_motors = motors
        self.pose = Pose(np.zeros(2), 0.0)
        self.error: ArmError | None = None
        self.blocked = False
        self.connected = self.gone = 0

    def prepare(self): ...

    def connect(self):
        if isinstance(self.error, Unplugged):
            raise self.error
        self.connected += 1

    def read(self):
        if self.error is not None:
            raise self.error
        return self.pose

    def align(self, follower, clock, sleep, wanted=lambda: True):
        if self.error is not None:
            raise self.error
        if not self.blocked:
            self.pose = Pose(follower.joints + 0.02, follower.gripper)
        return 0.02

    def disconnect(self):
        self.gone += 1


def until(true, patience=20.0):
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def leader(hand, monkeypatch):
    monkeypatch.setattr(leading, "RETRY_SECONDS", 0.01)
    made = Leading(hand, LIMITS, time.monotonic)
    made.start()
    yield made
    made.close()


def led(leader, told=ARM):
    """The first place that it wants the arm to be at."""
    leader.begin(told)
    until(lambda: leader.look(told, held=False)[0] is not None)
    pose, why = leader.look(told, held=False)
    assert why == ""
    return pose


def lost(leader, told=ARM):
    """What it says when it fails."""
    words = []
    until(lambda: words.append(leader.look(told, held=False)[1]) or words[-1])
    assert not leader.takes_part
    return words[-1]


def test_it_comes_to_the_arm_and_begins_where_the_arm_is(hand, leader):
    until(lambda: leader.stage is Stage.READY)
    first = led(leader)
    assert leader.stage is Stage.LEADING
    np.testing.assert_allclose(first.joints, ARM.joints, atol=0.01)
    np.testing.assert_allclose(hand.pose.joints, ARM.joints, atol=0.03)
    leader.put_down()
    assert leader.stage is Stage.READY


def test_one_that_cannot_come_does_not_pull_the_arm_along(hand, leader):
    hand.blocked = True
    until(lambda: leader.stage is Stage.READY)
    leader.begin(ARM)
    assert "29° away" in lost(leader)


def test_one_that_is_not_there_is_refused_and_found_later(hand, leader):
    hand.error = Unplugged("the cable is out")
    until(lambda: leader.stage is Stage.AWAY and "cable" in leader.why)
    with pytest.raises(ArmError, match="the cable is out"):
        leader.begin(ARM)
    hand.error = None
    until(lambda: leader.stage is Stage.READY)
    led(leader)


@pytest.mark.parametrize("error", [Unplugged("the cable is out"), NoReply("silence")])
def test_one_that_vanishes_while_it_leads_says_so_once(hand, leader, error):
    until(lambda: leader.stage is Stage.READY)
    led(leader)
    hand.error = error
    assert "the leader arm is gone" in lost(leader)


def test_a_wire_that_stumbles_for_a_moment_is_forgiven(hand, leader):
    until(lambda: leader.stage is Stage.READY)
    led(leader)
    for error in (NoReply("silence"), None):
        hand.error = error
        time.sleep(0.03)
        assert leader.look(ARM, held=False)[1] == ""


def test_a_reading_that_no_hand_makes_is_not_followed(hand, leader):
    until(lambda: leader.stage is Stage.READY)
    led(leader)
    hand.pose = Pose(hand.pose.joints + 1.5, 0.0)
    words, furthest = "", 0.0
    while not words:
        pose, words = leader.look(ARM, held=False)
        furthest = max(furthest, 0.0 if pose is None else float(np.max(np.abs(pose.joints - ARM.joints))))
    assert furthest < 0.05
    assert "the leader arm is" in words


def test_after_a_hold_it_goes_on_from_where_the_arm_is(hand, leader):
    until(lambda: leader.stage is Stage.READY)
    led(leader)
    assert leader.look(ARM, held=True) == (None, "")
    hand.pose = Pose(hand.pose.joints + 0.2, 0.2)
    time.sleep(0.1)
    assert leader.look(ARM, held=True) == (None, "")
    pose, why = leader.look(ARM, held=False)
    assert why == ""
    np.testing.assert_allclose(pose.joints, ARM.joints, atol=0.01)


def test_one_without_motors_turns_the_arm_by_what_it_is_turned(monkeypatch):
    monkeypatch.setattr(leading, "RETRY_SECONDS", 0.01)
    hand = Hand(motors=False)
    leader = Leading(hand, LIMITS, time.monotonic)
    leader.start()
    try:
        until(lambda: leader.stage is Stage.READY)
        np.testing.assert_array_equal(led(leader).joints, ARM.joints)
        hand.pose = Pose(np.array([0.1, -0.1]), 0.0)
        until(lambda: np.allclose(leader.look(ARM, held=False)[0].joints, np.add(ARM.joints, [0.1, -0.1])))
    finally:
        leader.close()
    assert hand.gone


def test_at_the_end_of_a_range_turning_the_leader_back_acts_at_once():
    follow = Relative(Pose(np.array([1.9, 0.0]), 0.9), Pose(np.zeros(2), 0.0), LIMITS)
    there = follow.target(Pose(np.array([0.5, 0.0]), 0.6))
    np.testing.assert_allclose([*there.joints, there.gripper], [2.0, 0.0, 1.0])
    back = follow.target(Pose(np.array([0.4, 0.0]), 0.5))
    np.testing.assert_allclose([*back.joints, back.gripper], [1.9, 0.0, 0.9])


def test_a_name_parts_into_arm_and_leader():
    name = "feetech:/dev/a,id=left,leader=/dev/b,leader_type=so100_leader,camera=0"
    assert parted(name) == ("feetech:/dev/a,id=left,camera=0", "/dev/b,type=so100_leader")
    assert parted("sim:panda") == ("sim:panda", "")


@pytest.mark.parametrize(
    "name", ["so101:/dev/a,leader=", "so101:/dev/a,leaders=/dev/b", "so101:/dev/a,leader_type=x", "so101:/a,leader=/a"]
)
def test_a_leader_that_is_none_says_what_one_looks_like(name):
    with pytest.raises(ArmNotFound, match="leader"):
        parted(name)
