"""What a person makes of an episode in motion afterwards: segments cut, joined, renamed or weighed, another end.

Pure: from one timeline to the next, which checks itself. What it amounts to is said as one `segments` event
(`teaching.amending`), so that nothing in the file changes and taking it back is one more line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from teaching.segments import INTERVENING, NONE, End, Segment, SegmentKind, Timeline
from teaching.types import BadInput

MOST = 100.0
"""The largest factor on a segment's weight."""
HELPED = (SegmentKind.RECOVERY, SegmentKind.CORRECTION)
"""Kinds that a person may have meant by what they drove."""


def split(timeline: Timeline, frame: int) -> Timeline:
    """Cut the segment that holds a frame, just before it."""
    for n, one in enumerate(timeline.segments):
        if one.start < frame < one.stop:
            halves = replace(one, stop=frame), replace(one, start=frame)
            return _with(timeline, n, n + 1, *halves)
    raise BadInput(f"expected a frame inside a segment to cut it at, got {frame} of {timeline.frames}")


def merge(timeline: Timeline, number: int) -> Timeline:
    """Join a segment with the one after it: of one driver and one intervention. It is then of the first one's kind."""
    one, other = _at(timeline, number), _at(timeline, number + 1)
    if one.kind.control != other.kind.control or one.intervention != other.intervention:
        raise BadInput(
            f"expected two segments of one driver and one intervention to join, got {_told(one)} and {_told(other)}"
        )
    return _with(timeline, number, number + 2, replace(one, stop=other.stop))


def rename(timeline: Timeline, number: int, kind: str) -> Timeline:
    """Say that a segment which a person drove was a recovery, or a correction."""
    one = _at(timeline, number)
    names = [k.name.lower() for k in HELPED]
    if kind not in names or one.kind not in HELPED:
        raise BadInput(
            f"expected a segment that a person drove, and {' or '.join(names)}, got {_told(one)} and {kind!r}"
        )
    return _with(timeline, number, number + 1, replace(one, kind=SegmentKind[kind.upper()], marked=False))


def weigh(timeline: Timeline, number: int, factor: float) -> Timeline:
    """Multiply the weight of a segment's frames; 0 leaves them out."""
    if not 0.0 <= factor <= MOST:
        raise BadInput(f"expected a factor from 0 to {MOST:g}, got {factor:g}")
    return _with(timeline, number, number + 1, replace(_at(timeline, number), factor=factor))


def ends(timeline: Timeline) -> tuple[End, ...]:
    """How the episode may be said to have ended: whoever drove, drove."""
    if any(s.kind is SegmentKind.DEMO for s in timeline.segments):
        return (End.DEMONSTRATED, End.DISCARDED)
    if any(s.kind in INTERVENING for s in timeline.segments):
        return (End.INTERVENED, End.FAILED, End.DISCARDED)
    return (End.AUTO_SUCCESS, End.FAILED, End.DISCARDED)


def end(timeline: Timeline, how: str) -> Timeline:
    """Say that the episode ended otherwise: well, out of time, or fumbled."""
    allowed = ends(timeline)
    if how not in allowed:
        raise BadInput(f"expected an end among {', '.join(allowed)} for who drove in it, got {how!r}")
    return replace(timeline, end=End(how))


def retold(timeline: Timeline, do: str, values: Mapping[str, Any]) -> Timeline:
    """One change by its name and plain values: split `frame`; merge `segment`; rename `segment`, `kind`; weigh
    `segment`, `factor`; end `how`."""
    try:
        if do == "split":
            return split(timeline, int(values["frame"]))
        if do == "end":
            return end(timeline, str(values["how"]))
        number = int(values["segment"])
        if do == "merge":
            return merge(timeline, number)
        if do == "rename":
            return rename(timeline, number, str(values["kind"]))
        if do == "weigh_segment":
            return weigh(timeline, number, float(values["factor"]))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"expected the fields of {do!r}, got {dict(values)}") from error
    raise BadInput(f"expected split, merge, rename, weigh_segment or end, got {do!r}")


def _at(timeline: Timeline, number: int) -> Segment:
    if not 0 <= number < len(timeline.segments):
        raise BadInput(f"expected a segment from 0 to {len(timeline.segments) - 1}, got {number}")
    return timeline.segments[number]


def _with(timeline: Timeline, start: int, stop: int, *put: Segment) -> Timeline:
    segments = (*timeline.segments[:start], *put, *timeline.segments[stop:])
    return replace(timeline, segments=segments)


def _told(segment: Segment) -> str:
    which = "" if segment.intervention == NONE else f" of intervention {segment.intervention}"
    return f"{segment.kind.name.lower()}{which} [{segment.start}, {segment.stop})"
