"""Goals as vectors of a pretrained encoder: the same verbs as `goals.Vocabulary`, so that a novice works with either.

The encoder stays as it is; the network learns one matrix that turns its vectors into what it compares pixels with. A
word that was never taught may be understood if the encoder knows it to be like one that was; the teacher is told all
the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from teaching.policies.goals import Vocabulary, split_words
from teaching.policies.text_encoder import TextEncoder
from teaching.types import Array


class PretrainedWords:
    """A Vocabulary whose rows are vectors."""

    def __init__(self, encoder: TextEncoder, known: Iterable[str] = ()) -> None:
        """Args: known: stems of words that training has seen."""
        self.encoder = encoder
        self._seen = Vocabulary(known)
        self._vectors: dict[str, Array] = {}

    @property
    def known(self) -> tuple[str, ...]:
        """Stems of words that training has seen."""
        return self._seen.known

    def learn_goals(self, goals: Iterable[str]) -> tuple[str, ...]:
        """Training has seen these goals; returns their new words."""
        return self._seen.learn_goals(goals)

    def unknown(self, goal: str) -> tuple[str, ...]:
        """Words that training has never seen, whatever the encoder makes of them."""
        return self._seen.unknown(goal)

    def encode(self, goals: Sequence[str]) -> Array:
        """(B, 2, size) float32: what, then where; zeros where there is none."""
        phrases = [split_words(goal) for goal in goals]
        new = sorted({p for pair in phrases for p in pair if p and p not in self._vectors})
        for phrase, vector in zip(new, self.encoder(new), strict=True):
            self._vectors[phrase] = vector.numpy()
        none = np.zeros(self.encoder.size, np.float32)
        return np.array([[self._vectors.get(p, none) for p in pair] for pair in phrases], np.float32)
