"""What lies under a point: heights, what a cup takes hold of, footprints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from robot_io.sim.packing_shapes import SCALE, THICK
from robot_io.sim.probe import Probe
from robot_io.sim.scene import Thing

pytestmark = pytest.mark.sim
BLOCK = Thing("block", (0.04, 0.04, 0.04), (0.5, 0.0, 0.02), colour="red")
BOWL = Thing("bowl", (0.12, 0.12, 0.045), (0.5, 0.2, 0.0225), colour="red", fixed=True)
RING = Thing("shape", (SCALE, SCALE, THICK), (0.5, -0.2, THICK / 2), shape="ring")


@pytest.fixture
def probe() -> Iterator[Probe]:
    probe = Probe()
    probe.load((BLOCK, BOWL, RING))
    probe.look_at(np.array([[*t.position, 0, 0, 0, 1] for t in (BLOCK, BOWL, RING)]))
    yield probe
    probe.close()


def test_heights_are_those_of_the_things(probe):
    found = probe.surface(np.array([[0.5, 0.0], [0.5, 0.2], [0.5, 0.258], [0.3, 0.3]]))
    assert [thing for thing, _ in found] == [0, 1, 1, None]
    np.testing.assert_allclose([height for _, height in found], [0.04, 0.005, 0.045, 0.0], atol=2e-3)


def test_where_something_is_skipped_its_support_counts(probe):
    assert probe.surface(np.array([[0.5, 0.0]]), skip=0) == [(None, pytest.approx(0.0, abs=2e-3))]


def test_a_descent_beside_a_block_ends_on_its_edge(probe):
    assert probe.under_cup(0.525, 0.0) == (0, pytest.approx(0.04, abs=2e-3))
    assert probe.under_cup(0.54, 0.0) == (None, pytest.approx(0.0, abs=2e-3))


def test_the_cup_takes_what_is_loose_and_near(probe):
    assert probe.within_cup(np.array([0.5, 0.0, 0.041])) == 0
    assert probe.within_cup(np.array([0.5, 0.0, 0.06])) is None
    assert probe.within_cup(np.array([0.5, 0.258, 0.046])) is None


def test_nothing_holds_a_ring_by_its_hole(probe):
    assert probe.within_cup(np.array([0.5, -0.2, THICK])) is None
    assert probe.within_cup(np.array([0.5 + 0.4 * SCALE, -0.2, THICK])) == 2


def test_things_are_where_they_were_last_looked_at(probe):
    moved = np.array([[*t.position, 0, 0, 0, 1] for t in (BLOCK, BOWL, RING)])
    moved[0, 0] = 0.35
    probe.look_at(moved)
    assert probe.under_cup(0.5, 0.0)[0] is None
    assert probe.under_cup(0.35, 0.0)[0] == 0


def test_a_footprint_covers_the_thing(probe):
    points = probe.footprint(0)
    np.testing.assert_allclose([points.min(0), points.max(0)], [[0.48, -0.02], [0.52, 0.02]], atol=6e-3)
    assert probe.thickness(0, 0.04) == pytest.approx(0.04, abs=2e-3)
