"""A text encoder of random weights, small enough to be made by a test, in the files of a real one."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

PIECES = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "put", "red", "blue", "green", "block", "##s", "in", "a", "bowl",
    "pur", "##ple", "-", "e",
)  # fmt: skip


def make(directory: Path, *, seed: int = 0, size: int = 16, layers: int = 2, prefix: str = "") -> Path:
    """Config, words and weights; the weights follow from the seed alone."""
    directory.mkdir(parents=True, exist_ok=True)
    shape = {"hidden_size": size, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 32}
    told = {"model_type": "bert", "hidden_act": "gelu", "max_position_embeddings": 32, "vocab_size": len(PIECES),
            "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0}  # fmt: skip
    (directory / "config.json").write_text(json.dumps(told | shape))
    (directory / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    rng = torch.Generator().manual_seed(seed)

    def some(*sizes: int) -> torch.Tensor:
        return torch.randn(*sizes, generator=rng) * 0.3

    weights = {
        "embeddings.word_embeddings.weight": some(len(PIECES), size),
        "embeddings.position_embeddings.weight": some(32, size),
        "embeddings.token_type_embeddings.weight": some(2, size),
        "embeddings.LayerNorm.weight": 1 + some(size),
        "embeddings.LayerNorm.bias": some(size),
    }
    for layer in range(layers):
        name = f"encoder.layer.{layer}"
        linear = {"attention.self.query": (size, size), "attention.self.key": (size, size),
                  "attention.self.value": (size, size), "attention.output.dense": (size, size),
                  "intermediate.dense": (32, size), "output.dense": (size, 32)}  # fmt: skip
        for part, (out, wide) in linear.items():
            weights |= {f"{name}.{part}.weight": some(out, wide), f"{name}.{part}.bias": some(out)}
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights |= {f"{name}.{part}.weight": 1 + some(size), f"{name}.{part}.bias": some(size)}
    save_file({prefix + key: value for key, value in weights.items()}, directory / "model.safetensors")
    return directory
