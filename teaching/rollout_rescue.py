"""An episode that a crash of the host cut short: the arm still remembers its ticks, the log what was said of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from robot_io.recording import CONTROLLERS
from teaching.replay import ReplayBuffer
from teaching.rollout_draft import RolloutDraft
from teaching.rollout_episodes import cut
from teaching.rollout_phases import Rules
from teaching.segments import NONE, End, SegmentKind
from teaching.types import BadInput

REASON = "the lesson's process ended in the middle"


def rescue(
    buffer: ReplayBuffer, frames: Mapping[str, Any], rules: Rules, goal: str, version: int
) -> RolloutDraft | None:
    """The episode under way when the host ended, truncated; None if there was none, or the arm forgot it.

    Args:
        buffer: its marks say when the episode began, and what a person said.
        frames: all that the arm remembers, as `StreamArm.frames`.
        rules: of the lesson.
        goal: in words.
        version: of the policy that drove.
    """
    marks = [e.body for e in buffer.history() if e.kind == "mark" and not e.undone]
    last = str(marks[-1]["episode"]) if marks else ""
    own = [m for m in marks if m["episode"] == last]
    begun = next((m for m in own if m["what"] in ("start", "demonstrate")), None)
    ticks = np.asarray(frames.get("tick", ()), dtype=np.int64)
    committed = {c.episode for c in buffer.commits()}
    if begun is None or last in committed or not len(ticks) or not ticks[0] <= int(begun["tick"]) + 1 <= ticks[-1]:
        return None
    first = int(begun["tick"])
    draft = RolloutDraft(last, int(begun.get("seed", 0)), goal, float(begun.get("time", 0.0)), version, version, first)
    start = int(np.searchsorted(ticks, first, side="right"))
    _take(draft, cut(frames, start, len(ticks)), own, rules)
    draft.head = int(frames["head"]) if int(frames["head"]) in draft.ticks else draft.head
    draft.end, draft.reason = End.TRUNCATED, REASON
    try:
        draft.timeline(resumes=True)
    except BadInput:
        return None  # the arm moved in between in a way that no lesson makes
    return draft


def _take(draft: RolloutDraft, rows: Mapping[str, Any], marks: list[Mapping[str, Any]], rules: Rules) -> None:
    """Tick by tick kinds from who drove and from what was said, in runs."""
    ticks, drivers = np.asarray(rows["tick"]), np.asarray(rows["controller"])
    said = sorted({int(m.get("at", m["tick"])) for m in marks if m["what"] in ("recovered", "failed_again", "rewind")})
    shown = any(m["what"] == "demonstrate" for m in marks)
    edges = {0, len(ticks), *(np.flatnonzero(np.diff(drivers)) + 1).tolist()}
    edges |= {int(np.searchsorted(ticks, tick, side="right")) for tick in said}
    draft.restored = [(int(m["to"]), 0) for m in marks if m["what"] == "rewind"]
    for a, b in pairwise(sorted(edges)):
        who = CONTROLLERS[int(drivers[a])]
        before = draft.kinds[-1] if draft.kinds else NONE
        if who != "policy" and not shown and before in (NONE, SegmentKind.POLICY):
            draft.intervention += 1
        draft.add(cut(rows, a, b), _kind(who, shown, int(ticks[a]), marks, rules), None)
    draft.restored = [(tick, max(draft.intervention, 0)) for tick, _ in draft.restored]


def _kind(who: str, shown: bool, tick: int, marks: list[Mapping[str, Any]], rules: Rules) -> SegmentKind:
    if shown:
        return SegmentKind.DEMO
    if who == "policy":
        return SegmentKind.POLICY
    if who == "retrace":
        return SegmentKind.RECOVERY_AUTO
    words = [m["what"] for m in marks if int(m.get("at", m["tick"])) < tick]
    last = next((w for w in reversed(words) if w in ("recovered", "failed_again", "rewind")), "")
    back = last in ("recovered", "rewind") or (not last and not rules.require_recovery)
    return SegmentKind.CORRECTION if back else SegmentKind.RECOVERY
