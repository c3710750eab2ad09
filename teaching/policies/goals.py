"""Free-text goals as numbers: a *what* phrase and a *where* phrase, each a bag of learned words.

A goal is split at its first preposition ("put the red blocks | in a green bowl"). Both phrases share one vocabulary, so
that what "red" means is learned once, for blocks and for bowls. Words get a row when training first sees them; until
then they are zeros, and the teacher is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

PREPOSITIONS = frozenset({"in", "into", "inside", "on", "onto", "to", "at", "under", "beside", "near"})
ARTICLES = frozenset({"a", "an", "the"})
"""Words that say nothing; they count for nothing."""
WORDS_PER_PHRASE = 12
"""Words of one phrase that count; the rest of a longer one is ignored."""
MAX_WORDS = 512
"""Rows of the vocabulary."""
LATER = frozenset({"then", "afterwards"})
"""What follows such a word has rows of its own ("then blue"), since a bag of words does not know what comes second."""
UNKNOWN = 0
"""The row of padding and of words never seen: always zeros."""


_SILENT = ARTICLES | LATER


def words(goal: str) -> tuple[str, ...]:
    """The words of a goal in lower case, in order."""
    return tuple(re.findall(r"[^\W_]+", goal.lower()))


def stem(word: str) -> str:
    """A word without its plural s, so that "block" and "blocks" are one; "grey" is "gray"."""
    if word == "grey":
        return "gray"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def stems(said: Sequence[str]) -> tuple[str, ...]:
    """The stem of each word; after a word of LATER each has "then" before it."""
    found, later = [], False
    for word in said:
        found.append(f"then {stem(word)}" if later else stem(word))
        later = later or word in LATER
    return tuple(found)


def phrases(goal: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stems of *what* and of *where*; without a preposition, all of it is *what*. Silent words are gone."""
    said = words(goal)
    cut = next((i for i, word in enumerate(said) if word in PREPOSITIONS and i > 0), len(said))
    pairs = [
        (stem, i < cut) for i, (word, stem) in enumerate(zip(said, stems(said), strict=True)) if word not in _SILENT
    ]
    return tuple(s for s, what in pairs if what), tuple(s for s, what in pairs if not what)


def split_words(goal: str) -> tuple[str, str]:
    """*What* and *where* as they were written, in small letters, for an encoder that reads whole phrases."""
    said = words(goal)
    cut = next((i for i, word in enumerate(said) if word in PREPOSITIONS and i > 0), len(said))
    return " ".join(said[:cut]), " ".join(said[cut:])


class Vocabulary:
    """Words and their rows; row 0 stands for padding and the unknown."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """Rows 1, 2, … in the order given."""
        self._row: dict[str, int] = {}
        self.learn(known)

    def __len__(self) -> int:
        """Rows in use, row 0 included."""
        return len(self._row) + 1

    @property
    def known(self) -> tuple[str, ...]:
        """The stems in the order of their rows, from row 1."""
        return tuple(self._row)

    def learn(self, stems: Iterable[str]) -> tuple[str, ...]:
        """Give new words a row while there is room; returns those that got one."""
        new = []
        for word in stems:
            if word not in self._row and len(self) < MAX_WORDS:
                self._row[word] = len(self)
                new.append(word)
        return tuple(new)

    def learn_goals(self, goals: Iterable[str]) -> tuple[str, ...]:
        """Give rows to the words of goals; returns the new ones."""
        return self.learn(word for goal in goals for phrase in phrases(goal) for word in phrase)

    def unknown(self, goal: str) -> tuple[str, ...]:
        """Words of a goal without a row, as written, each once; articles and prepositions are not told."""
        said = words(goal)
        told = ((w, s) for w, s in zip(said, stems(said), strict=True) if w not in _SILENT | PREPOSITIONS)
        return tuple(dict.fromkeys(word for word, found in told if found not in self._row))

    def encode(self, goals: Sequence[str]) -> NDArray[np.int64]:
        """Rows of the goals' words, (B, 2, WORDS_PER_PHRASE): what, then where; 0 where there is none."""
        rows = np.zeros((len(goals), 2, WORDS_PER_PHRASE), dtype=np.int64)
        for i, goal in enumerate(goals):
            for j, phrase in enumerate(phrases(goal)):
                found = [self._row.get(word, UNKNOWN) for word in phrase[:WORDS_PER_PHRASE]]
                rows[i, j, : len(found)] = found
        return rows
