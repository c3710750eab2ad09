"""Rounds of a lesson in motion: unaided success and what it cost, from recorded episodes."""

from __future__ import annotations

import pytest

from teaching.replay import ReplayBuffer
from teaching.rollout_progress import rounds
from tests.teaching.moving_maker import C, D, P, R, recorded


def test_rounds_count_who_finished_and_who_drove(tmp_path):
    with ReplayBuffer.create(tmp_path / "lesson", {"kind": "rollout", "name": "t"}) as buffer:
        buffer.append(recorded("a", [D] * 120, "demonstrated", round=0))
        buffer.append(recorded("b", [P] * 60 + [R] * 60 + [C] * 120, "intervened"))
        buffer.append(recorded("c", [P] * 60, "auto_success"))
        buffer.append(recorded("d", [P] * 60, "failed"))
        buffer.append(recorded("e", [P] * 60 + [R] * 60, "discarded"))
        zero, one = rounds(buffer.rollouts())
    assert zero.unaided.n == 0 and zero.driven == pytest.approx(2 / 60)
    assert (one.unaided.hits, one.unaided.n, one.cost.discarded) == (1, 3, 1)
    assert one.driven == pytest.approx(3 / 60) and one.watched == pytest.approx(6 / 60)
    assert one.cost.corrections_per_recovery == 2.0
