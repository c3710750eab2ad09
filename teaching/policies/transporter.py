"""The transporter novice: which pixel to pick at and which to place at, for a goal in free text.

The two halves of one method: `TransporterPolicy` plans in the host, `TransporterLearner` improves it in the trainer.
Uncertainty is the mean of the entropies of the pick and of the place softmax, each over the largest it could be
(Luijkx et al. 2025, section 5 of our notes; there over the run's maximum, which the host keeps).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from robot_io.arm import Observation, TableView
from teaching.policies import augment, checkpoint
from teaching.policies.augment import AugmentConfig
from teaching.policies.base import Batch, CheckpointError
from teaching.policies.goals import Vocabulary
from teaching.policies.modes import Mode, modes
from teaching.policies.network import STRIDE, Network, NetworkConfig
from teaching.types import Alternative, Array, BadInput, Plan

METHOD = "transporter"


@dataclass(frozen=True)
class TransporterConfig:
    """What shapes the novice; a checkpoint carries it."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    learning_rate: float = 2e-3
    """AdamW's step for the network."""
    word_rate: float = 1e-2
    """The step for the words, larger so that a new word is learned from few answers."""
    weight_decay: float = 1e-2
    clip: float = 5.0
    """Largest norm of a gradient."""
    ghosts: int = 4
    """Most alternatives told with a plan."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TransporterConfig:
        """The config of a checkpoint's JSON; CheckpointError if it has other fields."""
        try:
            parts = {"network": NetworkConfig(**values["network"]), "augment": AugmentConfig(**values["augment"])}
            return cls(**{**values, **parts})
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"expected the configuration of a transporter novice, got {values}: {error}"
            ) from error


def _build(config: TransporterConfig, seed: int) -> Network:
    """Fresh weights, the same for the same seed, without touching the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(config.network)
    channels_last: Network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return channels_last


def _pictures(colour: Array, height: Array) -> Tensor:
    """(B, H, W, 3) uint8 and (B, H, W) metres → (B, 4, H, W): colour in [-0.5, 0.5], then height."""
    rgb = torch.from_numpy(np.ascontiguousarray(colour)).permute(0, 3, 1, 2).float() / 255 - 0.5
    return torch.cat([rgb, torch.from_numpy(np.ascontiguousarray(height, dtype=np.float32))[:, None]], dim=1)


class TransporterPolicy:
    """The novice that plans. Version 0 with fresh weights knows nothing and is unsure of everything."""

    def __init__(
        self, table: TableView | None = None, config: TransporterConfig | None = None, *, seed: int = 0
    ) -> None:
        """For pictures of a table (the arm's `features.table`)."""
        self.table = table or TableView()
        self.config = config or TransporterConfig()
        self.vocabulary = Vocabulary()
        self.version = 0
        self._network = _build(self.config, seed).eval()

    def reset(self) -> None:
        """Nothing is remembered between plans."""

    def unknown_words(self, goal: str) -> tuple[str, ...]:
        """Words of the goal that it never saw in training."""
        return self.vocabulary.unknown(goal)

    def load(self, directory: Path) -> None:
        """Take over a checkpoint's weights and words; a damaged one is a CheckpointError and changes nothing."""
        info = _transporter_info(directory)
        config = TransporterConfig.of(info["config"])
        network = _build(config, 0).eval()
        tensors = checkpoint.read_tensors(directory, checkpoint.MODEL, info)
        checkpoint.restore_weights(network, tensors, directory)
        self.config, self._network, self.vocabulary = config, network, Vocabulary(info["words"])
        self.version = int(info["lineage"].get("update", info["updates"]))

    def __call__(self, observation: Observation, goal: str, rng: np.random.Generator) -> Plan:
        """What it intends for a goal, seen from above.

        Args:
            observation: with `colour` (H, W, 3) uint8 and `height` (H, W) metres.
            goal: free text; unknown words count for nothing.
            rng: unused; this novice has no chance in it.
        """
        colour, height = self._checked(observation)
        pick, place = self._probabilities(colour, height, goal)
        entropy = np.array([_entropy(pick), _entropy(place)])
        share = entropy / np.log([pick.size, place.size])
        choices = self._choices(pick, place, height)
        return Plan(
            actions=choices[0].actions,
            goal=goal,
            alternatives=tuple(choices[1:]),
            uncertainty=float(np.clip(share.mean(), 0, 1)),
            per_step=np.clip(share, 0, 1),
            entropy=entropy,
            maps={"pick": _to_map(pick), "place": _to_map(place)},
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
        """Softmax over all pixels, each (H, W) float64."""
        pictures = _pictures(colour[None], height[None])
        rows = torch.from_numpy(self.vocabulary.encode([goal]))
        pick, place = self._network(pictures[:, :3], pictures[:, 3], rows)
        both = [functional.softmax(x.double().flatten(), dim=0).view(height.shape).numpy() for x in (pick, place)]
        return both[0], both[1]

    def _choices(self, pick: Array, place: Array, height: Array) -> list[Alternative]:
        """The best pair of modes, then the others by falling weight."""
        picks, places = modes(pick, limit=self.config.ghosts), modes(place, limit=self.config.ghosts)
        pairs = sorted(
            ((a.weight * b.weight, i, j) for i, a in enumerate(picks) for j, b in enumerate(places)), reverse=True
        )
        pairs = [(picks[0].weight * places[0].weight, 0, 0), *(p for p in pairs if p[1:] != (0, 0))]
        kept = [p for n, p in enumerate(pairs) if n == 0 or p[0] >= 0.02][: self.config.ghosts + 1]
        return [Alternative(self._actions(picks[i], places[j], height), weight) for weight, i, j in kept]

    def _actions(self, pick: Mode, place: Mode, height: Array) -> Array:
        """(2, 4): x, y, z in metres, yaw in radians."""
        return np.array(
            [[*self.table.point_of(m.row, m.column), float(height[m.row, m.column]), 0.0] for m in (pick, place)]
        )


def _entropy(probability: Array) -> float:
    """Shannon entropy in nats."""
    p = probability[probability > 0]
    return float(-(p * np.log(p)).sum())


def _to_map(probability: Array) -> Array:
    """(H, W) float32 with maximum 1."""
    scaled: Array = probability / probability.max()
    return scaled.astype(np.float32)


def _transporter_info(directory: Path) -> dict[str, Any]:
    info = checkpoint.read_info(directory)
    missing = {"config", "words", "updates", "lineage", "groups"} - info.keys()
    if info.get("method") != METHOD or missing:
        raise CheckpointError(
            f"expected a {METHOD} checkpoint in {directory}, got method {info.get('method')!r} without "
            f"{sorted(missing) or 'nothing'}; take another"
        )
    return info


class TransporterLearner:
    """The novice that learns: cross-entropy on the demonstrated pixels, AdamW."""

    def __init__(
        self, table: TableView | None = None, config: TransporterConfig | None = None, *, seed: int = 0
    ) -> None:
        """Fresh weights of a seed; `load` replaces them."""
        self.table = table or TableView()
        self.updates = 0
        self.vocabulary = Vocabulary()
        self._take(config or TransporterConfig(), seed)

    def _take(self, config: TransporterConfig, seed: int) -> None:
        self.config = config
        self.network = _build(config, seed).train()
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
        self.vocabulary.learn_goals(batch.goal)
        shape = (batch.height.shape[1], batch.height.shape[2])
        points = self._pixels(batch.actions, shape)
        moves = augment.draw(points, shape, self.config.augment, rng)
        pictures = augment.move(_pictures(batch.colour, batch.height), moves)
        targets = np.clip(np.rint(moves.points(points, shape)), 0, np.array(shape) - 1).astype(np.int64)
        rows = torch.from_numpy(self.vocabulary.encode(batch.goal))
        losses = self._losses(pictures, rows, targets)
        weight = torch.from_numpy(np.asarray(batch.weight, dtype=np.float32))
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

    def _losses(self, pictures: Tensor, rows: Tensor, targets: Array) -> tuple[Tensor, Tensor]:
        """Cross-entropy of pick and of place, each (B,) nats."""
        columns = pictures.shape[3]
        flat = torch.from_numpy(targets[..., 0] * columns + targets[..., 1])
        pick, place = self.network(pictures[:, :3], pictures[:, 3], rows)
        return (
            functional.cross_entropy(pick.flatten(1), flat[:, 0], reduction="none"),
            functional.cross_entropy(place.flatten(1), flat[:, 1], reduction="none"),
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
        info = {
            "method": METHOD,
            "config": asdict(self.config),
            "words": list(self.vocabulary.known),
            "updates": self.updates,
            "groups": groups,
            "lineage": dict(lineage),
        }
        checkpoint.write(directory, info, {checkpoint.MODEL: self.network.state_dict(), checkpoint.OPTIMISER: flat})

    def load(self, directory: Path) -> Mapping[str, Any]:
        """Take over a checkpoint; returns its lineage. A damaged one is a CheckpointError and changes nothing.

        A checkpoint without an optimiser (a starter is shipped without) starts a fresh one.
        """
        info = _transporter_info(directory)
        fresh = TransporterLearner(self.table, TransporterConfig.of(info["config"]))
        checkpoint.restore_weights(fresh.network, checkpoint.read_tensors(directory, checkpoint.MODEL, info), directory)
        if checkpoint.OPTIMISER in info["files"]:
            flat = checkpoint.read_tensors(directory, checkpoint.OPTIMISER, info)
            checkpoint.restore_state(fresh._optimiser, flat, info["groups"])
        for name in ("config", "network", "_optimiser"):
            setattr(self, name, getattr(fresh, name))
        self.vocabulary, self.updates = Vocabulary(info["words"]), int(info["updates"])
        lineage: dict[str, Any] = info["lineage"]
        return lineage


def make_policy(table: TableView | None, seed: int) -> TransporterPolicy:
    """A fresh policy."""
    return TransporterPolicy(table, seed=seed)


def make_learner(table: TableView | None, seed: int) -> TransporterLearner:
    """A fresh learner."""
    return TransporterLearner(table, seed=seed)
