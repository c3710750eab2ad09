"""Episode → segments: who drove which frames, and what for. Pure.

The words are those of RaC (Hu et al. 2025, arXiv 2509.07953): an intervention is a recovery, back to a familiar state,
and then a correction, which finishes the subtask. Which of it is trained on, `teaching.selection` says.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np

from teaching.types import Array, BadInput

NONE = -1
"""No intervention, in the column of interventions."""


class Control(IntEnum):
    """Who drove a frame."""

    POLICY = 0
    HUMAN = 1
    SCRIPT = 2
    """The arm retraced its own path while a person held a key."""


class SegmentKind(IntEnum):
    """What a run of frames is; the code is the one in the recordings."""

    DEMO = 0
    POLICY = 1
    RECOVERY = 2
    CORRECTION = 3
    RECOVERY_AUTO = 4
    """Retraced by script."""
    RESTORED = 5
    """The time machine put an earlier moment back: a place without frames."""

    @property
    def control(self) -> Control:
        """Who drives in it."""
        if self in (SegmentKind.DEMO, SegmentKind.RECOVERY, SegmentKind.CORRECTION):
            return Control.HUMAN
        return Control.POLICY if self is SegmentKind.POLICY else Control.SCRIPT


INTERVENING = (SegmentKind.RECOVERY, SegmentKind.CORRECTION, SegmentKind.RECOVERY_AUTO, SegmentKind.RESTORED)
"""What an intervention consists of."""


class End(StrEnum):
    """How an episode ended."""

    DEMONSTRATED = "demonstrated"
    """A person drove all of it, to success."""
    INTERVENED = "intervened"
    """A person took over and brought it to a good end."""
    AUTO_SUCCESS = "auto_success"
    """The policy did it unaided."""
    FAILED = "failed"
    """Out of time under the policy: counted."""
    DISCARDED = "discarded"
    """Fumbled or called off: counts nowhere."""
    TRUNCATED = "truncated"
    """Stopped, or contact lost, in the middle: kept, marked."""


@dataclass(frozen=True)
class Segment:
    """Frames [start, stop) of an episode under one controller."""

    kind: SegmentKind
    start: int
    stop: int
    intervention: int = NONE
    """Which intervention of the episode it belongs to, from 0."""
    marked: bool = False
    """A recovery whose end the teacher marked; not marked is not the same as no recovery."""
    factor: float = 1.0
    """What a person multiplied the weight of its frames with, afterwards; 0 leaves them out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", SegmentKind(self.kind))
        if not 0.0 <= self.factor < float("inf"):
            raise BadInput(f"expected a factor of at least 0 on a segment's weight, got {self.factor}")
        empty = self.kind is SegmentKind.RESTORED
        if self.start < 0 or (self.stop != self.start if empty else self.stop <= self.start):
            size = "no frames" if empty else "at least one frame"
            raise BadInput(f"expected a {self.kind.name} segment to hold {size}, got [{self.start}, {self.stop})")
        if (self.intervention >= 0) != (self.kind in INTERVENING):
            needs = "the number of its intervention" if self.kind in INTERVENING else "no intervention"
            raise BadInput(f"expected a {self.kind.name} segment with {needs}, got {self.intervention}")

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Timeline:
    """All segments of one episode, in order, and how it ended."""

    segments: tuple[Segment, ...]
    end: End
    resumes: bool = False
    """The policy may drive on after a correction, as in HG-DAgger."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.segments))
        object.__setattr__(self, "end", End(self.end))
        _check_contiguous(self.segments)
        _check_order(self.segments, self.resumes)
        _check_end(self)

    @property
    def frames(self) -> int:
        """How many frames the episode has."""
        return self.segments[-1].stop if self.segments else 0

    @property
    def human_frames(self) -> int:
        """Frames that a person drove."""
        return sum(len(s) for s in self.segments if s.kind.control is Control.HUMAN)

    @property
    def interventions(self) -> int:
        """How many times a person took over."""
        return len({s.intervention for s in self.segments if s.intervention >= 0})

    @property
    def success(self) -> bool:
        """Whether the policy did it unaided."""
        return self.end is End.AUTO_SUCCESS

    def count(self, kind: SegmentKind) -> int:
        """Frames of a kind."""
        return sum(len(s) for s in self.segments if s.kind is kind)

    def of(self, intervention: int) -> tuple[Segment, ...]:
        """The segments of one intervention."""
        return tuple(s for s in self.segments if s.intervention == intervention)

    def columns(self) -> dict[str, Array]:
        """Per frame, (T,) each: `segment` and `control` uint8, `intervention` int32, −1 for none."""
        sizes = [len(s) for s in self.segments]
        return {
            "segment": np.repeat(np.array([s.kind for s in self.segments], dtype=np.uint8), sizes),
            "control": np.repeat(np.array([s.kind.control for s in self.segments], dtype=np.uint8), sizes),
            "intervention": np.repeat(np.array([s.intervention for s in self.segments], dtype=np.int32), sizes),
        }

    @property
    def factors(self) -> Array:
        """(T,) what a person multiplied the weight of each frame with."""
        return np.repeat(np.array([s.factor for s in self.segments]), [len(s) for s in self.segments])


def segments_of(
    kinds: Sequence[int] | Array, interventions: Sequence[int] | Array, marked: Iterable[int] = (),
    factors: Array | None = None,
) -> tuple[Segment, ...]:  # fmt: skip
    """Columns → segments; the inverse of `Timeline.columns` except for what has no frames.

    Args:
        kinds: (T,) codes of SegmentKind.
        interventions: (T,) which intervention, −1 for none.
        marked: interventions whose recovery ended by the teacher's mark.
        factors: (T,) on their weights, set by a person; None: 1 throughout.
    """
    kind, which, said = np.asarray(kinds), np.asarray(interventions), set(marked)
    if kind.ndim != 1 or kind.shape != which.shape:
        raise BadInput(f"expected two columns of one length (T,), got {kind.shape} and {which.shape}")
    if not len(kind):
        return ()
    factor = np.ones(len(kind)) if factors is None else np.asarray(factors, dtype=np.float64)
    cuts = np.flatnonzero((np.diff(kind) != 0) | (np.diff(which) != 0) | (np.diff(factor) != 0)) + 1
    edges = [0, *cuts.tolist(), len(kind)]
    found = []
    for start, stop in itertools.pairwise(edges):
        what, number = SegmentKind(int(kind[start])), int(which[start])
        recovered = what is SegmentKind.RECOVERY and number in said
        found.append(Segment(what, start, stop, number, recovered, float(factor[start])))
    return tuple(found)


def _check_contiguous(segments: tuple[Segment, ...]) -> None:
    place = 0
    for segment in segments:
        if segment.start != place:
            raise BadInput(f"expected the segment after frame {place} to start there, got {segment}")
        place = segment.stop


def _check_order(segments: tuple[Segment, ...], resumes: bool) -> None:
    last = NONE
    for before, after in zip((None, *segments), segments, strict=False):
        if after.kind is SegmentKind.DEMO and any(s.kind is not SegmentKind.DEMO for s in segments):
            raise BadInput("expected a demonstration to be an episode of its own, got one among other segments")
        if before and before.kind in INTERVENING and after.kind is SegmentKind.POLICY and not resumes:
            raise BadInput(
                f"expected the episode to end with its intervention, got policy frames from {after.start} on; "
                "only where the policy resumes, as in HG-DAgger, may it drive again"
            )
        if after.intervention >= 0:
            fresh = before is None or before.intervention != after.intervention
            if after.intervention != last + fresh:
                raise BadInput(f"expected intervention {last + fresh} at frame {after.start}, got {after.intervention}")
            last = after.intervention


def _check_end(timeline: Timeline) -> None:
    kinds = {s.kind for s in timeline.segments}
    aided = timeline.interventions > 0
    wrong = {
        End.AUTO_SUCCESS: aided or SegmentKind.DEMO in kinds,
        End.INTERVENED: not aided,
        End.DEMONSTRATED: kinds != {SegmentKind.DEMO},
        End.FAILED: not kinds,
    }
    if wrong.get(timeline.end, False):
        told = ", ".join(sorted(k.name for k in kinds)) or "nothing"
        raise BadInput(f"expected segments that fit an episode that ended as {timeline.end}, got {told}")
