"""Live pictures shrink while they do not keep up, grow back when there is room, and are full where nothing moves."""

from __future__ import annotations

import pytest

from robot_io.sizing import ENOUGH, ROUNDS, SMALLER, Sizing


def fed(sizing: Sizing, seconds: float, rounds: int = ROUNDS) -> Sizing:
    for _ in range(rounds):
        sizing.took(seconds)
    return sizing


def test_pictures_that_keep_up_stay_full():
    assert fed(Sizing(), 0.9 * ENOUGH, 100).size(moving=True) is None


def test_they_shrink_a_step_at_a_time_and_no_further_than_the_smallest():
    sizing, seen = Sizing(), []
    for _ in range(4):
        seen.append(fed(sizing, 2 * ENOUGH).size(moving=True))
    assert seen == [SMALLER[0], *[SMALLER[-1]] * 3]


def test_what_stands_still_is_full():
    assert fed(Sizing(), 2 * ENOUGH).size(moving=False) is None


def test_very_slow_pictures_are_not_waited_for_as_long():
    assert fed(Sizing(), 0.5, 3).size(moving=True) == SMALLER[0]


def test_one_slow_round_is_none():
    sizing = fed(Sizing(), 0.5 * ENOUGH, ROUNDS - 1)
    sizing.took(10.0)
    assert sizing.size(moving=True) is None


@pytest.mark.parametrize("load", [0.3, 0.8, 1.05, 1.5, 3.0])
def test_it_settles_under_a_steady_load(load: float):
    """`load`: what a round of full pictures takes, of what is enough; half of it is not the pixels'."""
    sizing, seen = Sizing(), []
    for _ in range(40 * ROUNDS):
        size = sizing.size(moving=True)
        pixels = 1.0 if size is None else size[0] * size[1] / (320 * 240)
        sizing.took(load * ENOUGH * (0.5 + 0.5 * pixels))
        seen.append(size)
    assert len(set(seen[10 * ROUNDS :])) == 1


def test_they_grow_back_when_the_load_is_gone():
    sizing = fed(fed(Sizing(), 2 * ENOUGH), 2 * ENOUGH)
    assert sizing.size(moving=True) == SMALLER[-1]
    assert fed(fed(sizing, 0.05 * ENOUGH), 0.05 * ENOUGH).size(moving=True) is None
