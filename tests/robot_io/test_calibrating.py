"""The guided calibration, on an emulated bus, by an emulated hand."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io import calibration as calibrations
from robot_io import so
from robot_io.arm import ArmError
from robot_io.calibrating import Calibrating, Step
from robot_io.emulation.so101 import middle
from robot_io.errors import NotCalibrated, WrongArm
from robot_io.feetech_arm import FeetechDriver
from robot_io.feetech_bus import FeetechBus
from robot_io.marks import FeetechMarks
from tests.robot_io.loopback import Bench, arm_on

REACH = 1.4


@pytest.fixture
def port(tmp_path) -> str:
    (tmp_path / "port").touch()
    return str(tmp_path / "port")


@pytest.fixture
def bench(port, monkeypatch) -> Bench:
    bench = Bench("feetech")
    arm_on(bench, port, monkeypatch).disconnect()
    return bench


@pytest.fixture
def walk(bench, port) -> Calibrating:
    return Calibrating(FeetechMarks(FeetechBus(port)))


def put(bench: Bench, share: float) -> None:
    """A hand turns every joint to that share of its reach."""
    for joint in range(6):
        bench.board.motors.push(joint, middle(joint) + 0.05 * joint + share * REACH)
    bench.time += 0.1


def turn(bench: Bench, walk: Calibrating) -> None:
    for share in (0, 0.5, 1, 0, -0.5, -1, 0):
        put(bench, share)
        walk.sample()


def test_a_whole_walk_leaves_a_calibrated_arm_and_a_file(bench, walk, port, tmp_path):
    walk.begin()
    assert not any(bench.board.show()["torque"])
    put(bench, 0)
    walk.middle()
    turn(bench, walk)
    found = walk.finish(tmp_path / "left.json")
    assert walk.step is Step.DONE
    assert calibrations.load(tmp_path / "left.json") == found
    for name in so.JOINTS[:4]:
        assert found[name].radians(found[name].range_max) == pytest.approx(REACH, abs=0.01)
    driver = FeetechDriver(port, tmp_path / "left.json")
    features = driver.describe()
    assert np.all(features.limits.upper[:4] == pytest.approx(REACH - so.MARGIN, abs=0.01))
    driver.close(limp=False)


def test_another_arm_than_the_file_says_is_refused(bench, walk, port, tmp_path):
    driver = FeetechDriver(port)
    driver.describe()
    driver.close(limp=False)
    before = {n: s.table[9:13] + s.table[31:33] for n, s in zip(so.NUMBERS, bench.board.servos, strict=True)}
    walk.begin()
    put(bench, 0)
    walk.middle()
    turn(bench, walk)
    walk.finish(tmp_path / "left.json")
    for name, servo in zip(so.NUMBERS, bench.board.servos, strict=True):
        servo.table[9:13], servo.table[31:33] = before[name][:4], before[name][4:]
    with pytest.raises(WrongArm, match="another"):
        FeetechDriver(port, tmp_path / "left.json").describe()


def test_a_joint_that_was_hardly_turned_is_named_and_may_be_turned_on(bench, walk):
    walk.begin()
    put(bench, 0)
    walk.middle()
    walk.sample()
    with pytest.raises(NotCalibrated, match="elbow_flex"):
        walk.finish()
    turn(bench, walk)
    walk.finish()


def test_cancelled_it_is_as_it_was(bench, walk):
    before = [bytes(servo.table[:40]) for servo in bench.board.servos]
    walk.begin()
    put(bench, 0)
    walk.middle()
    walk.cancel()
    assert [bytes(servo.table[:40]) for servo in bench.board.servos] == before
    assert walk.step is Step.START


def test_steps_come_in_order(walk):
    with pytest.raises(ArmError, match="expected begin"):
        walk.middle()


def test_an_arm_from_the_factory_asks_to_be_calibrated(bench, port):
    for servo in bench.board.servos:
        servo.table[9:13] = bytes([0, 0, 0xFF, 0x0F])
    with pytest.raises(NotCalibrated, match="calibrate it"):
        FeetechDriver(port).describe()


@pytest.mark.parametrize("text", ["", "[]", '{"elbow_flex": 3}', '{"a": {"id": 1}}'])
def test_a_file_that_is_no_calibration_says_so(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(NotCalibrated, match="calibrat"):
        calibrations.load(tmp_path / "x.json")
