"""The nouns of `teaching.types` as plain JSON values and back. Numbers come back bit for bit, even inf and NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from teaching.types import Alternative, Answer, BadInput, Decision, Demonstration, Feedback, Kind, Outcome, Plan

Json = dict[str, Any]


def to_bytes(value: Any) -> bytes:
    """UTF-8 JSON; a value that JSON lacks is a BadInput."""
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"expected plain values (text, finite numbers, lists, mappings), got: {error}") from error


def from_bytes(data: bytes) -> Any:
    """The value; BadInput if the bytes are not JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"expected JSON text, got {len(data)} bytes that are none: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain, check_circular=False
)
"""Made once: an answer waits for it. What holds itself runs out of depth instead."""


def _number(value: float) -> float | str:
    """JSON has no infinity and no NaN: they are written as text, "inf", "-inf" and "nan"."""
    number = float(value)
    return number if math.isfinite(number) else str(number)


def plan_json(plan: Plan) -> Json:
    """A plan without its maps."""
    return {
        "actions": plan.actions.tolist(),
        "goal": plan.goal,
        "alternatives": [{"actions": a.actions.tolist(), "weight": a.weight} for a in plan.alternatives],
        "uncertainty": plan.uncertainty,
        "per_step": plan.per_step.tolist(),
        "entropy": plan.entropy.tolist(),
        "policy_version": plan.policy_version,
    }


def plan_of(value: Json) -> Plan:
    """The plan, without maps."""
    return Plan(
        actions=value["actions"],
        goal=value["goal"],
        alternatives=tuple(Alternative(a["actions"], float(a["weight"])) for a in value["alternatives"]),
        uncertainty=float(value["uncertainty"]),
        per_step=value["per_step"],
        entropy=value["entropy"],
        policy_version=int(value["policy_version"]),
    )


def decision_json(decision: Decision) -> Json:
    """A decision; its plan without maps."""
    return {
        "id": decision.id,
        "episode": decision.episode,
        "step": decision.step,
        "plan": plan_json(decision.plan),
        "threshold": _number(decision.threshold),
        "gated": decision.gated,
        "random": decision.random,
        "update": decision.update,
        "reason": decision.reason,
        "time": decision.time,
    }


def decision_of(value: Json) -> Decision:
    """The decision."""
    return Decision(
        id=str(value["id"]),
        episode=str(value["episode"]),
        step=int(value["step"]),
        plan=plan_of(value["plan"]),
        threshold=float(value["threshold"]),
        gated=bool(value["gated"]),
        random=bool(value["random"]),
        update=int(value["update"]),
        reason=str(value["reason"]),
        time=float(value["time"]),
    )


def answer_json(answer: Answer) -> Json:
    """An answer with its whole feedback."""
    feedback = answer.feedback
    return {
        "decision": answer.decision,
        "outcome": int(feedback.outcome),
        "relabel": feedback.relabel,
        "demonstration": None if feedback.demonstration is None else plan_json(feedback.demonstration),
        "teacher": answer.teacher,
        "seconds": answer.seconds,
        "late": answer.late,
        "blind": answer.blind,
        "chosen": answer.chosen,
        "time": answer.time,
    }


def answer_of(value: Mapping[str, Any]) -> Answer:
    """The answer; keys that it does not know are left alone."""
    demonstration = value.get("demonstration")
    return Answer(
        decision=str(value["decision"]),
        feedback=Feedback(
            Outcome(int(value["outcome"])),
            value.get("relabel"),
            None if demonstration is None else plan_of(demonstration),
        ),
        teacher=str(value["teacher"]),
        seconds=float(value["seconds"]),
        late=bool(value.get("late", False)),
        blind=bool(value.get("blind", False)),
        chosen=int(value.get("chosen", 0)),
        time=float(value.get("time", 0.0)),
    )


def demonstration_json(demonstration: Demonstration) -> Json:
    """A demonstration."""
    return {
        "id": demonstration.id,
        "decision": demonstration.decision,
        "kind": demonstration.kind.value,
        "goal": demonstration.goal,
        "actions": demonstration.actions.tolist(),
        "uncertainty": _number(demonstration.uncertainty),
        "outcome": int(demonstration.outcome),
        "update": demonstration.update,
    }


def demonstration_of(value: Json) -> Demonstration:
    """The demonstration."""
    return Demonstration(
        id=str(value["id"]),
        decision=str(value["decision"]),
        kind=Kind(value["kind"]),
        goal=str(value["goal"]),
        actions=value["actions"],
        uncertainty=float(value["uncertainty"]),
        outcome=Outcome(int(value["outcome"])),
        update=int(value["update"]),
    )
