"""The phases of a plan lesson, as a table: (phase, event) → phase. What is not in it is not allowed."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a lesson is."""

    STARTING = "starting"
    PLANNING = "planning"
    ASKING = "asking"
    ACTING = "acting"
    RESETTING = "resetting"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAULT = "fault"
    ENDED = "ended"


_P = Phase
TRANSITIONS: dict[tuple[Phase, str], Phase] = {
    (_P.STARTING, "scene"): _P.RESETTING,
    (_P.RESETTING, "moment"): _P.PLANNING,
    (_P.PLANNING, "asked"): _P.ASKING,
    (_P.PLANNING, "unasked"): _P.ACTING,
    (_P.PLANNING, "pause"): _P.PAUSED,
    (_P.PAUSED, "resume"): _P.PLANNING,
    (_P.ASKING, "answered"): _P.ACTING,
    (_P.ASKING, "withdrawn"): _P.PLANNING,
    (_P.ACTING, "moment"): _P.PLANNING,
    (_P.ACTING, "over"): _P.RESETTING,
    (_P.RESETTING, "train"): _P.TRAINING,
    (_P.TRAINING, "trained"): _P.RESETTING,
    (_P.STOPPED, "released"): _P.RESETTING,
    (_P.FAULT, "released"): _P.RESETTING,
} | {
    (phase, event): target
    for phase in _P
    if phase is not _P.ENDED
    for event, target in (("abandoned", _P.RESETTING), ("stopped", _P.STOPPED), ("lost", _P.FAULT), ("end", _P.ENDED))
}


def after(phase: Phase, event: str) -> Phase:
    """The phase that follows; an event that the table lacks is a bug of ours."""
    assert (phase, event) in TRANSITIONS, f"no transition from {phase} by {event!r}"
    return TRANSITIONS[phase, event]
