"""The flow novice: chunks of actions from state, by flow matching (as in RaC, Hu et al. 2025, section 5 of our notes).

The two halves of one method: `FlowPolicy` plans in the host, `FlowLearner` improves it in the trainer. A chunk x₀ of
noise is moved to a chunk of actions A along a learned velocity v(x_τ, τ, state), trained to be A − x₀ at
x_τ = (1 − τ) x₀ + τ A. Its uncertainty is what the training has not settled: how far a small ensemble of regressors is
apart, and how far each chunk is from what the chunk before it meant to do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from robot_io.arm import Observation
from teaching.policies import checkpoint
from teaching.policies.base import CheckpointError
from teaching.policies.chunks import ChunkBatch, ChunkPlan, bounded, disagreement
from teaching.policies.flow_network import FlowConfig, FlowNetwork, build
from teaching.types import Array, BadInput

METHOD = "flow"
STATE = "state"
"""The array of an observation that the policy reads, (D,)."""
GLIMPSE = "glimpse"
"""The small pictures of an observation, (H, W, C) uint8, for a policy that reads some."""


class Chunks(NamedTuple):
    """Plans for N states at once."""

    actions: Array
    """(N, H, A) float64, as to be sent."""
    standard: Array
    """(N, H, A) the same in standard deviations, for `disagreement`."""
    spread: Array
    """(N, H) how far the ensemble's members are apart, in standard deviations; zeros without one."""


class FlowPolicy:
    """The novice that plans. Version 0 with fresh weights knows nothing and is unsure of everything."""

    def __init__(self, config: FlowConfig | None = None, *, seed: int = 0) -> None:
        """Fresh weights of a seed; `load` replaces them."""
        self.config = config or FlowConfig()
        self.version = 0
        self._network = build(self.config, seed).eval()
        self._before: Array | None = None

    def reset(self) -> None:
        """A new episode, or a hand-over: what it meant to do no longer counts."""
        self._before = None

    def unknown_words(self, goal: str) -> tuple[str, ...]:
        """It reads no words."""
        return ()

    def load(self, directory: Path) -> None:
        """Take over a checkpoint's weights; a damaged one is a CheckpointError and changes nothing."""
        info = read_info(directory)
        config = FlowConfig.of(info["config"])
        network = build(config, 0).eval()
        checkpoint.restore_weights(network, checkpoint.read_tensors(directory, checkpoint.MODEL, info), directory)
        self.take(network, config, int(info["lineage"].get("update", info["updates"])))

    def take(self, network: FlowNetwork, config: FlowConfig, version: int) -> None:
        """Plan with these weights from now on."""
        self.config, self.version = config, version
        self._network = network.eval()
        self.reset()

    def __call__(self, observation: Observation, goal: str, rng: np.random.Generator) -> ChunkPlan:
        """What it intends for the next H ticks.

        Args:
            observation: with `state` (D,), and `glimpse` (H, W, C) if it reads pictures.
            goal: told back with the plan; this novice reads no words.
            rng: draws the noise from which the chunk begins.
        """
        seen = np.asarray(observation[GLIMPSE])[None] if self.config.picture else None
        found = self.plan(np.asarray(observation[STATE])[None], rng, seen)
        apart = 0.0
        if self._before is not None:
            apart = float(disagreement(self._before, found.standard, self.config.execute)[0])
        self._before = found.standard
        spread = float(found.spread[0].mean())
        return ChunkPlan(
            actions=found.actions[0],
            goal=goal,
            uncertainty=float(bounded(np.asarray(spread + apart))) if self.version else 1.0,
            per_step=bounded(found.spread[0]) if self.version else np.ones(self.config.horizon),
            policy_version=self.version,
            spread=spread,
            disagreement=apart,
        )

    @torch.inference_mode()
    def plan(self, states: Array, rng: np.random.Generator, pictures: Array | None = None) -> Chunks:
        """Chunks for N states (N, D) and pictures (N, H, W, C) at once, remembering nothing."""
        given = np.asarray(states, dtype=np.float32)
        if given.ndim != 2 or given.shape[1] != self.config.state or not np.all(np.isfinite(given)):
            raise BadInput(f"expected finite states (N, {self.config.state}), got {given.shape}")
        state = self._network.know(torch.from_numpy(given), _pictures(pictures, self.config, len(given)))
        shape = (len(given), self.config.horizon, self.config.action)
        chunk = _noise(rng, shape) * self.config.temperature
        for i in range(self.config.euler):
            tau = torch.full((len(given),), i / self.config.euler)
            chunk = chunk + self._network.velocity(chunk, tau, state) / self.config.euler
        spread = torch.zeros(shape[:2])
        if self._network.ensemble is not None:
            spread = self._network.ensemble(state).var(dim=0, unbiased=False).mean(dim=-1).sqrt()
        actions = self._network.standard.real(chunk)
        return Chunks(*(x.double().numpy() for x in (actions, chunk, spread)))


class FlowLearner:
    """The novice that learns: flow matching on chunks, AdamW, a rate that rises and falls once, averaged weights."""

    def __init__(self, config: FlowConfig | None = None, *, seed: int = 0) -> None:
        """Fresh weights of a seed; `load` replaces them."""
        self.config = config or FlowConfig()
        self.updates = self._begun = 0
        self._take(build(self.config, seed))

    def _take(self, network: FlowNetwork) -> None:
        self.network = network.train()
        self.averaged = deepcopy(network).eval()
        self._optimiser = torch.optim.AdamW(
            network.parameters(), lr=self.config.rate, weight_decay=self.config.weight_decay
        )

    def fit(self, states: Array, actions: Array) -> None:
        """Take the units of observations (N, D) and actions (N, A) from what is to be learned, before any step."""
        for network in (self.network, self.averaged):
            network.standard.fit(torch.from_numpy(np.array(states)), torch.from_numpy(np.array(actions)))

    def begin(self) -> None:
        """Another training of `config.steps` steps starts here, from the weights as they are."""
        self._begun = self.updates

    def update(self, batch: ChunkBatch, rng: np.random.Generator) -> Mapping[str, float]:
        """One optimiser step.

        Args:
            batch: B samples; `weight` multiplies each sample's loss, what is padded has none.
            rng: draws τ, the noise, and what each member of the ensemble sees.

        Returns:
            loss, flow_loss, member_loss (weighted means, in squared standard deviations) and rate.
        """
        state, actions = (torch.from_numpy(np.array(x, dtype=np.float32)) for x in (batch.state, batch.actions))
        mask = torch.from_numpy(~batch.padded)[..., None].float()
        weight = torch.from_numpy(np.array(batch.weight, dtype=np.float32))
        state = self.network.know(state, _pictures(batch.pictures, self.config, len(state)))
        actions = self.network.standard.action(actions)
        flow = self._flow_loss(state, actions, mask, weight, rng)
        member = self._member_loss(state, actions, mask, weight, rng)
        rate = self._step(flow + member)
        return {
            "loss": float((flow + member).detach()),
            "flow_loss": float(flow.detach()),
            "member_loss": float(member.detach()),
            "rate": rate,
        }

    def _flow_loss(
        self, state: Tensor, actions: Tensor, mask: Tensor, weight: Tensor, rng: np.random.Generator
    ) -> Tensor:
        noise = _noise(rng, tuple(actions.shape))
        tau = torch.from_numpy(rng.random(len(actions), dtype=np.float32))
        mixed = torch.lerp(noise, actions, tau[:, None, None])
        error = (self.network.velocity(mixed, tau, state) - (actions - noise)) ** 2
        return _mean(error, mask, weight)

    def _member_loss(
        self, state: Tensor, actions: Tensor, mask: Tensor, weight: Tensor, rng: np.random.Generator
    ) -> Tensor:
        if self.network.ensemble is None:
            return torch.zeros(())
        seen = torch.from_numpy(rng.poisson(1.0, (self.config.members, len(state))).astype(np.float32))
        error = (self.network.ensemble(state.detach()) - actions) ** 2
        return sum((_mean(e, mask, weight * s) for e, s in zip(error, seen, strict=True)), torch.zeros(()))

    def _step(self, loss: Tensor) -> float:
        done = self.updates - self._begun
        rate = self.config.rate * one_cycle(done / self.config.steps)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self._optimiser.step()
        self.updates += 1
        share = 1.0 - self.config.average if done >= self.config.steps / 2 else 1.0
        with torch.no_grad():
            for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, share)
        return rate

    def policy(self) -> FlowPolicy:
        """A policy with the averaged weights as they are now."""
        policy = FlowPolicy(self.config)
        policy.take(deepcopy(self.averaged), self.config, self.updates)
        return policy

    def save(self, directory: Path, lineage: Mapping[str, Any]) -> None:
        """Write the averaged weights, what is needed to go on, and checkpoint.json, atomically."""
        flat, groups = checkpoint.flat_state(self._optimiser)
        raw = {f"raw.{name}": value for name, value in self.network.state_dict().items()}
        info = {
            "method": METHOD,
            "config": asdict(self.config),
            "updates": self.updates,
            "begun": self._begun,
            "groups": groups,
            "lineage": dict(lineage),
        }
        files = {checkpoint.MODEL: self.averaged.state_dict(), checkpoint.OPTIMISER: flat | raw}
        checkpoint.write(directory, info, files)

    def load(self, directory: Path) -> Mapping[str, Any]:
        """Take over a checkpoint; returns its lineage. A damaged one is a CheckpointError and changes nothing.

        A checkpoint without an optimiser starts a fresh one, from the averaged weights.
        """
        info = read_info(directory)
        fresh = FlowLearner(FlowConfig.of(info["config"]))
        weights = checkpoint.read_tensors(directory, checkpoint.MODEL, info)
        checkpoint.restore_weights(fresh.averaged, weights, directory)
        raw = weights
        if checkpoint.OPTIMISER in info["files"]:
            flat = checkpoint.read_tensors(directory, checkpoint.OPTIMISER, info)
            raw = {name.removeprefix("raw."): v for name, v in flat.items() if name.startswith("raw.")}
            state = {name: v for name, v in flat.items() if not name.startswith("raw.")}
            checkpoint.restore_state(fresh._optimiser, state, info["groups"])
        checkpoint.restore_weights(fresh.network, raw, directory)
        for name in ("config", "network", "averaged", "_optimiser"):
            setattr(self, name, getattr(fresh, name))
        self.updates, self._begun = int(info["updates"]), int(info["begun"])
        lineage: dict[str, Any] = info["lineage"]
        return lineage


def one_cycle(share: float) -> float:
    """The rate over its largest, after a share of the steps: up along a cosine for 30 %, then down to nothing."""
    low, end, peak = 1 / 25, 1e-4, 0.3
    if share < peak:
        return low + (1 - low) * (1 - math.cos(math.pi * share / peak)) / 2
    fallen = min(1.0, (share - peak) / (1 - peak))
    return end + (1 - end) * (1 + math.cos(math.pi * fallen)) / 2


def read_info(directory: Path) -> dict[str, Any]:
    """The JSON of a flow policy's checkpoint; CheckpointError if it is missing, damaged or of another method."""
    info = checkpoint.read_info(directory)
    missing = {"config", "updates", "begun", "lineage", "groups"} - info.keys()
    if info.get("method") != METHOD or missing:
        raise CheckpointError(
            f"expected a {METHOD} checkpoint in {directory}, got method {info.get('method')!r} without "
            f"{sorted(missing) or 'nothing'}; take another"
        )
    return info


def _pictures(given: Array | None, config: FlowConfig, count: int) -> Tensor | None:
    """(N, H, W, C) uint8 as the network takes them; BadInput unless they are as the configuration says."""
    if not config.picture:
        return None
    found = None if given is None else np.asarray(given)
    if found is None or found.shape != (count, *config.picture) or found.dtype != np.uint8:
        got = "none" if found is None else f"{found.dtype} {found.shape}"
        raise BadInput(f"expected pictures uint8 {(count, *config.picture)}, got {got}")
    return torch.from_numpy(np.ascontiguousarray(found))


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def _mean(error: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over what is not padded: (B, H, A), (B, H, 1), (B,)."""
    counted = mask.expand_as(error)
    each = (error * counted).sum(dim=(1, 2)) / counted.sum(dim=(1, 2)).clamp(min=1.0)
    return (each * weight).mean()
