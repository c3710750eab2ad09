from __future__ import annotations

import numpy as np
import pytest

from teaching.metrics import Rate
from teaching.rollout_metrics import evaluation, handover_jumps, stalls, supervision
from teaching.segments import End, Segment, SegmentKind, Timeline
from teaching.types import BadInput

K = SegmentKind


def rac(policy: int, recovery: int, correction: int, *, marked: bool, end: End = End.INTERVENED) -> Timeline:
    a, b = policy + recovery, policy + recovery + correction
    parts = (Segment(K.POLICY, 0, policy), Segment(K.RECOVERY, policy, a, 0, marked), Segment(K.CORRECTION, a, b, 0))
    return Timeline(parts, end)


UNAIDED = Timeline((Segment(K.POLICY, 0, 50),), End.AUTO_SUCCESS)


def test_supervision_adds_up() -> None:
    found = supervision(
        [
            rac(20, 10, 15, marked=True),
            rac(30, 5, 15, marked=False),
            UNAIDED,
            rac(9, 9, 9, marked=True, end=End.DISCARDED),
        ]
    )
    assert (found.episodes, found.discarded, found.interventions) == (3, 1, 2)
    assert (found.human_frames, found.recovery_frames, found.correction_frames) == (45, 15, 30)
    assert found.watched_frames == 45 + 50 + 50 and found.corrections_per_recovery == pytest.approx(2.0)
    assert found.unaided == Rate(1, 3) and found.marked == Rate(1, 2)
    assert found.seconds(30.0) == pytest.approx((1.5, 145 / 30))


def test_ratio_without_recoveries() -> None:
    parts = (Segment(K.POLICY, 0, 5), Segment(K.CORRECTION, 5, 9, 0))
    found = supervision([Timeline(parts, End.INTERVENED)])
    assert found.corrections_per_recovery == float("inf") and found.marked == Rate(0, 1)
    assert np.isnan(supervision([]).corrections_per_recovery)


def test_a_second_failure_is_marked_once() -> None:
    parts = [(0, 5, K.POLICY, -1, False), (5, 8, K.RECOVERY, 0, True), (8, 9, K.CORRECTION, 0, False)]
    parts += [(9, 12, K.RECOVERY, 0, True), (12, 20, K.CORRECTION, 0, False)]
    timeline = Timeline(tuple(Segment(k, a, b, i, m) for a, b, k, i, m in parts), End.INTERVENED)
    assert supervision([timeline]).marked == Rate(1, 1)


def test_evaluation() -> None:
    found = evaluation(
        np.array([True, True, False]), np.array([3, 3, 1]), np.array([0, 2, 4]), np.array([0, 0, 1], bool),
        np.array([100, 200, 400]),
    )  # fmt: skip
    assert found.success == Rate(2, 3) and found.progress == pytest.approx(7 / 3)
    assert found.recoveries == 2.0 and found.recoveries_of_successes == 1.0
    assert found.stalled == Rate(1, 3) and found.median_length == found.mean_length == 150.0
    with pytest.raises(BadInput, match="five arrays"):
        evaluation(*(np.zeros(n) for n in (3, 3, 3, 3, 2)))


def test_stalls() -> None:
    rng = np.random.default_rng(0)
    moving, still = np.cumsum(0.02 * np.ones((60, 3)), axis=0), 0.002 * rng.standard_normal((40, 3))
    assert stalls(np.concatenate([moving, moving[-1] + still]), window=30, radius=0.02)
    assert not stalls(moving, window=30, radius=0.02)
    assert not stalls(still[:10], window=30, radius=0.02)


def test_handover_jumps() -> None:
    parts = (Segment(K.POLICY, 0, 5), Segment(K.CORRECTION, 5, 9, 0), Segment(K.POLICY, 9, 12))
    timeline = Timeline(parts, End.INTERVENED, resumes=True)
    actions = np.zeros((12, 2))
    actions[5:9] = [0.3, 0.4]
    assert handover_jumps(actions, timeline) == pytest.approx([0.5, 0.5])
    assert len(handover_jumps(np.zeros((50, 2)), UNAIDED)) == 0
    with pytest.raises(BadInput, match=r"\(12, A\)"):
        handover_jumps(np.zeros((11, 2)), timeline)
