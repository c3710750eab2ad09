"""A pretrained sentence encoder of the BERT family, read from the disk: never downloaded, never run as code.

It is a directory as such models are shared: `config.json`, `vocab.txt`, `model.safetensors`. Small MiniLM, E5 and BGE
models are of this family. Written out here, since it is short: so it needs no further library, and what it
reads is numbers and words only. Devlin et al. 2019; words as in their WordPiece; sentences as the mean over their
pieces (Reimers and Gurevych 2019).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from teaching.types import BadInput

CONFIG, WORDS, MODEL = "config.json", "vocab.txt", "model.safetensors"
MAX_BYTES = 2 * 2**30
"""Of the weights."""
PIECES = 64
"""Pieces of one phrase that count."""
_NEEDED = ("hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")


class TextEncoder:
    """Phrases → vectors of length 1, the same for the same phrase."""

    def __init__(self, directory: Path) -> None:
        """Read a model; BadInput says which file is missing or of another kind."""
        self.directory = Path(directory).absolute()
        self._config = _config(self.directory)
        self._lower = bool(_json(self.directory / "tokenizer_config.json", {}).get("do_lower_case", True))
        self._pieces = _vocabulary(self.directory)
        self._weights = _weights(self.directory)
        self.size = int(self._config["hidden_size"])
        """Numbers in a vector."""
        self.fingerprint = _fingerprint(self.directory)
        """Of its files: another model has another."""
        self._check()

    def _check(self) -> None:
        """One phrase, so that weights that do not fit are found now."""
        try:
            vector = self(["red block"])
        except (KeyError, RuntimeError, IndexError) as error:
            raise BadInput(
                f"expected the weights of a BERT encoder in {self.directory / MODEL}, got: {error}"
            ) from error
        if vector.shape != (1, self.size) or not bool(torch.isfinite(vector).all()):
            raise BadInput(f"expected vectors of {self.size} finite numbers from {self.directory}, got others")

    @torch.inference_mode()
    def __call__(self, phrases: Sequence[str]) -> Tensor:
        """Phrases (N) → (N, size) float32 on the CPU, one at a time: a phrase's vector depends on nothing else."""
        return torch.cat([self._sentence(phrase) for phrase in phrases]) if phrases else torch.zeros(0, self.size)

    def _sentence(self, phrase: str) -> Tensor:
        most = min(PIECES, int(self._config["max_position_embeddings"])) - 2
        pieces = [piece for word in basic_words(phrase, self._lower) for piece in self.pieces(word)][:most]
        rows = [self._pieces[p] for p in ("[CLS]", *pieces, "[SEP]")]
        states = self._states(torch.tensor([rows]))
        return functional.normalize(states.mean(dim=1), dim=1)

    def pieces(self, word: str) -> list[str]:
        """A word as WordPiece cuts it: always the longest piece that there is; `[UNK]` if it cannot be cut."""
        found, start = [], 0
        while start < len(word):
            ends = range(len(word), start, -1)
            marked = ((("##" if start else "") + word[start:end], end) for end in ends)
            piece, start = next(((p, end) for p, end in marked if p in self._pieces), ("[UNK]", -1))
            if start < 0:
                return ["[UNK]"]
            found.append(piece)
        return found

    def _states(self, rows: Tensor) -> Tensor:
        """(1, L) rows of pieces → (1, L, size)."""
        length, tables = rows.shape[1], self._weights
        x = tables["embeddings.word_embeddings.weight"][rows] + tables["embeddings.position_embeddings.weight"][:length]
        x = self._norm(x + tables["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(int(self._config["num_hidden_layers"])):
            x = self._layer(x, f"encoder.layer.{layer}")
        return x

    def _layer(self, x: Tensor, name: str) -> Tensor:
        heads = int(self._config["num_attention_heads"])
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{part}").reshape(1, x.shape[1], heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        weights = (query @ key.transpose(2, 3) / math.sqrt(query.shape[3])).softmax(dim=3)
        seen = (weights @ value).transpose(1, 2).flatten(2)
        x = self._norm(x + self._linear(seen, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        more = functional.gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._norm(x + self._linear(more, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        eps = float(self._config.get("layer_norm_eps", 1e-12))
        return functional.layer_norm(
            x, (self.size,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], eps
        )


def basic_words(text: str, lower: bool = True) -> list[str]:
    """Words and signs of a text; with `lower` in small letters and without accents, as uncased models want them."""
    if lower:
        plain = unicodedata.normalize("NFD", text.lower())
        text = "".join(c for c in plain if unicodedata.category(c) != "Mn")
    return re.findall(r"[^\W_]+|[^\w\s]|_", text)


def _json(path: Path, default: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if default is not None and not path.is_file():
        return dict(default)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"expected a text encoder with {path.name} in {path.parent}, got: {error}") from error
    return values if isinstance(values, dict) else {}


def _config(directory: Path) -> dict[str, Any]:
    config = _json(directory / CONFIG)
    missing = [name for name in _NEEDED if not isinstance(config.get(name), int)]
    kind, act = config.get("model_type"), config.get("hidden_act", "gelu")
    if kind != "bert" or act != "gelu" or missing or config.get("position_embedding_type", "absolute") != "absolute":
        raise BadInput(
            f"expected an encoder of the BERT family (model_type bert, hidden_act gelu) in {directory}, got "
            f"{kind!r} with {act!r}{' without ' + ', '.join(missing) if missing else ''}; MiniLM "
            "or a small E5 or BGE will do"
        )
    return config


def _vocabulary(directory: Path) -> dict[str, int]:
    try:
        lines = (directory / WORDS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BadInput(f"expected the pieces of words in {directory / WORDS}, got: {error}") from error
    pieces = {line: row for row, line in enumerate(lines)}
    if missing := {"[CLS]", "[SEP]", "[UNK]"} - pieces.keys():
        raise BadInput(f"expected {', '.join(sorted(missing))} among the pieces in {directory / WORDS}, found none")
    return pieces


def _weights(directory: Path) -> dict[str, Tensor]:
    """Float32, by the names that a bare encoder has."""
    path = directory / MODEL
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"expected at most {MAX_BYTES >> 20} MB in {path}, got more")
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadInput(
            f"expected weights in {path}, got: {error}; only safetensors are read, since "
            "the older .bin files can run code"
        ) from error
    return {name.removeprefix("bert."): value.float() for name, value in tensors.items() if value.is_floating_point()}


def _fingerprint(directory: Path) -> str:
    digest = hashlib.sha256()
    for name in (CONFIG, WORDS, MODEL):
        with (directory / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
