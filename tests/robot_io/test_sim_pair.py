"""Two arms as one: the six verbs, who moves what, what keeps them apart, what comes back, and what they look like."""

from __future__ import annotations

import json

import numpy as np
import pytest

from robot_io.arm import Action, Arm, ArmNotFound, Scene, Stopped, Unsupported, make_arm
from robot_io.flow import Flow
from robot_io.safety import SafeArm
from robot_io.sim.hold_and_insert import APART, LOOK, NAME, OFF, WRONG, Rules
from robot_io.sim.pair import GRIP, SimPair
from robot_io.sim.peg_and_button import PERFECT
from robot_io.sim.scene import NoSuchScene, Recipe, lay_out, tasks
from robot_io.sim.snapshot import BadSnapshot
from robot_io.sim.table import SimTable
from robot_io.teleop import Command
from tests.contracts.arm_contract import ArmContract

pytestmark = pytest.mark.sim


class TestSimPair(ArmContract):
    def make_unconnected(self) -> Arm:
        return SimPair()


@pytest.fixture(scope="module")
def pair():
    pair = SimPair()
    pair.connect()
    yield pair
    pair.disconnect()


@pytest.fixture
def laid(pair):
    pair.release()
    pair.reset(3, NAME, "seen")
    return pair


def rows(*moves: tuple[int, list[float]]) -> np.ndarray:
    """One row of tip moves (10,)."""
    row = np.zeros((2, 5))
    for arm, move in moves:
        row[arm, : len(move)] = move
    return row.ravel()


def drive(pair: SimPair, row: np.ndarray, ticks: int) -> SafeArm:
    safe = SafeArm(pair)
    joints = pair.observe()["joints"]
    for _ in range(ticks):
        joints = safe.send(Action(pair.reach(joints, row[:-1]), row[-1])).joints
    return safe


def test_it_is_one_arm_of_fifteen_joints_and_a_scene(laid):
    features = make_arm("sim:panda2").features
    assert len(features.joints) == 15
    assert features.joints[GRIP] == "left/gripper"
    assert features.tasks == tasks(arms=2) == (NAME,)
    assert NAME not in SimTable().features.tasks
    assert isinstance(laid, Scene)
    assert "table" not in features.capabilities
    with pytest.raises(ArmNotFound, match="panda2"):
        make_arm("sim:panda3")


def test_plans_are_refused_in_words(laid):
    for verb in (laid.perform, laid.path, laid.rehearse):
        with pytest.raises(Unsupported, match="stream rows"):
            verb(np.zeros((2, 4)))


def test_a_task_of_the_other_kind_of_arm_is_refused(laid):
    with pytest.raises(NoSuchScene, match="2 arm"):
        laid.reset(1, "peg-and-button", "seen")
    table = SimTable()
    table.connect()
    with pytest.raises(NoSuchScene, match="1 arm"):
        table.reset(1, NAME, "seen")
    with pytest.raises(BadSnapshot, match="1 arm"):
        table.restore(laid.snapshot())
    table.disconnect()
    with pytest.raises(NoSuchScene, match=PERFECT):
        laid.reset(1, NAME, "only:blue")


def test_a_truth_is_plain_and_the_same_seed_the_same_scene(laid):
    first, other, again = (laid.reset(seed, NAME, "seen") for seed in (7, 8, 7))
    assert json.loads(json.dumps(first)) == first
    assert first == again != other
    assert first["held_by"] == [None, None]


@pytest.mark.parametrize("arm", [0, 1])
def test_each_arm_moves_where_its_row_says_in_one_frame(laid, arm):
    before = laid.observe()["tip"].reshape(2, 3)
    drive(laid, rows((arm, [0.002, 0.001, -0.003])), 20)
    moved = laid.observe()["tip"].reshape(2, 3) - before
    np.testing.assert_allclose(moved[arm], [0.04, 0.02, -0.06], atol=0.004)
    np.testing.assert_allclose(moved[1 - arm], 0.0, atol=1e-3)


def test_each_gripper_is_its_own(laid):
    drive(laid, rows((0, [0, 0, 0, 0, 1.0])), 1)
    assert laid.observe()["grippers"].tolist() == [1.0, 0.0]
    drive(laid, rows((1, [0, 0, 0, 0, 1.0])), 1)
    assert laid.observe()["grippers"].tolist() == [0.0, 1.0]
    assert laid.observe()["joints"][GRIP] == 0.0
    assert laid.observe()["gripper"][0] == 1.0


def test_the_tips_are_where_kinematics_says(laid):
    seen = laid.observe()
    np.testing.assert_allclose(laid.tip(seen["joints"]).ravel(), seen["tip"], atol=2e-3)
    np.testing.assert_allclose(laid.tip(seen["joints"]).sum(axis=0)[0], APART, atol=1e-3)
    turned = laid.reach(seen["joints"], rows((0, [0.01]), (1, [0.0, 0.0, 0.0, 0.1]))[:-1])
    change = np.diff(laid.places(np.stack([seen["joints"], turned])), axis=0).reshape(2, 4)
    np.testing.assert_allclose(change, [[0.01, 0, 0, 0], [0, 0, 0, 0.1]], atol=1e-3)


def test_the_arms_keep_apart(laid):
    """Both towards the middle, for as long as it takes."""
    joints, safe = laid.observe()["joints"], SafeArm(laid)
    row = rows((0, [0.008, 0.0, -0.001]), (1, [-0.008, 0.0, -0.001]))
    nearest = np.inf
    for _ in range(120):
        joints = safe.send(Action(laid.reach(joints, row[:-1]), 0.0)).joints
        nearest = min(nearest, laid.clearance(joints))
    assert laid.nearest <= nearest < laid.nearest + 0.01
    assert laid.clearance(laid.observe()["joints"]) > laid.nearest - 0.01
    drive(laid, rows((0, [-0.004]), (1, [0.004])), 20)
    assert laid.clearance(laid.observe()["joints"]) > nearest + 0.05


def test_neither_tip_leaves_the_workspace(laid):
    drive(laid, rows((0, [0.0, 0.0, -0.008]), (1, [0.0, 0.0, -0.008])), 90)
    assert laid.observe()["tip"].reshape(2, 3)[:, 2].min() > -0.015


def test_a_stop_holds_both(laid):
    laid.stop()
    with pytest.raises(Stopped):
        drive(laid, rows((0, [0.001]), (1, [0.001])), 1)
    with pytest.raises(Stopped):
        laid.restore(laid.snapshot())
    laid.release()


def pushed(pair: SimPair, joints: np.ndarray, ticks: int) -> list[np.ndarray]:
    """Both hold, the second pushes down and sideways, later it lets go."""
    seen = []
    for tick in range(ticks):
        row = rows((0, [0, 0, 0, 0, 1.0]), (1, [0.0002, 0.0, -0.0006, 0.0, float(tick < ticks // 2)]))
        joints = pair.send(Action(pair.reach(joints, row[:-1]), row[-1])).joints
        seen.append(np.concatenate([np.ravel(v) for v in pair.observe().arrays.values()]))
    return seen


def held(pair: SimPair) -> np.ndarray:
    """The socket and the peg are taken, and the peg stands beside the opening; returns the joints as told."""
    joints = pair.observe()["joints"]
    grips = [0.0, 0.0]

    def go(arm: int, x: float, y: float, z: float) -> None:
        nonlocal joints
        for _ in range(400):
            way = np.array([x, y, z]) - pair.tip(joints)[arm]
            if np.linalg.norm(way) < 0.002:
                return
            way *= min(1.0, 0.008 / float(np.linalg.norm(way)))
            row = rows((0, [0, 0, 0, 0, grips[0]]), (1, [0, 0, 0, 0, grips[1]]))
            row[5 * arm : 5 * arm + 3] = way
            joints = pair.send(Action(pair.reach(joints, row[:-1]), row[-1])).joints

    for arm, thing in ((0, 1), (1, 0)):
        x, y, z = pair.truth()["objects"][thing]["grip"]
        go(arm, x, y, LOOK + 0.03)
        go(arm, x, y, z + 0.004)
        grips[arm] = 1.0
        go(arm, x, y, 0.123 if arm == 0 else LOOK + 0.03)
    place = np.array(pair.truth()["objects"][1]["position"])
    go(1, place[0] + 0.12, place[1] + 0.01, LOOK + 0.03)
    go(1, place[0] + 0.12, place[1] + 0.01, 0.2)
    return joints


def test_it_goes_on_from_a_snapshot_bit_for_bit_here_and_elsewhere(laid):
    """1,000 steps of the physics in the midst of a jam: two cups, motors and rules included."""
    joints = held(laid)
    assert laid.truth()["held_by"] == [1, 0]
    assert laid.truth()["stage"] == 2
    snapshot = laid.snapshot()
    once, truth = pushed(laid, joints, 250), laid.truth()
    assert truth["drops"] + truth["contact"] + truth["stage"] != 2
    laid.restore(snapshot)
    np.testing.assert_array_equal(pushed(laid, joints, 250), once)
    assert laid.truth() == truth
    other = SimPair()
    other.connect()
    other.restore(snapshot)
    np.testing.assert_array_equal(pushed(other, joints, 250), once)
    other.disconnect()


def test_looks_are_wrong_as_often_as_told_and_never_in_the_control():
    fixes = [Rules(Recipe(s, NAME), lay_out(Recipe(s, NAME)))._fixes for s in range(40)]
    off = np.linalg.norm(np.concatenate(fixes), axis=-1)
    np.testing.assert_allclose((off > 0).mean(), WRONG, atol=0.05)
    assert np.all((off == 0) | ((off >= OFF[0]) & (off <= OFF[1])))
    assert not Rules(Recipe(3, NAME, PERFECT), lay_out(Recipe(3, NAME, PERFECT)))._fixes.any()


def test_two_views_show_both_arms(laid):
    pictures = [laid.side(160, 120, camera=camera) for camera in laid.features.cameras]
    for picture in pictures:
        assert picture.shape == (120, 160, 3)
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    assert not np.array_equal(*pictures)
    drive(laid, rows((1, [0.0, 0.0, -0.004])), 30)
    assert not np.array_equal(laid.side(160, 120), pictures[0])
    with pytest.raises(Unsupported, match="front"):
        laid.side(camera="above")


def test_rows_and_a_persons_moves_are_of_either_arm(laid):
    """Through the flow: a policy's row of ten numbers spread over two ticks, then a person with the second arm."""
    safe = SafeArm(laid)
    flow = Flow(safe, lambda: 0.0)
    before = laid.observe()["tip"].reshape(2, 3)
    row = rows((0, [0.0, 0.01, 0.0, 0.0, 1.0]), (1, [0.0, -0.01, 0.0, 0.0, 0.0]))
    flow.stream(np.tile(row, (4, 1)), 0, start=None, every=2, kind="tip")

    def run(ticks: int) -> None:
        for _ in range(ticks):
            action = flow.next()
            assert action is not None
            flow.sent(safe.send(action))

    run(8)
    moved = laid.observe()["tip"].reshape(2, 3) - before
    np.testing.assert_allclose(moved[:, 1], [0.04, -0.04], atol=0.006)
    assert laid.observe()["grippers"].tolist() == [1.0, 0.0]
    flow.push(Command.of([0.0, 0.0, 0.03, 0.0], "toggle", 1))
    run(3)
    run(10)
    lifted = laid.observe()["tip"].reshape(2, 3) - before
    np.testing.assert_allclose(lifted[:, 2], [0.0, 0.03], atol=0.005)
    assert laid.observe()["grippers"].tolist() == [1.0, 1.0]
