"""The long task in contact: it can be done, a wrong look jams, a fall is not the end, and all of it comes back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from robot_io.arm import Action, ArmError
from robot_io.safety import SafeArm
from robot_io.sim.assembly import SUBTASKS
from robot_io.sim.peg_and_button import BUTTON, LOOK, LOOKS, OFF, PEG, PERFECT, SLOT, WRONG, Rules
from robot_io.sim.scene import NoSuchScene, Recipe, lay_out
from robot_io.sim.table import SimTable

pytestmark = pytest.mark.sim
TASK = "peg-and-button"
HIGH = LOOK + 0.03


class Hand:
    """Moves the tip about, tick by tick, through the safety layer."""

    def __init__(self) -> None:
        self.table = SimTable()
        self.arm = SafeArm(self.table)
        self.arm.connect()
        self.begin(1)

    def begin(self, seed: int, split: str = PERFECT) -> None:
        self.table.reset(seed, TASK, split)
        self.arm.moved()
        self.joints = self.arm.observe()["joints"]

    def go(self, x: float, y: float, z: float, grip: float, step: float = 0.008) -> None:
        for _ in range(300):
            way = np.array([x, y, z]) - self.table.tip(self.joints)
            if np.linalg.norm(way) < 0.002:
                return
            way *= min(1.0, step / float(np.linalg.norm(way)))
            self.joints = self.arm.send(Action(self.table.reach(self.joints, np.append(way, 0.0)), grip)).joints

    def wait(self, ticks: int, grip: float) -> None:
        for _ in range(ticks):
            self.joints = self.arm.send(Action(self.joints, grip)).joints

    def places(self) -> list[list[float]]:
        return [o["position"] for o in self.table.truth()["objects"]]

    def pick(self) -> None:
        (x, y, z), *_ = self.places()
        self.go(x, y, HIGH, 0.0)
        self.go(x, y, z + PEG[2] / 2 + 0.004, 0.0)
        self.wait(4, 1.0)
        self.go(x, y, HIGH, 1.0)

    def insert(self, off: float = 0.0) -> None:
        _, (x, y, _), _ = self.places()
        self.go(x + off, y, HIGH, 1.0)
        self.go(x + off, y, 0.005 + PEG[2] + 0.004, 1.0, step=0.004)
        self.wait(12, 0.0)

    def press(self) -> None:
        *_, (x, y, z) = self.places()
        self.go(*self.table.tip(self.joints)[:2], HIGH, 0.0)
        self.go(x, y, HIGH, 0.0)
        self.go(x, y, z + BUTTON[2] / 2 + 0.002, 0.0, step=0.004)
        self.wait(3, 0.0)


@pytest.fixture
def hand() -> Iterator[Hand]:
    hand = Hand()
    yield hand
    hand.table.disconnect()


@pytest.mark.parametrize("seed", [1, 2])
def test_it_can_be_done(hand, seed):
    hand.begin(seed)
    stages = []
    for part in (hand.pick, hand.insert, hand.press):
        part()
        stages.append(hand.table.truth()["stage"])
    assert stages == [1, 2, 3]
    truth = hand.table.truth()
    assert truth["success"]
    assert truth["progress"] == 1.0
    assert truth["subtasks"] == list(SUBTASKS)
    assert truth["ticks"] < 1000


def test_beside_the_slot_it_stands_on_the_rim_and_backing_out_helps(hand):
    hand.pick()
    _, (x, y, _), _ = hand.places()
    hand.go(x + 0.02, y, HIGH, 1.0)
    for _ in range(100):
        if hand.table.truth()["contact"]:
            break
        hand.go(x + 0.02, y, hand.table.tip(hand.joints)[2] - 0.004, 1.0, step=0.004)
    assert hand.table.truth()["contact"]
    assert hand.table.tip(hand.joints)[2] > 0.06
    hand.go(x + 0.02, y, HIGH, 1.0)
    truth = hand.table.truth()
    assert (truth["stage"], truth["retries"], truth["drops"]) == (1, 1, 0)
    assert 0.0 < hand.arm.observe()["trace"][0] < 1.0
    hand.insert()
    assert hand.table.truth()["stage"] == 2


def test_pushed_on_the_cup_loses_it(hand):
    hand.pick()
    hand.insert(off=0.02)
    truth = hand.table.truth()
    assert (truth["stage"], truth["drops"], truth["held"]) == (0, 1, None)


def test_what_was_let_go_of_can_be_taken_again(hand):
    hand.pick()
    hand.go(*hand.table.tip(hand.joints)[:2], 0.08, 1.0)
    hand.wait(30, 0.0)
    assert hand.table.truth()["drops"] == 1
    hand.pick()
    hand.insert()
    assert hand.table.truth()["stage"] == 2


def test_what_the_arm_perceives_is_wrong_as_often_as_told_and_anew_only_from_above(hand):
    rules = Rules(Recipe(3, TASK), lay_out(Recipe(3, TASK)))
    off = np.linalg.norm(np.concatenate([Rules(Recipe(s, TASK), lay_out(Recipe(s, TASK)))._fixes for s in range(40)]),
                         axis=-1)  # fmt: skip
    np.testing.assert_allclose((off > 0).mean(axis=0), WRONG, atol=0.05)
    assert OFF[0] > 3 * (SLOT[0] - PEG[0]) / 2
    assert np.all((off == 0) | ((off >= OFF[0]) & (off <= OFF[1])))
    hand.begin(3, "seen")
    fix = lambda: hand.arm.observe()["slot"] + hand.arm.observe()["tip"][:2] - hand.places()[1][:2]  # noqa: E731
    hand.pick()
    for looks in (1, 2):
        assert hand.table.truth()["looks"] == looks
        np.testing.assert_allclose(fix(), rules._fixes[looks % LOOKS, 0], atol=1e-6)
        hand.go(*hand.table.tip(hand.joints)[:2], LOOK - 0.05, 1.0)
        np.testing.assert_allclose(fix(), rules._fixes[looks % LOOKS, 0], atol=1e-6)
        hand.go(*hand.table.tip(hand.joints)[:2], HIGH, 1.0)


def test_in_the_control_every_look_is_right():
    assert not Rules(Recipe(3, TASK, PERFECT), lay_out(Recipe(3, TASK, PERFECT)))._fixes.any()


def test_it_goes_on_from_a_snapshot_bit_for_bit_rules_included(hand):
    """In the midst of a jam."""
    hand.begin(3, "seen")
    hand.pick()
    _, (x, y, _), _ = hand.places()
    hand.go(x + 0.02, y, HIGH, 1.0)
    hand.go(x + 0.02, y, 0.06, 1.0, step=0.004)

    def on() -> list[np.ndarray]:
        joints, seen = hand.joints, []
        for _ in range(60):
            hand.arm.send(Action(joints := hand.table.reach(joints, np.array([0, 0, -0.001, 0])), 1.0))
            seen.append(np.concatenate([np.ravel(v) for v in hand.arm.observe().arrays.values()]))
        return seen

    snapshot, last = hand.table.snapshot(), hand.arm.last
    once, truth = on(), hand.table.truth()
    hand.table.restore(snapshot)
    hand.arm.moved(last)
    np.testing.assert_array_equal(on(), once)
    assert hand.table.truth() == truth
    assert max(row[-1] for row in once) == 1.0


def test_everything_is_perceived_by_name(hand):
    seen = hand.arm.observe()
    shapes = {name: array.shape for name, array in seen.arrays.items()}
    assert shapes == {
        "joints": (7,), "gripper": (1,), "tip": (3,), "held": (1,), "stage": (3,), "peg": (3,), "peg_yaw": (2,),
        "slot": (2,), "button": (2,), "contact": (1,), "trace": (1,),
    }  # fmt: skip


@pytest.mark.parametrize("split", ["only:blue", "without:blue"])
def test_a_split_that_makes_no_sense_here_is_refused(split):
    with pytest.raises(NoSuchScene, match=PERFECT):
        lay_out(Recipe(0, TASK, split))


def test_other_scenes_have_no_rules(hand):
    hand.table.reset(1, "packing-shapes", "seen")
    assert "stage" not in hand.table.truth()
    assert "tip" not in hand.arm.observe()
    with pytest.raises(ArmError, match=TASK):
        hand.table.reset(1, "fold-laundry", "seen")


def test_what_is_sensed_and_taken_right_after_a_restore_is_what_it_was(hand):
    """In motion: the tip is where the joints are, before the first step as after it."""
    (x, y, z), *_ = hand.places()
    hand.go(x, y, HIGH, 0.0)
    hand.go(x, y, z + PEG[2] / 2 + 0.006, 0.0)

    def on(joints: np.ndarray, grip: float, ticks: int) -> list[np.ndarray]:
        seen = []
        for _ in range(ticks):
            joints = hand.table.send(Action(hand.table.reach(joints, np.array([0.004, 0, 0.001, 0])), grip)).joints
            seen.append(np.concatenate([np.ravel(v) for v in hand.table.observe().arrays.values()]))
        return seen

    on(hand.joints, 0.0, 1)
    snapshot, joints = hand.table.snapshot(), hand.table._stage.world.target
    seen = hand.table.observe()
    once = on(joints, 1.0, 30)
    assert hand.table.truth()["held"] == 0
    hand.table.restore(snapshot)
    for name, array in seen.arrays.items():
        np.testing.assert_array_equal(hand.table.observe()[name], array, err_msg=name)
    np.testing.assert_array_equal(on(joints, 1.0, 30), once)
