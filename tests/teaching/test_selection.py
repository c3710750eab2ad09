from __future__ import annotations

import numpy as np
import pytest

from teaching.segments import End, Segment, SegmentKind, Timeline
from teaching.selection import SELECTIONS, Selection, Source, Weighting, chunk_index, pieces, weights
from teaching.types import BadInput

K = SegmentKind


def timeline(end: End, *parts: tuple[SegmentKind, int, int], resumes: bool = False) -> Timeline:
    """Parts are (kind, frames, intervention)."""
    found, place = [], 0
    for kind, size, number in parts:
        found.append(Segment(kind, place, place + size, number))
        place += size
    return Timeline(tuple(found), end, resumes)


DEMO = timeline(End.DEMONSTRATED, (K.DEMO, 30, -1))
RAC = timeline(End.INTERVENED, (K.POLICY, 40, -1), (K.RECOVERY, 10, 0), (K.CORRECTION, 20, 0))
UNAIDED = timeline(End.AUTO_SUCCESS, (K.POLICY, 50, -1))
HG = timeline(
    End.INTERVENED, (K.POLICY, 20, -1), (K.CORRECTION, 5, 0), (K.POLICY, 20, -1), (K.CORRECTION, 6, 1),
    (K.POLICY, 9, -1), resumes=True,
)  # fmt: skip


def spans(*timelines: Timeline, by: Selection | None = None) -> list[tuple[int, int, int]]:
    return [(p.episode, p.start, p.stop) for p in pieces(timelines, by)]


def test_policy_frames_before_a_takeover_are_dropped_and_the_rest_is_one_piece() -> None:
    assert spans(DEMO, RAC) == [(0, 0, 30), (1, 40, 70)]


def test_unaided_successes_are_kept_unless_told_otherwise() -> None:
    assert spans(UNAIDED) == [(0, 0, 50)]
    assert spans(UNAIDED, by=Selection(unaided=False)) == []


def test_each_correction_of_hg_dagger_is_a_piece() -> None:
    assert spans(HG) == [(0, 20, 25), (0, 45, 51)]


def test_a_failure_keeps_the_corrections_that_went_before() -> None:
    failed = Timeline(HG.segments, End.FAILED, resumes=True)
    assert spans(failed) == spans(HG)
    assert spans(timeline(End.FAILED, (K.POLICY, 40, -1)), by=SELECTIONS["iwr"]) == []


@pytest.mark.parametrize("end", [End.DISCARDED, End.TRUNCATED])
def test_nothing_of_a_fumbled_or_broken_episode(end: End) -> None:
    assert spans(Timeline(RAC.segments, end)) == []
    assert spans(Timeline(DEMO.segments, end)) == []
    assert spans(Timeline(DEMO.segments, End.FAILED)) == []


def test_second_failure_flows_on() -> None:
    parts = [(K.POLICY, 5, -1), (K.RECOVERY, 5, 0), (K.CORRECTION, 2, 0), (K.RECOVERY, 5, 0), (K.CORRECTION, 9, 0)]
    assert spans(timeline(End.INTERVENED, *parts)) == [(0, 5, 26)]


def test_two_interventions_in_a_row_do_not_flow_into_each_other() -> None:
    parts = [(K.POLICY, 5, -1), (K.CORRECTION, 5, 0), (K.CORRECTION, 5, 1)]
    assert spans(timeline(End.INTERVENED, *parts, resumes=True)) == [(0, 5, 10), (0, 10, 15)]


def test_retraced_frames_are_out_unless_asked_for() -> None:
    parts = [(K.POLICY, 5, -1), (K.RECOVERY_AUTO, 7, 0), (K.CORRECTION, 9, 0)]
    assert spans(timeline(End.INTERVENED, *parts)) == [(0, 12, 21)]
    assert spans(timeline(End.INTERVENED, *parts), by=Selection(recovery_auto=True)) == [(0, 5, 21)]


def test_nothing_flows_over_a_moment_put_back() -> None:
    parts = [(K.POLICY, 5, -1), (K.RECOVERY, 4, 0), (K.RESTORED, 0, 0), (K.CORRECTION, 9, 0)]
    assert spans(timeline(End.INTERVENED, *parts)) == [(0, 5, 9), (0, 9, 18)]


def test_iwr_keeps_policy_frames_and_draws_interventions_half_the_time() -> None:
    found = pieces([DEMO, RAC, HG], SELECTIONS["iwr"])
    assert [(p.episode, p.start, p.stop) for p in found] == [
        (0, 0, 30), (1, 0, 40), (1, 40, 70), (2, 0, 20), (2, 20, 25), (2, 25, 45), (2, 45, 51), (2, 51, 60),
    ]  # fmt: skip
    source = np.concatenate([p.sources for p in found])
    weight = weights(source, Weighting.IWR)
    assert weight.mean() == pytest.approx(1.0)
    assert weight[source == Source.INTERVENTION].sum() / weight.sum() == pytest.approx(0.5)
    others = weight[source != Source.INTERVENTION]
    assert np.ptp(others) == 0.0


def test_sirius_weighs_four_classes() -> None:
    found = pieces([DEMO, RAC, UNAIDED], SELECTIONS["sirius"])
    source = np.concatenate([p.sources for p in found])
    assert (source == Source.BEFORE).sum() == 15 and not (found[-1].sources == Source.BEFORE).any()
    weight = weights(source, Weighting.SIRIUS)
    share = [weight[source == s].sum() / weight.sum() for s in Source]
    demo = np.mean(source == Source.DEMO)
    assert share == pytest.approx([demo, 0.5 - demo, 0.5, 0.0])


def test_sirius_without_policy_frames_gives_their_share_to_the_others() -> None:
    source = np.array([Source.DEMO] * 30 + [Source.INTERVENTION] * 10)
    weight = weights(source, Weighting.SIRIUS)
    assert weight.mean() == pytest.approx(1.0)
    assert weight[-1] / weight[0] == pytest.approx((0.5 / 0.25) / (0.75 / 0.75))
    with pytest.raises(BadInput, match="just before"):
        weights(np.array([Source.BEFORE]), Weighting.SIRIUS)


@pytest.mark.parametrize("weighting", Weighting)
def test_one_class_alone_is_uniform(weighting: Weighting) -> None:
    assert weights(np.full(7, Source.INTERVENTION), weighting) == pytest.approx(np.ones(7))
    assert len(weights(np.zeros(0, int), weighting)) == 0


def test_no_chunk_leaves_its_piece() -> None:
    timelines = [DEMO, RAC, HG, UNAIDED]
    found, lengths = pieces(timelines), [t.frames for t in timelines]
    index = chunk_index(found, lengths, 8)
    assert len(index) == sum(len(p) for p in found) == 30 + 30 + 11 + 50
    columns = np.concatenate([t.columns()["control"] for t in timelines])
    which = np.concatenate([np.full(len(p), i) for i, p in enumerate(found)])
    home = np.full(sum(lengths), -1)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    for i, p in enumerate(found):
        home[offsets[p.episode] + p.start : offsets[p.episode] + p.stop] = i
    assert np.array_equal(home[index.frames], np.repeat(which[:, None], 8, axis=1))
    assert np.ptp(columns[index.frames], axis=1).max() == 0
    assert np.array_equal(index.padded.sum(axis=1)[:30], [0] * 23 + list(range(1, 8)))
    real = np.diff(index.frames, axis=1)[~index.padded[:, 1:]]
    assert np.all(real == 1)


def test_nothing_selected() -> None:
    index = chunk_index([], [], 8)
    assert index.frames.shape == (0, 8) and len(index.weight) == 0


def test_bad_options() -> None:
    with pytest.raises(BadInput, match="at least one action"):
        chunk_index(pieces([DEMO]), [30], 0)
    with pytest.raises(BadInput, match="0 or more"):
        Selection(before=-1)
    with pytest.raises(ValueError, match="softly"):
        Selection("softly")  # type: ignore[arg-type]
