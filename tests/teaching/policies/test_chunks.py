from __future__ import annotations

import numpy as np
import pytest

from teaching.policies.chunks import ChunkData
from teaching.segments import End, Segment, SegmentKind, Timeline
from teaching.selection import SELECTIONS, Selection
from teaching.types import BadInput

K = SegmentKind
DEMO = Timeline((Segment(K.DEMO, 0, 30),), End.DEMONSTRATED)
HELPED = Timeline(
    (Segment(K.POLICY, 0, 40), Segment(K.RECOVERY, 40, 46, 0), Segment(K.CORRECTION, 46, 60, 0)), End.INTERVENED
)


def data(selection: Selection | None = None) -> ChunkData:
    """States tell the frame: 0 … 29 of the demonstration, 100 … 159 of the other; actions are 10 × that."""
    frames = [np.arange(30.0), 100 + np.arange(60.0)]
    states = [np.stack([f, f], axis=1) for f in frames]
    return ChunkData([DEMO, HELPED], states, [10 * f[:, None] for f in frames], 8, selection)


def test_a_batch_holds_chunks_that_follow_their_state() -> None:
    batch = data().draw(500, np.random.default_rng(0))
    assert batch.state.shape == (500, 2) and batch.actions.shape == (500, 8, 1)
    wanted = 10 * (batch.state[:, :1] + np.arange(8))
    assert np.array_equal(batch.actions[..., 0][~batch.padded], wanted[~batch.padded])
    assert set(batch.state[:, 0]) <= {*range(30), *range(140, 160)}
    assert not batch.padded[:, 0].any() and batch.padded.any()


def test_no_chunk_reaches_from_the_policy_to_the_person() -> None:
    batch = data(SELECTIONS["iwr"]).draw(2000, np.random.default_rng(0))
    start, last = batch.state[:, 0], batch.actions[:, -1, 0] / 10
    assert np.all((last < 140) | (start >= 140)) and np.any((start >= 100) & (start < 140))


def test_frames_are_drawn_as_often_as_they_weigh() -> None:
    start = data(SELECTIONS["iwr"]).draw(20000, np.random.default_rng(0)).state[:, 0]
    assert np.mean(start >= 140) == pytest.approx(0.5, abs=0.015)
    start = data().draw(20000, np.random.default_rng(0)).state[:, 0]
    assert np.mean(start >= 140) == pytest.approx(0.4, abs=0.015)


def test_nothing_to_learn() -> None:
    discarded = Timeline(DEMO.segments, End.DISCARDED)
    with pytest.raises(BadInput, match="demonstrate or correct first"):
        ChunkData([discarded], [np.zeros((30, 2))], [np.zeros((30, 1))], 8)
    with pytest.raises(BadInput, match="as long as"):
        ChunkData([DEMO], [np.zeros((29, 2))], [np.zeros((30, 1))], 8)
