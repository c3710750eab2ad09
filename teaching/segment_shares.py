"""Why segments of a lesson in motion are drawn as often as they are, by whichever published weighting. Trains nothing.

The same rules as training's own (`teaching.rollout_rows`, `teaching.selection`), from the facts of the episodes alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from teaching.lesson import LessonConfig
from teaching.replay.episode import Summary
from teaching.rollout_facts import timeline_of
from teaching.rollout_rows import in_rows, span_name, told_branch
from teaching.rollout_states import EVERY
from teaching.segments import End, Segment, SegmentKind, Timeline
from teaching.selection import SELECTIONS, Selection, frame_weights, pieces
from teaching.types import Array

TRAINED_ON = (End.DEMONSTRATED, End.INTERVENED, End.AUTO_SUCCESS)
"""Ends of the episodes whose frames may count; which of them, `teaching.selection` says."""


def selection_of(config: LessonConfig) -> Selection:
    """What a lesson trains on."""
    return replace(SELECTIONS[config.weighting], recovery_auto=config.recovery_auto)


@dataclass(frozen=True)
class Span:
    """One segment of one episode."""

    episode: str
    number: int
    """In its episode, from 0."""
    segment: Segment
    end: End
    rate: float
    """Ticks per second."""
    round: int
    share: float
    """Chance that a draw begins in it."""
    weight: float
    """How often each of its rows is drawn, relative to even: the mean over all that is trained on is 1."""
    drawn: int = 0
    """How often training drew it, as far as the diary tells."""
    latest: int = 0
    """The model that did so last; 0 for never."""

    @property
    def begins(self) -> float:
        """Seconds into the episode."""
        return self.segment.start / self.rate

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.segment) / self.rate


def spans(
    episodes: Sequence[Summary], selection: Selection, draws: Mapping[str, tuple[int, int]] | None = None
) -> list[Span]:
    """Every segment of every episode in motion, in order, with what a selection makes of it.

    Args:
        episodes: those that count, with what a person made of them.
        selection: which frames count, and how much.
        draws: `span_name` → (how often, last for which model).
    """
    moving = [(s, s.rollout) for s in episodes if s.rollout is not None]
    shares = _shares([facts for _, facts in moving], selection)
    total = sum(float(rows.sum()) for _, rows in shares)
    return [
        _span(
            summary, facts, n, segment, total * float(share[n]) / max(float(rows[n]), 1.0), float(share[n]), draws or {}
        )
        for (summary, facts), (share, rows) in zip(moving, shares, strict=True)
        for n, segment in enumerate(timeline_of(facts).segments)
        if segment.kind is not SegmentKind.RESTORED
    ]


def _span(
    summary: Summary, facts: Mapping[str, Any], n: int, segment: Segment, weight: float, share: float,
    draws: Mapping[str, tuple[int, int]],
) -> Span:  # fmt: skip
    drawn, latest = draws.get(span_name(summary.id, segment.start, segment.stop), (0, 0))
    end, rate, turn = End(str(facts["end"])), float(facts["rate"]), int(facts["round"])
    return Span(summary.id, n, segment, end, rate, turn, share, weight, drawn, latest)


def _shares(facts: Sequence[Mapping[str, Any]], selection: Selection) -> list[tuple[Array, Array]]:
    """Per episode and segment: its share of all draws, and how many rows of it may begin a chunk."""
    timelines, where = [], []
    for n, fact in enumerate(facts):
        if str(fact["end"]) not in TRAINED_ON:
            continue
        branch = told_branch(fact)
        for phase in range(EVERY):
            segments = in_rows(branch, phase)
            if segments:
                timelines.append(Timeline(segments, End(str(fact["end"])), resumes=True))
                where.append((n, branch.spans[phase::EVERY]))
    sizes = [len(fact["segments"]) for fact in facts]
    share, rows = [np.zeros(k) for k in sizes], [np.zeros(k) for k in sizes]
    chosen = pieces(timelines, selection)
    weight = frame_weights(chosen, selection.weighting)
    at = 0
    for piece in chosen:
        n, names = where[piece.episode]
        own = names[piece.start : piece.stop]
        share[n] += np.bincount(own, weights=weight[at : at + len(piece)], minlength=sizes[n]) / max(len(weight), 1)
        rows[n] += np.bincount(own, minlength=sizes[n])
        at += len(piece)
    return list(zip(share, rows, strict=True))
