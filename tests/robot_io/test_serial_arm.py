"""A home-built arm on the line protocol: real pyserial, real bytes, an emulated board."""

from __future__ import annotations

import pytest

from robot_io.arm import Arm, make_arm
from tests.contracts.arm_contract import ArmContract
from tests.robot_io.emulator import Emulator

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def board():
    with Emulator("line", pace=20) as emulator:
        yield emulator


class TestLineArm(ArmContract):
    @pytest.fixture(autouse=True)
    def _board(self, board):
        self.name = board.name

    def make_unconnected(self) -> Arm:
        return make_arm(self.name)
