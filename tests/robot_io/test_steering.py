"""Streams by programs, take-over and small moves by a browser: on a running arm process."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from robot_io.arm import ArmError, NotConnected
from robot_io.errors import Driven
from robot_io.fake import HOME, LIMITS
from robot_io.remote_stream import StreamArm
from tests.robot_io.side_port import Page, arm_process


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("arm")
    with arm_process(directory):
        yield directory


@pytest.fixture
def arm(directory):
    arm = StreamArm(directory)
    arm.connect()
    arm.release()
    arm.reset(1, "put-block-in-bowl", "seen")
    arm.record()
    yield arm
    arm.hold()
    arm.record(on=False)
    arm.disconnect()


@pytest.fixture
def page(directory, arm):
    with Page(directory, f"anna {time.monotonic()}") as page:
        page.beating = True
        beats = threading.Thread(target=beat, args=(page,))
        beats.start()
        yield page
        page.beating = False
        beats.join()
        page.tell(type="lease", do="drop")


def beat(page: Page) -> None:
    while page.beating:
        page.beat()
        time.sleep(0.04)


def swing(ticks: int) -> np.ndarray:
    """Back and forth, in rows for 30 Hz."""
    rows = np.tile(np.append(HOME, 0.0), (ticks, 1))
    rows[:, 1] += 0.1 * np.sin(np.arange(ticks) / 10)
    return rows


def move(page: Page, delta, age: float = 0.0, **more) -> None:
    page.tell(type="drive", delta=delta, t=time.time() - age, **more)


def settled(arm: StreamArm, ticks: int, patience: float = 5.0) -> None:
    end = time.monotonic() + patience
    while arm.now()["tick"] < ticks or arm.now()["phase"] == "moving":
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_stream_takes_its_time_and_tells_when_it_is_used_up(arm):
    start = time.monotonic()
    done = arm.stream(swing(15), every=2, wait=0)
    assert 0.4 < time.monotonic() - start < 1.5
    assert done["ended"] == ""
    frames = arm.frames()
    assert len(frames["tick"]) == 30
    assert {frames["controllers"][c] for c in frames["controller"]} == {"policy"}
    np.testing.assert_allclose(frames["requested"][1::2], swing(15))


def test_as_fast_as_it_can(arm):
    arm.pace(0)
    for _ in range(5):
        arm.stream(swing(100), wait=0)
    arm.pace(1)
    assert len(arm.frames()["tick"]) == 500


def test_taking_over_stops_the_policy_and_handing_back_lets_it_begin_anew(arm, page):
    waiting: list = []
    thread = threading.Thread(target=lambda: waiting.append(arm.stream(swing(300), wait=0)))
    thread.start()
    page.state(phase="moving", controller="policy")
    page.drive()
    page.state(controller="human")
    thread.join(2)
    assert waiting[0]["ended"] == "a person took over"
    with pytest.raises(Driven):
        arm.stream(swing(10))
    with pytest.raises(ArmError, match="nobody to drive"):
        arm.rewind(3)
    for _ in range(5):
        move(page, [0.0, 0.0, -0.01, 0.0])
        time.sleep(0.04)
    settled(arm, 0)
    frames = arm.frames()
    who = [frames["controllers"][c] for c in frames["controller"]]
    assert set(who) == {"policy", "human"}
    assert who == sorted(who, reverse=True)
    assert np.all(np.abs(np.diff(frames["executed"][:, :4], axis=0)) <= LIMITS.speed / 60 + 1e-9)
    np.testing.assert_allclose(frames["executed"][-1, 2], HOME[2] - 0.05)
    page.tell(type="drive", on=False)
    page.state(controller="nobody")
    assert arm.stream(swing(10), wait=0)["ended"] == ""


def test_an_old_command_is_dropped(arm, page):
    page.drive()
    move(page, [0.01, 0, 0, 0], age=0.2)
    move(page, [0.01, 0, 0, 0], age=-5)
    page.state(dropped=2)
    assert arm.now()["observation"]["joints"][0] == HOME[0]


def test_only_who_drives_moves_it(arm, page, directory):
    move(page, [0.01, 0, 0, 0])
    assert "lease" in page.hear("error")["message"]
    page.tell(type="lease", do="take")
    move(page, [0.01, 0, 0, 0])
    assert "heartbeat" in page.hear("error")["message"]
    page.drive()
    for wrong in ({"delta": [1, 0, 0, 0]}, {"delta": "north"}, {"delta": [0, 0, 0, 0], "gripper": 7}, {}):
        page.tell(type="drive", t=time.time(), **wrong)
        assert "expected" in page.hear("error")["message"]
    with Page(directory, "bela") as other:
        move(other, [0.01, 0, 0, 0])
        assert "lease" in other.hear("error")["message"]
        other.tell(type="retrace", do="held")
        assert "lease" in other.hear("error")["message"]


def test_a_lost_heartbeat_holds_then_stops_and_the_frames_stay(arm, page):
    page.drive()
    move(page, [0.01, 0, 0, 0])
    settled(arm, 1)
    page.beating = False
    page.state(phase="held", timeout=1)
    page.state(phase="stopped", timeout=2, controller="nobody")
    assert len(arm.frames()["tick"]) > 3
    with pytest.raises(ArmError, match="stopped"):
        arm.stream(swing(3))


def test_retracing_while_a_key_is_held(arm, page):
    arm.stream(swing(20), every=2, wait=0)
    page.drive()
    page.tell(type="retrace", do="start", to=arm.moments()["root"] + 20)
    page.state(controller="retrace")
    end = time.monotonic() + 8
    while arm.now()["controller"] == "retrace":
        assert time.monotonic() < end
        page.tell(type="retrace", do="held")
        time.sleep(0.05)
    assert arm.now()["note"] == "it is back"
    frames = arm.frames()
    row = int(np.searchsorted(frames["tick"], frames["first"] + 19))
    np.testing.assert_allclose(frames["executed"][-1, :4], frames["executed"][row, :4], atol=0.006)


def test_rewinding_and_keeping(arm):
    first = arm.moments()["root"]
    arm.stream(swing(60), wait=0)
    then = arm.frames()["observation"]["joints"][31]
    arm.rewind(first + 31)
    np.testing.assert_array_equal(arm.now()["observation"]["joints"], then)
    name = arm.keep()
    arm.stream(swing(5), wait=0)
    assert arm.moments()["branches"][-1] == [first + 61, first + 65, first + 31]
    assert name in arm.moments()["kept"]
    arm.return_to(name)
    np.testing.assert_array_equal(arm.now()["observation"]["joints"], then)
    for wrong in ("../arm", "12-00000000"):
        with pytest.raises(ArmError, match="kept moment"):
            arm.return_to(wrong)


def test_no_rewind_while_it_moves(arm):
    arm.stream(swing(300))
    with pytest.raises(ArmError, match="nobody to drive"):
        arm.rewind(arm.moments()["root"])


def test_a_program_that_is_gone_streams_no_more(arm, directory):
    other = StreamArm(directory)
    other.connect()
    other.stream(swing(600))
    other.disconnect()
    end = time.monotonic() + 3
    while arm.now()["phase"] == "moving":
        assert time.monotonic() < end
    assert "gone" in arm.now()["note"]


def test_who_is_not_connected_cannot_stream(directory):
    with pytest.raises(NotConnected):
        StreamArm(directory).stream(swing(3))


def test_a_kept_moment_outlives_the_arm_process(tmp_path):
    joints = []
    for life in range(2):
        with arm_process(tmp_path):
            arm = StreamArm(tmp_path)
            arm.connect()
            if life == 0:
                arm.reset(4, "put-block-in-bowl", "seen")
                arm.stream(swing(30), wait=0)
                arm.keep()
            else:
                arm.return_to(arm.moments()["kept"][0])
            joints.append(arm.now()["observation"]["joints"])
            assert arm.truth()["seed"] == 4
            arm.disconnect()
    np.testing.assert_array_equal(*joints)
