from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robot_io.arm import Array
from robot_io.sim.assembly import Assembly, AssemblySpec, BadScene
from robot_io.sim.bench_assembly import APART, FLOOR, BenchAssembly

STILL = replace(AssemblySpec(), noise=0.0)


def bench(n: int = 4, spec: AssemblySpec = STILL) -> BenchAssembly:
    found = BenchAssembly(spec)
    found.reset(range(n))
    return found


def go(b: BenchAssembly, to: Array, *, closed: bool, ticks: int = 60) -> None:
    """Straight to (N, 3)."""
    for _ in range(ticks):
        b.step(np.column_stack([to - b.tool, np.full(len(to), float(closed))]))


def grasp(b: BenchAssembly) -> None:
    go(b, b.peg.copy(), closed=False)
    go(b, b.peg.copy(), closed=True, ticks=1)


def over(b: BenchAssembly, place: Array, *, aside: float = 0.0, height: float = 0.25, closed: bool = True) -> None:
    """Up, and then above a place."""
    go(b, np.column_stack([b.tool[:, :2], np.full(len(b.tool), height)]), closed=closed)
    go(b, np.column_stack([place + np.array([aside, 0.0]), np.full(len(b.tool), height)]), closed=closed)


def down(b: BenchAssembly, *, closed: bool = True, ticks: int = 20) -> None:
    go(b, np.column_stack([b.tool[:, :2], np.full(len(b.tool), FLOOR)]), closed=closed, ticks=ticks)


def test_it_keeps_the_protocol() -> None:
    b = bench()
    assert isinstance(b, Assembly)
    assert b.observe().shape == (4, b.width) and max(s.stop for s in b.columns.values()) == b.width


def test_pick_insert_press() -> None:
    b = bench()
    grasp(b)
    assert np.all(b.stage == 1)
    over(b, b.slot)
    down(b)
    assert np.all(b.stage == 1) and np.all(b.tool[:, 2] == FLOOR)
    down(b, closed=False, ticks=1)
    assert np.all(b.stage == 2) and not b.drops.any()
    over(b, b.button, closed=False)
    down(b, closed=False)
    assert np.all(b.stage == 3) and not b.truth().jammed.any()


def test_beside_the_slot_it_jams_until_lifted() -> None:
    b = bench()
    grasp(b)
    over(b, b.slot, aside=0.05)
    down(b)
    assert np.all(b.tool[:, 2] == b.spec.rim) and b.jammed.all() and b.contact.all()
    before = b.tool.copy()
    b.step(np.tile([0.03, 0.03, 0.0, 1.0], (4, 1)))
    assert np.array_equal(b.tool[:, :2], before[:, :2]) and b.jammed.all()
    for _ in range(2):
        b.step(np.tile([0.0, 0.0, 0.03, 1.0], (4, 1)))
    assert not b.jammed.any()
    b.step(np.tile([0.03, 0.0, 0.0, 1.0], (4, 1)))
    assert b.tool[:, 0] == pytest.approx(before[:, 0] + 0.03)
    assert np.all((b.trace > 0.5) & (b.trace < 1))


def test_let_go_of_outside_the_slot_the_peg_lies_there_and_can_be_picked_again() -> None:
    b = bench()
    grasp(b)
    over(b, b.slot, aside=0.05)
    down(b)
    down(b, closed=False, ticks=1)
    assert np.all(b.stage == 0) and np.all(b.drops == 1) and not b.jammed.any()
    assert np.all(b.peg[:, 2] == FLOOR)
    grasp(b)
    assert np.all(b.stage == 1)


def test_let_go_of_where_it_was_picked_it_is_not_in_the_slot() -> None:
    b = bench()
    grasp(b)
    down(b, closed=False, ticks=1)
    assert np.all(b.stage == 0) and np.all(b.drops == 1)


def test_a_closed_gripper_takes_nothing() -> None:
    b = bench()
    go(b, b.peg.copy(), closed=True)
    assert np.all(b.stage == 0)
    b.step(np.zeros((4, 4)))
    b.step(np.tile([0, 0, 0, 1.0], (4, 1)))
    assert np.all(b.stage == 1)


def test_a_look_is_frozen_while_low_and_new_after_rising() -> None:
    b = bench(200)
    low = b.observe()[:, b.columns["slot"]] + b.tool[:, :2]
    over(b, b.slot, height=0.2, closed=False)
    assert np.allclose(b.observe()[:, b.columns["slot"]] + b.tool[:, :2], low) and not b.looks.any()
    over(b, b.slot, height=0.4, closed=False)
    again = b.observe()[:, b.columns["slot"]] + b.tool[:, :2]
    assert np.all(b.looks == 1) and np.mean(np.any(np.abs(again - low) > 1e-9, axis=1)) > 0.5


def test_how_often_and_by_how_much_a_look_is_wrong() -> None:
    b = bench(2000)
    off = np.linalg.norm(b.observe()[:, b.columns["slot"]] + b.tool[:, :2] - b.slot, axis=1)
    wrong = off > 1e-9
    assert wrong.mean() == pytest.approx(0.5, abs=0.035)
    assert off[wrong].min() >= 0.05 - 1e-9 and off[wrong].max() <= 0.10 + 1e-9
    off = np.linalg.norm(b.observe()[:, b.columns["button"]] + b.tool[:, :2] - b.button, axis=1)
    assert (off > 1e-9).mean() == pytest.approx(0.4, abs=0.035)


def test_perfect_sees_the_truth() -> None:
    b = bench(50, AssemblySpec.perfect())
    for name, place in (("slot", b.slot), ("button", b.button)):
        assert np.allclose(b.observe()[:, b.columns[name]] + b.tool[:, :2], place)
    assert b.truth().good_look.all()


def test_good_look_is_told_for_the_current_subtask() -> None:
    b = bench(300)
    assert b.truth().good_look.all()
    grasp(b)
    seen = b.observe()[:, b.columns["slot"]] + b.tool[:, :2]
    assert np.array_equal(b.truth().good_look, np.linalg.norm(seen - b.slot, axis=1) < 1e-9)


def test_retries_are_looks_that_begin_a_subtask_again() -> None:
    b = bench()
    grasp(b)
    over(b, b.slot, height=0.4)
    assert not b.retries.any()
    for _ in range(3):
        over(b, b.slot, height=0.2)
        over(b, b.slot, height=0.4)
    assert np.all(b.retries == 3)
    down(b)
    down(b, closed=False, ticks=1)
    over(b, b.button, height=0.4, closed=False)
    assert np.all(b.retries == 3) and np.all(b.looks == 5)


def test_same_seed_same_scene_and_luck_whoever_is_beside_it() -> None:
    many, one = BenchAssembly(), BenchAssembly()
    many.reset(range(10))
    one.reset([7])
    rng = np.random.default_rng(0)
    for _ in range(100):
        action = rng.uniform(-0.06, 0.06, 4)
        many.step(np.tile(action, (10, 1)))
        one.step(action[None])
    assert np.array_equal(many.observe()[7], one.observe()[0])
    assert not np.allclose(many.observe()[6], one.observe()[0])


def test_places_keep_apart_and_in_reach() -> None:
    b = bench(200)
    places = np.stack([b.peg[:, :2], b.slot, b.button], axis=1)
    assert np.linalg.norm(places - np.roll(places, 1, axis=1), axis=2).min() >= APART
    assert places.min() >= 0.1 and places.max() <= 0.9


def test_restored_it_goes_on_bit_for_bit() -> None:
    b, rng = BenchAssembly(), np.random.default_rng(0)
    b.reset(range(20))
    actions = rng.uniform(-0.05, 0.05, (300, 20, 4)) + np.array([0, 0, 0, 0.5])
    for a in actions[:100]:
        b.step(a)
    kept = b.snapshot()
    first = [(b.step(a), b.observe()) for a in actions[100:]]
    b.restore(kept)
    second = [(b.step(a), b.observe()) for a in actions[100:]]
    assert all(np.array_equal(x, y) for p, q in zip(first, second, strict=True) for x, y in zip(p, q, strict=True))


def test_step_tells_what_was_really_done() -> None:
    done = bench().step(np.tile([1.0, -1.0, 0.01, 0.7], (4, 1)))
    assert np.allclose(done, [0.04, -0.04, 0.01, 1.0])


def test_bad_input() -> None:
    b = bench()
    for wrong in (np.zeros((3, 4)), np.full((4, 4), np.nan)):
        with pytest.raises(BadScene, match="finite actions"):
            b.step(wrong)
    with pytest.raises(BadScene, match="at least one seed"):
        b.reset([])
    with pytest.raises(BadScene, match="without"):
        b.restore({})
    with pytest.raises(BadScene, match="least"):
        AssemblySpec(off=(0.1, 0.05))
    with pytest.raises(BadScene, match="rim"):
        AssemblySpec(depth=0.2)


def test_moments_of_different_times_go_on_side_by_side_as_they_would_have() -> None:
    b, rng = BenchAssembly(), np.random.default_rng(1)
    b.reset(range(3))
    actions = rng.uniform(-0.05, 0.05, (500, 3, 4)) + np.array([0, 0, 0, 0.5])
    moments, after = [], []
    for tick, a in enumerate(actions):
        if tick in (0, 70, 390):
            moments.append(b.moment(len(moments)))
        b.step(a)
        after.append(b.observe())
    beside = BenchAssembly()
    beside.resume(moments)
    for later in range(100):
        beside.step(np.stack([actions[start + later, row] for row, start in enumerate((0, 70, 390))]))
        wanted = [after[start + later][row] for row, start in enumerate((0, 70, 390))]
        assert np.array_equal(beside.observe(), np.stack(wanted))
    with pytest.raises(BadScene, match="0 to 2"):
        b.moment(3)
    with pytest.raises(BadScene, match="at least one moment"):
        b.resume([])
