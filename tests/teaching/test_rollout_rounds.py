"""When a round is over: by interventions, or by the ticks that a person drove."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from teaching.lesson import LessonConfig
from teaching.rollout_rounds import Rounds
from teaching.types import BadInput


def rounds(episodes: list[tuple[int, int, str]], **config: Any) -> Rounds:
    """Of episodes (round, ticks of correction after ten of recovery, how it ended)."""
    found = []
    for number, ticks, end in episodes:
        spans = [("policy", 0, 20, -1), ("recovery", 20, 30, 0), ("correction", 30, 30 + ticks, 0)]
        segments = [{"kind": k, "start": a, "stop": b, "intervention": i} for k, a, b, i in spans]
        facts = {"round": number, "segments": segments, "end": end, "protocol": "rac"}
        found.append(SimpleNamespace(rollout=facts))
    buffer: Any = SimpleNamespace(rollouts=lambda: found, last_sequence=len(found), next_episode=lambda: "000000")
    return Rounds(buffer, LessonConfig.from_json({"kind": "rollout", **config}))


def test_ticks_of_driving_fill_a_round_where_they_are_counted() -> None:
    both = [(1, 40, "intervened"), (1, 30, "intervened")]
    assert rounds(both, wanted=1, frames=90).driven(1) == 90
    assert rounds(both, wanted=1, frames=90).full(1)
    assert not rounds(both, wanted=1, frames=91).full(1)
    assert rounds(both, wanted=2).full(1) and not rounds(both, wanted=3).full(1)


def test_what_does_not_count_fills_nothing() -> None:
    told = rounds([(1, 40, "intervened"), (1, 40, "discarded"), (2, 40, "intervened")], wanted=1, frames=60)
    assert told.driven(1) == 50 and not told.full(1)


def test_fewer_than_no_ticks_are_refused() -> None:
    with pytest.raises(BadInput, match="frames ≥ 0"):
        LessonConfig(frames=-1)
