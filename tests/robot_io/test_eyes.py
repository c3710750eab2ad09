"""Pictures come from twins; a twin that died is replaced."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from robot_io.arm import BadAction, NotConnected, Observation, Unsupported
from robot_io.eyes import Eye
from robot_io.fake import FakeArm, FakeTwin
from robot_io.heartbeat import Heartbeat
from robot_io.loop import Loop
from robot_io.pictures import jpeg
from robot_io.safety import SafeArm


class MortalTwin(FakeTwin):
    alive = True

    def observe(self, snapshot: bytes) -> Observation:
        if not self.alive:
            raise NotConnected("this twin is dead")
        return super().observe(snapshot)

    def close(self) -> None:
        self.alive = False


class ArmWithMortalTwins(FakeArm):
    def __init__(self) -> None:
        super().__init__()
        self.twins: list[MortalTwin] = []

    def twin(self) -> MortalTwin:
        self.twins.append(MortalTwin())
        return self.twins[-1]


@pytest.fixture
def arm() -> ArmWithMortalTwins:
    arm = ArmWithMortalTwins()
    arm.connect()
    arm.reset(1, "put-block-in-bowl", "seen")
    return arm


@pytest.fixture
def eye(arm) -> Iterator[Eye]:
    loop = Loop(SafeArm(arm), Heartbeat(time.monotonic), time.monotonic)
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield Eye(loop)
    loop.ending = True
    thread.join(5)


def test_one_twin_for_many_pictures(eye, arm):
    seen = eye.observe()
    np.testing.assert_array_equal(seen["colour"], arm.observe(pictures=True)["colour"])
    eye.observe()
    assert eye.frame("side")[:2] == b"\xff\xd8"
    assert len(arm.twins) == 1


def test_a_twin_that_can_draw_small_is_asked_to(eye, arm):
    class Small(MortalTwin):
        def frames(self, cameras, size, snapshot):
            return [jpeg(np.zeros((*size[::-1], 3), np.uint8))] * len(cameras)

    assert eye.frames(["side"], (64, 48))[0][:2] == b"\xff\xd8"  # a twin of one size draws that
    arm.twin = Small
    arm.twins[0].frame = gone
    assert Image.open(io.BytesIO(eye.frames(["side"], (64, 48))[0])).size == (64, 48)


def test_several_cameras_are_drawn_from_one_state_by_one_call(eye, arm, monkeypatch):
    asked, snapshots = [], []

    class Shooting(MortalTwin):
        def frames(self, cameras, size, snapshot):
            asked.append((list(cameras), size, snapshot))
            return [camera.encode() for camera in cameras]

    real = arm.snapshot
    monkeypatch.setattr(arm, "snapshot", lambda: snapshots.append(real()) or snapshots[-1])
    arm.twin = Shooting
    assert eye.frames(["side", "front"], (64, 48)) == [b"side", b"front"]
    assert asked == [(["side", "front"], (64, 48), snapshots[0])] and len(snapshots) == 1


def gone(*_: object) -> bytes:
    raise NotConnected("this twin is dead")


def test_it_is_warm_before_it_is_needed(eye, arm):
    eye.warm()
    assert len(arm.twins) == 1


def test_a_twin_that_died_is_replaced(eye, arm):
    eye.observe()
    arm.twins[0].alive = False
    eye.observe()
    assert len(arm.twins) == 2


def test_twins_that_all_die_are_told(eye, arm, monkeypatch):
    monkeypatch.setattr(MortalTwin, "alive", False)
    with pytest.raises(NotConnected, match="dead"):
        eye.observe()


def test_closed_it_starts_no_more(eye, arm):
    eye.observe()
    eye.close()
    eye.close()
    assert not arm.twins[0].alive
    with pytest.raises(NotConnected, match="ending"):
        eye.observe()
    assert len(arm.twins) == 1


def test_what_cannot_be_drawn_small_is_told(eye):
    with pytest.raises(Unsupported, match="read its state"):
        eye.glimpse(("side",), 64, 48)
    with pytest.raises(BadAction, match="8 to 160 pixels"):
        eye.glimpse(("side",), 640, 480)
