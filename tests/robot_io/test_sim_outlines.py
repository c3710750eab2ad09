"""Shapes to pack: convex pieces, centred, held where there is material."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io.sim import outlines

NAMES = outlines.SEEN + outlines.UNSEEN


def cross(polygon: np.ndarray) -> np.ndarray:
    edge = np.roll(polygon, -1, axis=0) - polygon
    following = np.roll(edge, -1, axis=0)
    return edge[:, 0] * following[:, 1] - edge[:, 1] * following[:, 0]


def test_fourteen_seen_and_six_unseen():
    assert len(outlines.SEEN) == 14
    assert outlines.UNSEEN == ("E", "L", "ring", "hexagon", "heart", "M")


@pytest.mark.parametrize("name", NAMES)
def test_pieces_are_convex_and_counter_clockwise(name):
    for polygon in outlines.pieces(name):
        assert np.all(cross(polygon) > -1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_centre_of_area_is_the_origin(name):
    axis = np.linspace(-0.8, 0.8, 161)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    np.testing.assert_allclose(grid[outlines.inside(name, grid)].mean(0), 0, atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_are_of_one_size(name):
    assert 0.9 <= max(outlines.extent(name)) <= 1.1 or name == "square"


@pytest.mark.parametrize("name", NAMES)
def test_there_is_material_all_around_where_it_is_held(name):
    point = np.array(outlines.grip_point(name))
    angle = np.arange(8) * np.pi / 4
    around = point + 0.08 * np.column_stack([np.cos(angle), np.sin(angle)])
    assert np.all(outlines.inside(name, around))


def test_a_ring_has_a_hole():
    assert not outlines.inside("ring", np.zeros((1, 2)))[0]
