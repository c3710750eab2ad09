"""An arm that is there to be calibrated: its walk over the side port's verbs, by an emulated hand."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import scservo_sdk
import serial

from robot_io import calibration as calibrations
from robot_io import so
from robot_io.arm import Action, ArmError, make_arm
from robot_io.calibration_arm import CalibrationArm
from robot_io.emulation.so101 import RANGES, middle
from robot_io.errors import NotCalibrated, NotConnected, Unsupported, WrongArm
from robot_io.fake import FakeArm
from robot_io.feetech_arm import FeetechDriver
from robot_io.heartbeat import Heartbeat
from robot_io.identity import check_identity
from robot_io.loop import Loop
from robot_io.naming import ArmName
from robot_io.safety import SafeArm
from robot_io.so_motion import SoArm
from robot_io.tending import Tending
from tests.robot_io.loopback import Bench, port_of

REACH = 1.4


@pytest.fixture
def port(tmp_path) -> str:
    (tmp_path / "port").touch()
    return str(tmp_path / "port")


@pytest.fixture
def bench(monkeypatch) -> Bench:
    made = Bench("feetech")
    monkeypatch.setattr(serial, "Serial", port_of(made))
    monkeypatch.setattr(scservo_sdk.PortHandler, "getCurrentTime", lambda self: made.clock() * 1e3)
    return made


@pytest.fixture
def arm(bench, port, tmp_path) -> CalibrationArm:
    made = CalibrationArm(ArmName(port, {"id": "left", "calibration": str(tmp_path)}), bench.clock)
    made.connect()
    return made


def put(bench: Bench, share: float) -> None:
    """A hand turns every joint to that share of its reach."""
    for joint in range(6):
        bench.board.motors.push(joint, middle(joint) + 0.05 * joint + share * REACH)
    bench.time += 0.1


def walked(bench: Bench, arm: CalibrationArm) -> None:
    arm.calibrate("begin")
    put(bench, 0)
    arm.calibrate("middle")
    for share in (0, 0.5, 1, 0, -0.5, -1, 0):
        put(bench, share)
        arm.observe()


def test_its_name_makes_it(port):
    assert isinstance(make_arm(f"calibrate:{port},id=left"), CalibrationArm)


def test_a_whole_walk_is_told_step_by_step_and_leaves_an_arm_that_can_be_taken(bench, arm, port, tmp_path):
    assert arm.walk() == {"step": "start", "joints": {}}
    assert not arm.calibrate("begin")
    assert arm.walk()["step"] == "limp"
    arm.calibrate("cancel")
    walked(bench, arm)
    told = arm.walk()
    assert told["step"] == "turning"
    assert set(told["joints"]) == set(so.NUMBERS)
    assert all(joint["enough"] and joint["low"] < joint["now"] < joint["high"] for joint in told["joints"].values())
    assert arm.calibrate("finish")
    assert arm.walk()["step"] == "done"
    assert arm.observe()["joints"].shape == (5,)
    arm.disconnect()
    assert set(calibrations.load(tmp_path / "left.json")) == set(so.NUMBERS)
    taken = SoArm(FeetechDriver(port), bench.clock)
    taken.connect()
    assert taken.identity() == arm.identity()


def test_it_moves_nothing_and_refuses_what_is_not_next(arm):
    with pytest.raises(NotCalibrated, match="being calibrated"):
        arm.send(Action(np.zeros(5)))
    with pytest.raises(ArmError, match="begin"):
        arm.calibrate("middle")
    with pytest.raises(ArmError, match="among begin"):
        arm.calibrate("explode")
    assert arm.health().temperature.shape == (6,)


def test_gone_in_the_middle_of_the_walk_the_old_calibration_is_back(bench, arm, port):
    before = {s.number: bytes(s.table[9:13]) + bytes(s.table[31:33]) for s in bench.board.servos}
    walked(bench, arm)
    arm.disconnect()
    assert {s.number: bytes(s.table[9:13]) + bytes(s.table[31:33]) for s in bench.board.servos} == before
    assert RANGES["elbow_flex"][0] == int.from_bytes(before[3][:2], "little")
    with pytest.raises(NotConnected):
        arm.observe()


def tended(loop: Loop, tending: Tending, do: str) -> Any:
    """A step as it comes from a page, with the loop's jobs done here."""

    async def step() -> Any:
        task = asyncio.create_task(tending.calibrate(do))
        while not task.done():
            loop._jobs.do_one(0.0)
            await asyncio.sleep(0)
        return task.result()

    return asyncio.run(step())


def test_after_the_last_step_the_process_ends_and_the_new_identity_is_the_arms(bench, arm, port, tmp_path):
    file = tmp_path / "identity"
    safe = SafeArm(arm)
    loop = Loop(safe, Heartbeat(bench.clock), bench.clock)
    tending = Tending(loop, file)
    assert tended(loop, tending, "begin")["step"] == "limp"
    put(bench, 0)
    tended(loop, tending, "middle")
    for share in (1, -1, 0):
        put(bench, share)
        arm.observe()
    assert not tending.done
    assert tended(loop, tending, "finish")["step"] == "done"
    tending.end()
    assert loop.ending
    assert file.read_text().strip() == arm.identity()


def test_an_arm_at_work_is_not_calibrated(bench):
    safe = SafeArm(FakeArm())
    safe.connect()
    loop = Loop(safe, Heartbeat(bench.clock), bench.clock)
    with pytest.raises(Unsupported, match="press Calibrate"):
        tended(loop, Tending(loop, None), "begin")


def test_an_arm_that_was_swapped_is_refused_and_one_that_is_seen_first_is_remembered(bench, port, tmp_path):
    file = tmp_path / "identity"
    arm = SoArm(FeetechDriver(port), bench.clock)
    arm.connect()
    check_identity(arm, None)
    check_identity(arm, file)
    check_identity(arm, file)
    check_identity(FakeArm(), file)  # nothing tells one of these from another
    file.write_text("0123456789abcdef\n")
    with pytest.raises(WrongArm, match="another one answers"):
        check_identity(arm, file)
