"""The scripted person: what it notices and when, what it does in the simulator, and what it is told wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from robot_io.sim.probe import CUP
from teaching.rollout_oracle import RolloutOracle, RolloutOracleConfig
from teaching.rollout_task import make_rollout_task, rollout_tasks
from teaching.tasks.peg_and_button import GAP, TAKE
from teaching.types import BadInput
from tests.teaching.rollout_sim import Rows, demonstrated, supervised

TASK = "peg-and-button"


def scene(**facts: Any) -> dict[str, Any]:
    """A truth of peg-and-button."""
    things = [([0.5, 0.2, 0.021], [0.036, 0.036, 0.042]), ([0.5, -0.2, 0.015], [0.047, 0.047, 0.03]),
              ([0.6, 0.0, 0.015], [0.03, 0.03, 0.03])]  # fmt: skip
    objects = [{"position": p, "size": s} for p, s in things]
    return {"objects": objects, "stage": 0, "contact": 0, "good_look": True, "held": None} | facts


def seen(x: float = 0.4, y: float = 0.0, z: float = 0.3, **more: Any) -> dict[str, Any]:
    """What is perceived with the tip there."""
    tip = np.array([x, y, z])
    places = [np.array(o["position"]) for o in scene()["objects"]]
    named = {
        "tip": tip, "gripper": [0.0], "held": [0.0], "stage": [1.0, 0.0, 0.0], "peg": places[0] - tip,
        "slot": (places[1] - tip)[:2], "button": (places[2] - tip)[:2], "peg_yaw": [1.0, 0.0], "contact": [0.0],
        "trace": [0.0],
    }  # fmt: skip
    return {name: np.asarray(value, dtype=np.float64) for name, value in (named | more).items()}


def oracle(**config: Any) -> RolloutOracle:
    return RolloutOracle(TASK, np.random.default_rng(1), RolloutOracleConfig(**config))


def rows_until_noticed(person: RolloutOracle, truths: Any, observations: Any) -> int | None:
    for n, (truth, observation) in enumerate(zip(truths, observations, strict=True)):
        if person.watch(truth, observation):
            return n
    return None


def moving(n: int) -> list[dict[str, Any]]:
    return [seen(x=0.3 + 0.004 * i) for i in range(n)]


def test_it_leaves_alone_what_goes_well():
    assert rows_until_noticed(oracle(), [scene()] * 100, moving(100)) is None


@pytest.mark.parametrize("reaction", [0, 5])
def test_it_notices_a_jam_and_takes_its_time_to_react(reaction):
    person = oracle(reaction=reaction, stuck=3)
    truths = [scene(stage=1, held=0, contact=int(i >= 10)) for i in range(40)]
    assert rows_until_noticed(person, truths, moving(40)) == 10 + 2 + reaction


def test_it_notices_a_thing_lost_at_once():
    truths = [scene(stage=int(i < 10)) for i in range(40)]
    assert rows_until_noticed(oracle(reaction=2), truths, moving(40)) == 12


def test_it_notices_a_standstill_and_a_lack_of_progress():
    person = oracle(window=20, stuck=2, reaction=0)
    assert rows_until_noticed(person, [scene()] * 60, [seen()] * 60) == 21
    assert rows_until_noticed(oracle(patience=50, reaction=0), [scene()] * 60, moving(60)) == 50


def test_after_an_intervention_nothing_noticed_before_counts():
    person = oracle(stuck=2, reaction=0)
    jam = scene(stage=1, held=0, contact=1)
    assert not person.watch(jam, seen())
    assert person.watch(jam, seen())
    person.drive(jam, seen(), "recover")
    assert not person.watch(jam, seen())


def test_a_correction_without_a_recovery_is_as_little_as_is_needed():
    """Beside the slot at its rim: lift by a little, not to where it looks anew."""
    jam = scene(stage=1, held=0, good_look=False)
    jam["objects"][0]["position"] = [0.5, -0.18, 0.051]
    now = seen(0.5, -0.18, 0.076)
    minimal, full = oracle(hand=0.0), oracle(hand=0.0)
    full.drive(jam, now, "recover")
    high = {**jam, "objects": [{**jam["objects"][0], "position": [0.5, -0.18, 0.1]}, *jam["objects"][1:]]}
    up = seen(0.5, -0.18, 0.125)
    minimal.drive(jam, now, "correct")
    assert minimal.drive(high, up, "correct")[1] < -0.001
    assert abs(minimal.drive(high, up, "correct")[2]) < 0.005
    assert full.drive(high, up, "recover")[2] > 0.005
    assert full.drive(high, up, "recover")[4] == 1.0


def test_it_takes_the_peg_from_where_it_came_to_lie():
    """On the table, standing or lying, and on the rim of the slot."""
    task = make_rollout_task(TASK)
    for height, top in ((0.021, 0.042), (0.018, 0.036), (0.051, 0.072)):
        lost = scene()
        lost["objects"][0]["position"] = [0.5, -0.19, height]
        (sight,) = task.sights(lost, seen())
        assert sight.target[2] == pytest.approx(top + GAP)


def test_it_switches_the_cup_on_where_it_takes_and_waits_for_what_it_has():
    """A cup that is switched on too soon takes nothing until it was off: a novice that imitates that hovers."""
    person, still = oracle(hand=0.0, pause=3), scene()
    above = 0.042 + GAP
    assert person.drive(still, seen(0.5, 0.2, above + 0.9 * CUP), "demonstrate")[4] == 0.0
    rows = [person.drive(still, seen(0.5, 0.2, above), "demonstrate")]
    held = scene(stage=1, held=0)
    rows += [person.drive(held, seen(0.5, 0.2, above, gripper=[1.0]), "demonstrate") for _ in range(4)]
    assert [row[4] for row in rows] == [1.0] * 5 and GAP + TAKE < CUP
    assert [bool(row[2] > 0.001) for row in rows] == [False, False, False, True, True]


def test_recovered_is_high_up_and_with_a_right_view():
    person = oracle()
    assert person.recovered(scene(), seen(z=0.23))
    assert not person.recovered(scene(), seen(z=0.19))
    assert not person.recovered(scene(good_look=False), seen(z=0.23))
    assert oracle(look_again=False).recovered(scene(good_look=False), seen(z=0.23))


def test_a_wrong_view_makes_it_dip_below_the_height_of_a_look():
    person = oracle(hand=0.0)
    assert person.drive(scene(good_look=False), seen(z=0.23), "recover")[2] < 0
    assert person.drive(scene(good_look=False), seen(z=0.19), "recover")[2] < 0
    assert person.drive(scene(good_look=False), seen(z=0.178), "recover")[2] > 0


def test_what_makes_no_sense_is_refused():
    with pytest.raises(BadInput, match="demonstrate"):
        oracle().drive(scene(), seen(), "sing")  # type: ignore[arg-type]
    for wrong in ({"speed": (0.0, 0.5)}, {"largest": 0.2}, {"reaction": -1}, {"window": 0}):
        with pytest.raises(BadInput, match="expected"):
            RolloutOracleConfig(**wrong)
    with pytest.raises(BadInput, match=TASK):
        make_rollout_task("fold-laundry")


@pytest.mark.parametrize("name", rollout_tasks())
def test_every_task_says_what_its_state_is(name):
    task = make_rollout_task(name)
    assert [s.stop for s in task.columns.values()][-1] == task.width
    assert task.limit > 0
    assert task.subtasks


def test_the_state_is_told_relative_to_the_tip():
    task = make_rollout_task(TASK)
    state = task.state(seen())
    assert state.shape == (task.width,)
    moved = task.state(seen(0.45, 0.03, 0.3, peg=seen()["peg"], slot=seen()["slot"], button=seen()["button"]))
    np.testing.assert_allclose(moved, state)
    for scale, ways in zip((0.02, 0.08), np.split(state[task.columns["near"]], 2), strict=True):
        np.testing.assert_allclose(np.abs(ways).max(), scale)


@pytest.mark.parametrize(("stage", "matters"), [(0, ("peg",)), (1, ("peg", "slot")), (2, ("button",))])
def test_only_the_way_of_the_subtask_under_way_is_told(stage: int, matters: tuple[str, ...]) -> None:
    task, told = make_rollout_task(TASK), np.eye(3)[stage]
    before = task.state(seen(stage=told))
    for name in ("peg", "slot", "button"):
        elsewhere = np.asarray(seen()[name]) + 0.05
        assert np.allclose(before, task.state(seen(stage=told, **{name: elsewhere}))) == (name not in matters), name


def test_states_of_two_subtasks_are_strange_to_each_other():
    task = make_rollout_task(TASK)
    states = np.stack([task.state(seen()), task.state(seen(stage=[0.0, 1.0, 0.0])), task.state(seen(z=0.29))])
    near = task.relative(states)
    assert np.linalg.norm(near[0] - near[1]) > 10
    assert np.linalg.norm(near[0] - near[2]) < 1


@pytest.fixture(scope="module")
def arm() -> Iterator[Rows]:
    rows = Rows()
    yield rows
    rows.table.disconnect()


@pytest.mark.sim
@pytest.mark.parametrize("seed", [1, 2, 7])
def test_it_can_do_the_whole_task(arm, seed):
    story = demonstrated(arm, seed, "seen")
    assert story.success
    assert story.drops == 0
    assert story.rows < 400
    assert np.all(story.most[:4] < [0.02, 0.02, 0.02, 0.06])
    assert story.clean == (seed == 7)


@pytest.mark.sim
def test_it_helps_who_believes_a_wrong_look(arm):
    story = supervised(arm, 2, "seen")
    assert story.success
    first = story.interventions[0]
    assert first["stage"] == 1
    assert first["done"]
    assert first["recover"] >= 5
    assert first["correct"] >= 5


@pytest.mark.sim
def test_without_wrong_looks_there_is_nothing_to_help_with(arm):
    story = supervised(arm, 2, "without:errors")
    assert story.success
    assert story.interventions == []
