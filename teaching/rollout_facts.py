"""The facts of a supervised episode: from a draft to plain values in its file, and from there to a Timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from teaching.lesson import LessonConfig
from teaching.rollout_draft import RolloutDraft
from teaching.rollout_phases import PROTOCOLS, Rules
from teaching.rollout_states import EVERY
from teaching.rollout_task import RolloutTask
from teaching.segments import NONE, Control, End, Segment, SegmentKind, Timeline


def facts_of(
    draft: RolloutDraft, config: LessonConfig, task: RolloutTask, split: str, rate: float = 60.0
) -> dict[str, Any]:
    """Plain values; how it ended and its segments, the draft adds."""
    return {
        "task": config.task,
        "split": split,
        "protocol": config.protocol,
        "operator": config.teacher,
        "round": draft.round,
        "policy": draft.version,
        "rate": rate,
        "every": EVERY,
        "subtasks": list(task.subtasks),
        "stage": draft.stage,
        "progress": draft.progress,
        "n_interventions": len({s["intervention"] for s in draft.segments() if int(s["intervention"]) > NONE}),
        "labelled_boundary": bool(draft.marked),
        "frames": draft.length(),
        "left_frames": len(draft.ticks) - draft.length(),
    }


def resumes(facts: Mapping[str, Any]) -> bool:
    """Whether the policy may drive on after an intervention."""
    return not PROTOCOLS.get(str(facts.get("protocol")), Rules()).terminate_after_intervention


def timeline_of(facts: Mapping[str, Any]) -> Timeline:
    """The branch on which the episode ended; BadInput if the facts are not of this schema."""
    segments = tuple(
        Segment(SegmentKind[str(s["kind"]).upper()], int(s["start"]), int(s["stop"]), int(s["intervention"]),
                bool(s.get("marked", False)), float(s.get("factor", 1.0)))
        for s in facts["segments"]
    )  # fmt: skip
    return Timeline(segments, End(str(facts["end"])), resumes(facts))


def plain(segment: Segment) -> dict[str, Any]:
    """A segment as the facts hold it."""
    told = {"kind": segment.kind.name.lower(), "start": segment.start, "stop": segment.stop}
    told |= {"intervention": segment.intervention, "marked": segment.marked}
    return told if segment.factor == 1.0 else {**told, "factor": segment.factor}


def human_seconds(facts: Mapping[str, Any]) -> float:
    """Seconds for which a person drove."""
    timeline = timeline_of(facts)
    human = sum(len(s) for s in timeline.segments if s.kind.control is Control.HUMAN)
    return human / float(facts["rate"])
