"""Segments → what is trained on: pieces, chunks that stay inside them, and the weight of each frame. Pure.

By RaC (Hu et al. 2025, section 5 of our notes) the frames that the policy drove before a take-over are dropped, its
unaided successes kept, and a recovery flows into its correction. Other published weightings go by their names: IWR
(Mandlekar et al. 2020, arXiv 2012.06733) and Sirius (Liu et al. 2022, arXiv 2211.08416), which keep those frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import numpy as np

from teaching.segments import End, Segment, SegmentKind, Timeline
from teaching.types import Array, BadInput, explained


class Weighting(StrEnum):
    """How much each kept frame counts."""

    UNIFORM = "uniform"
    IWR = "iwr"
    """Interventions half, everything else half."""
    SIRIUS = "sirius"
    """Interventions half, the frames just before them nothing, demonstrations their share, the policy's the rest."""


class Source(IntEnum):
    """Where a kept frame comes from, as Sirius tells them apart."""

    DEMO = 0
    ROBOT = 1
    INTERVENTION = 2
    BEFORE = 3
    """The policy's, just before a take-over."""


@dataclass(frozen=True)
class Selection:
    """Which frames of a recording are trained on."""

    weighting: Weighting = explained(Weighting.UNIFORM, "How much each kept frame counts")
    policy_frames: bool = explained(False, "Also train on what the policy drove before you took over")
    unaided: bool = explained(True, "Also train on episodes that the policy finished by itself")
    recovery_auto: bool = explained(False, "Also train on ways back that the arm retraced by itself")
    before: int = explained(15, "Frames before a take-over that are held to be its cause (Sirius)")

    def __post_init__(self) -> None:
        object.__setattr__(self, "weighting", Weighting(self.weighting))
        if self.before < 0:
            raise BadInput(f"expected 0 or more frames before a take-over, got {self.before}")


SELECTIONS = {
    "rac": Selection(),
    "iwr": Selection(Weighting.IWR, policy_frames=True),
    "sirius": Selection(Weighting.SIRIUS, policy_frames=True),
}
"""As published."""


@dataclass(frozen=True)
class Piece:
    """Frames [start, stop) that flow into each other: no chunk of actions leaves a piece."""

    episode: int
    start: int
    stop: int
    sources: Array
    """(stop − start,) uint8 codes of Source."""
    factors: Array | None = None
    """(stop − start,) on their weights, set by a person; None: 1 throughout."""

    def __len__(self) -> int:
        return self.stop - self.start


def pieces(timelines: Iterable[Timeline], selection: Selection | None = None) -> list[Piece]:
    """What is trained on, in the order of the episodes.

    A recovery, its correction and whatever follows a second failure are one piece. A piece ends where the controller
    changes between policy and person, and where the time machine puts another moment in place.
    """
    chosen = selection or Selection()
    return [piece for i, timeline in enumerate(timelines) for piece in _pieces(i, timeline, chosen)]


def _pieces(episode: int, timeline: Timeline, selection: Selection) -> list[Piece]:
    runs: list[list[Segment]] = []
    last: Segment | None = None
    for segment in timeline.segments:
        if _kept(timeline, segment, selection) and len(segment):
            if last is None or segment.intervention != last.intervention:
                runs.append([])
            runs[-1].append(segment)
            last = segment
        else:
            last = None
    cuts = [s.start for s in timeline.segments if s.intervention >= 0]
    found, factors = [_piece(episode, run, cuts, selection) for run in runs], timeline.factors
    return found if np.all(factors == 1.0) else [replace(p, factors=factors[p.start : p.stop]) for p in found]


def _kept(timeline: Timeline, segment: Segment, selection: Selection) -> bool:
    if timeline.end in (End.DISCARDED, End.TRUNCATED) or segment.factor == 0.0:
        return False
    if segment.kind is SegmentKind.DEMO:
        return timeline.end is End.DEMONSTRATED
    if segment.kind is SegmentKind.POLICY:
        unaided = timeline.end is End.AUTO_SUCCESS and selection.unaided
        return unaided or (selection.policy_frames and timeline.end is End.INTERVENED)
    return segment.kind is not SegmentKind.RECOVERY_AUTO or selection.recovery_auto


def _piece(episode: int, run: Sequence[Segment], cuts: Sequence[int], selection: Selection) -> Piece:
    start, stop = run[0].start, run[-1].stop
    if run[0].kind is SegmentKind.DEMO:
        sources = np.full(stop - start, Source.DEMO, dtype=np.uint8)
    elif run[0].kind is SegmentKind.POLICY:
        sources = np.full(stop - start, Source.ROBOT, dtype=np.uint8)
        if stop in cuts:
            sources[max(0, stop - start - selection.before) :] = Source.BEFORE
    else:
        sources = np.full(stop - start, Source.INTERVENTION, dtype=np.uint8)
    return Piece(episode, start, stop, sources)


def weights(sources: Array, weighting: Weighting) -> Array:
    """How often each kept frame is drawn, relative to uniform.

    Args:
        sources: (N,) codes of Source.
        weighting: by which published rule. A class that is not there gives its share to the others.

    Returns:
        (N,) float64 with mean 1.
    """
    source = np.asarray(sources)
    if not len(source):
        return np.zeros(0)
    share = np.array([np.mean(source == s) for s in Source])
    wanted = share.copy()
    if weighting is Weighting.IWR:
        others = 1.0 - share[Source.INTERVENTION]
        wanted = 0.5 * share / max(others, np.finfo(float).tiny)
        wanted[Source.INTERVENTION] = 0.5
    elif weighting is Weighting.SIRIUS:
        wanted[Source.INTERVENTION], wanted[Source.BEFORE] = 0.5, 0.0
        wanted[Source.ROBOT] = max(0.0, 0.5 - share[Source.DEMO])
    wanted[share == 0] = 0.0
    if not wanted.sum():
        raise BadInput(f"expected frames that {weighting} counts, got only those just before a take-over")
    factor = np.divide(wanted / wanted.sum(), share, out=np.zeros(len(share)), where=share > 0)
    each: Array = factor[source]
    return each


def frame_weights(found: Sequence[Piece], weighting: Weighting) -> Array:
    """(N,) how often each frame of N in some pieces is drawn, relative to uniform: by a rule, then by hand; mean 1."""
    if not found:
        return np.zeros(0)
    each = weights(np.concatenate([p.sources for p in found]), weighting)
    if all(p.factors is None for p in found):
        return each
    by_hand: Array = each * np.concatenate([np.ones(len(p)) if p.factors is None else p.factors for p in found])
    if not by_hand.sum():
        raise BadInput("expected frames that count, but every one that the rule counts was left out by hand")
    return np.asarray(by_hand / by_hand.mean())


@dataclass(frozen=True)
class ChunkIndex:
    """One chunk of H frames from each of N kept frames, as indices into the concatenated episodes."""

    frames: Array
    """(N, H) int64; past the end of its piece a chunk repeats the last frame there."""
    padded: Array
    """(N, H) bool: past the end, not to be learned."""
    weight: Array
    """(N,) float64, mean 1."""

    def __len__(self) -> int:
        return len(self.frames)


def chunk_index(found: Sequence[Piece], lengths: Sequence[int], horizon: int,
                weighting: Weighting = Weighting.UNIFORM) -> ChunkIndex:  # fmt: skip
    """Chunks from every kept frame; none leaves its piece.

    Args:
        found: pieces of E episodes.
        lengths: (E,) frames of each episode, in the order in which they are concatenated.
        horizon: H.
        weighting: of the frames from which chunks start.
    """
    if horizon < 1:
        raise BadInput(f"expected chunks of at least one action, got {horizon}")
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    starts = [offsets[p.episode] + np.arange(p.start, p.stop) for p in found]
    last = [np.full(len(p), offsets[p.episode] + p.stop - 1) for p in found]
    if not starts:
        return ChunkIndex(np.zeros((0, horizon), np.int64), np.zeros((0, horizon), bool), np.zeros(0))
    wanted = np.concatenate(starts)[:, None] + np.arange(horizon)
    limit = np.concatenate(last)[:, None]
    weight = frame_weights(found, weighting)
    return ChunkIndex(np.minimum(wanted, limit), wanted > limit, weight)
