"""An arm of Robotis' servos on their own SDK: real bytes, an emulated bus, and a thousand of each fault."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from robot_io import dynamixel
from robot_io.arm import Action, Arm, ArmNotFound, make_arm
from robot_io.calibration import STEP
from robot_io.dynamixel_arm import SPEED, WATCHDOG
from robot_io.errors import BadReply, NoReply, NotCalibrated, PowerLost, ServoFault, Stalled, Unplugged, WireError
from robot_io.so_bus import BACKSTOP
from robot_io.wired import REACH, WiredArm
from tests.contracts.arm_contract import ArmContract
from tests.robot_io.emulator import Emulator
from tests.robot_io.loopback import Bench, arm_on
from tests.robot_io.test_wire_faults import DAMAGE, DRIVE, swing, swings

pytestmark = pytest.mark.process
FURTHEST = (REACH + 0.15) * SPEED.max() / STEP


@pytest.fixture(scope="module")
def bus():
    with Emulator("dynamixel", pace=4) as emulator:
        yield emulator


class TestDynamixelArm(ArmContract):
    @pytest.fixture(autouse=True)
    def _bus(self, bus):
        self.name = bus.name

    def make_unconnected(self) -> Arm:
        return make_arm(self.name)


@pytest.fixture
def bench() -> Bench:
    return Bench("dynamixel")


@pytest.fixture
def arm(bench, tmp_path, monkeypatch) -> WiredArm:
    port = tmp_path / "port"
    port.touch()
    return arm_on(bench, str(port), monkeypatch)


def within(bench: Bench) -> None:
    """Nothing unsafe was asked for, and nothing unsafe happened."""
    shown = bench.board.show()
    assert shown["goals_outside"] == 0
    assert shown["furthest_goal"] <= FURTHEST
    assert shown["fastest"] <= SPEED.max() * BACKSTOP * 1.05


@pytest.mark.parametrize(("damage", "counter"), DAMAGE, ids=lambda value: value if isinstance(value, str) else "")
def test_a_thousand_damaged_answers_move_nothing_unsafely(bench, arm, damage, counter):
    middle = arm.observe()["joints"]
    for name, value in damage.items():
        setattr(bench.faults, name, value)
    raised = swings(bench, arm, counter, middle)
    assert all(issubclass(error, WireError | Stalled) for error in raised), raised
    within(bench)
    bench.faults.clear()
    bench.time += 0.1
    for _ in range(90):
        sent = arm.send(Action(middle, 0.5))
        bench.time += 1 / 30
    np.testing.assert_allclose(sent.joints, middle, atol=2e-3)
    np.testing.assert_allclose(arm.observe()["joints"], middle, atol=1e-2)
    assert arm.missed > 50


def test_a_thousand_damaged_commands_let_nothing_through(bench, arm):
    middle = arm.observe()["joints"]
    bench.faults.drop_commands = 0.3
    swings(bench, arm, "dropped", middle)
    within(bench)  # a CRC of two bytes: no damaged goal passes for a whole one


def test_taking_it_moves_nothing_and_a_speed_limit_is_in_the_servos(bench, arm):
    assert all(bench.board.show()["torque"])
    assert max(abs(g - s) for g, s in zip(*(bench.board.show()[k] for k in ("goals", "steps")), strict=True)) <= 1
    units = bench.board.servos[0].read(112, 4)
    assert int.from_bytes(units, "little") * dynamixel.SPEED_STEP == pytest.approx(SPEED.max() * BACKSTOP, rel=0.02)


def test_its_watchdog_bites_in_silence_and_the_next_command_wakes_it(bench, arm):
    middle, ticks = arm.observe()["joints"], itertools.count()
    for _ in range(20):
        swing(arm, ticks, middle)
        bench.time += 1 / 30
    bench.time += WATCHDOG + 0.1
    bench.board.advance(bench.time)
    assert all(servo.table[98] == dynamixel.STOPPED for servo in bench.board.servos)
    before = bench.board.show()["steps"]
    bench.time += 1.0
    bench.board.advance(bench.time)
    assert bench.board.show()["steps"] == before
    for _ in range(60):
        arm.send(Action(middle, 0.5))
        bench.time += 1 / 30
    np.testing.assert_allclose(arm.observe()["joints"], middle, atol=1e-2)


def test_what_a_servo_refuses_is_said(bench, arm):
    driver = arm._driver
    with pytest.raises(BadReply, match="beyond its limits"):
        driver.bus.write(2, dynamixel.GOAL, 10, tries=1)
    with pytest.raises(BadReply, match="cannot be written now"):
        driver.bus.write(2, dynamixel.MODE, 1, tries=1)


def test_how_it_feels_and_what_protects_itself(bench, arm):
    bench.board.servos[3].wear.temperature = 45.0
    health = arm.health()
    assert health.temperature[3] == 45
    np.testing.assert_allclose(health.volts, [12.0, 12.0, 5.0, 5.0, 5.0, 5.0])
    assert not health.faults
    bench.board.servos[3].wear.temperature = 90.0
    here = arm.observe()["joints"]
    with pytest.raises((ServoFault, PowerLost), match="wrist_flex"):
        for _ in range(60):
            arm.send(Action(here))
            bench.time += 1 / 30


def test_a_supply_that_was_off_for_a_moment_is_noticed(bench, arm):
    bench.board.power_cycle()
    with pytest.raises(PowerLost, match="went limp"):
        arm.health()
    arm.stop()
    arm.release()
    assert all(bench.board.show()["torque"])
    assert not arm.health().limp


def test_one_from_the_factory_has_to_be_calibrated(bench, tmp_path, monkeypatch):
    servo = bench.board.servos[1]
    servo.table[48:56] = (4095).to_bytes(4, "little") + bytes(4)
    (tmp_path / "port").touch()
    with pytest.raises(NotCalibrated, match="shoulder_lift"):
        arm_on(bench, str(tmp_path / "port"), monkeypatch)


def test_pulled_out_in_motion_a_dead_servo_and_a_stuck_joint():
    with Emulator("dynamixel") as emulator:
        arm = make_arm(emulator.name)
        arm.connect()
        middle, ticks = arm.observe()["joints"], itertools.count()
        for _ in range(10):
            swing(arm, ticks, middle)
        emulator.say("unplug")
        with pytest.raises(Unplugged, match="plug the arm in"):
            for _ in range(20):
                swing(arm, ticks, middle)
                time.sleep(0.02)
        arm.stop()
        emulator.say("plug")
        arm.release()
        swing(arm, ticks, middle)
        emulator.say("dead 3")
        with pytest.raises(NoReply, match="elbow_flex"):
            while True:
                swing(arm, ticks, middle)
        arm.stop()
        emulator.say("alive 3")
        arm.release()
        emulator.say("stall 2")
        target = arm.observe()["joints"] + np.array([0.0, 0.5, 0.0, 0.0, 0.0])
        with pytest.raises(Stalled, match="shoulder_lift"):
            for _ in range(400):
                arm.send(Action(target))
                time.sleep(0.02)
        assert emulator.show()["goals_outside"] == 0
        arm.disconnect()


def test_killed_in_motion_its_servos_stop_it_by_themselves():
    with Emulator("dynamixel") as emulator:
        driver = subprocess.Popen([sys.executable, "-c", DRIVE, emulator.name], stdout=subprocess.PIPE, text=True)
        assert driver.stdout is not None
        assert driver.stdout.readline().strip() == "moving"
        time.sleep(0.5)
        os.kill(driver.pid, signal.SIGKILL)
        driver.communicate()
        time.sleep(WATCHDOG + 0.2)
        first = emulator.show()
        time.sleep(0.3)
        second = emulator.show()
        assert second["steps"] == first["steps"]
        assert second["bitten"] == 6, "by the watchdog, not because the goal was near"
        np.testing.assert_allclose(second["goals"], first["steps"], atol=1)
        assert all(second["torque"])


def test_a_rate_that_is_none_says_so():
    with pytest.raises(ArmNotFound, match="baud=NUMBER"):
        make_arm("dynamixel:/dev/x,baud=fast")
