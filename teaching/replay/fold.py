"""History → rows and demonstrations in force: what follows from answers (`teaching.feedback`), less the deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from teaching.feedback import Fier, consequences, rows_of
from teaching.gating import Gate
from teaching.replay.events import Said
from teaching.types import BadInput, Decision, Demonstration, Kind, Rows

_Row = tuple[float, int, int, str, str | None]


@dataclass(frozen=True)
class Rules:
    """What of a lesson's config decides which demonstrations follow from an answer."""

    switches: Fier
    gate: Gate

    @classmethod
    def of(cls, lesson: Mapping[str, Any]) -> Rules:
        """From a lesson's plain values; what they lack is as published."""
        try:
            gate = Gate(**lesson.get("gate", {}))
        except TypeError as error:
            raise BadInput(f"expected a gate's settings in the lesson, got {lesson['gate']}: {error}") from error
        return cls(Fier(bool(lesson.get("validation", True)), bool(lesson.get("relabelling", True))), gate)


@dataclass(frozen=True)
class Folded:
    """What the gate, PIER and training read."""

    rows: Rows
    demonstrations: tuple[Demonstration, ...]


def fold_history(
    decisions: Sequence[Decision], said: Said, rules: Rules, offline: Iterable[Demonstration] = ()
) -> Folded:
    """Rows in the order of the decisions; offline pairs come first, since they were there before.

    A deleted demonstration leaves its decision's row, without it; a deleted relabelled or offline one leaves nothing.
    """
    kept = [d for d in offline if d.kind is Kind.OFFLINE and d.id not in said.deleted]
    rows: list[_Row] = [(float("nan"), 0, d.update, d.decision, d.id) for d in kept]
    decided = (d for d in decisions if d.id not in said.withdrawn)
    results = consequences(decided, said.answers.values(), rules.switches, rules.gate, failed=said.failed)
    for decision, result in results:
        stored = [d for d in result.demonstrations if d.id not in said.deleted]
        own = next((d.id for d in stored if d.kind is not Kind.RELABELLED), None)
        rows.append((decision.plan.uncertainty, int(result.outcome), decision.update, decision.id, own))
        rows += [(float("nan"), 0, decision.update, decision.id, d.id) for d in stored if d.kind is Kind.RELABELLED]
        kept += stored
    return Folded(rows_of(rows), tuple(kept))
