"""Two arms in a process: streamed, recorded, rewound, shown from two sides, and driven from a page, each by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import BadAction
from robot_io.remote_stream import StreamArm
from robot_io.sim.hold_and_insert import NAME
from tests.robot_io.side_port import Page, arm_process

pytestmark = [pytest.mark.sim, pytest.mark.process]


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("pair")
    with arm_process(directory, "sim:panda2"):
        yield directory


@pytest.fixture
def arm(directory) -> Iterator[StreamArm]:
    arm = StreamArm(directory)
    arm.connect()
    arm.release()
    yield arm
    arm.hold()
    arm.disconnect()


def row(left: list[float], right: list[float]) -> np.ndarray:
    return np.array([left + right])


def test_rows_of_both_are_streamed_recorded_and_rewound(arm):
    arm.pace(0)
    arm.reset(3, NAME, "seen")
    arm.record()
    down, up = [0.0, 0.01, -0.01, 0.0, 1.0], [0.0, -0.01, -0.01, 0.0, 0.0]
    arm.stream(np.repeat(row(down, up), 20, axis=0), every=2, kind="tip", wait=0)
    first = arm.now()
    columns = arm.frames()
    assert columns["executed"].shape == (40, 16)
    assert columns["observation"]["tip"].shape == (40, 6)
    assert not columns["clipped"].any()
    moved = (first["observation"]["tip"] - columns["observation"]["tip"][0]).reshape(2, 3)
    np.testing.assert_allclose(moved, [[0.0, 0.2, -0.2], [0.0, -0.2, -0.2]], atol=0.02)
    assert first["observation"]["grippers"].tolist() == [1.0, 0.0]
    arm.stream(np.repeat(row(up, down), 10, axis=0), every=2, kind="tip", wait=0)
    arm.hold()
    arm.rewind(int(columns["tick"][-1]))
    again = arm.now()["observation"]
    for name, array in first["observation"].arrays.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)


def test_a_row_of_one_arm_is_refused(arm):
    with pytest.raises(BadAction, match="10"):
        arm.stream(np.zeros((3, 5)), kind="tip")


def test_a_page_sees_both_views_and_drives_each_arm(arm, directory):
    arm.pace(1)
    arm.reset(4, NAME, "seen")
    before = np.reshape(arm.now()["observation"]["tip"], (2, 3))
    with Page(directory) as page:
        assert page.hello["features"]["cameras"] == ["side", "front"]
        page.tell(type="view", cameras=["side", "front"], fps=5)
        assert {page.frame(20.0)[0] for _ in range(6)} == {0, 1}
        page.tell(type="view", cameras=[])
        page.drive()
        end = time.monotonic() + 20.0
        while moved(arm, before)[1, 2] < 0.03 and time.monotonic() < end:
            page.beat()
            page.tell(type="drive", delta=[0.0, 0.0, 0.01, 0.0], gripper=1, arm=1, t=time.time())
            time.sleep(0.03)
        page.tell(type="drive", on=False)
        page.tell(type="lease", do="drop")
    assert moved(arm, before)[1, 2] > 0.02
    np.testing.assert_allclose(moved(arm, before)[0], 0.0, atol=0.01)
    assert arm.now()["observation"]["grippers"].tolist() == [0.0, 1.0]


def moved(arm: StreamArm, before: np.ndarray) -> np.ndarray:
    return np.reshape(arm.now()["observation"]["tip"], (2, 3)) - before
