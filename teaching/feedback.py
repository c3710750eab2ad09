"""What follows from an answer: decision × feedback → demonstrations, and what to carry out (FIER). Pure.

ASkDAgger (arXiv 2508.05310), foresight interactive experience replay: a right plan is stored as it is, a wrong one
under the goal that it would achieve, beside what the teacher shows instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from teaching.gating import Gate
from teaching.types import (
    Answer,
    Array,
    BadInput,
    Decision,
    Demonstration,
    Feedback,
    Kind,
    Outcome,
    Plan,
    Rows,
    explained,
)


class Switches(Protocol):
    """What of FIER is on; a lesson's config is one."""

    @property
    def validation(self) -> bool:
        """Store plans that the teacher confirms."""

    @property
    def relabelling(self) -> bool:
        """Store wrong plans under the goal that they would achieve."""


@dataclass(frozen=True)
class Fier:
    """Both on is FIER; both off is the Active DAgger baseline: the teacher shows every gated query."""

    validation: bool = explained(True, "Store plans that the teacher confirms (FIER).")
    relabelling: bool = explained(True, "Store wrong plans under the goal that they would achieve (FIER).")


@dataclass(frozen=True)
class Consequence:
    """What follows from one decision and what was said of it."""

    outcome: Outcome
    """Of the novice's plan."""
    demonstrations: tuple[Demonstration, ...]
    """To store, in this order. A relabelled one gets a row of its own, any other belongs to the decision's row."""
    execute: Plan | None
    """What the arm carries out; None: hold still, the episode ends."""
    why: str
    """In words, for the teacher."""


_ON = Fier()
_GATE = Gate()


def consequence(
    decision: Decision,
    feedback: Feedback | None,
    switches: Switches = _ON,
    gate: Gate = _GATE,
    *,
    late: bool = False,
    act_fails: bool = False,
) -> Consequence:
    """What to store and what to carry out.

    Args:
        decision: the plan as the gate weighed it.
        feedback: what was said; None: nothing, or not asked.
        switches: what of FIER is on.
        gate: its variant says what a random-only query gets: full feedback as in the paper's Algorithm 1, or as in the
            published code a verdict and a relabel only, and the plan is carried out all the same.
        late: said after the plan ran, so nothing is carried out any more.
        act_fails: the teacher's own act did not work, so it is not stored.
    """
    if feedback is None or (feedback.outcome == Outcome.UNKNOWN and not decision.asked and not late):
        return _unsaid(decision, late)
    if feedback.outcome == Outcome.UNKNOWN:
        return Consequence(Outcome.UNKNOWN, (), None, "you cannot tell, so nothing is stored and the arm holds still")
    verdict_only = decision.random and not decision.gated and gate.variant == "code" and not late
    if feedback.outcome == Outcome.SUCCESS:
        result = _valid(decision, switches, None if verdict_only else feedback.demonstration, act_fails)
    else:
        result = _invalid(decision, feedback, switches, verdict_only, act_fails)
    return replace(result, execute=None) if late else result


def _unsaid(decision: Decision, late: bool) -> Consequence:
    if decision.asked or late:
        return Consequence(Outcome.UNKNOWN, (), None, "not answered yet")
    return Consequence(
        Outcome.UNKNOWN, (), decision.plan, "not asked, so the plan is carried out and nothing is stored"
    )


def _valid(decision: Decision, switches: Switches, act: Plan | None, act_fails: bool) -> Consequence:
    plan, right = decision.plan, Outcome.SUCCESS
    if switches.validation:
        stored = _stored(decision, Kind.VALIDATED, plan.goal, plan.actions, right)
        return Consequence(right, (stored,), plan, "the plan is right: stored and carried out")
    if act is None:
        return Consequence(right, (), plan, "the plan is right: carried out, not stored")
    kept = () if act_fails else (_stored(decision, Kind.ANNOTATED, plan.goal, act.actions, right),)
    return Consequence(right, kept, act, "the plan is right; what you show is stored and carried out instead")


def _invalid(
    decision: Decision, feedback: Feedback, switches: Switches, verdict_only: bool, act_fails: bool
) -> Consequence:
    plan, wrong = decision.plan, Outcome.FAILURE
    shown = None if verdict_only else feedback.demonstration
    kept = []
    if shown is not None and not act_fails:
        kept.append(_stored(decision, Kind.ANNOTATED, plan.goal, shown.actions, wrong))
    if switches.relabelling and feedback.relabel is not None and feedback.relabel != plan.goal:
        kept.append(_stored(decision, Kind.RELABELLED, feedback.relabel, plan.actions, Outcome.UNKNOWN))
    said = ["the plan is wrong"]
    said += [f"stored as an example of “{one.goal}”" for one in kept if one.kind == Kind.RELABELLED]
    if verdict_only:
        return Consequence(wrong, tuple(kept), plan, "; ".join([*said, "a random check only, so it is carried out"]))
    said.append("the arm holds still" if shown is None else "what you showed is carried out")
    return Consequence(wrong, tuple(kept), shown, "; ".join(said))


def _stored(decision: Decision, kind: Kind, goal: str, actions: Array, outcome: Outcome) -> Demonstration:
    uncertainty = float("nan") if kind == Kind.RELABELLED else decision.plan.uncertainty
    return Demonstration(
        f"{decision.id}-{kind}", decision.id, kind, goal, actions, uncertainty, outcome, decision.update
    )


def ghost(plan: Plan, chosen: int) -> Plan:
    """The alternative that a teacher chose, counted from 1, as a plan of its own; 0 is the plan itself."""
    if not 0 <= chosen <= len(plan.alternatives):
        raise BadInput(f"expected a choice from 0 to {len(plan.alternatives)}, got {chosen}")
    if chosen == 0:
        return plan
    return Plan(plan.alternatives[chosen - 1].actions, plan.goal, policy_version=plan.policy_version)


def feedback_of(
    plan: Plan, outcome: Outcome, *, chosen: int = 0, relabel: str | None = None, demonstration: Plan | None = None
) -> Feedback:
    """What a person said, as Feedback. To confirm a ghost says that the plan is wrong and that the ghost is right."""
    if outcome == Outcome.SUCCESS and demonstration is not None:
        raise BadInput("expected a demonstration only with an invalid plan; say that it is wrong, or take it back")
    if outcome == Outcome.SUCCESS and chosen:
        return Feedback(Outcome.FAILURE, relabel, ghost(plan, chosen))
    return Feedback(outcome, relabel, demonstration)


def consequences(
    decisions: Iterable[Decision],
    answers: Iterable[Answer],
    switches: Switches = _ON,
    gate: Gate = _GATE,
    *,
    failed: Collection[str] = (),
) -> Iterator[tuple[Decision, Consequence]]:
    """Every decision with what follows from its last answer; `failed`: decisions whose teacher's own act failed."""
    said = {answer.decision: answer for answer in answers}
    for decision in decisions:
        answer = said.get(decision.id)
        feedback, late = (answer.feedback, answer.late) if answer else (None, False)
        yield decision, consequence(decision, feedback, switches, gate, late=late, act_fails=decision.id in failed)


def fold(
    decisions: Iterable[Decision],
    answers: Iterable[Answer],
    switches: Switches = _ON,
    gate: Gate = _GATE,
    *,
    failed: Collection[str] = (),
) -> Rows:
    """The history as the gate and PIER read it.

    Args:
        decisions: in the order they were made.
        answers: those that stand (not undone), in the order they were given; the last one of a decision counts.
        switches: what of FIER is on.
        gate: its variant.
        failed: ids of decisions whose teacher's own act did not work.

    Returns:
        One row per decision, followed by one per relabelled demonstration: NaN uncertainty, outcome 0.
    """
    rows: list[tuple[float, int, int, str, str | None]] = []
    for decision, result in consequences(decisions, answers, switches, gate, failed=failed):
        own = next((d.id for d in result.demonstrations if d.kind != Kind.RELABELLED), None)
        rows.append((decision.plan.uncertainty, int(result.outcome), decision.update, decision.id, own))
        for extra in result.demonstrations:
            if extra.kind == Kind.RELABELLED:
                rows.append((float("nan"), 0, decision.update, decision.id, extra.id))
    return rows_of(rows)


def rows_of(rows: Iterable[tuple[float, int, int, str, str | None]]) -> Rows:
    """Rows from (uncertainty, outcome, update, decision, demonstration) tuples."""
    u, r, k, decision, demonstration = zip(*rows, strict=True) if (rows := list(rows)) else ((), (), (), (), ())
    return Rows(
        np.array(u, dtype=np.float64),
        np.array(r, dtype=np.int64),
        np.array(k, dtype=np.int64),
        tuple(decision),
        tuple(demonstration),
    )
