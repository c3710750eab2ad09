"""A person calibrates an arm of Robotis' servos and shows it where to park, on an emulated bus, by an emulated hand."""

from __future__ import annotations

import asyncio

import dynamixel_sdk
import numpy as np
import pytest
import serial

from robot_io import parked
from robot_io.arm import make_arm
from robot_io.calibration import RESOLUTION
from robot_io.calibration_arm import CalibrationArm
from robot_io.dynamixel_arm import DynamixelArm
from robot_io.emulation.koch import middle
from robot_io.errors import ArmNotFound, NotCalibrated, Unsupported
from robot_io.fake import FakeArm
from robot_io.heartbeat import Heartbeat
from robot_io.loop import Loop
from robot_io.naming import ArmName
from robot_io.parking import park
from robot_io.safety import SafeArm
from robot_io.tending import Tending
from tests.robot_io.loopback import Bench, arm_on, port_of

REACH = 1.4


@pytest.fixture
def port(tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "lerobot"))
    (tmp_path / "port").touch()
    return str(tmp_path / "port")


@pytest.fixture
def bench(monkeypatch) -> Bench:
    made = Bench("dynamixel")
    monkeypatch.setattr(serial, "Serial", port_of(made))
    monkeypatch.setattr(dynamixel_sdk.PortHandler, "getCurrentTime", lambda self: made.clock() * 1e3)
    return made


@pytest.fixture
def walk(bench, port) -> CalibrationArm:
    made = CalibrationArm(ArmName(port, {"servos": "dynamixel"}), bench.clock)
    made.connect()
    return made


def put(bench: Bench, share: float, beyond: float = 0.0) -> None:
    """A hand turns every joint to that share of its reach; the elbow `beyond` further."""
    for joint in range(6):
        bench.board.motors.push(joint, middle(joint) + share * REACH + (beyond if joint == 2 else 0.0))
    bench.time += 0.1


def walked(bench: Bench, walk: CalibrationArm, beyond: float = 0.0) -> None:
    walk.calibrate("begin")
    put(bench, 0, beyond)
    walk.calibrate("middle")
    for share in (0, 0.5, 1, 0, -0.5, -1, 0):
        put(bench, share, beyond)
        walk.observe()


def test_a_whole_walk_leaves_an_arm_that_can_be_taken(bench, walk, port, monkeypatch):
    for servo in bench.board.servos:
        servo.table[48:56] = RESOLUTION.to_bytes(4, "little") + bytes(4)  # as from the factory
    walked(bench, walk)
    assert not any(bench.board.show()["torque"])
    assert walk.health().temperature.shape == (6,)
    assert all(told["enough"] for told in walk.walk()["joints"].values())
    assert walk.calibrate("finish")
    walk.disconnect()
    arm = arm_on(bench, port, monkeypatch)
    np.testing.assert_allclose(arm.features.limits.upper[:4], REACH, atol=0.03)
    np.testing.assert_allclose(arm.observe()["joints"], 0.0, atol=0.01)
    assert walk.identity() == arm.identity()


def test_cancelled_it_is_as_it_was(bench, walk):
    before = [bytes(servo.table[:64]) for servo in bench.board.servos]
    walk.calibrate("begin")
    put(bench, 0)
    walk.calibrate("middle")
    walk.calibrate("cancel")
    assert [bytes(servo.table[:64]) for servo in bench.board.servos] == before


@pytest.mark.parametrize("turns", [0, 2, -3])
def test_a_limp_servo_that_counted_on_is_read_within_its_turn(turns, bench, walk):
    walked(bench, walk, beyond=2 * np.pi * turns)
    walk.calibrate("finish")
    spans = {servo.number: servo.span for servo in bench.board.servos}
    assert all(0 <= low < high <= RESOLUTION for low, high in spans.values())


def test_a_joint_that_passes_the_end_of_its_encoder_is_named(bench, walk):
    """With torque, the servo would go the other way round there."""
    walked(bench, walk, beyond=2.0)
    with pytest.raises(NotCalibrated, match=r"elbow_flex passes its end.*quarter turn"):
        walk.calibrate("finish")
    walk.calibrate("cancel")


def test_servos_of_nobody_are_refused(port):
    with pytest.raises(ArmNotFound, match="servos=dynamixel"):
        make_arm(f"calibrate:{port},servos=hobby")


def test_it_parks_where_it_was_shown_and_goes_limp_there_only(bench, port, monkeypatch):
    arm = arm_on(bench, port, monkeypatch)
    assert isinstance(arm, DynamixelArm)
    assert not arm.parks
    assert len(arm.parking()) == 0
    arm.park_here()
    there = arm.observe()["joints"]
    safe = SafeArm(arm)
    path = parked.way(there, 0.5, parked.Place(tuple(there + 0.5)), arm.features.limits, arm.features.rate)
    follow(bench, safe, path)
    np.testing.assert_allclose(arm.observe()["joints"], there + 0.5, atol=0.03)
    arm.disconnect()
    assert all(bench.board.show()["torque"]), "elsewhere it would fall"

    again = arm_on(bench, port, monkeypatch)
    assert again.parks, "it is known again"
    follow(bench, SafeArm(again), again.parking())
    np.testing.assert_allclose(again.observe()["joints"], there, atol=0.03)
    again.disconnect()
    assert not any(bench.board.show()["torque"])


def follow(bench: Bench, safe: SafeArm, path) -> None:
    def wait(seconds: float) -> None:
        bench.time += seconds

    park(safe, path, 1 / 30, bench.clock, sleep=wait)
    for _ in range(30):
        safe.send(path[-1])
        wait(1 / 30)
    assert bench.board.show()["goals_outside"] == 0


def test_the_way_is_smooth_and_within_speed_and_limits(bench, port, monkeypatch):
    arm = arm_on(bench, port, monkeypatch)
    limits, start = arm.features.limits, arm.observe()["joints"]
    path = parked.way(start, 0.2, parked.Place((9.0, -9.0, 0.1, 0.0, 0.0)), limits, 30.0)
    steps = np.diff(np.vstack([start, path.joints]), axis=0)
    assert np.all(np.abs(steps) * 30.0 <= limits.speed)
    assert np.all(path.joints >= np.minimum(limits.lower, start) - 1e-9)
    assert np.all(path.joints <= np.maximum(limits.upper, start) + 1e-9)
    assert np.max(np.abs(steps[0])) < 0.01
    assert set(path.gripper) == {0.2}


def test_a_place_of_another_build_or_a_damaged_one_is_none(port):
    parked.save("abc", np.zeros(5))
    assert parked.load("abc", 5) == parked.Place((0.0,) * 5)
    assert parked.load("abc", 6) is None
    parked.file_of("abc").write_text("{")
    assert parked.load("abc", 5) is None


def tended(bench: Bench, arm) -> Tending:
    """As a page says it, with the loop's jobs done here."""
    loop = Loop(SafeArm(arm), Heartbeat(bench.clock), bench.clock)
    tending = Tending(loop, None)

    async def say() -> None:
        task = asyncio.create_task(tending.park_here())
        while not task.done():
            loop._jobs.do_one(0.0)
            await asyncio.sleep(0)
        task.result()

    asyncio.run(say())
    return tending


def test_a_page_shows_it_where_and_an_arm_that_is_not_shown_refuses(bench, port, monkeypatch):
    assert tended(bench, arm_on(bench, port, monkeypatch)).parks
    with pytest.raises(Unsupported, match="shown where it parks"):
        tended(bench, FakeArm())
