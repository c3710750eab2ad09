"""A lesson's committed history as plain values for the pages that only read: opened read-only, closed at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from robot_io.arm import Observation
from teaching.lesson import LessonConfig
from teaching.priority import Terms, sampling_distribution, terms
from teaching.replay import ReplayBuffer
from teaching.types import Answer, Array, Decision, Demonstration

COLOURS = ("#0072b2", "#e69f00", "#56b4e9", "#cc79a7")
"""Of the charts; they can be told apart by most colour-blind people (Okabe and Ito)."""


@dataclass(frozen=True)
class History:
    """What was decided, said and stored so far."""

    config: LessonConfig
    decisions: tuple[Decision, ...]
    answers: dict[str, Answer]
    demonstrations: tuple[Demonstration, ...]
    terms: Terms
    """Of the demonstrations, (D,) each."""
    chance: Array
    """(D,) how likely each is drawn."""
    problems: tuple[str, ...] = ()


def of(path: Path) -> History:
    """The history of a lesson; read again only when its log has grown."""
    log = path / "events.log"
    stamp = (log.stat().st_mtime_ns, log.stat().st_size) if log.exists() else (0, 0)
    return _read(str(path), stamp)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(path: str, stamp: tuple[int, int]) -> History:
    with ReplayBuffer(path, readonly=True) as buffer:
        config = LessonConfig.from_json(buffer.lesson)
        rows, stored = buffer.rows(), {d.id: d for d in buffer.demonstrations()}
        found = terms(rows.uncertainty, rows.outcome, rows.update, b=config.training.b, lam=config.training.lam)
        owned = [n for n, name in enumerate(rows.demonstration) if name in stored]
        kept = Terms(**{name: getattr(found, name)[owned] for name in Terms.__dataclass_fields__})
        training = config.training
        chance: Array = np.zeros(0)
        if owned:
            chance, _ = sampling_distribution(kept.priority, alpha=training.alpha, beta=training.beta)
        demonstrations = tuple(stored[str(rows.demonstration[n])] for n in owned)
        return History(
            config, tuple(buffer.decisions()), buffer.answers(), demonstrations, kept, chance, tuple(buffer.problems)
        )


def seen(path: Path, decision: str) -> Observation:
    """What the arm saw at a decision."""
    with ReplayBuffer(path, readonly=True) as buffer:
        return buffer.observation(decision)
