"""An SO arm at an emulated table, over the vendor's SDK and real bytes: what every Table arm promises, what it sees."""

from __future__ import annotations

import time

import numpy as np
import pytest

from robot_io import hand_eye
from robot_io.arm import Arm, Rehearsal, make_arm
from robot_io.cameras import CameraError
from robot_io.emulation.bench import TASKS, view
from robot_io.errors import NotCalibrated, Unsupported
from robot_io.eyes import Eye
from robot_io.heartbeat import Heartbeat
from robot_io.loop import Loop
from robot_io.safety import SafeArm
from robot_io.sighted import Laid, Sighted
from robot_io.so_table import ASIDE, CAMERA, SoTable
from tests.contracts.arm_contract import TableContract
from tests.robot_io.emulator import Emulator

pytestmark = [pytest.mark.process, pytest.mark.sim]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    with Emulator("so101", more=["--bench", str(folder)]) as emulator:
        end = time.monotonic() + 60
        while not (folder / "frame").exists():
            assert time.monotonic() < end, "the camera gives no picture"
            time.sleep(0.1)
        yield emulator


def go_aside(arm) -> None:
    seen = arm.observe()
    path = arm.aside(seen["joints"], float(seen["gripper"][0]))
    for tick in range(len(path)):
        arm.send(path[tick])
        time.sleep(1 / arm.features.rate)


def _shown(arm, picture, thing) -> bool:
    """Whether a thing's colour is where the thing is."""
    row, column = arm.features.table.pixel_of(*thing["position"][:2])
    return thing["colour"] in ("gray", "white", "brown") or bool(np.ptp(picture[row, column].astype(int)) > 25)


class TestSoTable(TableContract):
    @pytest.fixture(autouse=True)
    def _bench(self, bench):
        self.name = f"feetech:{bench.name.partition(':')[2]}"

    def make_unconnected(self) -> Arm:
        return make_arm(self.name)

    def scene(self, arm):
        assert isinstance(arm, Laid)
        return arm

    def test_it_sees_its_table_once_it_is_aside(self, arm):
        assert isinstance(arm, Sighted)
        assert arm.features.table == view()
        assert arm.features.tasks == TASKS
        across, down, far = np.array(arm.features.views[CAMERA].matrix) @ [0.2, 0.0, 0.0, 1.0]
        assert 0.3 < across / far < 0.7
        assert 0.3 < down / far < 0.7
        go_aside(arm)
        truth = arm.reset(3, TASKS[0], "seen")
        seen = arm.observe(pictures=True)
        assert seen["colour"].shape == (80, 160, 3)
        assert seen["height"].shape == (80, 160)
        assert seen["picture"].shape == (320, 640, 3)
        end = time.monotonic() + 30.0  # the camera sees the new scene when it is drawn anew
        while unseen := [thing["colour"] for thing in truth["objects"] if not _shown(arm, seen["colour"], thing)]:
            assert time.monotonic() < end, unseen
            time.sleep(0.3)
            seen = arm.observe(pictures=True)
        assert arm.frame(CAMERA)[:2] == b"\xff\xd8"

    def test_its_twin_is_not_asked_to_draw(self, arm):
        """It has a camera; the twin that was asked died, and another was started, once a second."""
        eye = Eye(Loop(SafeArm(arm), Heartbeat(time.monotonic), time.monotonic))
        with pytest.raises(Unsupported, match="drawn small"):
            eye.glimpse((CAMERA,), 64, 48)
        eye.close()

    def test_a_rehearsal_tells_what_a_motion_brings_about(self, arm):
        go_aside(arm)
        actions = self.laid(arm)
        told = arm.rehearse(actions)
        assert isinstance(told, Rehearsal)
        assert told.report.reached
        arm.perform(actions)
        time.sleep(0.5)
        for foreseen, real in zip(told.truth["objects"], arm.truth()["objects"], strict=True):
            assert np.linalg.norm(np.subtract(foreseen["position"], real["position"])) < 0.005
        assert np.max(np.abs(arm.observe()["joints"] - ASIDE)) < 0.1


def test_a_camera_that_is_not_there_or_was_never_calibrated_is_told(bench, tmp_path):
    port = bench.port
    with pytest.raises(NotCalibrated, match="add sight=FILE or id=NAME"):
        make_arm(f"feetech:{port},camera=0")
    arm = make_arm(f"feetech:{port},camera=emulated:{tmp_path}")
    assert isinstance(arm, SoTable)
    with pytest.raises(NotCalibrated, match="no such file"):
        arm.connect()
    sight = hand_eye.Sight(np.diag([400.0, 300.0, 1.0]), (300, 400))
    hand_eye.save(sight, tmp_path / "camera.json")
    with pytest.raises(CameraError, match="start it"):
        arm.connect()
    arm.disconnect()
