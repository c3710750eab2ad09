"""An SO-101 through LeRobot: the real library, real bytes, an emulated bus."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from robot_io import calibration as calibrations
from robot_io import so
from robot_io.arm import Action, Arm, ArmNotFound, make_arm
from robot_io.calibration import Span
from robot_io.emulation.so101 import HOMING, RANGES
from robot_io.errors import MissingDriver, NotCalibrated, WrongArm
from tests.contracts.arm_contract import ArmContract, step_from
from tests.robot_io.emulator import Emulator

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def bus():
    with Emulator("so101", pace=5) as emulator:
        yield emulator


class TestSo101(ArmContract):
    @pytest.fixture(autouse=True)
    def _bus(self, bus, monkeypatch, tmp_path):
        monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
        self.name = bus.name

    def make_unconnected(self) -> Arm:
        return make_arm(self.name)


def calibration_in(folder) -> None:
    """The file that an arm like the emulated one would have."""
    spans = zip(so.NUMBERS.items(), RANGES.values(), HOMING, strict=True)
    found = {name: Span(number, 0, homing, low, high) for (name, number), (low, high), homing in spans}
    calibrations.save(found, folder / "left.json")


def test_a_file_that_fits_the_arm_is_taken_and_another_is_refused(bus, tmp_path):
    calibration_in(tmp_path)
    arm = make_arm(f"{bus.name},id=left,calibration={tmp_path}")
    arm.connect()
    arm.disconnect()
    text = (tmp_path / "left.json").read_text().replace("760", "800")
    (tmp_path / "left.json").write_text(text)
    with pytest.raises(WrongArm, match="another arm is plugged in"):
        make_arm(f"{bus.name},id=left,calibration={tmp_path}").connect()
    with pytest.raises(NotCalibrated, match="calibrate"):
        make_arm(f"{bus.name},id=right,calibration={tmp_path}").connect()


def test_any_robot_of_lerobot_by_its_type(bus, tmp_path):
    calibration_in(tmp_path)
    arm = make_arm(f"lerobot:{bus.port},type=so101_follower,id=left,calibration_dir={tmp_path}")
    assert arm.features.joints == so.JOINTS
    arm.connect()
    first = arm.observe()
    arm.send(step_from(arm))
    arm.disconnect()
    again = make_arm(bus.name)
    again.connect()
    np.testing.assert_allclose(again.observe()["joints"], first["joints"], atol=0.03)
    again.disconnect()


def test_a_robot_without_its_calibration_says_so(bus, tmp_path):
    with pytest.raises(NotCalibrated, match="lerobot-calibrate"):
        make_arm(f"lerobot:{bus.port},type=so101_follower,id=nobody,calibration_dir={tmp_path}").connect()


@pytest.mark.parametrize("name", ["lerobot:/dev/x", "so101:", "so101:/dev/x,fast=1", "feetech:/dev/x,id", "line:"])
def test_names_that_are_none_say_what_one_looks_like(name):
    with pytest.raises(ArmNotFound, match="expected"):
        make_arm(name)


def test_an_unknown_type_says_so(bus):
    with pytest.raises(ArmNotFound, match="plug-in"):
        make_arm(f"lerobot:{bus.port},type=unheard_of").connect()


PLUGIN = """
from dataclasses import dataclass
from lerobot.robots import Robot, RobotConfig


@RobotConfig.register_subclass("desk_lamp")
@dataclass
class DeskLampConfig(RobotConfig):
    port: str = ""
    watts: float = 0.0


class DeskLamp(Robot):
    config_class, name = DeskLampConfig, "desk_lamp"

    def __init__(self, config):
        super().__init__(config)
        self.config, self.at, self.is_open = config, {"neck.pos": 10.0, "head.pos": -20.0}, False

    observation_features = action_features = property(lambda self: {"neck.pos": float, "head.pos": float})
    is_connected = property(lambda self: self.is_open)
    is_calibrated = property(lambda self: False)

    def connect(self, calibrate=True):
        if calibrate:
            input("Press ENTER")
        if self.config.watts > 50:
            input("Really?")
        self.is_open = True

    def calibrate(self): ...
    def configure(self): ...

    def get_observation(self):
        return dict(self.at)

    def send_action(self, action):
        self.at = dict(action)
        return dict(action)

    def disconnect(self):
        self.is_open = False
"""


def test_a_plug_in_is_found_by_its_type_and_asks_nothing_of_a_terminal(tmp_path, monkeypatch):
    home = tmp_path / "lerobot_robot_desk_lamp"
    home.mkdir()
    (home / "__init__.py").write_text(PLUGIN)
    (tmp_path / "lerobot_robot_desk_lamp-1.0.dist-info").mkdir()
    (tmp_path / "lerobot_robot_desk_lamp-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: lerobot_robot_desk_lamp\nVersion: 1.0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "port").touch()
    name = f"lerobot:{tmp_path}/port,type=desk_lamp,calibration_dir={tmp_path}"
    arm = make_arm(name)
    assert arm.features.joints == ("neck", "head")
    arm.connect()
    np.testing.assert_allclose(arm.observe()["joints"], np.radians([10, -20]))
    sent = arm.send(Action(np.radians([12, -18])))
    np.testing.assert_allclose(arm.observe()["joints"], sent.joints)
    arm.disconnect()
    with pytest.raises(NotCalibrated, match="asks questions"):
        make_arm(f"{name},watts=60").connect()
    with pytest.raises(ArmNotFound, match="watts"):
        make_arm(f"{name},colour=red").connect()


def test_without_lerobot_the_arm_says_what_to_install(bus, monkeypatch):
    monkeypatch.setitem(sys.modules, "lerobot.robots", None)
    with pytest.raises(MissingDriver, match="pip install"):
        make_arm(bus.name).connect()
