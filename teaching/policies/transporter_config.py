"""What shapes a transporter novice, and what its two halves share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from teaching.policies import checkpoint
from teaching.policies.augment import AugmentConfig
from teaching.policies.base import CheckpointError
from teaching.policies.goals import Vocabulary
from teaching.policies.network import Network, NetworkConfig
from teaching.policies.pretrained_words import PretrainedWords
from teaching.policies.text_encoder import TextEncoder
from teaching.types import Array, BadInput

METHOD = "transporter"
TEXT_RATE = 1e-3
"""The step of the matrix behind a pretrained encoder: each of its numbers moves many phrases at once."""
Words = Vocabulary | PretrainedWords


@lru_cache(maxsize=2)
def encoder_of(directory: str) -> TextEncoder:
    """The encoder in a directory; read once."""
    return TextEncoder(Path(directory))


def words_of(config: TransporterConfig, known: Iterable[str] = ()) -> Words:
    """What turns goals into numbers; CheckpointError if the encoder that a novice was taught with is not there."""
    if not config.text_encoder:
        return Vocabulary(known)
    try:
        encoder = encoder_of(config.text_encoder)
    except BadInput as error:
        raise CheckpointError(
            f"this novice was taught with the text encoder in {config.text_encoder}, which cannot be used: {error}; "
            "put the same files there again"
        ) from error
    if encoder.fingerprint != config.text_fingerprint:
        raise CheckpointError(
            f"this novice was taught with another text encoder than the one in {config.text_encoder} "
            f"({config.text_fingerprint[:12]}…, not {encoder.fingerprint[:12]}…); put the same files there again"
        )
    return PretrainedWords(encoder, known)


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
    text_encoder: str = ""
    """Directory of a pretrained text encoder; empty: the built-in words."""
    text_fingerprint: str = ""
    """Of that encoder's files, since another one's vectors mean something else."""

    @classmethod
    def with_encoder(cls, directory: str) -> TransporterConfig:
        """The defaults with a pretrained encoder, or without one; BadInput says what is wrong with it."""
        if not directory:
            return cls()
        encoder = encoder_of(directory)
        return cls(
            NetworkConfig(text_size=encoder.size), word_rate=TEXT_RATE,
            text_encoder=str(encoder.directory), text_fingerprint=encoder.fingerprint,
        )  # fmt: skip

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
