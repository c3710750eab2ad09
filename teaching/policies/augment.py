"""Turned, shifted and mirrored copies of training samples: what to do does not depend on where it is.

SE(2) augmentation as in Transporter networks: angle ~ N(0, 60°), shift ~ N(0, W/12); a draw that would move the pick or
the place off the picture is drawn again, and after a few tries the sample stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from teaching.types import Array


@dataclass(frozen=True)
class AugmentConfig:
    """How far samples are moved about."""

    angle: float = 60.0
    """Standard deviation of the turn, degrees."""
    shift: float = 0.08
    """Standard deviation of the shift, in widths of the picture."""
    mirror: bool = True
    """Half of the samples are mirrored; off where left and right mean something."""
    tries: int = 8
    """Draws per sample."""
    margin: float = 1.0
    """Pixels that pick and place keep from the edge."""


@dataclass(frozen=True)
class Moves:
    """One rigid motion per sample, about the picture's centre, in (row, column) pixels."""

    linear: Array
    """(B, 2, 2): rotation, perhaps with a reflection."""
    shift: Array
    """(B, 2) pixels."""

    def points(self, points: Array, shape: tuple[int, int]) -> Array:
        """Where (B, P, 2) pixel positions go."""
        centre = (np.array(shape) - 1) / 2
        moved: Array = np.einsum("bij,bpj->bpi", self.linear, points - centre) + centre + self.shift[:, None]
        return moved

    def flips(self) -> Array:
        """(B,) −1 where mirrored, else 1: the sign that angles get."""
        signs: Array = np.sign(np.linalg.det(self.linear))
        return signs


def draw(points: Array, shape: tuple[int, int], config: AugmentConfig, rng: np.random.Generator) -> Moves:
    """Motions that keep every point of (B, P, 2) on the picture."""
    count = len(points)
    linear, shift = np.tile(np.eye(2), (count, 1, 1)), np.zeros((count, 2))
    open_ = np.ones(count, dtype=bool)
    for _ in range(config.tries):
        tried = _propose(count, shape, config, rng)
        moved = tried.points(points, shape)
        inside = (moved >= config.margin) & (moved <= np.array(shape) - 1 - config.margin)
        good = open_ & inside.all(axis=(1, 2))
        linear[good], shift[good] = tried.linear[good], tried.shift[good]
        open_ &= ~good
    return Moves(linear, shift)


def _propose(count: int, shape: tuple[int, int], config: AugmentConfig, rng: np.random.Generator) -> Moves:
    angle = np.deg2rad(rng.normal(0.0, config.angle, count))
    flip = np.where(rng.random(count) < 0.5, -1.0, 1.0) if config.mirror else np.ones(count)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.stack([np.stack([cos, -sin * flip], -1), np.stack([sin, cos * flip], -1)], -2)
    return Moves(linear, rng.normal(0.0, config.shift * shape[1], (count, 2)))


def move(pictures: Tensor, moves: Moves) -> Tensor:
    """Pictures (B, C, H, W) after their motions, by nearest pixel; what comes in from outside is 0."""
    count, channels, rows, columns = pictures.shape
    centre = np.array([rows - 1, columns - 1]) / 2
    grid = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), -1).reshape(1, -1, 2)
    back = np.linalg.inv(moves.linear)
    source = np.einsum("bij,bpj->bpi", back, grid - centre - moves.shift[:, None]) + centre
    near = np.rint(source).astype(np.int64)
    inside = ((near >= 0) & (near < [rows, columns])).all(-1)
    index = np.where(inside, near[..., 0] * columns + near[..., 1], 0)
    taken = torch.gather(pictures.flatten(2), 2, torch.from_numpy(index)[:, None].expand(-1, channels, -1))
    return (taken * torch.from_numpy(inside)[:, None]).view(count, channels, rows, columns)
