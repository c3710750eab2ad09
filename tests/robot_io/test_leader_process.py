"""A whole arm process with an emulated follower and an emulated leader, through LeRobot: led, unplugged, led again."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from websockets.exceptions import WebSocketException

from robot_io.arm import Action
from robot_io.calibration import STEP
from robot_io.emulation.so101 import RANGES
from robot_io.launch import launch
from robot_io.remote_stream import StreamArm
from tests.robot_io.emulator import Emulator
from tests.robot_io.side_port import ORIGIN, Page

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def emulator():
    with Emulator("so101", more=["--leader"]) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def home(emulator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("led")
    name = emulator.name.replace("so101:", "feetech:")
    process = launch(name, folder, origins=[ORIGIN], patience=240.0)
    yield folder
    process.terminate()
    process.wait(30)


@pytest.fixture
def arm(home):
    arm = StreamArm(home)
    arm.connect()
    yield arm
    arm.disconnect()


class Driver(Page):
    """A page whose Worker beats, as that of somebody who drives does."""

    def __init__(self, home) -> None:
        super().__init__(home)
        self.ending = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()
        self.drive()

    def _beat(self):
        with suppress(WebSocketException):
            while not self.ending.wait(0.03):
                self.beat()

    def __exit__(self, *_):
        self.ending.set()
        self.tell(type="drive", on=False)
        self.state(driving=False)
        super().__exit__()

    def stage(self, wanted, patience=60.0):
        end = time.monotonic() + patience
        while (told := self.hear("state", 10.0))["leader"]["stage"] != wanted:
            assert time.monotonic() < end, told
        return told


@pytest.fixture
def page(home):
    with Driver(home) as page:
        yield page


def led(page):
    """The leader is brought to the arm, and leads; on a busy machine beats come late, and a person tries again."""
    end = time.monotonic() + 90.0
    while (told := page.hear("state", 20.0))["leader"]["stage"] != "leading":
        assert time.monotonic() < end, told
        if told["phase"] in ("stopped", "fault"):
            page.tell(type="release")
        elif not told["driving"]:
            page.tell(type="drive", on=True)
        elif told["leader"]["stage"] == "ready":
            page.tell(type="lead", on=True)
            page.hear("state", 20.0)
    return told


def settled(page, arm, emulator, patience=90.0):
    """Wait until the arm's joints are where the leader's are; where it was held meanwhile, let it lead again."""
    end = time.monotonic() + patience
    while np.max(np.abs((seen := arm.observe()["joints"]) - hand(emulator))) > 0.05:
        assert time.monotonic() < end, (seen, hand(emulator))
        led(page)


def hand(emulator):
    """(5,) radians: where the leader's joints are."""
    steps = emulator.say("leader show")["steps"][:5]
    middles = [sum(span) / 2 for span in RANGES.values()][:5]
    return (np.array(steps) - middles) * STEP


def test_the_arm_follows_the_hand_and_no_step_passes_the_limits(emulator, arm, page):
    start = arm.observe()["joints"]
    emulator.say("leader turn 1 0.6 3")
    emulator.say("leader turn 3 -0.4 3")
    time.sleep(0.5)
    since = arm.state()["tick"]
    arm.record()
    led(page)
    assert np.max(np.abs(hand(emulator) - start)) < 0.15, "its motors brought it to the arm"
    assert np.max(np.abs(arm.observe()["joints"] - start)) < 0.1, "and the arm stood still meanwhile"
    emulator.say("leader turn 1 0.5")
    emulator.say("leader turn 4 -0.3 4")
    time.sleep(1.0)
    settled(page, arm, emulator)
    frames = arm.frames(since)
    arm.record(on=False)
    assert {frames["controllers"][number] for number in frames["controller"]} == {"human"}
    steps = np.abs(np.diff(np.vstack([start, frames["executed"][:, :-1]]), axis=0))
    limit = arm.features.limits.speed / arm.features.rate
    assert len(steps) > 10
    np.testing.assert_allclose(frames["requested"][0][:-1], start, atol=0.1)  # it is taken where it is
    assert np.all(steps <= limit * 1.05 + 2 * STEP)
    assert abs(arm.observe()["joints"][0] - start[0]) > 0.3
    assert np.max(np.abs(frames["requested"] - frames["executed"])) > 0, "a hand is faster; what was done is recorded"


def test_a_leader_that_is_pulled_out_in_motion_leaves_the_arm_holding_with_a_sentence(emulator, arm, page):
    led(page)
    emulator.say("leader turn 1 -0.9 0.6")
    time.sleep(0.5)
    emulator.say("leader unplug")
    end = time.monotonic() + 60.0
    while "the leader arm is" not in (told := page.hear("state", 20.0))["why"]:
        assert time.monotonic() < end, told
    assert told["phase"] == "held"
    assert told["controller"] == "human"
    here = arm.observe()["joints"]
    time.sleep(0.5)
    np.testing.assert_allclose(arm.observe()["joints"], here, atol=0.03)
    emulator.say("leader plug")
    led(page)
    settled(page, arm, emulator)


def test_keys_take_over_from_a_leader_and_a_program_from_the_hand(emulator, arm, page):
    led(page)
    while page.hear("state", 20.0)["leader"]["stage"] != "ready":
        page.tell(type="drive", delta=[0.0, 0.0, 0.002, 0.0], t=time.time())
    led(page)
    page.tell(type="drive", on=False)
    page.state(10.0, driving=False)
    page.stage("ready")
    here = arm.observe()["joints"]
    sent = arm.send(Action(here))
    np.testing.assert_allclose(sent.joints, here, atol=0.02)
    page.tell(type="lead", on=True)
    assert "heartbeat" in page.hear("error")["message"]
    page.drive()
