"""A lesson in motion as processes, on the simulated arm: a page drives, the host labels, a kill loses nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robot_io.run_files import read_run_file
from teaching import supervisor
from teaching.channel import Channel
from teaching.replay import ReplayBuffer
from teaching.types import AskbackError
from tests.robot_io.side_port import ORIGIN, Page

pytestmark = [pytest.mark.process, pytest.mark.sim]


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    path = supervisor.create_lesson(home, "Peg", kind="rollout", wanted=5)
    keeper = supervisor.Supervisor([ORIGIN])
    keeper.open(path)
    keeper.watch(0.2)
    wait(lambda: supervisor._found(path, "host") is not None, path)
    yield path
    keeper.close(path)
    keeper.stop(lessons=False)


def wait(until: Callable[[], bool], path: Path, patience: float = 90.0) -> None:
    end = time.monotonic() + patience
    while not until():
        assert time.monotonic() < end, supervisor.last_words(path, "host")
        time.sleep(0.02)


def push(page: Page, ticks: int, *delta: float) -> None:
    """A held key: small moves at 25 Hz."""
    for _ in range(ticks):
        page.beat()
        page.tell(type="drive", delta=[*delta, 0.0], t=time.time())
        time.sleep(0.04)


def take_over(page: Page) -> None:
    page.tell(type="lease", do="take")
    page.tell(type="drive", on=True)
    page.state(driving=True)


def test_from_take_over_to_a_kept_episode(lesson):
    with Channel(lesson, session="anna", teacher="Anna") as channel, Page(lesson) as page:
        channel.wait(lambda v: v["phase"] == "ready")
        assert channel.view["kind"] == "rollout" and "start" in channel.view["can"]
        with pytest.raises(AskbackError, match="has not begun"):
            channel.intend("recovered")
        channel.intend("start")
        channel.wait(lambda v: v["episode"]["tick"] > 30)
        take_over(page)
        channel.wait(lambda v: v["phase"] == "recovery")
        push(page, 10, 0, 0, 0.004)
        channel.intend("recovered")
        push(page, 10, 0, 0.004, 0)
        page.tell(type="drive", on=False)
        page.state(driving=False)
        with pytest.raises(AskbackError, match="expected a tick of this episode"):
            channel.intend("rewind", tick=10**9)
        channel.intend("rewind", tick=20)
        take_over(page)
        push(page, 8, 0.004, 0, 0)
        page.tell(type="drive", on=False)
        page.state(driving=False)
        channel.intend("done")
        channel.wait(lambda v: v["recent"] and v["phase"] == "ready")
        assert channel.view["recent"][-1]["end"] == "intervened"
    with ReplayBuffer(lesson, readonly=True) as buffer:
        facts = buffer.rollouts()[-1].rollout
        assert facts is not None
        assert [s["kind"] for s in facts["segments"]] == ["policy", "restored", "correction"]
        assert facts["left_frames"] > 0 and buffer.verify().whole
        columns = buffer.frames("000000")
        assert (columns["segment"] == 2).any() and (columns["segment"] == 3).any()


def test_a_closed_page_stops_the_arm_and_keeps_the_episode(lesson):
    with Channel(lesson, session="anna") as channel:
        channel.wait(lambda v: v["phase"] == "ready")
        count = len(channel.view["recent"])
        channel.intend("demonstrate")
        with Page(lesson) as page:
            take_over(page)
            push(page, 8, 0, 0, 0.004)
        channel.wait(lambda v: v["phase"] == "stopped" and len(v["recent"]) > count)
        assert channel.view["recent"][-1]["end"] == "truncated"
        with Page(lesson) as page:
            page.tell(type="lease", do="take")
            page.tell(type="release", id="r")
            channel.wait(lambda v: v["phase"] == "ready")


def test_a_killed_host_comes_back_with_the_episode(lesson):
    with Channel(lesson, session="anna") as channel:
        channel.wait(lambda v: v["phase"] == "ready")
        number = channel.view["episode"]["number"]
        channel.intend("start")
        channel.wait(lambda v: v["episode"]["tick"] > v["episode"]["first"] + 30)
    run = read_run_file(lesson, "host")
    assert run is not None
    os.kill(run.pid, signal.SIGKILL)
    wait(lambda: (found := supervisor._found(lesson, "host")) is not None and found.pid != run.pid, lesson)
    with Channel(lesson, session="anna") as channel:
        channel.wait(lambda v: v["phase"] == "ready" and v["recent"][-1]["episode"] == f"{number:06d}")
        assert channel.view["recent"][-1]["end"] == "truncated"
        channel.intend("undo")
        channel.wait(lambda v: any(r["undone"] for r in v["recent"]))
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert buffer.verify().whole
