from __future__ import annotations

import numpy as np
import pytest

from teaching.segments import NONE, Control, End, Segment, SegmentKind, Timeline, segments_of
from teaching.types import BadInput

K = SegmentKind


def intervened() -> Timeline:
    """20 frames of policy, 10 of recovery, 15 of correction."""
    parts = (Segment(K.POLICY, 0, 20), Segment(K.RECOVERY, 20, 30, 0, marked=True), Segment(K.CORRECTION, 30, 45, 0))
    return Timeline(parts, End.INTERVENED)


def test_codes_are_those_of_the_recordings() -> None:
    assert [k.name for k in SegmentKind] == [
        "DEMO", "POLICY", "RECOVERY", "CORRECTION", "RECOVERY_AUTO", "RESTORED",
    ]  # fmt: skip
    assert [int(k) for k in SegmentKind] == list(range(6))
    assert (int(Control.POLICY), int(Control.HUMAN)) == (0, 1)


def test_counts() -> None:
    timeline = intervened()
    assert timeline.frames == 45 and timeline.human_frames == 25 and timeline.interventions == 1
    assert timeline.count(K.RECOVERY) == 10 and len(timeline.of(0)) == 2 and not timeline.success


def test_columns_and_back() -> None:
    timeline = intervened()
    columns = timeline.columns()
    assert np.array_equal(np.unique(columns["segment"], return_counts=True)[1], [20, 10, 15])
    assert columns["control"].tolist() == [0] * 20 + [1] * 25
    assert columns["intervention"].tolist() == [NONE] * 20 + [0] * 25
    assert segments_of(columns["segment"], columns["intervention"], marked=[0]) == timeline.segments
    assert segments_of([], []) == ()


def test_two_interventions_in_a_row_stay_two() -> None:
    kinds, which = [1, 1, 3, 3, 3, 3], [-1, -1, 0, 0, 1, 1]
    assert [(s.start, s.stop) for s in segments_of(kinds, which)] == [(0, 2), (2, 4), (4, 6)]


def test_second_failure_stays_one_intervention() -> None:
    parts = [(K.POLICY, 0, 5, NONE), (K.RECOVERY, 5, 8, 0), (K.CORRECTION, 8, 9, 0), (K.RECOVERY, 9, 12, 0)]
    timeline = Timeline(tuple(Segment(*p) for p in parts), End.INTERVENED)
    assert timeline.interventions == 1 and len(timeline.of(0)) == 3


def test_the_time_machine_leaves_a_place_without_frames() -> None:
    parts = (Segment(K.POLICY, 0, 5), Segment(K.RESTORED, 5, 5, 0), Segment(K.CORRECTION, 5, 9, 0))
    timeline = Timeline(parts, End.INTERVENED)
    assert timeline.frames == 9 and len(timeline.columns()["segment"]) == 9
    with pytest.raises(BadInput, match="no frames"):
        Segment(K.RESTORED, 5, 6, 0)


def test_policy_after_correction_only_where_it_resumes() -> None:
    parts = (Segment(K.POLICY, 0, 5), Segment(K.CORRECTION, 5, 9, 0), Segment(K.POLICY, 9, 20))
    with pytest.raises(BadInput, match="HG-DAgger"):
        Timeline(parts, End.INTERVENED)
    assert Timeline(parts, End.INTERVENED, resumes=True).interventions == 1
    again = (*parts, Segment(K.CORRECTION, 20, 22, 1))
    assert Timeline(again, End.INTERVENED, resumes=True).interventions == 2


@pytest.mark.parametrize(
    ("parts", "end", "said"),
    [
        ((Segment(K.POLICY, 0, 5), Segment(K.CORRECTION, 6, 9, 0)), End.INTERVENED, "after frame 5"),
        ((Segment(K.POLICY, 1, 5),), End.FAILED, "after frame 0"),
        ((Segment(K.POLICY, 0, 5), Segment(K.CORRECTION, 5, 9, 1)), End.INTERVENED, "expected intervention 0"),
        ((Segment(K.POLICY, 0, 5), Segment(K.CORRECTION, 5, 9, 0)), End.AUTO_SUCCESS, "auto_success"),
        ((Segment(K.POLICY, 0, 5),), End.INTERVENED, "intervened"),
        ((Segment(K.POLICY, 0, 5),), End.DEMONSTRATED, "demonstrated"),
        ((Segment(K.POLICY, 0, 5), Segment(K.DEMO, 5, 9)), End.DEMONSTRATED, "of its own"),
        ((), End.FAILED, "nothing"),
    ],
)
def test_what_cannot_be(parts: tuple[Segment, ...], end: End, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Timeline(parts, end)


@pytest.mark.parametrize(
    ("kind", "start", "stop", "number"), [(1, 3, 3, -1), (1, -1, 3, -1), (2, 0, 3, -1), (1, 0, 3, 0)]
)
def test_segments_check_themselves(kind: int, start: int, stop: int, number: int) -> None:
    with pytest.raises(BadInput):
        Segment(SegmentKind(kind), start, stop, number)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(BadInput, match="one length"):
        segments_of([1, 1], [0])
