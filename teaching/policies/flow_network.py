"""The networks of the flow policy: a velocity field over chunks of actions, and a small ensemble beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from teaching.policies.base import CheckpointError
from teaching.types import BadInput, explained


@dataclass(frozen=True)
class FlowConfig:
    """What shapes a flow policy and its training; a checkpoint carries it."""

    state: int = explained(24, "Numbers in an observation")
    action: int = explained(4, "Numbers in an action")
    horizon: int = explained(8, "Actions in a chunk")
    execute: int = explained(4, "Actions carried out before it plans anew")
    width: int = explained(256, "Units per layer")
    layers: int = explained(3, "Hidden layers")
    euler: int = explained(10, "Steps from noise to a chunk")
    temperature: float = explained(0.5, "Size of the noise from which a chunk begins")
    rate: float = explained(3e-3, "The largest step of the optimiser")
    weight_decay: float = explained(1e-4, "Pull of the weights towards zero")
    steps: int = explained(2000, "Optimiser steps of one training, over which its rate rises and falls")
    average: float = explained(0.995, "Decay of the average of the weights over the second half of the steps")
    clip: float = explained(5.0, "Largest norm of a gradient")
    members: int = explained(0, "Networks in the ensemble that says how unsure it is; 0: none")
    member_width: int = explained(128, "Units per layer of a member")

    picture: tuple[int, ...] = explained((), "Rows, columns and colours of the pictures that it also reads; none")
    points: int = explained(16, "Places in the pictures that it learns to watch")

    def __post_init__(self) -> None:
        object.__setattr__(self, "picture", tuple(self.picture))
        if self.picture and (len(self.picture) != 3 or min(self.picture) < 1 or min(self.picture[:2]) < 16):
            raise BadInput(f"expected pictures of at least 16 × 16 pixels and a colour, got {self.picture}")
        if not 0 < self.execute <= self.horizon or min(self.state, self.action, self.width, self.layers) < 1:
            raise BadInput(f"expected 0 < execute ≤ horizon and sizes of at least 1, got {self}")
        if self.members == 1 or min(self.members, self.euler - 1, self.steps - 1) < 0 or not 0 <= self.average < 1:
            raise BadInput(f"expected no member or at least two, euler and steps ≥ 1 and 0 ≤ average < 1, got {self}")

    @property
    def reads(self) -> tuple[int, ...]:
        """What it is given: numbers of an observation and of an action, and the shape of its pictures."""
        return self.state, self.action, *self.picture

    @property
    def known(self) -> int:
        """Numbers that it decides from: those of the observation, and two for each place that it watches."""
        return self.state + (2 * self.points if self.picture else 0)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> FlowConfig:
        """The config of a checkpoint's JSON; CheckpointError if it has other fields."""
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"expected the configuration of a flow policy, got {values}: {error}") from error


class Standard(nn.Module):
    """Observations and actions in standard deviations from their mean."""

    state_mean: Tensor
    state_scale: Tensor
    action_mean: Tensor
    action_scale: Tensor

    def __init__(self, config: FlowConfig) -> None:
        """Until `fit`, what comes in goes out."""
        super().__init__()
        for name, size in (("state", config.state), ("action", config.action)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))

    def fit(self, states: Tensor, actions: Tensor) -> None:
        """Take mean and deviation of (N, D) and (N, A); what never changes keeps its unit."""
        for name, values in (("state", states), ("action", actions)):
            deviation = values.double().std(dim=0, unbiased=False)
            scale = torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation))
            getattr(self, f"{name}_mean").copy_(values.double().mean(dim=0))
            getattr(self, f"{name}_scale").copy_(scale)

    def state(self, values: Tensor) -> Tensor:
        """(…, D) → standardised, at most 10 deviations away."""
        found: Tensor = ((values - self.state_mean) / self.state_scale).clamp(-10.0, 10.0)
        return found

    def action(self, values: Tensor) -> Tensor:
        """(…, A) → standardised."""
        found: Tensor = (values - self.action_mean) / self.action_scale
        return found

    def real(self, values: Tensor) -> Tensor:
        """Standardised (…, A) → as sent."""
        found: Tensor = values * self.action_scale + self.action_mean
        return found


class Velocity(nn.Module):
    """Where a noisy chunk should go: (chunk, how far along τ, state) → velocity."""

    def __init__(self, config: FlowConfig) -> None:
        """Fresh weights."""
        super().__init__()
        self.chunk = config.horizon * config.action
        sizes = [self.chunk + 5 + config.known, *[config.width] * config.layers]
        layers: list[nn.Module] = []
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.SiLU()]
        self.body = nn.Sequential(*layers, nn.Linear(sizes[-1], self.chunk))

    def forward(self, chunk: Tensor, tau: Tensor, state: Tensor) -> Tensor:
        """(B, H, A), (B,) in [0, 1] and (B, D) → (B, H, A)."""
        waves = torch.stack([tau, *(f(k * torch.pi * tau) for k in (1, 2) for f in (torch.sin, torch.cos))], dim=1)
        given = torch.cat([chunk.flatten(1), waves, state], dim=1)
        velocity: Tensor = self.body(given).view_as(chunk)
        return velocity


class Ensemble(nn.Module):
    """E small regressors side by side: (B, D) → (E, B, H, A). Where they differ, the policy was taught nothing."""

    def __init__(self, config: FlowConfig) -> None:
        """Fresh weights, different in each member."""
        super().__init__()
        self.shape = (config.horizon, config.action)
        sizes = [config.known, config.member_width, config.member_width, config.horizon * config.action]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(config.members, a, b) * (2.0 / a) ** 0.5) for a, b in pairwise(sizes)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(config.members, 1, b)) for b in sizes[1:])

    def forward(self, state: Tensor) -> Tensor:
        """(B, D) → (E, B, H, A)."""
        values = state.expand(self.weights[0].shape[0], *state.shape)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = torch.baddbmm(bias, values if i == 0 else functional.silu(values), weight)
        chunks: Tensor = values.view(*values.shape[:2], *self.shape)
        return chunks


class Eyes(nn.Module):
    """Pictures → where in them the places are that it watches: a softmax over each of the last maps, and its mean.

    A spatial softmax (Levine et al. 2016, arXiv 1504.00702): few weights, and what it tells is measured in the picture.
    """

    across: Tensor
    down: Tensor

    def __init__(self, config: FlowConfig) -> None:
        """Fresh weights."""
        super().__init__()
        rows, columns, colours = config.picture
        self.body = nn.Sequential(
            nn.Conv2d(colours, 16, 5, stride=2, padding=2), nn.SiLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.SiLU(),
            nn.Conv2d(32, config.points, 3, padding=1),
        )  # fmt: skip
        self.register_buffer("down", torch.linspace(-1.0, 1.0, (rows + 1) // 2))
        self.register_buffer("across", torch.linspace(-1.0, 1.0, (columns + 1) // 2))

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, H, W, C) uint8 → (B, 2 · points), in [-1, 1]."""
        maps = self.body(pictures.permute(0, 3, 1, 2).float() / 127.5 - 1.0)
        share = torch.softmax(maps.flatten(2), dim=2).view_as(maps)
        found = [(share.sum(3) * self.down).sum(2), (share.sum(2) * self.across).sum(2)]
        return torch.cat(found, dim=1)


class FlowNetwork(nn.Module):
    """All of a flow policy's weights."""

    def __init__(self, config: FlowConfig) -> None:
        """Fresh weights."""
        super().__init__()
        self.standard = Standard(config)
        self.velocity = Velocity(config)
        self.ensemble = Ensemble(config) if config.members else None
        self.eyes = Eyes(config) if config.picture else None

    def know(self, state: Tensor, pictures: Tensor | None) -> Tensor:
        """What it decides from: states (B, D) in standard deviations, and what its pictures (B, H, W, C) show."""
        if self.eyes is None:
            return self.standard.state(state)
        assert pictures is not None
        return torch.cat([self.standard.state(state), self.eyes(pictures)], dim=1)


def build(config: FlowConfig, seed: int) -> FlowNetwork:
    """Fresh weights, the same for the same seed, without touching the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FlowNetwork(config)
