"""From ticks to the rows that a policy in motion learns from: which is whose, and what a person made of it. Pure.

The same rules serve training and the page that shows what it draws from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from teaching.rollout_facts import timeline_of
from teaching.rollout_states import EVERY
from teaching.segments import NONE, Segment, SegmentKind, segments_of
from teaching.types import Array


@dataclass(frozen=True)
class Branch:
    """The T ticks of the branch on which an episode ended."""

    kinds: Array
    """(T,) codes of SegmentKind."""
    interventions: Array
    """(T,) int, −1 for none."""
    factors: Array
    """(T,) on their weights, set by a person."""
    spans: Array
    """(T,) which of the episode's segments each tick is in; 0 where the facts do not tell."""

    def __len__(self) -> int:
        return len(self.kinds)


def told_branch(facts: Mapping[str, Any]) -> Branch:
    """From the facts alone, as they are or as a person amended them."""
    timeline = timeline_of(facts)
    columns = timeline.columns()
    spans = np.repeat(np.arange(len(timeline.segments)), [len(s) for s in timeline.segments])
    return Branch(columns["segment"].astype(int), columns["intervention"].astype(int), timeline.factors, spans)


def branch_of(facts: Mapping[str, Any], columns: Mapping[str, Array], live: Array) -> Branch:
    """From the columns of its file; where a person amended its segments, from the facts.

    Args:
        facts: of the episode.
        columns: of its file.
        live: (T,) positions of the branch's ticks in them.
    """
    if facts.get("amended"):
        return told_branch(facts)
    spans = np.zeros(len(live), np.int64)
    if facts["segments"]:
        spans = np.repeat(np.arange(len(facts["segments"])), [s["stop"] - s["start"] for s in facts["segments"]])
    kinds, which = columns["segment"][live].astype(int), columns["intervention_id"][live].astype(int)
    return Branch(kinds, which, np.ones(len(live)), spans)


def in_rows(branch: Branch, phase: int) -> tuple[Segment, ...]:
    """Segments of rows of `EVERY` ticks that begin at tick `phase`.

    A row in which the driver changed counts as the policy's, whatever followed, so that no one learns from it.
    """
    rows = (len(branch) - phase) // EVERY
    if rows < 1:
        return ()
    kinds, which, factors = (
        a[phase : phase + rows * EVERY].reshape(rows, EVERY)
        for a in (branch.kinds, branch.interventions, branch.factors)
    )
    mixed = (kinds != kinds[:, :1]).any(axis=1) | (which != which[:, :1]).any(axis=1)
    kind, number = kinds[:, 0].copy(), which[:, 0].copy()
    cut = mixed & (kinds == SegmentKind.POLICY).any(axis=1)
    kind[cut & (kind != SegmentKind.POLICY)], number[cut] = int(SegmentKind.POLICY), NONE
    return segments_of(kind, _consecutive(number), factors=factors.min(axis=1))


def _consecutive(number: Array) -> Array:
    """Interventions that are left, counted from 0."""
    order = {n: i for i, n in enumerate(dict.fromkeys(number[number >= 0].tolist()))}
    return np.array([order.get(n, NONE) for n in number.tolist()])


def span_name(episode: str, start: int, stop: int) -> str:
    """What the diary of draws calls ticks [start, stop) of an episode's branch."""
    return f"{episode}@{start}:{stop}"
