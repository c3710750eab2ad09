"""What a browser gets from the side port: STOP, state, pictures, the lease, the heartbeat."""

from __future__ import annotations

import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from robot_io.access import BAD_FRAME, UNAUTHORISED, Tokens
from robot_io.arm import Stopped
from robot_io.eyes import Eye
from robot_io.fake import FakeArm
from robot_io.heartbeat import Heartbeat, Pulse
from robot_io.live import Live
from robot_io.loop import Loop
from robot_io.phase import Phase
from robot_io.safety import SafeArm
from tests.robot_io.side_port import ORIGIN, Page, arm_process, linked, run_of

pytestmark = pytest.mark.process

PLAN = np.array([[0.3, -0.4, 0.02, 0.0], [0.7, 0.4, 0.05, 0.0]])


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("arm")
    with arm_process(directory):
        yield directory


@pytest.fixture
def arm(directory):
    with linked(directory) as arm:
        arm.release()
        arm.pace(1)
        yield arm
        arm.hold()


@pytest.fixture
def page(directory, arm):
    with Page(directory, f"anna {time.monotonic()}") as page:
        yield page
        page.tell(type="lease", do="drop")


def performing(arm):
    """Perform in a thread; returns the thread and a list that gets how it ended."""
    ended = []

    def perform():
        try:
            ended.append(arm.perform(PLAN))
        except Stopped as error:
            ended.append(error)

    thread = threading.Thread(target=perform)
    thread.start()
    return thread, ended


def test_hello_tells_what_the_arm_has(page):
    assert page.hello["role"] == "drive"
    features = page.hello["features"]
    assert features["cameras"] == ["side"]
    assert len(features["limits"]["lower"]) == len(features["joints"])


def test_state_comes_five_times_a_second(page):
    page.hear("state")
    start = time.monotonic()
    states = [page.hear("state") for _ in range(5)]
    assert 0.6 < time.monotonic() - start < 1.6
    assert states[-1]["phase"] == "idle"
    assert states[-1]["age"] < 0.5


@pytest.mark.parametrize("role", ["drive", "watch"])
def test_anybody_may_stop(directory, arm, role):
    with Page(directory, role=role) as page:
        thread, ended = performing(arm)
        page.state(phase="moving")
        page.tell(type="stop", id="a1", t=0)
        stopped = page.hear("stopped")
        assert stopped["id"] == "a1"
        state = page.state(phase="stopped")
        thread.join(5)
        assert isinstance(ended[0], Stopped)
        assert state["tick"] == stopped["tick"]
        with pytest.raises(Stopped):
            arm.perform(PLAN)


def test_release_is_for_who_drives(directory, page, arm):
    page.tell(type="lease", do="take")
    page.state(you="drive")
    page.tell(type="stop", id="a", t=0)
    page.hear("stopped")
    with Page(directory, "bela") as other, Page(directory, "cleo", role="watch") as watcher:
        for not_driving in (other, watcher):
            not_driving.tell(type="release", id="b")
            assert "take the lease" in not_driving.hear("error")["message"]
    page.tell(type="release", id="c")
    assert page.hear("released")["id"] == "c"
    page.state(phase="idle")


def test_pictures_come_stamped(page, arm):
    arm.reset(1, "put-block-in-bowl", "seen")
    page.tell(type="view", cameras=["side"], fps=30)
    camera, stamp = struct.unpack(">Bd", page.frame()[:9])
    assert camera == 0
    assert abs(stamp - time.time()) < 5
    assert page.frame()[9:11] == b"\xff\xd8"


def test_pictures_come_at_the_speed_asked_for_while_it_moves(page, arm):
    thread, _ = performing(arm)
    page.tell(type="view", cameras=["side"], fps=20)
    page.frame()
    start = time.monotonic()
    for _ in range(8):
        page.frame()
    assert 0.3 < time.monotonic() - start < 0.9
    thread.join(5)


def test_a_lease_passes_by_consent(directory, page):
    page.tell(type="lease", do="take")
    me = page.state(you="drive")["driver"]
    with Page(directory, "bela") as other:
        assert other.state(driver=me)["you"] == "watch"
        other.tell(type="lease", do="take")
        assert page.state(asking="bela")["you"] == "drive"
        page.tell(type="lease", do="give")
        other.state(you="drive")
        page.state(you="watch", driver="bela")
        other.tell(type="lease", do="give")


def test_a_watcher_cannot_take_it(directory):
    with Page(directory, "cleo", role="watch") as page:
        page.tell(type="lease", do="take")
        assert "watch" in page.hear("error")["message"]
        page.tell(type="drive", on=True)
        assert "lease" in page.hear("error")["message"]


def test_silence_holds_a_beat_goes_on_and_longer_silence_stops(page, arm):
    thread, ended = performing(arm)
    page.state(phase="moving")
    page.drive()
    page.state(phase="held", timeout=1)
    page.beat()
    page.state(phase="moving", timeout=1)
    state = page.state(phase="stopped", timeout=2)
    assert "heartbeat" in state["why"]
    thread.join(5)
    assert isinstance(ended[0], Stopped)


def test_a_frozen_page_stops(page, arm):
    page.drive()
    for _ in range(20):
        page.beat(frozen=True)
        time.sleep(0.05)
    page.state(phase="stopped")


def test_a_hidden_page_holds_at_once(page, arm):
    page.drive()
    page.tell(type="hidden")
    page.state(phase="held", timeout=0.14)
    page.beat()
    page.tell(type="drive", on=False)
    page.state(phase="idle")


@pytest.fixture
def timeless():
    """Live pages of an arm whose heartbeat knows no silence: time stands still for it."""
    arm = SafeArm(FakeArm())
    arm.connect()
    loop = Loop(arm, Heartbeat(lambda: 0.0), time.monotonic)
    tokens, stopping = Tokens(), ThreadPoolExecutor(1)
    live = Live(loop, Eye(loop), tokens, stopping, clock=time.monotonic, wall=time.time)
    runs = threading.Thread(target=loop.run)
    runs.start()
    with TestClient(Starlette(routes=[WebSocketRoute("/live", live.__call__)])) as client:
        yield loop, lambda role: opened(client, tokens, role)
    loop.ending = True
    runs.join(10)
    live.close()
    stopping.shutdown()


@contextmanager
def opened(client, tokens, role):
    """A page of that role, after its hello."""
    with client.websocket_connect("/live") as socket:
        socket.send_json({"token": tokens.issue(role, role), "session": role})
        assert socket.receive_json()["type"] == "hello"
        yield socket


def until(true, patience=10.0):
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, "expected it to become true"
        time.sleep(0.005)


def test_a_closed_socket_of_who_drives_holds_at_once(timeless):
    """The browser was killed: nothing has to be waited for. A watcher's end holds nobody."""
    loop, open_page = timeless
    with open_page("drive") as driver:
        driver.send_json({"type": "lease", "do": "take"})
        driver.send_json({"type": "drive", "on": True})
        driver.send_json({"type": "beat", "n": 1})
        with open_page("watch"):
            until(lambda: loop.heartbeat.driving)
        assert loop.heartbeat.pulse() is Pulse.FINE
    until(lambda: loop.state.phase is Phase.HELD)
    assert loop.arm.stopped is None


@pytest.mark.parametrize(
    "message",
    [
        {"type": "dance"},
        {},
        {"type": "beat"},
        {"type": "beat", "n": "x"},
        {"type": "view", "cameras": ["roof"]},
        {"type": "view", "cameras": ["side"], "fps": 1e9},
        {"type": "lease", "do": "steal"},
    ],
)
def test_what_cannot_be_done_is_answered_with_a_sentence(page, message):
    page.tell(**message)
    assert "expected" in page.hear("error")["message"]


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"x": "' + "x" * 20_000 + '"}'])
def test_a_malformed_or_long_frame_closes_this_socket_only(directory, page, text):
    with Page(directory, "bela") as bad:
        bad.socket.send(text)
        with pytest.raises(ConnectionClosed) as closed:
            bad.hear("never")
        assert closed.value.rcvd.code == BAD_FRAME
    page.hear("state")


def test_a_huge_frame_closes_this_socket_only(directory, page):
    with Page(directory, "bela") as bad, pytest.raises(ConnectionClosed):
        bad.socket.send("x" * 20_000_000)
        bad.hear("never")
    page.hear("state")


def test_no_token_no_service(directory):
    with connect(f"ws://127.0.0.1:{run_of(directory).port}/live", origin=ORIGIN, proxy=None) as socket:
        socket.send('{"token": "wrong"}')
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=5)
        assert closed.value.rcvd.code == UNAUTHORISED


@pytest.mark.parametrize("path", ["live", "link", "nowhere"])
def test_a_foreign_origin_is_refused(directory, path):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{run_of(directory).port}/{path}", origin="http://evil.example", proxy=None)
    assert refused.value.response.status_code == 403
