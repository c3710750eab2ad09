"""An SO arm on Feetech's own SDK: the real SDK, real bytes, an emulated bus."""

from __future__ import annotations

import pytest

from robot_io.arm import Arm, make_arm
from tests.contracts.arm_contract import ArmContract
from tests.robot_io.emulator import Emulator

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def bus():
    with Emulator("so101", pace=20) as emulator:
        yield emulator


class TestFeetechArm(ArmContract):
    @pytest.fixture(autouse=True)
    def _bus(self, bus):
        self.name = f"feetech:{bus.port}"

    def make_unconnected(self) -> Arm:
        return make_arm(self.name)
