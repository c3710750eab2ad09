"""A control loop that hangs, a joint that works too hard, and a way to the parking place that takes too long."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import Action, JointPath, Stopped
from robot_io.driver import Health
from robot_io.fake import HOME, FakeArm
from robot_io.heartbeat import Heartbeat
from robot_io.loop import Loop
from robot_io.parking import park
from robot_io.safety import SafeArm
from robot_io.strain import Strain, StrainConfig
from robot_io.watchdog import LONGEST, Watchdog
from tests.robot_io.loopback import Bench, arm_on


def real_loop(tmp_path, monkeypatch) -> Loop:
    (tmp_path / "port").touch()
    bench = Bench("feetech")
    safe = SafeArm(arm_on(bench, str(tmp_path / "port"), monkeypatch))
    return Loop(safe, Heartbeat(bench.clock), bench.clock)


def test_a_loop_that_hangs_while_somebody_drives_is_stopped_once(tmp_path, monkeypatch):
    loop = real_loop(tmp_path, monkeypatch)
    dog = Watchdog(loop)
    loop.heartbeat.begin()
    assert not dog.look(loop.turned_at + LONGEST / 2)
    assert dog.look(loop.turned_at + 2 * LONGEST)
    assert "hung for 1.0 s" in loop.state.why
    with pytest.raises(Stopped):
        loop.arm.send(Action(loop.arm.observe()["joints"]))
    assert not dog.look(loop.turned_at + 3 * LONGEST)
    assert dog.bites == 1


def test_a_loop_at_rest_and_a_simulated_arm_may_take_their_time(tmp_path, monkeypatch):
    loop = real_loop(tmp_path, monkeypatch)
    assert not Watchdog(loop).look(loop.turned_at + 60)
    simulated = SafeArm(FakeArm())
    simulated.connect()
    fake = Loop(simulated, Heartbeat(lambda: 0.0), lambda: 0.0)
    fake.heartbeat.begin()
    assert not Watchdog(fake).look(60)


def felt(load: float, amperes: float = 0.1) -> Health:
    return Health(load=np.array([0.1, load, 1.0]), amperes=np.array([0.1, amperes, 0.2]))


def test_a_load_that_stays_is_too_much_and_one_that_peaks_is_not():
    joints = ("pan", "lift")  # the last number is the gripper's, which presses on what it holds
    strain = Strain(StrainConfig(load=0.9, amperes=2.0, seconds=1.0))
    assert [strain.feel(felt(load), joints, now) for now, load in enumerate((0.95, 0.2, 0.95, 0.3))] == [""] * 4
    assert strain.feel(felt(-0.95), joints, 10.0) == ""
    assert "lift" in strain.feel(felt(-0.95), joints, 11.0)
    assert strain.feel(felt(0.1, 2.5), joints, 12.0) == ""
    assert "2.5 A" in strain.feel(felt(0.1, 2.5), joints, 13.0)
    assert strain.feel(Health(), joints, 14.0) == ""


def test_the_way_to_the_parking_place_has_an_end_and_a_stop_ends_it():
    arm = SafeArm(FakeArm())
    arm.connect()
    path = JointPath(np.tile(HOME, (100, 1)) + np.linspace(0, 0.1, 100)[:, None], np.zeros(100))
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(Stopped, match="expected to be parked"):
        park(arm, path, 0.02, lambda: now[0], longest=0.5, sleep=sleep)
    sent = arm.sent
    assert 20 <= sent <= 30

    def stopping(_: float) -> None:
        arm.stop("somebody pressed STOP")

    with pytest.raises(Stopped, match="STOP"):
        park(arm, path, 0.02, lambda: now[0], sleep=stopping)
    assert arm.sent == sent + 1
