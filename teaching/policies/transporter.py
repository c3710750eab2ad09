"""The transporter novice: which pixel to pick at and which to place at, for a goal in free text.

The two halves of one method: `TransporterPolicy` plans in the host, `TransporterLearner` improves it in the trainer.
Uncertainty is the mean of the entropies of the pick and of the place softmax, each over the largest it could be
(Luijkx et al. 2025, section 5 of our notes; there over the run's maximum, which the host keeps).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from robot_io.arm import Observation, TableView
from teaching.policies import augment, checkpoint
from teaching.policies.base import Batch
from teaching.policies.correlation import angle_of
from teaching.policies.modes import Mode, entropy, modes, paired, to_map
from teaching.policies.network import STRIDE
from teaching.policies.rehearsal import FILE, Rehearsal
from teaching.policies.transporter_config import (
    METHOD,
    TransporterConfig,
    as_tensor,
    build,
    device,
    read_info,
    words_of,
)
from teaching.types import Alternative, Array, BadInput, Plan


class TransporterPolicy:
    """The novice that plans. Version 0 with fresh weights knows nothing and is unsure of everything."""

    def __init__(
        self, table: TableView | None = None, config: TransporterConfig | None = None, *, seed: int = 0
    ) -> None:
        """For pictures of a table (the arm's `features.table`)."""
        self.table = table or TableView()
        self.config = config or TransporterConfig()
        self.vocabulary = words_of(self.config)
        self.version = 0
        self._device = device()
        self._network = build(self.config, seed).eval().to(self._device)

    def reset(self) -> None:
        """Nothing is remembered between plans."""

    def unknown_words(self, goal: str) -> tuple[str, ...]:
        """Words of the goal that it never saw in training."""
        return self.vocabulary.unknown(goal)

    def load(self, directory: Path) -> None:
        """Take over a checkpoint's weights and words; a damaged one is a CheckpointError and changes nothing."""
        info = read_info(directory)
        config = TransporterConfig.of(info["config"])
        vocabulary = words_of(config, info["words"])
        network = build(config, 0).eval()
        tensors = checkpoint.read_tensors(directory, checkpoint.MODEL, info)
        checkpoint.restore_weights(network, tensors, directory)
        self.config, self.vocabulary = config, vocabulary
        self._network = network.to(self._device)
        self.version = int(info["lineage"].get("update", info["updates"]))

    def take(self, weights: Mapping[str, Tensor], known: Iterable[str], version: int) -> None:
        """Take over a learner's weights and words within one process; the learner's own stay its own."""
        self._network.load_state_dict(dict(weights))
        self.vocabulary, self.version = words_of(self.config, known), version

    def __call__(self, observation: Observation, goal: str, rng: np.random.Generator) -> Plan:
        """What it intends for a goal, seen from above.

        Args:
            observation: with `colour` (H, W, 3) uint8 and `height` (H, W) metres.
            goal: free text; unknown words count for nothing.
            rng: unused; this novice has no chance in it.
        """
        colour, height = self._checked(observation)
        pick, place = self._probabilities(colour, height, goal)
        nats = np.array([entropy(pick), entropy(place)])
        share = np.clip(nats / np.log([pick.size, place.size]), 0.0, 1.0)
        choices = self._choices(pick, place, height)
        return Plan(
            actions=choices[0].actions,
            goal=goal,
            alternatives=tuple(choices[1:]),
            uncertainty=float(share.mean()),
            per_step=share,
            entropy=nats,
            maps={"pick": to_map(pick), "place": to_map(place.max(axis=0))},
            policy_version=self.version,
        )

    def _checked(self, observation: Observation) -> tuple[Array, Array]:
        colour, height = np.asarray(observation["colour"]), np.asarray(observation["height"], dtype=np.float32)
        shape = self.table.shape
        if colour.shape != (*shape, 3) or height.shape != shape or shape[0] % STRIDE or shape[1] % STRIDE:
            raise BadInput(
                f"expected colour {(*shape, 3)} and height {shape}, sides multiples of {STRIDE}, "
                f"got {colour.shape} and {height.shape}; make the picture fit the arm's table"
            )
        return colour, height

    @torch.inference_mode()
    def _probabilities(self, colour: Array, height: Array, goal: str) -> tuple[Array, Array]:
        """Softmax over all pixels (and turns): pick (H, W) and place (R, H, W), float64."""
        pictures = as_tensor(colour[None], height[None]).to(self._device)
        rows = torch.from_numpy(self.vocabulary.encode([goal])).to(self._device)
        logits = self._network(pictures[:, :3], pictures[:, 3], rows)
        pick, place = (functional.softmax(x.double().flatten(), 0).view(x.shape[1:]).cpu().numpy() for x in logits)
        return pick, place

    def _choices(self, pick: Array, place: Array, height: Array) -> list[Alternative]:
        """The best pair of modes, then the others by falling weight."""
        limit = self.config.ghosts + 1
        pairs = paired(modes(pick, limit=limit), modes(place.sum(axis=0), limit=limit), limit=limit)
        return [Alternative(self._actions(a, b, place, height), weight) for a, b, weight in pairs]

    def _actions(self, pick: Mode, place: Mode, turns: Array, height: Array) -> Array:
        """(2, 4): x, y, z in metres, yaw in radians; the place's yaw is the likeliest turn there."""
        yaw = angle_of(int(turns[:, place.row, place.column].argmax()), len(turns))
        return np.array(
            [
                [*self.table.point_of(m.row, m.column), float(height[m.row, m.column]), turn]
                for m, turn in ((pick, 0.0), (place, yaw))
            ]
        )


class TransporterLearner:
    """The novice that learns: cross-entropy on the demonstrated pixels, AdamW."""

    def __init__(
        self, table: TableView | None = None, config: TransporterConfig | None = None, *, seed: int = 0
    ) -> None:
        """Fresh weights of a seed; `load` replaces them."""
        self.table = table or TableView()
        self.updates = 0
        self.rehearsal: Rehearsal | None = None
        """What a starter was taught; it travels from checkpoint to checkpoint."""
        self._device = device()
        self._take(config or TransporterConfig(), seed)

    def _take(self, config: TransporterConfig, seed: int) -> None:
        self.config, self.vocabulary = config, words_of(config)
        self.network = build(config, seed).train().to(self._device)
        words = list(self.network.words.parameters())
        rest = [p for name, p in self.network.named_parameters() if not name.startswith("words.")]
        groups = [
            {"params": words, "lr": config.word_rate, "weight_decay": 0.0},
            {"params": rest, "lr": config.learning_rate, "weight_decay": config.weight_decay},
        ]
        self._optimiser = torch.optim.AdamW(groups)

    def update(self, batch: Batch, rng: np.random.Generator) -> Mapping[str, float]:
        """One optimiser step.

        Args:
            batch: B samples; `weight` multiplies each sample's loss.
            rng: draws the augmentation.

        Returns:
            loss, pick_loss, place_loss (weighted means, nats) and weight (their mean).
        """
        if self.rehearsal is not None and self.config.rehearse:
            batch = self.rehearsal.mixed_into(batch, self.config.rehearse, rng)
        self.vocabulary.learn_goals(batch.goal)
        shape = (batch.height.shape[1], batch.height.shape[2])
        points = self._pixels(batch.actions, shape)
        moves = augment.draw(points, shape, self.config.augment, rng)
        pictures = augment.move(as_tensor(batch.colour, batch.height), moves).to(self._device)
        targets = np.clip(np.rint(moves.points(points, shape)), 0, np.array(shape) - 1).astype(np.int64)
        rows = torch.from_numpy(self.vocabulary.encode(batch.goal)).to(self._device)
        turns = self._turns(batch.actions, moves.flips())
        losses = self._losses(pictures, rows, *(torch.from_numpy(x).to(self._device) for x in (targets, turns)))
        weight = torch.from_numpy(np.asarray(batch.weight, dtype=np.float32)).to(self._device)
        pick_loss, place_loss = ((loss * weight).mean() for loss in losses)
        self._step(pick_loss + place_loss)
        pick_nats, place_nats = float(pick_loss.detach()), float(place_loss.detach())
        return {
            "loss": pick_nats + place_nats,
            "pick_loss": pick_nats,
            "place_loss": place_nats,
            "weight": float(weight.mean()),
        }

    def _pixels(self, actions: Array, shape: tuple[int, int]) -> Array:
        """(B, T, A) metres → (B, 2, 2) fractional (row, column) of pick and place, at pixel centres."""
        if shape != self.table.shape or actions.ndim != 3 or actions.shape[1:] != (2, 4):
            raise BadInput(
                f"expected pictures {self.table.shape} and actions (B, 2, 4), got {shape} and {actions.shape}"
            )
        pixels = (actions[:, :, :2] - [self.table.x[0], self.table.y[0]]) / self.table.pixel - 0.5
        on_picture: Array = np.clip(pixels, 0, np.array(shape) - 1)
        return on_picture

    def _turns(self, actions: Array, flips: Array) -> Array:
        """(B, 2, A) actions → (B,) which of the R turns the place is; a mirrored sample turns the other way."""
        rotations = self.config.network.rotations
        turned = (actions[:, 1, 3] - actions[:, 0, 3]) * flips
        nearest: Array = np.rint(turned / (2 * np.pi / rotations)).astype(np.int64) % rotations
        return nearest

    def _losses(self, pictures: Tensor, rows: Tensor, targets: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy of pick and of place, each (B,) nats."""
        size, columns = pictures.shape[2] * pictures.shape[3], pictures.shape[3]
        flat = targets[..., 0] * columns + targets[..., 1]
        pick, place = self.network(pictures[:, :3], pictures[:, 3], rows, targets[:, 0].float())
        return (
            functional.cross_entropy(pick.flatten(1), flat[:, 0], reduction="none"),
            functional.cross_entropy(place.flatten(1), turns * size + flat[:, 1], reduction="none"),
        )

    def _step(self, loss: Tensor) -> None:
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self._optimiser.step()
        self.updates += 1

    def save(self, directory: Path, lineage: Mapping[str, Any]) -> None:
        """Write model.safetensors, optimiser.safetensors and checkpoint.json, atomically."""
        flat, groups = checkpoint.flat_state(self._optimiser)
        files: dict[str, Mapping[str, Tensor]] = {
            checkpoint.MODEL: self.network.state_dict(),
            checkpoint.OPTIMISER: flat,
        }
        self._write(directory, self.config, groups, lineage, files)

    def scale_rates(self, share: float) -> None:
        """Let steps be so many times as large as the config says, until told otherwise."""
        rates = (self.config.word_rate, self.config.learning_rate)
        for group, rate in zip(self._optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share

    def save_starter(self, directory: Path, config: TransporterConfig, lineage: Mapping[str, Any]) -> None:
        """Write a checkpoint to start lessons from: half-precision weights, no optimiser, a config to go on with."""
        weights = {name: value.half() for name, value in self.network.state_dict().items()}
        self._write(directory, config, [], lineage, {checkpoint.MODEL: weights})

    def _write(
        self, directory: Path, config: TransporterConfig, groups: list[dict[str, Any]], lineage: Mapping[str, Any],
        files: dict[str, Mapping[str, Tensor]],
    ) -> None:  # fmt: skip
        info = {
            "method": METHOD,
            "config": asdict(config),
            "words": list(self.vocabulary.known),
            "updates": self.updates,
            "groups": groups,
            "lineage": dict(lineage),
        }
        if self.rehearsal is not None:
            info["rehearsal"] = list(self.rehearsal.goal)
            files[FILE] = self.rehearsal.tensors()
        checkpoint.write(directory, info, files)

    def load(self, directory: Path) -> Mapping[str, Any]:
        """Take over a checkpoint; returns its lineage. A damaged one is a CheckpointError and changes nothing.

        A checkpoint without an optimiser (a starter is shipped without) starts a fresh one.
        """
        info = read_info(directory)
        fresh = TransporterLearner(self.table, TransporterConfig.of(info["config"]))
        checkpoint.restore_weights(fresh.network, checkpoint.read_tensors(directory, checkpoint.MODEL, info), directory)
        if checkpoint.OPTIMISER in info["files"]:
            flat = checkpoint.read_tensors(directory, checkpoint.OPTIMISER, info)
            checkpoint.restore_state(fresh._optimiser, flat, info["groups"])
        if FILE in info["files"]:
            tensors = checkpoint.read_tensors(directory, FILE, info)
            fresh.rehearsal = Rehearsal.from_tensors(tensors, info.get("rehearsal"))
        fresh.vocabulary = words_of(fresh.config, info["words"])
        for name in ("config", "network", "_optimiser", "rehearsal", "vocabulary"):
            setattr(self, name, getattr(fresh, name))
        self.updates = int(info["updates"])
        lineage: dict[str, Any] = info["lineage"]
        return lineage


def make_policy(table: TableView | None, seed: int, text_encoder: str = "") -> TransporterPolicy:
    """A fresh policy."""
    return TransporterPolicy(table, TransporterConfig.with_encoder(text_encoder), seed=seed)


def make_learner(table: TableView | None, seed: int, text_encoder: str = "") -> TransporterLearner:
    """A fresh learner."""
    return TransporterLearner(table, TransporterConfig.with_encoder(text_encoder), seed=seed)
