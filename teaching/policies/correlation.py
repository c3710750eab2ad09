"""Turning while placing: the place head of a Transporter network (Zeng et al. 2020), for tasks that need a rotation.

What surrounds the pick is cut out of one feature map, turned R ways and laid over another one: where the two agree, and
how far turned, is where to place. Its result is added to the place logits that need no rotation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CROP = 25
"""Side of what is cut out, in cells of the feature map (1.25 cm each): a thing of up to 20 cm stays in when turned."""
CHANNELS = 8
"""Of the two feature maps that are compared."""


def angle_of(index: int, rotations: int) -> float:
    """Radians of one of R turns, in (−π, π]; positive turns rows (x) towards columns (y), as yaw does."""
    turned = 2 * torch.pi * (index % rotations) / rotations
    return turned - 2 * torch.pi if turned > torch.pi else turned


def turned_crops(features: Tensor, centres: Tensor, rotations: int, size: int) -> Tensor:
    """Cut out and turn.

    Args:
        features: (B, D, h, w).
        centres: (B, 2) row and column in cells, may be fractional.
        rotations: R.
        size: cells of a side.

    Returns:
        (B, R, D, size, size): what lies around each centre after turning it by 2π r / R; outside counts as 0.
    """
    count, channels, rows, columns = features.shape
    angles = torch.arange(rotations, device=features.device) * (2 * torch.pi / rotations)
    cos, sin = angles.cos(), angles.sin()
    reach = torch.arange(size, device=features.device) - (size - 1) / 2
    down, right = torch.meshgrid(reach, reach, indexing="ij")
    # A cell of the turned picture shows what lay at the cell turned back.
    source_down = cos[:, None, None] * down + sin[:, None, None] * right
    source_right = -sin[:, None, None] * down + cos[:, None, None] * right
    row = centres[:, 0, None, None, None] + source_down
    column = centres[:, 1, None, None, None] + source_right
    grid = torch.stack([(2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1], dim=-1)
    crops = functional.grid_sample(features, grid.flatten(1, 2).to(features.dtype), align_corners=False)
    return crops.view(count, channels, rotations, size, size).transpose(1, 2)


class Correlation(nn.Module):
    """R place maps from features and a pick."""

    def __init__(self, width: int, rotations: int) -> None:
        super().__init__()
        self.rotations = rotations
        self.held = nn.Conv2d(width, CHANNELS, 1)
        self.there = nn.Conv2d(width, CHANNELS, 1)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, features: Tensor, pick: Tensor) -> Tensor:
        """Features (B, C, h, w) and picks (B, 2) in cells → logits (B, R, h, w)."""
        count, _, rows, columns = features.shape
        kernels = turned_crops(self.held(features), pick, self.rotations, CROP)
        there = self.there(features).reshape(1, count * CHANNELS, rows, columns)
        kernels = kernels.reshape(-1, CHANNELS, CROP, CROP)
        found = functional.conv2d(there, kernels, padding=CROP // 2, groups=count)
        agreement = found.view(count, self.rotations, rows, columns) / CROP**2
        scaled: Tensor = agreement * self.scale
        return scaled
