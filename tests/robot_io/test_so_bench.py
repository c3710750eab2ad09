"""The emulated bench: scenes within reach, jaws that take and let go, a kept state, a door behind it, and a twin."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from robot_io import so
from robot_io.arm import Refused, Unreachable
from robot_io.emulation.back_door import BackDoor
from robot_io.emulation.bench import TASKS, Bench, packed, view
from robot_io.errors import ArmError, NotConnected
from robot_io.kinematics import pointing_down
from robot_io.sim.scene import NoSuchScene, Recipe
from robot_io.sim.so_bench import REACH, BenchMotors, door
from robot_io.so_motion import pick_and_place, solve
from robot_io.so_table import ASIDE, GRASP, OPENED, SET

TASK = TASKS[0]


def laid(seed: int = 3) -> Bench:
    bench = Bench()
    bench.lay(Recipe(seed, TASK))
    return bench


def first(bench: Bench, kind: str) -> int:
    return next(i for i, thing in enumerate(bench.things) if thing.kind == kind)


def hold(bench: Bench, x: float, y: float, z: float, yaw: float, jaw: float) -> None:
    bench.after(lambda: pointing_down(np.array([x, y, z]), np.array([yaw]))[0], jaw)


def plan_of(bench: Bench) -> np.ndarray:
    block, bowl = bench.lying[first(bench, "block")], bench.lying[first(bench, "bowl")]
    return np.array([[*block.position[:2], GRASP, 0.0], [*bowl.position[:2], SET, 0.0]])


def test_all_of_every_scene_is_on_the_map_and_within_reach():
    table = view()
    assert table.shape == (80, 160)
    for seed in range(40):
        for here in laid(seed).lying:
            table.pixel_of(*here.position[:2])
            solve(np.array([[*here.position[:2], GRASP, 0.0]]), REACH)


def test_a_scene_that_is_not_emulated_is_refused():
    with pytest.raises(NoSuchScene, match="put-block-in-bowl"):
        Bench().lay(Recipe(0, "packing-shapes"))


def test_jaws_take_a_block_along_and_let_it_go_into_a_bowl():
    bench = laid()
    block, bowl = first(bench, "block"), first(bench, "bowl")
    (x, y, _), (u, v, _) = bench.lying[block].position, bench.lying[bowl].position
    yaw = bench.lying[block].yaw
    hold(bench, x + 0.002, y, GRASP, 0.0, 1.0)
    hold(bench, x + 0.002, y, GRASP, 0.0, 0.1)
    assert bench.held == block
    hold(bench, u + 0.002, v, 0.1, 0.5, 0.1)
    assert bench.lying[block].yaw == pytest.approx(yaw + 0.5)
    assert bench.lying[block].position[2] > 0.08
    hold(bench, u + 0.002, v, SET, 0.5, 1.0)
    assert bench.held is None
    here = bench.lying[block].position
    assert np.linalg.norm(here[:2] - [u, v]) < 0.005
    assert here[2] < 0.012, "it lies on the bowl's floor"
    assert bench.truth()["objects"][block]["position"] == here.tolist()


@pytest.mark.parametrize(("off", "z"), [(0.03, GRASP), (0.0, 0.05)], ids=["beside it", "above it"])
def test_jaws_that_close_elsewhere_take_nothing(off, z):
    bench = laid()
    x, y, _ = bench.lying[first(bench, "block")].position
    for jaw in (1.0, 0.1):
        hold(bench, x, y + off, z, 0.0, jaw)
    assert bench.held is None


def test_shut_jaws_take_nothing_on_their_way_and_bowls_stay():
    bench = laid()
    x, y, _ = bench.lying[first(bench, "block")].position
    hold(bench, x, y, 0.1, 0.0, 0.1)
    hold(bench, x, y, GRASP, 0.0, 0.1)
    assert bench.held is None
    x, y, _ = bench.lying[first(bench, "bowl")].position
    for jaw in (1.0, 0.1):
        hold(bench, x, y, GRASP, 0.0, jaw)
    assert bench.held is None


def test_a_block_on_a_block_and_one_on_a_rim():
    bench = laid(8)
    blocks = [i for i, thing in enumerate(bench.things) if thing.kind == "block"]
    bowl = bench.lying[first(bench, "bowl")].position
    x, y, _ = bench.lying[blocks[0]].position
    for u, v, above in ((*bench.lying[blocks[1]].position[:2], True), (bowl[0] + 0.021, bowl[1], False)):
        x, y, _ = bench.lying[blocks[0]].position
        z = bench.lying[blocks[0]].position[2]
        hold(bench, x, y, z, 0.0, 1.0)
        hold(bench, x, y, z, 0.0, 0.1)
        hold(bench, u, v, 0.03, 0.0, 0.1)
        hold(bench, u, v, 0.03, 0.0, 1.0)
        assert (bench.lying[blocks[0]].position[2] > 0.015) == above
    assert np.linalg.norm(bench.lying[blocks[0]].position[:2] - bowl[:2]) > 0.02, "it rolled off the rim"


def test_a_kept_state_comes_back_and_anything_else_is_refused():
    bench = laid()
    x, y, _ = bench.lying[first(bench, "block")].position
    hold(bench, x, y, GRASP, 0.0, 1.0)
    hold(bench, x, y, GRASP, 0.0, 0.1)
    data, other = packed(bench, np.arange(6.0)), Bench()
    np.testing.assert_array_equal(other.restore(data), np.arange(6.0))
    assert other.truth() == bench.truth()
    for one in (bench, other):
        hold(one, 0.2, 0.0, 0.05, 0.2, 0.1)
    assert other.truth() == bench.truth(), "and goes on alike"
    for wrong in (b"", b"\x80", b"nothing", data[:-9]):
        with pytest.raises(ArmError):
            other.restore(wrong)


@pytest.mark.sim
def test_the_door_behind_it_answers_several_callers(tmp_path):
    motors = BenchMotors([0.0] * 6, [*so.REST, 0.5], laid())
    porter = door(motors, tmp_path, threading.RLock())
    one, two = BackDoor(tmp_path), BackDoor(tmp_path)
    try:
        truth = one.ask("reset", seed=5, task=TASK, split="seen")
        assert two.ask("truth") == truth
        assert Bench().restore(two.ask("snapshot"))[1] == pytest.approx(so.REST[1], abs=0.05)
        with pytest.raises(NoSuchScene.__mro__[1], match="put-block-in-bowl"):
            one.ask("reset", seed=5, task="fold-laundry", split="seen")
        with pytest.raises(ArmError, match="a verb among"):
            one.ask("fly")
        with pytest.raises(ArmError, match="fields"):
            one.ask("reset", seed=5)
    finally:
        for end in (one, two, porter, motors):
            end.close()
    with pytest.raises(NotConnected, match="start it"):
        one.ask("truth")


@pytest.mark.sim
def test_a_twin_tells_what_a_plan_achieves_and_refuses_a_path_into_the_table():
    from robot_io.sim.so_twin import Rehearser

    bench, rehearser = laid(), Rehearser()
    plan, start = plan_of(bench), np.array([*ASIDE, 0.85])
    path = pick_and_place(plan, ASIDE, REACH, rest=ASIDE, opened=OPENED)
    body, why = rehearser.follow(path, start, bench)
    body.close()
    assert why == ""
    moved = bench.lying[first(bench, "block")].position
    assert np.linalg.norm(moved[:2] - plan[1, :2]) < 0.01

    low = plan.copy()
    low[:, 2] = -0.004
    body, why = rehearser.follow(pick_and_place(low, ASIDE, REACH, rest=ASIDE), start, Bench())
    body.close()
    assert "touched the table" in why
    assert issubclass(Refused, Unreachable)
