"""Back along a path: slowly, never across what the gripper or a contact did."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import BadAction
from robot_io.retrace import KEY, OFF, SPEED, Retrace


def path(ticks: int = 10, step: float = 0.01) -> np.ndarray:
    """Newest first: joints (K, 2) that came from 0."""
    return np.column_stack([step * np.arange(ticks)[::-1], np.zeros(ticks)])


def test_it_goes_at_a_share_of_the_speed_and_ends_where_the_path_began():
    joints, told, rows = path(), path()[0], []
    retrace = Retrace(joints, np.zeros(len(joints)))
    while (wanted := retrace.take(told, told)) is not None and not retrace.ended:
        rows.append(told := wanted)
    assert np.max(np.abs(np.diff(rows, axis=0))) <= 0.01 * SPEED + 1e-9
    assert retrace.ended == "it is back" and np.allclose(wanted, joints[-1])


def test_what_is_in_the_way_ends_it_before_it_pushes():
    """A joint that does not follow: something touches, or is held; a person undoes that."""
    joints = path()
    retrace = Retrace(joints, np.zeros(len(joints)))
    assert retrace.take(joints[0], joints[0]) is not None
    assert retrace.take(joints[0] + [0.0, OFF + 0.01], joints[0]) is None
    assert "in the way" in retrace.ended and not retrace.waits(0.0)


@pytest.mark.parametrize("arms", [1, 2])
def test_it_ends_before_a_gripper_would_have_to_undo_what_it_did(arms):
    joints, gripper = path(), np.zeros((10, arms))
    gripper[:4, -1] = 1.0  # it closed between the fourth and the fifth, of the last arm alone
    retrace, told = Retrace(joints, gripper), joints[0]
    while (wanted := retrace.take(told, told)) is not None:
        told = wanted
    assert "gripper" in retrace.ended and told[0] >= joints[3][0] - 1e-9


def test_it_goes_on_only_while_the_key_is_told_of():
    retrace = Retrace(path(), np.zeros(10))
    assert not retrace.waits(0.0)
    retrace.held(1.0)
    assert retrace.waits(1.0 + KEY / 2) and not retrace.waits(1.01 + KEY)


def test_without_a_path_there_is_no_way_back():
    with pytest.raises(BadAction, match="record first"):
        Retrace(path(1), np.zeros(1))
