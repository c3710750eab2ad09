"""A table of numbers: things of noisy colours, a goal of two words, a novice of two small networks. Seconds per lesson.

What the simulated table is too slow for can be repeated here over many seeds: the gate, the feedback and the priorities
are the real ones, only the arm, the pictures and the novice are small. Things are vectors (red, green, blue, bowl or
block); a plan is which thing to take and into which to put it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from teaching.types import Array, explained

COLOURS = ("blue", "red", "green", "yellow", "brown", "gray", "cyan", "orange", "purple", "pink", "white")
PALETTE = np.array([
    [0.1, 0.3, 0.8], [0.8, 0.1, 0.1], [0.1, 0.6, 0.2], [0.9, 0.8, 0.1], [0.5, 0.3, 0.1], [0.5, 0.5, 0.5],
    [0.2, 0.8, 0.8], [0.9, 0.5, 0.1], [0.5, 0.2, 0.7], [0.9, 0.5, 0.7], [0.95, 0.95, 0.95],
])  # fmt: skip
SEEN, UNSEEN = (0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 7, 8, 9, 10)
"""Colours that goals name, in lessons and beyond them; three are shared, as published."""


@dataclass(frozen=True)
class ToyScenes:
    """How scenes are made."""

    noise: float = explained(0.12, "Standard deviation of each colour channel.")
    others: int = explained(8, "Things that the goal does not name.")

    def draw(
        self, named: tuple[int, ...], rng: np.random.Generator, hue: float = 0.0, about: int | None = None
    ) -> Scene:
        """A scene whose goal names two of these colours; things that lie about have any colour.

        Args:
            named: colours of goals.
            rng: draws it.
            hue: radians by which the light turns every colour around gray.
            about: a colour that the goal names for certain, of the block or of the bowl.
        """
        block, bowl = (int(c) for c in rng.choice(named, 2, replace=False))
        if about is not None and about not in (block, bowl):
            block, bowl = (about, bowl) if rng.random() < 0.5 else (block, about)
        kinds = np.concatenate([[0, 1], np.arange(self.others) % 2])
        colours = [block, bowl]
        for kind in kinds[2:]:
            free = [c for c in range(len(COLOURS)) if c != (bowl if kind else block)]
            colours.append(int(rng.choice(free)))
        order = rng.permutation(len(kinds))
        seen = PALETTE[colours] @ turned(hue).T + rng.normal(0, self.noise, (len(kinds), 3))
        return Scene((block, bowl), np.array(colours)[order], kinds[order], np.c_[seen, kinds][order])


def turned(hue: float) -> Array:
    """(3, 3): turns colours around gray."""
    axis = np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    matrix: Array = np.cos(hue) * np.eye(3) + np.sin(hue) * cross + (1 - np.cos(hue)) * np.outer(axis, axis)
    return matrix


@dataclass(frozen=True)
class Scene:
    """One table and what is wanted."""

    goal: tuple[int, int]
    """Colour of the block to take, of the bowl to put it in."""
    colours: Array
    """(N,) int: what the things truly are."""
    kinds: Array
    """(N,) int: 0 block, 1 bowl."""
    seen: Array
    """(N, 4): what the novice sees of them."""

    def valid(self, plan: tuple[int, int]) -> bool:
        """Whether a plan (thing to take, thing to put it in) does what the goal says."""
        return self.reached(plan) == self.goal

    def reached(self, plan: tuple[int, int]) -> tuple[int, int] | None:
        """The goal that a plan achieves, if any: a block came into a bowl."""
        take, put = plan
        if self.kinds[take] or not self.kinds[put]:
            return None
        return int(self.colours[take]), int(self.colours[put])

    def shown(self) -> tuple[int, int]:
        """What a teacher would do."""
        wanted = zip(self.goal, (0, 1), strict=True)
        take, put = (int(np.flatnonzero((self.colours == c) & (self.kinds == k))[0]) for c, k in wanted)
        return take, put


@dataclass(frozen=True)
class ToyNoviceConfig:
    """What shapes the novice."""

    hidden: int = explained(24, "Units of the layer that looks at a thing.")
    width: int = explained(12, "Numbers that a word, and a thing, becomes.")
    rate: float = explained(0.003, "Step of Adam.")
    members: int = explained(1, "Novices that plan together; what they disagree about is new to them.")


class Matcher:
    """Which thing goes with a word: the softmax of products of the word's and the things' vectors. Learns by Adam."""

    def __init__(self, config: ToyNoviceConfig, rng: np.random.Generator) -> None:
        sizes = (4, config.hidden, config.width)
        self.rate, self._steps = config.rate, 0
        self._w = [rng.normal(0, np.sqrt(2 / a), (a, b)) for a, b in pairwise(sizes)]
        self._w += [np.zeros(config.hidden), np.zeros(config.width), rng.normal(0, 0.3, (len(COLOURS), config.width))]
        self._m = [np.zeros_like(w) for w in self._w]
        self._v = [np.zeros_like(w) for w in self._w]

    def probabilities(self, words: Array, things: Array) -> Array:
        """(B,) words and (B, N, 4) things → (B, N)."""
        return self._forward(words, things)[0]

    def _forward(self, words: Array, things: Array) -> tuple[Array, Array, Array]:
        hidden = np.maximum(things @ self._w[0] + self._w[2], 0)
        vectors = hidden @ self._w[1] + self._w[3]
        logits = np.einsum("bnd,bd->bn", vectors, self._w[4][words])
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True), hidden, vectors

    def learn(self, words: Array, things: Array, right: Array, weight: Array) -> None:
        """One step on (B,) words, (B, N, 4) things, (B,) indices of the right thing, (B,) weights."""
        p, hidden, vectors = self._forward(words, things)
        p[np.arange(len(right)), right] -= 1
        p *= weight[:, None] / len(right)
        back = p[:, :, None] * self._w[4][words][:, None]
        first = (back @ self._w[1].T) * (hidden > 0)
        of_words = np.zeros_like(self._w[4])
        np.add.at(of_words, words, np.einsum("bn,bnd->bd", p, vectors))
        gradients = [
            np.einsum("bni,bnj->ij", things, first), np.einsum("bni,bnj->ij", hidden, back),
            first.sum(axis=(0, 1)), back.sum(axis=(0, 1)), of_words,
        ]  # fmt: skip
        self._adam(gradients)

    def _adam(self, gradients: list[Array]) -> None:
        self._steps += 1
        for w, m, v, g in zip(self._w, self._m, self._v, gradients, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            w -= self.rate * (m / (1 - 0.9**self._steps)) / (np.sqrt(v / (1 - 0.999**self._steps)) + 1e-8)


@dataclass(frozen=True)
class Pair:
    """One demonstration: what to do for a goal with these things."""

    goal: tuple[int, int]
    seen: Array
    plan: tuple[int, int]


class ToyNovice:
    """Two matchers, one for taking and one for putting; several of each if its members shall disagree."""

    def __init__(self, config: ToyNoviceConfig, rng: np.random.Generator) -> None:
        self._teams = [(Matcher(config, rng), Matcher(config, rng)) for _ in range(config.members)]

    def look(self, scene: Scene) -> tuple[Array, Array]:
        """(M, N) and (M, N): what each member would take, and put into, as probabilities."""
        take, put = self._look([scene])
        return take[:, 0], put[:, 0]

    def _look(self, scenes: Sequence[Scene]) -> tuple[Array, Array]:
        """(M, B, N) each."""
        words, things = np.array([scene.goal for scene in scenes]), np.stack([scene.seen for scene in scenes])
        sides = [[team[i].probabilities(words[:, i], things) for team in self._teams] for i in (0, 1)]
        return np.array(sides[0]), np.array(sides[1])

    def plans(self, scenes: Sequence[Scene]) -> list[tuple[int, int]]:
        """What it would do in each."""
        take, put = (side.mean(axis=0).argmax(axis=1).tolist() for side in self._look(scenes))
        return list(zip(take, put, strict=True))

    def learn(self, pairs: list[Pair], weight: Array, rng: np.random.Generator) -> None:
        """One step of every member; with several, each counts every pair 0 to 3 times, so that they stay different."""
        things = np.stack([pair.seen for pair in pairs])
        goals, plans = np.array([pair.goal for pair in pairs]), np.array([pair.plan for pair in pairs])
        for team in self._teams:
            own = weight * rng.poisson(1.0, len(pairs)) if len(self._teams) > 1 else weight
            for i, side in enumerate(team):
                side.learn(goals[:, i], things, plans[:, i], own)
