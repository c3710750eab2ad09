"""Turned crops and what they are compared with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from teaching.policies.correlation import Correlation, angle_of, turned_crops


def test_angles_lie_around_zero() -> None:
    assert [round(angle_of(i, 4), 6) for i in range(4)] == [
        0,
        round(np.pi / 2, 6),
        round(np.pi, 6),
        round(-np.pi / 2, 6),
    ]


def test_a_quarter_turn_takes_rows_to_columns() -> None:
    features = torch.zeros(1, 1, 21, 21)
    features[0, 0, 13, 10] = 1  # three rows below the centre
    crops = turned_crops(features, torch.tensor([[10.0, 10.0]]), 4, 9)[0, :, 0]
    found = [tuple(np.unravel_index(int(c.argmax()), (9, 9))) for c in crops]
    assert found == [(7, 4), (4, 7), (1, 4), (4, 1)]  # down, right, up, left of the middle (4, 4)


def test_outside_counts_as_nothing() -> None:
    crops = turned_crops(torch.ones(1, 1, 10, 10), torch.tensor([[0.0, 0.0]]), 2, 5)
    assert crops[0, 0, 0, 0, 0] == 0 and crops[0, 0, 0, 4, 4] == 1


def test_it_finds_where_and_how_far_turned() -> None:
    torch.manual_seed(0)
    head = Correlation(3, 4)
    with torch.no_grad():
        head.scale.fill_(1.0)
        for conv in (head.held, head.there):
            conv.weight.zero_()
            conv.bias.zero_()
            conv.weight[:3, :3, 0, 0] = torch.eye(3)
    picture = torch.zeros(1, 3, 40, 80)
    key = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 1, 1]])
    for channel in range(3):
        picture[0, channel, 15:18, 20:23] = key * (channel + 1)
        picture[0, channel, 15:18, 60:63] = torch.rot90(key, 1, (0, 1)) * (channel + 1)
    agreement = head(picture, torch.tensor([[16.0, 21.0]]))
    assert agreement.shape == (1, 4, 40, 80)
    agreement[..., :40] = -1  # not where it was taken from
    turn, row, column = np.unravel_index(int(agreement[0].argmax()), (4, 40, 80))
    assert (row, column) == (16, 61) and turn == 1


@pytest.mark.parametrize("rotations", [2, 12])
def test_every_part_of_it_learns(rotations: int) -> None:
    head = Correlation(8, rotations)
    agreement = head(torch.rand(2, 8, 20, 30), torch.full((2, 2), 9.0))
    assert agreement.shape == (2, rotations, 20, 30)
    agreement[0, 1].square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in head.parameters())
