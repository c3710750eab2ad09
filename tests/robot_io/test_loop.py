"""The control loop: one motion at a time, paced, held, stopped; never ended by an arm's failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from robot_io.arm import Action, ArmError, JointPath, NotConnected, Stopped, Unsupported
from robot_io.fake import HOME, FakeArm
from robot_io.heartbeat import Heartbeat
from robot_io.loop import Loop
from robot_io.phase import Phase
from robot_io.safety import SafeArm


@pytest.fixture
def loop(request) -> Iterator[Loop]:
    arm = SafeArm(getattr(request, "param", FakeArm)())
    arm.connect()
    loop = Loop(arm, Heartbeat(time.monotonic), time.monotonic)
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.ending = True
    thread.join(5)
    assert not thread.is_alive()


def still(ticks: int) -> JointPath:
    """A path that stays at home."""
    return JointPath(np.tile(HOME, (ticks, 1)), np.zeros(ticks))


def test_work_is_done_on_its_thread(loop):
    assert loop.call(lambda: threading.current_thread()).result(1) is not threading.current_thread()


def test_an_error_in_the_work_is_the_asker_s(loop):
    with pytest.raises(ZeroDivisionError):
        loop.call(lambda: 1 / 0).result(1)
    assert loop.call(lambda: 1).result(1) == 1


def test_a_path_takes_its_time(loop):
    start = time.monotonic()
    report = loop.follow(still(12)).result(2)
    assert report.reached
    assert report.ticks == 12
    assert 0.17 < time.monotonic() - start < 0.5
    assert loop.tick == 12


def test_two_motions_in_a_row_keep_their_distance(loop):
    start = time.monotonic()
    for _ in range(12):
        loop.send(Action(HOME)).result(1)
    assert time.monotonic() - start > 11 / 60 - 0.01


def test_as_fast_as_it_can(loop):
    loop.set_pace(0)
    start = time.monotonic()
    assert loop.follow(still(600)).result(5).ticks == 600
    assert time.monotonic() - start < 3
    loop.set_pace(1)
    start = time.monotonic()
    loop.follow(still(6)).result(2)
    assert time.monotonic() - start < 0.5


@pytest.mark.parametrize("pace", [-1, 1000, float("nan")])
def test_a_pace_that_is_none(loop, pace):
    with pytest.raises(ArmError, match="pace"):
        loop.set_pace(pace)


def test_one_motion_at_a_time(loop):
    first = loop.follow(still(30))
    with pytest.raises(ArmError, match="one motion at a time"):
        loop.follow(still(1)).result(1)
    with pytest.raises(ArmError, match="one motion at a time"):
        loop.send(Action(HOME)).result(1)
    with pytest.raises(ArmError, match="one motion at a time"):
        loop.call(lambda: None, still=True).result(1)
    assert loop.state.phase is Phase.MOVING
    assert first.result(2).reached


def test_an_empty_path_is_reached(loop):
    assert loop.follow(still(0)).result(1).ticks == 0


def test_hold_ends_a_motion(loop):
    motion = loop.follow(still(60))
    time.sleep(0.1)
    loop.hold("enough").result(1)
    report = motion.result(1)
    assert not report.reached
    assert report.reason == "enough"
    assert 0 < report.ticks < 60
    assert loop.state.phase is Phase.IDLE


def test_stop_fails_the_motion_and_latches(loop):
    motion = loop.follow(still(60))
    time.sleep(0.1)
    tick = loop.stop("enough")
    with pytest.raises(Stopped):
        motion.result(1)
    assert loop.tick == tick
    assert (loop.state.phase, loop.state.why) == (Phase.STOPPED, "enough")
    with pytest.raises(Stopped):
        loop.follow(still(1)).result(1)
    with pytest.raises(Stopped):
        loop.send(Action(HOME)).result(1)
    loop.release()
    assert loop.follow(still(1)).result(1).reached


def test_clipping_is_reported(loop):
    far = HOME + np.array([0.2, 0, 0, 0])
    assert loop.follow(JointPath(np.tile(far, (3, 1)), np.zeros(3))).result(1).clipped == 3


class BrokenArm(FakeArm):
    def send(self, action: Action) -> Action:
        raise OSError("the cable is out")


@pytest.mark.parametrize("loop", [BrokenArm], indirect=True)
def test_a_broken_arm_latches_and_is_told(loop):
    with pytest.raises(OSError, match="cable"):
        loop.follow(still(3)).result(1)
    assert loop.state.phase is Phase.FAULT
    assert "cable" in loop.state.why
    assert loop.arm.stopped
    loop.release()
    assert loop.state.phase is Phase.IDLE


def test_silence_of_who_drives_holds_then_stops(loop):
    loop.heartbeat.begin()
    motion = loop.follow(still(600))
    time.sleep(0.155)
    assert loop.state.phase is Phase.HELD
    held = loop.tick
    loop.heartbeat.beat(1)
    time.sleep(0.1)
    assert loop.state.phase is Phase.MOVING
    assert loop.tick > held
    time.sleep(0.45)
    assert loop.state.phase is Phase.STOPPED
    with pytest.raises(Stopped):
        motion.result(1)


class RealArm(FakeArm):
    def __init__(self) -> None:
        super().__init__(simulated=False)


@pytest.mark.parametrize("loop", [RealArm], indirect=True)
def test_a_real_arm_moves_only_while_a_page_watches(loop):
    motion = loop.follow(still(6))
    time.sleep(0.15)
    assert (loop.state.phase, loop.state.why) == (Phase.HELD, "no page is watching")
    loop.watched_at = time.monotonic()
    assert motion.result(1).reached


@pytest.mark.parametrize("loop", [RealArm], indirect=True)
def test_a_real_arm_knows_no_other_time(loop):
    with pytest.raises(Unsupported):
        loop.set_pace(0)


def test_changes_of_phase_are_told(loop):
    told = threading.Event()
    loop.changed = told.set
    loop.follow(still(2))
    assert told.wait(1)


def test_ending_fails_no_one_silently():
    arm = SafeArm(FakeArm())
    arm.connect()
    loop = Loop(arm, Heartbeat(time.monotonic), time.monotonic)
    thread = threading.Thread(target=loop.run)
    thread.start()
    motion = loop.follow(still(600))
    time.sleep(0.05)
    loop.ending = True
    report = motion.result(1)
    thread.join(1)
    assert not report.reached
    assert "ending" in report.reason
    for late in (loop.call(lambda: None), loop.follow(still(1)), loop.send(Action(HOME)), loop.hold()):
        with pytest.raises(NotConnected, match="ending"):
            late.result(1)


def test_it_parks_unless_it_is_stopped():
    away = HOME + np.array([0.1, 0.1, -0.1, 0.0])
    for stopped in (False, True):
        arm = SafeArm(FakeArm())
        arm.connect()
        for _ in range(10):
            arm.send(Action(away))
        loop = Loop(arm, Heartbeat(time.monotonic), time.monotonic)
        loop.set_pace(0)
        if stopped:
            loop.stop("enough")
        loop.park()
        np.testing.assert_allclose(arm.observe()["joints"], away if stopped else HOME)
