"""The twin process: the same as here, bit for bit; errors by name; a dead one says so."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from robot_io.arm import ArmError, NotConnected, Twin, Unreachable, Unsupported
from robot_io.sim.table import SimTable
from robot_io.sim.twin import SimTwin
from tests.robot_io.test_sim_table import oracle

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def arm() -> Iterator[SimTable]:
    arm = SimTable()
    arm.connect()
    yield arm
    arm.disconnect()


@pytest.fixture(scope="module")
def twin(arm) -> Iterator[SimTwin]:
    twin = arm.twin()
    yield twin
    twin.close()


def test_it_is_a_twin(twin):
    assert isinstance(twin, Twin)


def test_it_rehearses_what_the_arm_then_does(arm, twin):
    actions = oracle(arm.reset(5, "put-block-in-bowl", "seen"))[0]
    snapshot = arm.snapshot()
    path, rehearsed = twin.path(actions, snapshot), twin.rehearse(actions, snapshot)
    np.testing.assert_array_equal(arm.path(actions).joints, path.joints)
    for tick in range(len(path)):
        arm.send(path[tick])
    assert arm.truth() == rehearsed.truth
    assert arm.snapshot() == rehearsed.snapshot
    seen, drawn = arm.observe(pictures=True), twin.observe(arm.snapshot())
    for name, array in seen.arrays.items():
        np.testing.assert_array_equal(array, rehearsed.observation[name])
        np.testing.assert_array_equal(array, drawn[name])
    assert seen.time == drawn.time


def test_it_previews_what_reset_shows(arm, twin):
    previewed = twin.preview(6, "packing-shapes", "unseen")
    assert arm.reset(6, "packing-shapes", "unseen") == previewed.truth
    np.testing.assert_array_equal(arm.observe(pictures=True)["colour"], previewed.observation["colour"])


def test_frames_are_jpegs(arm, twin):
    picture = Image.open(io.BytesIO(twin.frame("side", arm.snapshot())))
    assert (picture.format, picture.size) == ("JPEG", (320, 240))


def test_several_frames_come_at_once_and_in_any_size(arm, twin):
    snapshot = arm.snapshot()
    full = twin.frames(("side", "front"), None, snapshot)
    assert full == [twin.frame("side", snapshot), twin.frame("front", snapshot)] and full[0] != full[1]
    small = twin.frames(("side", "front"), (160, 120), snapshot)
    assert [Image.open(io.BytesIO(picture)).size for picture in small] == [(160, 120)] * 2
    with pytest.raises(Unsupported, match="expected cameras among"):
        twin.frames(("side", "roof"), None, snapshot)


def test_errors_keep_their_names_and_the_twin_lives_on(arm, twin):
    snapshot = arm.snapshot()
    with pytest.raises(Unsupported, match="side"):
        twin.frame("roof", snapshot)
    with pytest.raises(Unreachable):
        twin.rehearse(np.full((2, 4), 3.0), snapshot)
    with pytest.raises(ArmError, match="expected a snapshot"):
        twin.observe(b"none")
    assert twin.observe(snapshot)["colour"].any()


def test_one_that_was_killed_says_so():
    twin = SimTwin()
    os.kill(twin.pid, signal.SIGKILL)
    with pytest.raises(NotConnected, match="died"):
        twin.preview(1, "put-block-in-bowl", "seen")
    twin.close()
    twin.close()


def test_one_that_takes_too_long_is_ended():
    twin = SimTwin(patience=0.05)
    with pytest.raises(NotConnected, match=r"0\.05 s"):
        twin.preview(1, "put-block-in-bowl", "seen")
    twin.close()


def test_a_glimpse_is_small_and_shows_what_moved(arm, twin):
    actions = oracle(arm.reset(3, "put-block-in-bowl", "seen"))[0]
    cameras = ("side", "close")
    before = twin.glimpse(cameras, 64, 48, arm.snapshot())
    assert before.shape == (2, 48, 64, 3) and before.dtype == np.uint8
    np.testing.assert_array_equal(before, twin.glimpse(cameras, 64, 48, arm.snapshot()))
    arm.perform(actions)
    assert np.any(before != twin.glimpse(cameras, 64, 48, arm.snapshot()))
    with pytest.raises(Unsupported, match="expected cameras among"):
        twin.glimpse(("nowhere",), 64, 48, arm.snapshot())
