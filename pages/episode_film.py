"""The film of a recorded episode: its pictures, each as long as its plan took; in motion, every moment drawn."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages import table_picture
from pages.components.film import Shot, film, scene
from robot_io.arm import TableView
from teaching.metrics import kinds
from teaching.replay import Episode, Summary
from teaching.replay.glance import Glance
from teaching.rollout_facts import timeline_of
from teaching.rollout_picture import Seen, Tracks, names, seen, tracks
from teaching.segments import Segment, SegmentKind
from teaching.types import Answer, AskbackError, Decision

LAST_SECONDS = 4.0
"""How long the last picture is shown where nothing tells when its plan ended."""
WORDS = {
    "validate": "said to be right", "wrong": "wrong", "unknown": "could not tell", "relabel": "right for another goal",
    "demonstrate": "shown by hand",
}  # fmt: skip
DRIVEN = {
    SegmentKind.DEMO: "shown by a person", SegmentKind.POLICY: "the policy", SegmentKind.RECOVERY: "recovery",
    SegmentKind.CORRECTION: "correction", SegmentKind.RECOVERY_AUTO: "retraced",
    SegmentKind.RESTORED: "an earlier moment put back",
}  # fmt: skip


def told(decision: Decision, answer: Answer | None) -> str:
    """What was said of a plan."""
    if answer is None:
        return "asked, not answered" if decision.asked else "not asked"
    said = ", ".join(WORDS[part] for part in kinds(answer.feedback))
    if answer.feedback.relabel:
        said = said.replace("another goal", f"“{answer.feedback.relabel}”")
    return said + (" (late)" if answer.late else "")


def driven(segment: Segment) -> str:
    """Who drove, and whether a person weighed it since."""
    by_hand = "" if segment.factor == 1.0 else ", left out" if not segment.factor else f", × {segment.factor:g}"
    return DRIVEN[segment.kind] + by_hand


def shots(episode: Episode, said: dict[str, Answer], outcomes: dict[str, int]) -> list[Shot]:
    """Its pictures; of a question that was never answered, too."""
    steps = [s for s in episode.steps if "colour" in s.observation or "picture" in s.observation]
    times = [s.decision.time if s.decision else s.observation.time for s in steps]
    begun = times[0] if times else 0.0
    ends = [*times[1:], max(episode.ended, times[-1] + LAST_SECONDS) if times else 0.0]
    made = []
    for step, at, until in zip(steps, times, ends, strict=True):
        decision = step.decision
        actions = step.executed if step.executed is not None else decision.plan.actions if decision else None
        image = table_picture.drawn(step.observation, actions, TableView()) if actions is not None else None
        url = table_picture.data_url(image or table_picture.plain(step.observation))
        kind = {1: "right", -1: "wrong"}.get(outcomes.get(decision.id, 0) if decision else 0, "")
        words = told(decision, said.get(decision.id)) if decision else "shown beforehand"
        goal = decision.plan.goal if decision else episode.goal
        made.append(Shot(at - begun, max(until - begun, at - begun + 0.5), url, goal, words, kind))
    return made


@st.cache_resource(max_entries=8, show_spinner="Reading the episode…")
def _tracks(
    path: str, name: str, task: str, cameras: tuple[str, ...], rate: float, _found: Glance
) -> tuple[Tracks, list[Seen]]:
    wanted = names(task)
    there = {n: c for n, c in _found.frames(name).items() if n in wanted}
    return tracks(task, there), seen(_found.pictures(name), there, cameras, rate)


def moving(path: Path, found: Glance, summary: Summary, at: float, key: str = "") -> float | None:
    """The film of an episode in motion; where it stands, in seconds. None, and why, if it cannot be shown."""
    facts = summary.rollout or {}
    rate, cameras = float(facts["rate"]), tuple(map(str, dict(facts.get("film") or {}).get("cameras", ())))
    try:
        where, watched = _tracks(str(path), summary.id, summary.task, cameras, rate, found)
    except (AskbackError, OSError) as error:
        st.warning(f"Episode {summary.id} cannot be shown: {error}")
        return None
    timeline = timeline_of(facts)
    bands = [
        Shot(s.start / rate, s.stop / rate, "", "", driven(s), "" if not s.factor else s.kind.name.lower())
        for s in timeline.segments
        if len(s)
    ]
    return film(summary.id, bands, at=at, moving=scene(where, timeline, rate, watched), key=key)
