"""What shapes a transporter novice, and what its two halves share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from teaching.policies import checkpoint
from teaching.policies.augment import AugmentConfig
from teaching.policies.base import CheckpointError
from teaching.policies.network import Network, NetworkConfig
from teaching.types import Array

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
    rehearse: int = 16
    """Samples of what the starter was taught that are added to every batch; none without a starter."""
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


def build(config: TransporterConfig, seed: int) -> Network:
    """Fresh weights, the same for the same seed, without touching the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(config.network)
    channels_last: Network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return channels_last


def device() -> torch.device:
    """A GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def as_tensor(colour: Array, height: Array) -> Tensor:
    """(B, H, W, 3) uint8 and (B, H, W) metres → (B, 4, H, W): colour in [-0.5, 0.5], then height."""
    rgb = torch.from_numpy(np.ascontiguousarray(colour)).permute(0, 3, 1, 2).float() / 255 - 0.5
    return torch.cat([rgb, torch.from_numpy(np.ascontiguousarray(height, dtype=np.float32))[:, None]], dim=1)


def read_info(directory: Path) -> dict[str, Any]:
    """The JSON of a transporter's checkpoint; CheckpointError if it is missing, damaged or of another method."""
    info = checkpoint.read_info(directory)
    missing = {"config", "words", "updates", "lineage", "groups"} - info.keys()
    if info.get("method") != METHOD or missing:
        raise CheckpointError(
            f"expected a {METHOD} checkpoint in {directory}, got method {info.get('method')!r} without "
            f"{sorted(missing) or 'nothing'}; take another"
        )
    return info
