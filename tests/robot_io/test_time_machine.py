"""Back to any recorded tick: bit for bit, also on another branch, after a hold, thinned, and from a file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pybullet
import pytest

from robot_io.arm import Action, ArmError
from robot_io.flow import Flow
from robot_io.memory import Memory
from robot_io.safety import SafeArm
from robot_io.sim.table import SimTable
from robot_io.time_machine import MOST_BYTES, SPARSE, TimeMachine

pytestmark = pytest.mark.sim
TASK = "put-block-in-bowl"


class Recorder:
    """An arm that records, tick by tick, as fast as it can."""

    def __init__(self) -> None:
        self.table = SimTable()
        self.arm = SafeArm(self.table)
        self.arm.connect()
        self.arm.reset = self.table.reset
        self.table.reset(1, TASK, "seen")
        self.arm.moved()
        self.flow = Flow(self.arm, lambda: 0.0)
        self.memory = Memory(self.arm, lambda: 0.0)
        self.memory.record(True, 0)
        self.tick = 0

    def state(self) -> np.ndarray:
        world = self.table._stage.world
        speeds = [pybullet.getBaseVelocity(body, world.client) for body in world.bodies]
        links = [s[1] for s in pybullet.getJointStates(world.robot, range(7), world.client)]
        return np.concatenate([world.joints(), links, world.target, world.poses().ravel(), np.ravel(speeds)])

    def send(self, action: Action) -> np.ndarray:
        before = self.memory.before(self.tick)
        sent = self.arm.send(action)
        self.tick += 1
        self.memory.after(before, self.tick, "policy", action, sent)
        return self.state()

    def follow(self, path, start: int, stop: int) -> np.ndarray:
        return np.array([self.send(path[i]) for i in range(start, stop)])

    def path(self):
        """A pick and place with the block held half of the way."""
        objects = self.table.truth()["objects"]
        block = next(o for o in objects if o["kind"] == "block")
        bowl = next(o for o in objects if o["kind"] == "bowl")
        return self.table.path(np.array([[*block["grip"], 0.0], [*bowl["position"], 0.7]]))


@pytest.fixture
def arm() -> Iterator[Recorder]:
    arm = Recorder()
    yield arm
    arm.table.disconnect()


def test_1000_steps_from_any_tick_are_the_same(arm):
    """Four physics steps a tick: 250 ticks on from ticks before, near and after the grip; targets and cup included."""
    path = arm.path()
    once = arm.follow(path, 0, len(path))
    more = np.array([arm.send(path[len(path) - 1]) for _ in range(260 - len(path))]) if len(path) < 260 else once[:0]
    once = np.concatenate([once, more])[:260]
    held = [t for t in range(len(path)) if path.gripper[t] >= 0.5]
    for tick in (5, 8, held[0], held[3], held[-1] + 1, 250):
        arm.memory.rewind(tick)
        np.testing.assert_array_equal(arm.state(), once[tick - 1])
    arm.memory.rewind(10)
    again = np.array([arm.send(path[min(i, len(path) - 1)]) for i in range(10, 260)])
    np.testing.assert_array_equal(again, once[10:])


def test_the_failed_branch_stays_and_holds_do_not_leak_into_it(arm):
    path = arm.path()
    once = arm.follow(path, 0, 100)
    arm.memory.rewind(50)
    arm.arm.hold()
    other = arm.follow(path, 0, 30)
    assert arm.memory.moments()["branches"] == [[1, 100, -1], [101, 130, 50]]
    for tick in (49, 50, 51, 60, 100):
        arm.memory.rewind(tick)
        np.testing.assert_array_equal(arm.state(), once[tick - 1])
    for tick in (101, 115, 130):
        arm.memory.rewind(tick)
        np.testing.assert_array_equal(arm.state(), other[tick - 101])
    arm.memory.rewind(0)
    np.testing.assert_array_equal(arm.follow(path, 0, 1)[0], once[0])


def test_a_hold_on_the_way_is_gone_through(arm):
    path = arm.path()
    before = arm.follow(path, 0, 43)
    arm.arm.hold()
    after = arm.follow(path, 43, 50)
    for tick in (43, 44, 45, 50):
        arm.memory.rewind(tick)
        np.testing.assert_array_equal(arm.state(), np.concatenate([before, after])[tick - 1])


def test_old_states_are_thinned_and_still_lead_everywhere(arm, monkeypatch):
    monkeypatch.setattr("robot_io.time_machine.YOUNG", 40)
    path = arm.path()
    once = arm.follow(path, 0, 180)
    stored = arm.memory.moments()["stored"]
    assert max(np.diff(stored)) == SPARSE
    assert len(stored) < 13
    for tick in (47, 90, 139, 180):
        arm.memory.rewind(tick)
        np.testing.assert_array_equal(arm.state(), once[tick - 1])


def test_an_hour_fits(arm):
    """Bytes of a state, times the states of an hour, with the columns beside them."""
    arm.follow(arm.path(), 0, 16)
    moments = arm.memory.moments()
    each = moments["bytes"] / 2
    hour = each * (3600 / 8 + 216_000 / SPARSE) + 216_000 * (2 * 8 * 8 + 8 * 8 + 26)
    assert hour < 300e6
    assert MOST_BYTES + 216_000 * 218 <= 300e6


def test_beyond_its_bytes_the_oldest_go_and_say_so(arm):
    arm.memory._machine = TimeMachine(arm.arm, arm.memory.recording, most=50_000)
    path = arm.path()
    once = arm.follow(path, 0, 60)
    assert arm.memory.moments()["bytes"] <= 50_000
    arm.memory.rewind(58)
    np.testing.assert_array_equal(arm.state(), once[57])
    with pytest.raises(ArmError, match="nothing leads back"):
        arm.memory.rewind(3)


@pytest.mark.parametrize("tick", [-5, 9999])
def test_beyond_the_recording_there_is_nothing(arm, tick):
    arm.follow(arm.path(), 0, 10)
    before = arm.state()
    with pytest.raises(ArmError, match="choose one of the moments"):
        arm.memory.rewind(tick)
    np.testing.assert_array_equal(arm.state(), before)


def test_a_key_frame_goes_on_in_another_process_as_here(arm):
    path = arm.path()
    arm.follow(path, 0, 90)
    key = arm.memory.key_frame()
    once = arm.follow(path, 90, 130)
    other = Recorder()
    try:
        other.table.reset(3, TASK, "seen")
        other.memory.return_to(key, 0)
        np.testing.assert_array_equal(other.follow(path, 90, 130), once)
    finally:
        other.table.disconnect()


@pytest.mark.parametrize("harm", [lambda d: d[:-9], lambda d: b"", lambda d: d.replace(b"snapshot", b"snapshut")])
def test_a_damaged_key_frame_is_refused_and_changes_nothing(arm, harm):
    arm.follow(arm.path(), 0, 5)
    key, before = arm.memory.key_frame(), arm.state()
    with pytest.raises(ArmError, match="expected a"):
        arm.memory.return_to(harm(key), 0)
    np.testing.assert_array_equal(arm.state(), before)
    assert arm.memory.moments()["last"] == 5


def test_what_is_clipped_after_going_back_is_what_was_clipped(arm):
    """How fast the arm was told to be is part of the state: the limit on acceleration bites where it bit before."""
    limits = arm.arm.features.limits
    start = arm.arm.observe()["joints"]
    far = Action(start + np.sign((limits.lower + limits.upper) / 2 - start) * 0.3)
    sent, reasons = [], []
    for _ in range(9):
        arm.send(far)
        sent.append(arm.arm.last)
        reasons.append(arm.arm.reasons)
    assert "acceleration" in reasons[0]
    assert "acceleration" not in reasons[2], "it has gathered speed by then"
    for tick in (1, 2, 5):
        arm.memory.rewind(tick)
        arm.arm.send(far)
        np.testing.assert_array_equal(arm.arm.last, sent[tick])
        assert arm.arm.reasons == reasons[tick]


def test_a_snapshot_taken_in_motion_holds_how_fast_it_was(arm):
    path = arm.path()
    arm.follow(path, 0, 20)
    snapshot = arm.table.snapshot()
    on = arm.follow(path, 20, 24)
    assert not arm.arm.reasons
    arm.table.reset(2, TASK, "seen")
    arm.arm.moved()
    arm.table.restore(snapshot)
    arm.arm.moved()
    np.testing.assert_array_equal(arm.follow(path, 20, 24), on)
