"""The history of a lesson in the figures and words that a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from teaching.gating import Gate
from teaching.metrics import wilson
from teaching.types import Answer, Decision, Outcome, Rows
from teaching.uncertainty import frequency, in_words

EFFECT_WINDOW = 15
"""Judged plans in each of the two windows whose success the page compares."""

Answers = Mapping[str, Answer]


def sureness(decision: Decision, rows: Rows) -> dict[str, Any]:
    """How sure the novice is, in words and as a frequency among answers that it had not learnt from."""
    u = decision.plan.uncertainty
    found = frequency(u, rows)
    return {
        "words": in_words(u, decision.threshold, rows.uncertainty),
        "frequency": None if found is None else {"right": found.right, "of": found.of},
    }


def recent(decisions: Sequence[Decision], answers: Answers, most: int) -> list[dict[str, Any]]:
    """The latest decisions and what was said of them, newest last."""
    return [_line(decision, answers.get(decision.id)) for decision in decisions[-most:]]


def _line(decision: Decision, answer: Answer | None) -> dict[str, Any]:
    return {
        "decision": decision.id,
        "goal": decision.plan.goal,
        "asked": decision.asked,
        "outcome": int(answer.feedback.outcome) if answer else None,
        "kind": _kind(decision, answer),
        "undone": False,
    }


def _kind(decision: Decision, answer: Answer | None) -> str:
    if answer is None:
        return "asked" if decision.asked else "alone"
    feedback = answer.feedback
    if feedback.outcome == Outcome.SUCCESS:
        return "validated"
    if feedback.outcome == Outcome.UNKNOWN:
        return "unknown"
    return "annotated" if feedback.demonstration else "relabelled" if feedback.relabel else "wrong"


def gate_view(gate: Gate, decisions: Sequence[Decision]) -> dict[str, Any]:
    """The gate, in figures and words."""
    latest = decisions[-100:]
    threshold = latest[-1].threshold if latest else None
    return {
        "kind": gate.kind,
        "target": gate.target,
        "mode": gate.mode,
        "p_rand": gate.p_rand,
        "threshold": threshold if threshold is not None and np.isfinite(threshold) else None,
        "asked_of_100": round(100 * sum(d.asked for d in latest) / len(latest)) if latest else None,
        "promise": gate.promise(),
        "note": gate.feasibility() or "",
    }


def effect(decisions: Sequence[Decision], answers: Answers) -> dict[str, Any]:
    """Success of the novice's own plans among those that were judged: the first ones against the latest."""
    known = (answers.get(d.id) for d in decisions)
    right = [a.feedback.outcome > 0 for a in known if a is not None and a.feedback.outcome != Outcome.UNKNOWN]
    first, last = right[:EFFECT_WINDOW], right[-EFFECT_WINDOW:]
    if len(right) < 2 * EFFECT_WINDOW:
        more = 2 * EFFECT_WINDOW - len(right)
        text = f"{more} more answers until progress can be told"
        return {"before": None, "after": None, "answers": len(right), "text": text}
    before, after = sum(first) / len(first), sum(last) / len(last)
    interval = wilson(sum(last), len(last))
    text = (
        f"{100 * before:.0f} → {100 * after:.0f} % of judged plans right after {len(right)} answers "
        f"({100 * interval.low:.0f}–{100 * interval.high:.0f} %)"
    )
    return {"before": before, "after": after, "answers": len(right), "text": text}
