"""The phases of a rollout lesson, as a table: (phase, event) → phase. What is not in it is not allowed. Pure.

The protocol is RaC's (Hu et al. 2025, arXiv 2509.07953). Rule 1: an intervention first goes back to a familiar state,
then shows how to go on. Rule 2: the episode ends with the intervention. Both off is HG-DAgger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from teaching.segments import End, SegmentKind
from teaching.types import BadInput, explained


class Phase(StrEnum):
    """Where a rollout is. The last six are ends."""

    READY = "ready"
    DEMONSTRATION = "demonstration"
    POLICY = "policy"
    RECOVERY = "recovery"
    RETRACING = "retracing"
    """The arm follows its own path backwards while a key is held."""
    CORRECTION = "correction"
    DEMONSTRATED = "demonstrated"
    INTERVENED = "intervened"
    AUTO_SUCCESS = "auto_success"
    FAILED = "failed"
    DISCARDED = "discarded"
    TRUNCATED = "truncated"

    @property
    def end(self) -> End | None:
        """How the episode ended, if this is an end."""
        return End(self.value) if self.value in list(End) else None

    @property
    def segment(self) -> SegmentKind | None:
        """What frames recorded in this phase are."""
        return _SEGMENTS.get(self)


class Event(StrEnum):
    """What can happen in a rollout."""

    START = "start"
    """The policy begins."""
    DEMONSTRATE = "demonstrate"
    """A person drives from the start."""
    TAKEOVER = "takeover"
    RETRACE = "retrace"
    RESTORE = "restore"
    """The time machine put a familiar moment back."""
    MARK_RECOVERED = "mark_recovered"
    SUBTASK_DONE = "subtask_done"
    FAILED_AGAIN = "failed_again"
    """The correction went wrong: back to recovering, in the same intervention."""
    FINISH = "finish"
    """Done without a mark between recovery and correction."""
    SUCCESS = "success"
    """The whole task is done."""
    TIMEOUT = "timeout"
    ABORT = "abort"
    FUMBLE = "fumble"
    LOST = "lost"
    """A latched stop, or contact lost: the episode is kept and marked."""


_SEGMENTS = {
    Phase.DEMONSTRATION: SegmentKind.DEMO,
    Phase.POLICY: SegmentKind.POLICY,
    Phase.RECOVERY: SegmentKind.RECOVERY,
    Phase.RETRACING: SegmentKind.RECOVERY_AUTO,
    Phase.CORRECTION: SegmentKind.CORRECTION,
}


@dataclass(frozen=True)
class Rules:
    """Which of the two rules hold."""

    require_recovery: bool = explained(True, "First bring the arm back to a familiar place, then show how to go on")
    terminate_after_intervention: bool = explained(True, "The episode ends when you are done; the arm does not go on")


PROTOCOLS: Mapping[str, Rules] = {
    "rac": Rules(),
    "rule1": Rules(terminate_after_intervention=False),
    "rule2": Rules(require_recovery=False),
    "hg-dagger": Rules(require_recovery=False, terminate_after_intervention=False),
}
"""The published arms, and Rule 1 alone."""

_P, _E = Phase, Event
_ALWAYS: dict[tuple[Phase, Event], Phase] = {
    (_P.READY, _E.START): _P.POLICY,
    (_P.READY, _E.DEMONSTRATE): _P.DEMONSTRATION,
    (_P.READY, _E.ABORT): _P.DISCARDED,
    (_P.DEMONSTRATION, _E.SUCCESS): _P.DEMONSTRATED,
    (_P.DEMONSTRATION, _E.TIMEOUT): _P.FAILED,
    (_P.DEMONSTRATION, _E.FUMBLE): _P.DISCARDED,
    (_P.POLICY, _E.RETRACE): _P.RETRACING,
    (_P.POLICY, _E.RESTORE): _P.CORRECTION,
    (_P.POLICY, _E.SUCCESS): _P.AUTO_SUCCESS,
    (_P.POLICY, _E.TIMEOUT): _P.FAILED,
    (_P.POLICY, _E.ABORT): _P.DISCARDED,
    (_P.RECOVERY, _E.MARK_RECOVERED): _P.CORRECTION,
    (_P.RECOVERY, _E.RETRACE): _P.RETRACING,
    (_P.RECOVERY, _E.RESTORE): _P.CORRECTION,
    (_P.RECOVERY, _E.FINISH): _P.INTERVENED,
    (_P.RECOVERY, _E.SUCCESS): _P.INTERVENED,
    (_P.RETRACING, _E.TAKEOVER): _P.RECOVERY,
    (_P.RETRACING, _E.MARK_RECOVERED): _P.CORRECTION,
    (_P.RETRACING, _E.RESTORE): _P.CORRECTION,
    (_P.CORRECTION, _E.FAILED_AGAIN): _P.RECOVERY,
    (_P.CORRECTION, _E.RESTORE): _P.CORRECTION,
    (_P.CORRECTION, _E.SUCCESS): _P.INTERVENED,
} | {
    (phase, event): target
    for phase in (_P.RECOVERY, _P.RETRACING, _P.CORRECTION)
    for event, target in ((_E.FUMBLE, _P.DISCARDED), (_E.TIMEOUT, _P.TRUNCATED))
} | {(phase, _E.LOST): _P.TRUNCATED for phase in _SEGMENTS}  # fmt: skip


@cache
def transitions(rules: Rules) -> Mapping[tuple[Phase, Event], Phase]:
    """The table under some rules. The policy drives on after a correction only where Rule 2 is off."""
    first = _P.RECOVERY if rules.require_recovery else _P.CORRECTION
    then = _P.INTERVENED if rules.terminate_after_intervention else _P.POLICY
    return _ALWAYS | {(_P.POLICY, _E.TAKEOVER): first, (_P.CORRECTION, _E.SUBTASK_DONE): then}


def after(phase: Phase, event: Event, rules: Rules, *, aided: bool = False) -> Phase:
    """The phase that follows.

    Args:
        phase: where the rollout is.
        event: what happened.
        rules: which rules hold.
        aided: somebody intervened before in this episode, so that a success is not the policy's own.

    Raises:
        BadInput: the event means nothing in this phase; says what does. Nothing changed.
    """
    table = transitions(rules)
    if (phase, event) not in table:
        can = ", ".join(allowed(phase, rules)) or "nothing; start another episode"
        raise BadInput(f"expected, while in {phase}, one of: {can}; got {event}")
    following = table[phase, event]
    return _P.INTERVENED if aided and following is _P.AUTO_SUCCESS else following


def allowed(phase: Phase, rules: Rules) -> tuple[Event, ...]:
    """What may happen in a phase."""
    return tuple(event for event in Event if (phase, event) in transitions(rules))
