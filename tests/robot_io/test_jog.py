"""Joints turned by holding a button: softly, as long as somebody says so, and within every limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot_io.arm import BadAction
from robot_io.jog import LEAD, STANDS, Jog, Rates
from tests.robot_io.side_port import Page, arm_process, linked

SPEED = np.array([1.0, 2.0])
DT = 1 / 30


def held(rates, seconds: float, here=None, gripper: float = 0.0) -> tuple[np.ndarray, float]:
    """Where the arm is told to be after the button was held for so long."""
    jog, told, now = Jog(), np.zeros(2), 0.0
    while now < seconds:
        jog.push(rates, now)
        told, gripper = jog.take(told, told if here is None else here, gripper, SPEED, DT)
        now += DT
    return told, gripper


def test_a_held_button_turns_its_joint_alone_softly_and_then_steadily():
    first, _ = held(Rates.of([0.5, 0.0], 0.0, 2), DT)
    whole, _ = held(Rates.of([0.5, 0.0], 0.0, 2), 2.0)
    assert 0 < first[0] < 0.5 * SPEED[0] * DT / 4
    assert whole[1] == 0
    assert 0.85 < whole[0] < 1.0


def test_a_joint_that_is_held_fast_is_not_pushed_far():
    told, _ = held(Rates.of([1.0, -1.0], 0.0, 2), 3.0, here=np.zeros(2))
    np.testing.assert_allclose(told, [LEAD * SPEED[0], -LEAD * SPEED[1]])


def test_the_gripper_closes_and_stays_within_its_stroke():
    assert held(Rates.of([0, 0], 1.0, 2), 5.0)[1] == 1.0
    assert held(Rates.of([0, 0], -1.0, 2), 5.0, gripper=0.5)[1] == 0.0


def test_without_a_word_it_stands():
    jog = Jog()
    jog.push(Rates.of([1.0, 0.0], 0.0, 2), now=10.0)
    assert jog.waits(10.0 + STANDS / 2)
    assert not jog.waits(10.0 + STANDS)
    jog.push(Rates.of([1.0, 0.0], 0.0, 2), now=20.0)
    jog.push(Rates.of([0.0, 0.0], 0.0, 2), now=20.01)
    assert not jog.waits(20.02)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=0, max_size=4), st.floats())
def test_only_shares_of_full_speed_are_taken(rates, gripper):
    good = len(rates) == 2 and all(abs(r) <= 1 for r in [*rates, gripper])
    if good and not any(map(math.isnan, [*rates, gripper])):
        Rates.of(rates, gripper, 2)
        return
    with pytest.raises(BadAction, match="within ±1"):
        Rates.of(rates, gripper, 2)


@pytest.mark.process
def test_over_the_side_port_the_driver_jogs_and_others_do_not(tmp_path):
    with arm_process(tmp_path), linked(tmp_path) as arm:
        before = arm.observe()["joints"]
        with Page(tmp_path) as page, Page(tmp_path, "ben") as other:
            page.tell(type="feel", on=True)
            page.drive()
            other.tell(type="drive", jog=[1, 0, 0, 0], t=other.state()["time"])
            assert "lease" in other.hear("error")["message"]
            for _ in range(20):
                page.beat()
                page.tell(type="drive", jog=[0, -0.5, 0, 0], t=page.state()["time"])
            page.tell(type="drive", on=False)
            pose = page.hear("pose")
        after = arm.observe()["joints"]
        assert after[1] < before[1] - 0.005
        np.testing.assert_allclose(after[[0, 2, 3]], before[[0, 2, 3]], atol=1e-9)
        assert len(pose["joints"]) == 4
