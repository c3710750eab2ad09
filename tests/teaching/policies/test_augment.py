"""Moved copies of training samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from teaching.policies.augment import AugmentConfig, draw, move

SHAPE = (32, 48)


def marked(points: np.ndarray) -> torch.Tensor:
    """Pictures (B, 2, H, W) with a 3×3 mark of its own channel at each of two points (B, 2, 2)."""
    picture = torch.zeros(len(points), 2, *SHAPE)
    for i, pair in enumerate(points.astype(int)):
        for channel, (r, c) in enumerate(pair):
            picture[i, channel, r - 1 : r + 2, c - 1 : c + 2] = 1
    return picture


def test_pictures_and_points_move_together() -> None:
    rng = np.random.default_rng(0)
    points = rng.integers(4, [28, 44], (64, 2, 2)).astype(float)
    moves = draw(points, SHAPE, AugmentConfig(), rng)
    moved = move(marked(points), moves)
    targets = np.rint(moves.points(points, SHAPE)).astype(int)
    for i, pair in enumerate(targets):
        assert all(moved[i, channel, r, c] == 1 for channel, (r, c) in enumerate(pair))


def test_points_stay_on_the_picture_and_most_samples_move() -> None:
    rng = np.random.default_rng(1)
    points = rng.integers(2, [30, 46], (200, 2, 2)).astype(float)
    moves = draw(points, SHAPE, AugmentConfig(), rng)
    moved = moves.points(points, SHAPE)
    assert (moved >= 1).all() and (moved <= np.array(SHAPE) - 2).all()
    still = np.isclose(moves.linear, np.eye(2)).all((1, 2))
    assert still.mean() < 0.3


@pytest.mark.parametrize(("mirror", "signs"), [(True, {-1.0, 1.0}), (False, {1.0})])
def test_mirroring_can_be_turned_off(mirror: bool, signs: set[float]) -> None:
    points = np.full((64, 2, 2), 16.0)
    moves = draw(points, SHAPE, AugmentConfig(mirror=mirror), np.random.default_rng(2))
    assert {round(s, 6) for s in moves.flips().tolist()} == signs


def test_without_angle_shift_and_mirror_nothing_changes() -> None:
    points = np.full((4, 2, 2), 16.0)
    moves = draw(points, SHAPE, AugmentConfig(angle=0, shift=0, mirror=False), np.random.default_rng(0))
    pictures = torch.rand(4, 3, *SHAPE)
    assert torch.equal(move(pictures, moves), pictures)


def test_the_same_generator_gives_the_same_moves() -> None:
    points = np.full((4, 2, 2), 16.0)
    first, second = (draw(points, SHAPE, AugmentConfig(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.linear, second.linear)
