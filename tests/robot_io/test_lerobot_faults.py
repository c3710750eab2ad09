"""An SO-101 through LeRobot on a bad wire: a thousand of each fault, in memory, and nothing unsafe is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.arm import Action
from robot_io.errors import Stalled, WireError
from robot_io.wired import WiredArm
from tests.robot_io.loopback import Bench, arm_on
from tests.robot_io.test_wire_faults import DAMAGE, swings, within

pytestmark = pytest.mark.process


@pytest.fixture
def bench() -> Bench:
    return Bench("so101")


@pytest.fixture
def arm(bench, tmp_path, monkeypatch) -> WiredArm:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    port = tmp_path / "port"
    port.touch()
    return arm_on(bench, str(port), monkeypatch)


@pytest.mark.parametrize(("damage", "counter"), DAMAGE, ids=lambda value: value if isinstance(value, str) else "")
def test_a_thousand_damaged_answers_move_nothing_unsafely(bench, arm, damage, counter):
    middle = arm.observe()["joints"]
    for name, value in damage.items():
        setattr(bench.faults, name, value)
    raised = swings(bench, arm, counter, middle)
    assert all(issubclass(error, WireError | Stalled) for error in raised), raised
    within(bench.board.show())
    bench.faults.clear()
    bench.time += 0.1
    for _ in range(90):
        sent = arm.send(Action(middle, 0.5))
        bench.time += 1 / 30
    np.testing.assert_allclose(sent.joints, middle, atol=2e-3)
    np.testing.assert_allclose(arm.observe()["joints"], middle, atol=1e-2)
    assert arm.missed > 50
    arm.disconnect()
