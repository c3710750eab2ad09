"""Whole plan lessons on an emulated SO-101: by the command, and as processes with a person, through a pulled cable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import ArmError
from robot_io.emulation.back_door import BackDoor
from robot_io.remote import RemoteArm
from robot_io.watching import Watch
from teaching import supervisor
from teaching.channel import Channel
from teaching.replay import ReplayBuffer
from teaching.segments import End
from teaching.task import make_task
from tests.robot_io.emulator import Emulator

pytestmark = [pytest.mark.process, pytest.mark.sim]

TASK = "put-block-in-bowl"
KINDS = ["feetech", pytest.param("so101", marks=pytest.mark.slow)]
"""LeRobot's import takes long on a busy machine; the other library speaks the same bytes."""
PATIENCE = 240.0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator("so101", more=["--bench", str(tmp_path / "bench")]) as emulator:
        end = time.monotonic() + 60
        while not (tmp_path / "bench" / "frame").exists():
            assert time.monotonic() < end, "the camera gives no picture"
            time.sleep(0.1)
        yield emulator


def arm_name(emulator: Emulator, kind: str = "feetech") -> str:
    return f"{kind}:{emulator.name.partition(':')[2]}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_scripted_teacher_runs_a_lesson_on_it(kind: str, bench: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "lesson"
    command = [sys.executable, "-m", "teaching", "run", "--task", TASK, "--arm", arm_name(bench, kind)]
    command += ["--start", "nothing", "--storing-episodes", "2", "--steps", "1", "--batch", "2", "--out", str(out)]
    environment = {**os.environ, "HF_LEROBOT_HOME": str(tmp_path / "lerobot")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    assert figures["storing_episodes"] == 2
    with ReplayBuffer(out, readonly=True) as buffer:
        assert buffer.verify().whole
        episodes = buffer.episodes()
        step = buffer.observation(episodes[0].decisions[0].id)
    assert step["colour"].shape == (80, 160, 3)
    assert any(episode.reward > 0 for episode in episodes), "a block came into its bowl"


@pytest.mark.timeout(900)
def test_a_lesson_in_motion_runs_on_it(bench: Emulator, tmp_path: Path) -> None:
    """Two demonstrations, a training, and two rollouts in which the scripted teacher takes over."""
    out = tmp_path / "moving"
    command = [sys.executable, "-m", "teaching", "rollout", "--task", "block-in-bowl", "--arm", arm_name(bench)]
    command += ["--rounds", "1", "--wanted", "2", "--steps", "40", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with ReplayBuffer(out, readonly=True) as buffer:
        assert buffer.verify().whole
        rollouts = [summary.rollout for summary in buffer.rollouts() if summary.rollout]
    assert sum(facts["end"] == End.DEMONSTRATED for facts in rollouts) >= 2
    assert any(facts["end"] != End.DEMONSTRATED for facts in rollouts), "the policy drove, too"


def shown_right(page: Channel, door: BackDoor) -> str:
    """A person shows the right way, where the scene really is."""
    question = page.question(timeout=PATIENCE)
    plan = make_task(TASK).demonstrate(question["goal"], door.ask("truth"), np.random.default_rng(0))
    assert plan is not None
    where = {name: [*plan.actions[row, :2].tolist(), 0.0] for row, name in enumerate(("pick", "place"))}
    page.intend("answer", query=question["id"], verdict="invalid", demonstration=where, seconds=1.0, timeout=60.0)
    return str(question["id"])


def released(path: Path) -> None:
    """A person presses Release until the arm answers."""
    arm = RemoteArm(path, session="person")
    end = time.monotonic() + 60
    while True:
        try:
            arm.reconnect()
            arm.release()
            break
        except ArmError:
            assert time.monotonic() < end
            time.sleep(0.3)
    arm.disconnect()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", ["stall", "freeze", "gone"])
def test_a_lesson_waits_for_its_camera_and_loses_nothing(fault: str, bench: Emulator, tmp_path: Path) -> None:
    """The camera fails while the arm carries out what a person showed: it stands, the page tells, and both go on."""
    path = supervisor.create_lesson(tmp_path / "home", "Arm", arm=arm_name(bench), start="nothing")
    keeper, door = supervisor.Supervisor(), BackDoor(tmp_path / "bench")
    keeper.open(path)
    keeper.watch(0.5)
    try:
        end = time.monotonic() + PATIENCE
        while not supervisor.running(path):
            assert time.monotonic() < end, supervisor.last_words(path, "arm")
            time.sleep(0.2)
        with Watch(path), Channel(path, session="anna", teacher="Anna") as page:
            said = [shown_right(page, door)]
            page.wait(lambda view: view["acting"] is not None, PATIENCE)
            time.sleep(2.0)
            bench.say(f"camera {fault}")
            view = page.wait(lambda view: "goes on by itself" in view["message"], PATIENCE)
            assert "camera" in view["message"]
            assert view["phase"] == "acting", "it waits, the scene is not given up"
            time.sleep(2.0)
            bench.say("camera fine")
            page.wait(lambda view: view["message"] == "", PATIENCE)
            said.append(shown_right(page, door))
            page.wait(lambda view: view["counts"]["answers"] == 2, PATIENCE)
    finally:
        keeper.close(path)
        keeper.stop(lessons=False)
        door.close()
    with ReplayBuffer(path) as buffer:
        assert buffer.verify().whole
        assert list(buffer.answers()) == said
        first, *_ = buffer.episodes()
    assert first.reward > 0, "the block that was shown came into its bowl"


def test_a_lesson_goes_on_after_the_cable_was_pulled_in_motion(bench: Emulator, tmp_path: Path) -> None:
    path = supervisor.create_lesson(tmp_path / "home", "Arm", arm=arm_name(bench), start="nothing")
    keeper, door = supervisor.Supervisor(), BackDoor(tmp_path / "bench")
    keeper.open(path)
    keeper.watch(0.5)
    try:
        end = time.monotonic() + PATIENCE
        while not supervisor.running(path):
            assert time.monotonic() < end, supervisor.last_words(path, "arm")
            time.sleep(0.2)
        with Watch(path), Channel(path, session="anna", teacher="Anna") as page:
            said = [shown_right(page, door)]
            page.wait(lambda view: view["acting"] is not None, PATIENCE)
            time.sleep(2.0)
            bench.say("unplug")
            view = page.wait(lambda view: view["phase"] == "fault", PATIENCE)
            assert "plug" in view["message"]
            bench.say("plug")
            released(path)
            said.append(shown_right(page, door))
            page.wait(lambda view: view["question"] is not None and view["question"]["id"] != said[1], PATIENCE)
            assert page.view["counts"]["answers"] == 2
    finally:
        keeper.close(path)
        keeper.stop(lessons=False)
        door.close()
    with ReplayBuffer(path) as buffer:
        assert buffer.verify().whole
        assert list(buffer.answers()) == said
        ends = [episode.end for episode in buffer.episodes()]
    assert ends[0] == "interrupted"
