"""An arm in another process keeps the same contract, and says so when the process is gone."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from robot_io import wire
from robot_io.arm import Arm, ArmError, BadAction, NotConnected, Stopped, Unsupported
from robot_io.remote import RemoteArm, ask_token
from tests.contracts.arm_contract import SceneContract
from tests.robot_io.side_port import arm_process, linked, run_of

pytestmark = pytest.mark.process

PLAN = np.array([[0.3, -0.4, 0.02, 0.0], [0.7, 0.4, 0.05, 0.0]])


class OverProcess(SceneContract):
    arm_name = ""

    @pytest.fixture(scope="class")
    @classmethod
    def directory(cls, tmp_path_factory):
        directory = tmp_path_factory.mktemp("arm")
        with arm_process(directory, cls.arm_name), linked(directory) as arm:
            arm.pace(0)
            yield directory

    @pytest.fixture(autouse=True)
    def _keep_directory(self, directory):
        self.directory = directory

    def make_unconnected(self) -> Arm:
        return RemoteArm(self.directory)


class TestFakeOverProcess(OverProcess):
    arm_name = "fake:table"


@pytest.mark.sim
class TestSimOverProcess(OverProcess):
    arm_name = "sim:panda"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("arm")
    with arm_process(directory):
        yield directory


@pytest.fixture
def arm(directory):
    with linked(directory) as arm:
        arm.release()
        yield arm


def test_stop_and_observe_do_not_wait_for_perform(arm):
    ended = []

    def perform():
        with pytest.raises(Stopped) as stopped:
            arm.perform(PLAN)
        ended.append(stopped.value)

    thread = threading.Thread(target=perform)
    thread.start()
    while arm.state()["phase"] != "moving":
        time.sleep(0.01)
    start = time.monotonic()
    arm.observe()
    arm.observe(pictures=True)
    arm.snapshot()
    arm.stop()
    assert time.monotonic() - start < 0.5
    thread.join(2)
    assert ended


def test_hold_ends_perform(arm):
    reports = []
    thread = threading.Thread(target=lambda: reports.append(arm.perform(PLAN)))
    thread.start()
    while arm.state()["phase"] != "moving":
        time.sleep(0.01)
    arm.hold()
    thread.join(2)
    assert not reports[0].reached


def test_a_second_motion_is_refused(arm, directory):
    thread = threading.Thread(target=lambda: arm.perform(PLAN))
    thread.start()
    while arm.state()["phase"] != "moving":
        time.sleep(0.01)
    with linked(directory) as other, pytest.raises(ArmError, match="one motion"):
        other.perform(PLAN)
    with pytest.raises(ArmError, match="one motion"):
        arm.reset(1, "put-block-in-bowl", "seen")
    arm.hold()
    thread.join(2)


def test_a_program_that_goes_away_leaves_a_still_arm(arm, directory):
    def perform(other):
        with pytest.raises(NotConnected):
            other.perform(PLAN)

    with linked(directory) as other:
        thread = threading.Thread(target=perform, args=(other,))
        thread.start()
        while arm.state()["phase"] != "moving":
            time.sleep(0.01)
    thread.join(2)
    time.sleep(0.1)
    assert arm.state()["phase"] == "idle"


def test_many_threads_may_ask_at_once(arm):
    arm.reset(1, "put-block-in-bowl", "seen")
    wanted, got = arm.truth(), []
    threads = [threading.Thread(target=lambda: got.append(arm.truth())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert got == [wanted] * 20


def test_pace(arm):
    arm.pace(0)
    assert arm.state()["pace"] == 0
    with pytest.raises(ArmError, match="pace"):
        arm.pace(-1)
    arm.pace(1)


def raw(directory):
    run = run_of(directory)
    socket = connect(f"ws://127.0.0.1:{run.port}/link", compression=None, proxy=None)
    socket.send(wire.pack({"token": ask_token(run.port, run.secret, "raw", "link")}))
    assert wire.unpack(socket.recv(timeout=5)) == {"ok": True}
    return socket


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"do": "dance"}, "Unsupported"),
        ({}, "Unsupported"),
        ({"do": "perform"}, "BadAction"),
        ({"do": "perform", "actions": "abc"}, "BadAction"),
        ({"do": "send", "joints": [[1]], "gripper": 0}, "BadAction"),
        ({"do": "send", "joints": [1, 2, 3, 4]}, "BadAction"),
        ({"do": "reset", "seed": "x", "task": "t", "split": "s"}, "BadAction"),
        ({"do": "reset", "seed": 1, "task": "t", "split": "s"}, "ArmError"),
        ({"do": "restore", "snapshot": b"abc"}, "BadAction"),
        ({"do": "restore", "snapshot": None}, "BadAction"),
        ({"do": "pace", "factor": None}, "BadAction"),
    ],
)
def test_a_request_that_cannot_be_done_gets_an_error(directory, request_, error):
    with raw(directory) as socket:
        socket.send(wire.pack({"id": 5, **request_}))
        reply = wire.unpack(socket.recv(timeout=5))
        assert (reply["id"], reply["ok"], reply["error"]) == (5, False, error)
        assert reply["message"]
        socket.send(wire.pack({"id": 6, "do": "state"}))
        assert wire.unpack(socket.recv(timeout=5))["ok"]


@pytest.mark.parametrize("data", [b"", b"\xc1", wire.pack([1]), wire.pack({"x": bytes(9_000_000)}), "text"])
def test_a_frame_that_is_none_closes_the_link(directory, data):
    with raw(directory) as socket, pytest.raises(ConnectionClosed, match=r"4400|1009|no close frame"):
        socket.send(data)
        socket.recv(timeout=5)
    with linked(directory) as arm:
        assert arm.state()["phase"]


def test_errors_come_back_in_their_class(arm):
    with pytest.raises(BadAction, match="shape"):
        arm.perform(np.zeros((7, 7)))
    with pytest.raises(Unsupported, match="verb"):
        arm._ask("dance")


def test_a_directory_without_a_process(tmp_path):
    with pytest.raises(NotConnected, match="start it"):
        RemoteArm(tmp_path).connect()


def test_a_port_where_nobody_is():
    with pytest.raises(NotConnected, match="start it"):
        RemoteArm(port=1, secret="x").connect()


def test_a_wrong_secret(directory):
    with pytest.raises(NotConnected, match="401"):
        RemoteArm(port=run_of(directory).port, secret="wrong").connect()


def test_a_process_that_dies_is_told_and_the_next_one_is_found(tmp_path):
    with arm_process(tmp_path) as first:
        arm = RemoteArm(tmp_path)
        arm.connect()
        errors = []

        def perform():
            with pytest.raises(NotConnected) as error:
                arm.perform(PLAN)
            errors.append(error.value)

        thread = threading.Thread(target=perform)
        thread.start()
        while arm.state()["phase"] != "moving":
            time.sleep(0.01)
        first.kill()
        thread.join(5)
        assert "gone" in str(errors[0])
        with pytest.raises(NotConnected):
            arm.state()
        first.wait(5)
        with arm_process(tmp_path):
            arm.reconnect(patience=5)
            assert arm.state()["phase"] == "stopped"
            assert "crash" in arm.state()["why"]
            with pytest.raises(Stopped):
                arm.perform(PLAN)
            arm.release()
            assert arm.perform(PLAN).reached
            arm.disconnect()
