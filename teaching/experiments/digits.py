"""Handwritten digits as a stream of decisions, and a small novice that classifies them and says how unsure it is.

The published test of the gate uses 60,000 MNIST images, seen once. Those cannot be had without a download, so this
takes the 1,797 digits of 8 × 8 pixels that come with scikit-learn (Alpaydin and Kaynak 1998), over and over, each time
turned, shifted, scaled and made noisy anew. Everything is numpy: one run takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from teaching.types import Array, explained

SIDE = 8
CLASSES = 10
HELD_OUT = 360
"""Digits that no stream shows: what novices are compared on."""


@cache
def digits() -> tuple[Array, Array]:
    """(1797, 8, 8) float32 in [0, 1] and (1797,) int; the same shuffled order always."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(found.target))
    return (found.images[order] / 16).astype(np.float32), found.target[order].astype(np.int64)


@dataclass(frozen=True)
class Changes:
    """How a digit differs each time that it is shown."""

    turn: float = explained(0.15, "Standard deviation of its turn, radians.")
    shift: float = explained(0.5, "Standard deviation of its shift, pixels.")
    scale: float = explained(0.1, "Standard deviation of its size, as a share.")
    noise: float = explained(0.1, "Standard deviation of each pixel.")


def changed(images: Array, changes: Changes, rng: np.random.Generator) -> Array:
    """(N, 8, 8) digits, turned, shifted, scaled and made noisy; bilinear, dark outside."""
    n = len(images)
    turn, size = rng.normal(0, changes.turn, n), np.exp(rng.normal(0, changes.scale, n))
    shift = rng.normal(0, changes.shift, (n, 2))
    noise = rng.normal(0, changes.noise, images.shape)
    middle = (SIDE - 1) / 2
    row, column = np.meshgrid(np.arange(SIDE) - middle, np.arange(SIDE) - middle, indexing="ij")
    cos, sin = (f[:, None, None] / size[:, None, None] for f in (np.cos(turn), np.sin(turn)))
    y = cos * row - sin * column + middle - shift[:, :1, None]
    x = sin * row + cos * column + middle - shift[:, 1:, None]
    return (_bilinear(images, y, x) + noise).astype(np.float32)


def _bilinear(images: Array, y: Array, x: Array) -> Array:
    framed = np.pad(images, ((0, 0), (1, 2), (1, 2)))
    y, x = np.clip(y + 1, 0, SIDE + 1), np.clip(x + 1, 0, SIDE + 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = y - top, x - left
    at = np.arange(len(images))[:, None, None]
    upper = framed[at, top, left] * (1 - right) + framed[at, top, left + 1] * right
    lower = framed[at, top + 1, left] * (1 - right) + framed[at, top + 1, left + 1] * right
    found: Array = upper * (1 - down) + lower * down
    return found


def stream(steps: int, size: int, changes: Changes, rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """(size, 64) pictures and (size,) classes per step: pass after pass over the digits, in a new order each."""
    images, classes = digits()
    images, classes = images[HELD_OUT:], classes[HELD_OUT:]
    waiting: Array = np.zeros(0, dtype=int)
    for _ in range(steps):
        while len(waiting) < size:
            waiting = np.append(waiting, rng.permutation(len(images)))
        rows, waiting = waiting[:size], waiting[size:]
        yield changed(images[rows], changes, rng).reshape(size, -1), classes[rows]


def held_out(changes: Changes) -> tuple[Array, Array]:
    """Pictures and classes that no stream shows, changed three times each; always the same."""
    images, classes = digits()
    images, classes = np.repeat(images[:HELD_OUT], 3, axis=0), np.repeat(classes[:HELD_OUT], 3)
    return changed(images, changes, np.random.default_rng(1)).reshape(len(images), -1), classes


@dataclass(frozen=True)
class NoviceConfig:
    """What shapes the novice; the rates are the published ones for MNIST."""

    hidden: int = explained(64, "Units of each of its two hidden layers.")
    dropped: float = explained(0.2, "Share of the units left out in training and in every pass (published: 0.4).")
    passes: int = explained(16, "Passes with units left out, whose mean it answers with.")
    rate: float = explained(0.1, "Step of its descent.")
    momentum: float = explained(0.9, "Share of the last step that goes on (Nesterov).")
    decay: float = explained(5e-4, "Weight decay.")
    batch: int = explained(128, "Digits in one step of its descent.")


class Novice:
    """Two hidden layers with dropout, in numpy. What it is unsure of is what its passes disagree about or doubt."""

    def __init__(self, config: NoviceConfig, rng: np.random.Generator) -> None:
        self.config, self._rng = config, rng
        sizes = (SIDE * SIDE, config.hidden, config.hidden, CLASSES)
        self._weights = [rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairwise(sizes)]
        self._weights += [np.zeros(b, dtype=np.float32) for b in sizes[1:]]
        self._speed = [np.zeros_like(w) for w in self._weights]

    def predict(self, pictures: Array) -> Array:
        """(N, 64) → (passes, N, 10) probabilities; a pass leaves out the same units for all N."""
        passes, shape = self.config.passes, (self.config.passes, 1, self.config.hidden)
        x = pictures @ self._weights[0] + self._weights[3]
        x = np.maximum(x, 0)[None] * self._kept(shape)
        x = np.maximum(x @ self._weights[1] + self._weights[4], 0) * self._kept(shape)
        return _softmax((x @ self._weights[2] + self._weights[5]).reshape(passes, len(pictures), CLASSES))

    def _kept(self, shape: tuple[int, ...]) -> Array:
        """Which units stay, scaled so that their sum stays."""
        share = np.float32(1 - self.config.dropped)
        return (self._rng.random(shape, dtype=np.float32) < share) / share

    def accuracy(self, pictures: Array, classes: Array) -> float:
        """Share of right answers, with no unit left out."""
        logits, *_ = self._forward(pictures, drop=False)
        return float(np.mean(logits.argmax(axis=1) == classes))

    def learn(self, pictures: Array, classes: Array, weight: Array | None = None) -> None:
        """One step of descent on (B, 64) pictures; `weight` (B,) multiplies each one's loss."""
        logits, tape = self._forward(pictures)
        error = _softmax(logits)
        error[np.arange(len(classes)), classes] -= 1
        if weight is not None:
            error *= weight[:, None].astype(np.float32)
        self._step(self._gradients(error / len(classes), *tape))

    def _forward(self, pictures: Array, *, drop: bool = True) -> tuple[Array, tuple[list[Array], list[Array]]]:
        inputs, masks, x = [], [], pictures
        for layer in range(3):
            inputs.append(x)
            x = x @ self._weights[layer] + self._weights[3 + layer]
            if layer < 2:
                mask = (x > 0).astype(np.float32)
                if drop:
                    mask *= self._kept(x.shape)
                masks.append(mask)
                x = x * mask
        return x, (inputs, masks)

    def _gradients(self, error: Array, inputs: list[Array], masks: list[Array]) -> list[Array]:
        matrices: list[Array] = []
        offsets: list[Array] = []
        for layer in (2, 1, 0):
            matrices.insert(0, inputs[layer].T @ error)
            offsets.insert(0, error.sum(axis=0))
            if layer:
                error = (error @ self._weights[layer].T) * masks[layer - 1]
        return matrices + offsets

    def _step(self, gradients: list[Array]) -> None:
        config = self.config
        for i, gradient in enumerate(gradients):
            gradient = gradient + config.decay * self._weights[i]
            self._speed[i] = config.momentum * self._speed[i] + gradient
            self._weights[i] = self._weights[i] - config.rate * (gradient + config.momentum * self._speed[i])


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Array = raised / raised.sum(axis=-1, keepdims=True)
    return found
