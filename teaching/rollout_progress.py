"""How a lesson in motion went, round by round: unaided success with its interval, and what it cost the person. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from teaching.metrics import Rate
from teaching.replay.episode import Summary
from teaching.rollout_facts import timeline_of
from teaching.rollout_metrics import Supervision, supervision
from teaching.segments import End

WATCHED = (End.AUTO_SUCCESS, End.INTERVENED, End.FAILED)
"""Ends of episodes in which the policy had its chance."""


@dataclass(frozen=True)
class Round:
    """What was recorded under one policy."""

    number: int
    unaided: Rate
    """Of the episodes that the policy began, those that it finished by itself."""
    cost: Supervision
    driven: float
    """Minutes that a person drove."""
    watched: float
    """Minutes that a person had to be there."""


def rounds(episodes: Sequence[Summary]) -> list[Round]:
    """In order; round 0 is that of the demonstrations."""
    grouped: dict[int, list[tuple[float, Summary]]] = {}
    for one in episodes:
        if one.rollout is not None:
            grouped.setdefault(int(one.rollout["round"]), []).append((float(one.rollout["rate"]), one))
    return [_round(number, grouped[number]) for number in sorted(grouped)]


def _round(number: int, found: Sequence[tuple[float, Summary]]) -> Round:
    timelines = [timeline_of(s.rollout) for _, s in found if s.rollout is not None]
    begun = [t for t in timelines if t.end in WATCHED]
    cost = supervision(timelines)
    driven, watched = cost.seconds(found[0][0])
    return Round(number, Rate(sum(t.success for t in begun), len(begun)), cost, driven / 60, watched / 60)
