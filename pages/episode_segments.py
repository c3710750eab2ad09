"""The segments of an episode in motion: cut, joined, renamed, weighed, and how it ended; each recorded, undoable."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.changes import change
from pages.episode_film import driven
from teaching.replay import Summary
from teaching.retelling import HELPED, ends
from teaching.rollout_facts import timeline_of
from teaching.segments import Segment, Timeline

ENDS = {
    "demonstrated": "shown by a person", "intervened": "well, with a person's help",
    "auto_success": "success, unaided", "failed": "failed", "discarded": "fumbled: counts nowhere",
    "truncated": "broken off: counts nowhere",
}  # fmt: skip


MARK = {
    "demonstrated": "Mark success", "intervened": "Mark success", "auto_success": "Mark success",
    "failed": "Mark failed", "discarded": "Mark fumbled",
}  # fmt: skip


def segments(path: Path, summary: Summary, at: float, *, deleted: bool, key: str = "") -> None:
    """The list, and what can be done at the second where the film stands."""
    facts = summary.rollout or {}
    timeline, rate = timeline_of(facts), float(facts["rate"])
    amended = " · **changed by hand**" if facts.get("amended") else ""
    st.markdown(f"Ended: **{ENDS[str(timeline.end)]}**, round {facts['round']}, policy {facts['policy']}{amended}")
    here = next((n for n, s in enumerate(timeline.segments) if s.start <= at * rate < s.stop), 0)
    lines = [f"{'▶ ' if n == here else ''}**{s.start / rate:.1f} s** {driven(s)}, {len(s) / rate:.1f} s"
             for n, s in enumerate(timeline.segments)]  # fmt: skip
    st.markdown("  \n".join(lines))
    if deleted or key:
        return
    acts(path, summary.id, timeline, here, round(at * rate))
    outcome(path, summary.id, timeline)


def acts(path: Path, name: str, timeline: Timeline, here: int, frame: int) -> None:
    """What can be done with the segment under the film."""
    one = timeline.segments[here]
    after = timeline.segments[here + 1] if here + 1 < len(timeline.segments) else None
    joins = after is not None and after.kind.control == one.kind.control and after.intervention == one.intervention
    st.caption("The marked segment is the one at which the film stands; scrub to choose another, or where to cut.")
    (first, second), (third, fourth) = st.columns(2), st.columns(2)
    button(first, path, name, "Split here", "split", disabled=not one.start < frame < one.stop, frame=frame)
    button(second, path, name, "Join with next", "merge", disabled=not joins, segment=here)
    other = next((k.name.lower() for k in HELPED if k is not one.kind), "")
    label = f"Call it {other}" if one.kind in HELPED else "Rename"
    button(third, path, name, label, "rename", disabled=one.kind not in HELPED, segment=here, kind=other)
    leave(fourth, path, name, one, here)


def leave(place: st.delta_generator.DeltaGenerator, path: Path, name: str, one: Segment, here: int) -> None:
    """Leave a segment out of training, or take it in again."""
    label, factor = ("Take in", 1.0) if not one.factor else ("Leave out", 0.0)
    button(place, path, name, label, "weigh_segment", disabled=not len(one), segment=here, factor=factor)


def outcome(path: Path, name: str, timeline: Timeline) -> None:
    """Say how it ended."""
    others = [e for e in ends(timeline) if e is not timeline.end]
    for column, end in zip(st.columns(max(len(others), 1)), others, strict=False):
        button(column, path, name, MARK[str(end)], "end", disabled=False, how=str(end))


def button(
    place: st.delta_generator.DeltaGenerator, path: Path, name: str, label: str, do: str, *, disabled: bool,
    **values: object,
) -> None:  # fmt: skip
    """One change of an episode."""
    place.button(
        label, key=f"{do} {values.get('how', '')}", disabled=disabled, width="stretch", on_click=change,
        args=(path, do), kwargs={"episode": name, **values},
    )  # fmt: skip
