"""A whole arm process with a real arm's electronics behind it: drive, unplug in motion, plug in, go on, end."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import WebSocketException

from robot_io import so
from robot_io.arm import Action, ArmError
from robot_io.calibration import STEP
from robot_io.emulation.so101 import RANGES
from robot_io.errors import Unplugged
from robot_io.launch import launch
from tests.robot_io.emulator import Emulator
from tests.robot_io.side_port import ORIGIN, Page, linked

pytestmark = pytest.mark.process

KINDS = ["line", "feetech", pytest.param("so101", marks=pytest.mark.slow)]
"""LeRobot's import takes 5 s of a core, and a minute on a busy machine; test_so_arm.py has it in its own process."""


@pytest.fixture(params=KINDS)
def kind(request, tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "lerobot"))
    return request.param


@pytest.fixture
def emulator(kind):
    with Emulator("line" if kind == "line" else "so101") as emulator:
        yield emulator


def released(arm: Any, patience: float = 10.0) -> None:
    """A person presses Release until the arm, just plugged in, answers."""
    end = time.monotonic() + patience
    while True:
        try:
            arm.release()
            return
        except ArmError:
            assert time.monotonic() < end
            time.sleep(0.2)


@contextmanager
def process_of(name: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running arm process; ended in order afterwards."""
    process = launch(name, directory, origins=[ORIGIN], patience=240.0)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


@pytest.fixture
def watched():
    """Keeps a page beating, as one that somebody looks at does."""
    ending, pages = threading.Event(), []

    def watch(directory):
        page = Page(directory)
        pages.append(page)

        def beat():
            with suppress(WebSocketException):
                while not ending.wait(0.3):
                    page.beat()

        page.beat()
        threading.Thread(target=beat, daemon=True).start()
        return page

    yield watch
    ending.set()
    for page in pages:
        page.socket.close()


def test_an_arm_is_unplugged_in_motion_and_goes_on_after_that(kind, emulator, watched, tmp_path):
    with process_of(f"{kind}:{emulator.port}", tmp_path) as process, linked(tmp_path) as arm:
        watched(tmp_path)
        assert not arm.features.simulated
        start = arm.observe()["joints"]
        step = 0.02 * np.eye(len(start))[0]
        for n in range(1, 6):
            sent = arm.send(Action(start + n * step))
        np.testing.assert_allclose(sent.joints, start + 5 * step, atol=2e-3)
        emulator.say("unplug")
        with pytest.raises(Unplugged, match="plug the arm in"):
            for _ in range(50):
                arm.send(Action(start))
        assert arm.state()["phase"] == "fault"
        with pytest.raises(ArmError):
            arm.send(Action(start))
        emulator.say("plug")
        released(arm)
        end = time.monotonic() + 5
        while np.max(np.abs(arm.send(Action(start)).joints - start)) > 2e-3:
            assert time.monotonic() < end
        assert arm.state()["phase"] == "idle"
        process.terminate()
        assert process.wait(20) == 0
    if kind != "line":
        shown = emulator.show()
        lift = (shown["steps"][1] - sum(RANGES["shoulder_lift"]) / 2) * STEP
        assert abs(lift - so.REST[1]) < 0.1, "it folds"
        assert not any(shown["torque"]), "and only then lets go"
