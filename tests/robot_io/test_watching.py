"""A program that watches an arm, and releases it as a person would."""

from __future__ import annotations

import time

import pytest

from robot_io.arm import NotConnected
from robot_io.watching import Watch
from tests.robot_io.side_port import arm_process, linked

pytestmark = pytest.mark.process


def until(true, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_it_is_watched_and_let_go_when_it_has_stopped(tmp_path):
    with arm_process(tmp_path) as _, linked(tmp_path) as arm:
        arm.stop()
        assert arm.state()["phase"] == "stopped"
        with Watch(tmp_path):
            time.sleep(0.5)
            assert arm.state()["phase"] == "stopped", "who only watches releases nothing"
        with Watch(tmp_path, release=arm.release):
            until(lambda: arm.state()["phase"] == "idle")


def test_nobody_watches_an_arm_that_is_not_there(tmp_path):
    with pytest.raises(NotConnected, match="start it"):
        Watch(tmp_path)
