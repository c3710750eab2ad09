"""An emulated camera that stalls, freezes or vanishes: what moves by itself is held, told, and goes on by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from robot_io.advice import advise
from robot_io.emulation.console import LENS
from robot_io.launch import launch
from robot_io.remote import RemoteArm
from robot_io.watching import Watch
from tests.robot_io.emulator import Emulator
from tests.robot_io.side_port import ORIGIN, Page, linked

pytestmark = [pytest.mark.process, pytest.mark.sim]
PATIENCE = 90.0
SAID = {"stall": "no picture", "freeze": "same picture", "gone": "gone|expected an emulated camera"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("bench")
    with Emulator("so101", more=["--bench", str(folder)]) as emulator:
        end = time.monotonic() + PATIENCE
        while not (folder / "frame").exists():
            assert time.monotonic() < end, "the camera gives no picture"
            time.sleep(0.1)
        yield emulator


@pytest.fixture(scope="module")
def folder(bench: Emulator, tmp_path_factory) -> Iterator[Path]:
    """The arm's process, as a lesson starts it."""
    place = tmp_path_factory.mktemp("arm")
    process = launch(f"feetech:{bench.name.partition(':')[2]}", place, origins=[ORIGIN], patience=PATIENCE)
    yield place
    process.terminate()
    process.wait(60)


def wait_for(arm: RemoteArm, **wanted: str) -> dict:
    """The state in which each field holds those words; "" stands for nothing."""
    end = time.monotonic() + PATIENCE
    while True:
        state = dict(arm.state())
        if all((words in state[name]) if words else not state[name] for name, words in wanted.items()):
            return state
        assert time.monotonic() < end, state
        time.sleep(0.05)


def stands(arm: RemoteArm) -> None:
    """It has come to rest for a second; emulated servos follow a computer's time, and late if that is busy."""
    end = time.monotonic() + PATIENCE
    while True:
        before = np.array(arm.observe()["joints"])
        time.sleep(1.0)
        if np.max(np.abs(arm.observe()["joints"] - before)) < 0.1:
            return
        assert time.monotonic() < end, "it does not stand"


@pytest.mark.parametrize("fault", LENS[1:])
def test_a_motion_waits_for_the_camera_and_then_goes_on(fault: str, bench: Emulator, folder: Path):
    with Watch(folder), linked(folder) as arm:
        truth = arm.reset(3, "put-block-in-bowl", "seen")
        wait_for(arm, blind="")
        block, bowl = (next(o for o in truth["objects"] if o["kind"] == kind) for kind in ("block", "bowl"))
        plan = np.array([[*block["position"][:2], 0.0, 0.0], [*bowl["position"][:2], 0.0, 0.0]])
        done: list = []
        thread = threading.Thread(target=lambda: done.append(arm.perform(plan, anyway=True)))
        thread.start()
        wait_for(arm, phase="moving")
        bench.say(f"camera {fault}")
        try:
            held = wait_for(arm, phase="held")
            assert any(words in held["why"] for words in SAID[fault].split("|")), held
            stands(arm)
            assert arm.state()["phase"] == "held" and not done
        finally:
            bench.say("camera fine")
        thread.join(PATIENCE)
        assert done
        assert done[0].reached, "nothing of the motion was lost"


@pytest.mark.parametrize("fault", LENS[1:])
def test_a_page_is_told_with_what_to_do(fault: str, bench: Emulator, folder: Path):
    with Page(folder) as page, linked(folder) as arm:
        wait_for(arm, blind="")
        bench.say(f"camera {fault}")
        try:
            end = time.monotonic() + PATIENCE
            while not (blind := page.hear("state", PATIENCE)["blind"]):
                assert time.monotonic() < end
            assert any(words in blind for words in SAID[fault].split("|")), blind
            assert "by itself" in advise(f"CameraError: {blind}")["do"]
        finally:
            bench.say("camera fine")
        wait_for(arm, blind="")
