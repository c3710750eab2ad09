"""What goes wrong on a wire moves nothing that it should not: a thousand of each, then pulled cables, and the dead."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from robot_io import so
from robot_io.arm import Action, ArmError, make_arm
from robot_io.emulation.servo import RADIAN
from robot_io.emulation.servo_bus import SYNC_WRITE
from robot_io.errors import ArmNotFound, NoReply, PortBusy, ServoFault, Stalled, Stopped, Unplugged, WireError
from robot_io.so_bus import BACKSTOP
from robot_io.wired import REACH, WiredArm
from tests.robot_io.emulator import Emulator
from tests.robot_io.loopback import Bench, arm_on

pytestmark = pytest.mark.process

THOUSAND = 1000
FEW = 300
FURTHEST = (REACH + 0.15) * float(so.SPEED.max()) * RADIAN
"""Steps: what may be ahead of the arm, and how far it may have come since it was last seen."""
KINDS = ("feetech", "line")


def emulator_of(kind: str) -> Emulator:
    return Emulator("line" if kind == "line" else "so101", seed=7)


def arm_of(kind: str, emulator: Emulator) -> WiredArm:
    arm = make_arm(f"{kind}:{emulator.port}")
    assert isinstance(arm, WiredArm)
    arm.connect()
    return arm


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def bench(kind) -> Bench:
    return Bench(kind)


@pytest.fixture
def arm(bench, tmp_path, monkeypatch) -> WiredArm:
    port = tmp_path / "port"
    port.touch()
    return arm_on(bench, str(port), monkeypatch)


def swing(arm: WiredArm, ticks: itertools.count, middle: np.ndarray) -> None:
    """One tick of a motion to and fro, within the limits."""
    phase = np.sin(next(ticks) / 40 + np.arange(len(middle)))
    arm.send(Action(middle + 0.3 * phase, 0.5))


def within(shown: dict) -> None:
    """Nothing unsafe was asked for, and nothing unsafe happened."""
    if "joints" in shown:
        assert np.all(np.abs(shown["joints"][:-1]) <= 1.571)
        return
    assert shown["goals_outside"] == 0
    assert shown["furthest_goal"] <= FURTHEST
    assert shown["fastest"] <= so.SPEED.max() * BACKSTOP * 1.05


def released(arm: WiredArm) -> None:
    """Released, however often it takes: an arm that cannot be told to hold stays latched."""
    for _ in range(100):
        with contextlib.suppress(WireError):
            return arm.release()
    raise AssertionError("expected a release to get through")


def swings(bench: Bench, arm: WiredArm, counter: str, middle: np.ndarray) -> set[type]:
    """Move until a thousand faults have happened, 30 times a second; what was raised meanwhile."""
    ticks, raised = itertools.count(), set()
    while getattr(bench.wire, counter) < THOUSAND:
        start = bench.time
        try:
            swing(arm, ticks, middle)
        except ArmError as error:
            assert len(str(error)) > 20
            raised.add(type(error))
        assert bench.time - start < 0.3
        bench.time = max(bench.time, start + 1 / 30)
    return raised


DAMAGE = [({"drop": 0.15}, "dropped"), ({"corrupt": 0.2}, "corrupted"), ({"late": 0.15, "delay": 0.03}, "delayed")]


@pytest.mark.parametrize(("damage", "counter"), DAMAGE, ids=lambda value: value if isinstance(value, str) else "")
def test_a_thousand_damaged_answers_move_nothing_unsafely(bench, arm, damage, counter):
    middle = arm.observe()["joints"]
    for name, value in damage.items():
        setattr(bench.faults, name, value)
    raised = swings(bench, arm, counter, middle)
    assert all(issubclass(error, WireError | Stalled) for error in raised)
    within(bench.board.show())
    bench.faults.clear()
    bench.time += 0.1
    for _ in range(60):
        sent = arm.send(Action(middle, 0.5))
        bench.time += 1 / 30
    np.testing.assert_allclose(sent.joints, middle, atol=1e-3)
    np.testing.assert_allclose(arm.observe()["joints"], middle, atol=5e-3)
    assert arm.missed > 100
    arm.disconnect()


def test_a_thousand_damaged_commands_leave_the_arm_within_its_limits(bench, arm, kind):
    middle = arm.observe()["joints"]
    bench.faults.drop_commands = 0.3
    swings(bench, arm, "dropped", middle)
    shown = bench.board.show()
    if kind == "line":
        within(shown)
    else:
        # One byte of checksum lets some nonsense through; the servo's own limits are what is left then.
        assert shown["fastest"] <= so.SPEED.max() * BACKSTOP * 1.05
        spans = [
            (servo.table[9] | servo.table[10] << 8, servo.table[11] | servo.table[12] << 8)
            for servo in bench.board.servos
        ]
        assert all(low - 1 <= step <= high + 1 for (low, high), step in zip(spans, shown["steps"], strict=True))
    arm.disconnect()


def test_after_a_stop_no_goal_goes_out_whatever_the_wire_does(bench, arm):
    middle, ticks = arm.observe()["joints"], itertools.count()
    bench.faults.drop = bench.faults.corrupt = 0.2
    for _ in range(FEW):
        with contextlib.suppress(WireError):
            swing(arm, ticks, middle)
        arm.stop()
        before = bench.board.show()
        with pytest.raises(Stopped):
            swing(arm, ticks, middle)
        assert bench.board.show() == before
        released(arm)
        bench.time += 1 / 30


def test_pulled_out_in_motion_and_put_back(kind):
    with emulator_of(kind) as emulator:
        arm = arm_of(kind, emulator)
        middle, ticks = arm.observe()["joints"], itertools.count()
        for _ in range(3):
            for _ in range(10):
                swing(arm, ticks, middle)
            emulator.say("unplug")
            with pytest.raises(Unplugged, match="plug the arm in"):
                for _ in range(20):
                    swing(arm, ticks, middle)
                    time.sleep(0.02)
            with pytest.raises(Unplugged):
                arm.observe()
            arm.stop()
            with pytest.raises(ArmNotFound):
                arm.release()
            emulator.say("plug")
            arm.release()
            swing(arm, ticks, middle)
        within(emulator.show())
        arm.disconnect()


def test_a_dead_servo_is_named_and_nothing_more_is_sent():
    with Emulator("so101") as emulator:
        arm = arm_of("feetech", emulator)
        middle, ticks = arm.observe()["joints"], itertools.count()
        swing(arm, ticks, middle)
        emulator.say("dead 3")
        time.sleep(0.15)
        told = emulator.show()["goals_told"]
        began = time.monotonic()
        with pytest.raises(NoReply, match="elbow_flex"):
            while True:
                swing(arm, ticks, middle)
        assert time.monotonic() - began < 1.0
        assert emulator.show()["goals_told"] == told
        arm.stop()
        emulator.say("alive 3")
        arm.release()
        swing(arm, ticks, middle)
        arm.disconnect()


def test_a_silent_board_is_named():
    with Emulator("line") as emulator:
        arm = arm_of("line", emulator)
        middle, ticks = arm.observe()["joints"], itertools.count()
        swing(arm, ticks, middle)
        emulator.say("silent on")
        with pytest.raises(NoReply, match="check cable"):
            while True:
                swing(arm, ticks, middle)
        emulator.say("silent off")
        swing(arm, ticks, middle)
        arm.disconnect()


def test_a_stuck_joint_is_noticed_and_no_longer_pushed():
    with Emulator("so101") as emulator:
        arm = arm_of("feetech", emulator)
        target = arm.observe()["joints"] + np.array([0.0, 0.5, 0.0, 0.0, 0.0])
        emulator.say("stall 2")
        with pytest.raises(Stalled, match="shoulder_lift"):
            for _ in range(200):
                arm.send(Action(target))
                time.sleep(0.02)
        end = time.monotonic() + 5
        while abs((shown := emulator.show())["goals"][1] - shown["steps"][1]) > 2:
            assert time.monotonic() < end, shown
            time.sleep(0.02)
        arm.disconnect()


def test_a_hot_servo_is_noticed_in_motion_and_before():
    with Emulator("so101") as emulator:
        arm = arm_of("feetech", emulator)
        here = arm.observe()["joints"]
        emulator.say("hot 4 90")
        assert arm.health().faults == {"wrist_flex": "it is too hot: let it cool down"}
        with pytest.raises(ServoFault, match=r"wrist_flex.*cool down"):
            for _ in range(100):
                arm.send(Action(here))
                time.sleep(0.02)
        arm.disconnect()
        with pytest.raises(ServoFault, match="wrist_flex"):
            arm_of("feetech", emulator)


def test_no_arm_has_two_owners(kind):
    with emulator_of(kind) as emulator:
        first = arm_of(kind, emulator)
        with pytest.raises(PortBusy, match="another program"):
            arm_of(kind, emulator)
        first.disconnect()
        arm_of(kind, emulator).disconnect()


def test_an_arm_that_is_not_there_says_so(kind, tmp_path):
    with pytest.raises(ArmNotFound, match="plug the arm in"):
        make_arm(f"{kind}:{tmp_path}/nothing").connect()


DRIVE = """
import sys, time, numpy as np
from robot_io.arm import Action, make_arm
arm = make_arm(sys.argv[1])
arm.connect()
start = arm.observe()["joints"]
print("moving", flush=True)
for tick in range(10_000):
    arm.send(Action(start + np.minimum(tick / 30 * 0.5, 1.0) * np.eye(len(start))[0]))
    time.sleep(1 / 30)
"""


def test_an_arm_whose_process_is_killed_holds_within_half_a_second(kind):
    with emulator_of(kind) as emulator:
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVE, f"{kind}:{emulator.port}"], stdout=subprocess.PIPE, text=True
        )
        assert driver.stdout is not None
        assert driver.stdout.readline().strip() == "moving"
        time.sleep(0.5)
        os.kill(driver.pid, signal.SIGKILL)
        driver.communicate()
        time.sleep(0.6)
        where = "joints" if kind == "line" else "steps"
        first = np.array(emulator.show()[where], dtype=float)
        time.sleep(0.3)
        second = np.array(emulator.show()[where], dtype=float)
        np.testing.assert_allclose(second, first, atol=2e-3 if kind == "line" else 1.0)
        if kind == "line":
            assert emulator.show()["state"] == "W"
        else:
            assert all(emulator.show()["torque"])
        arm_of(kind, emulator).disconnect()


def test_a_device_that_babbles_is_an_error_and_never_a_hang_or_a_goal(bench, arm, kind):
    middle, ticks = arm.observe()["joints"], itertools.count()
    board, rng = bench.board, np.random.default_rng(3)
    told: list[bytes] = []
    lead = b"\xff\xff" if kind == "feetech" else b""

    class Babbler:
        def receive(self, data: bytes, now: float) -> list[bytes]:
            told.append(data)
            return [lead + rng.bytes(int(rng.integers(0, 30))) for _ in range(int(rng.integers(0, 4)))]

    bench.board = Babbler()
    bench.time += 0.2
    for _ in range(FEW):
        start = bench.time
        with contextlib.suppress(WireError):
            swing(arm, ticks, middle)
        assert bench.time - start < 0.5
        bench.time = max(bench.time, start + 1 / 30)
    if kind == "feetech":
        assert not any(data[4] == SYNC_WRITE for data in told)
    bench.board = board
    arm.disconnect()


def test_an_arm_that_is_not_folded_keeps_its_torque():
    with Emulator("so101") as emulator:
        arm = arm_of("feetech", emulator)
        here = arm.observe()["joints"]
        for _ in range(60):
            arm.send(Action(np.zeros(5)))
            time.sleep(0.01)
        assert np.max(np.abs(arm.observe()["joints"] - here)) > 0.3
        arm.disconnect()
        assert all(emulator.show()["torque"])
