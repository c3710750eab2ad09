"""History → rows and demonstrations in force: what follows from answers (`teaching.feedback`), less the deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from teaching.feedback import Consequence, Fier, consequences, rows_of
from teaching.gating import Gate
from teaching.replay.events import Said
from teaching.types import Answer, BadInput, Decision, Demonstration, Kind, Rows

_Row = tuple[float, int, int, str, str | None]
_NAN = float("nan")


@dataclass(frozen=True)
class Folded:
    """What the gate, PIER and training read."""

    rows: Rows
    demonstrations: tuple[Demonstration, ...]


class Folder:
    """Folds a lesson's history again and again; what followed from an answer before is remembered."""

    def __init__(self, lesson: Mapping[str, Any]) -> None:
        self._switches, self._gate = _rules(lesson)
        self._known: dict[str, tuple[Decision, Answer | None, bool, Consequence]] = {}

    def fold(self, decisions: Iterable[Decision], said: Said, offline: Iterable[Demonstration] = ()) -> Folded:
        """Rows in the order of the decisions; offline pairs come first, since they were there before.

        A deleted demonstration leaves its decision's row, without it; a deleted relabelled or offline one nothing.
        """
        kept = [d for d in offline if d.kind is Kind.OFFLINE and d.id not in said.deleted]
        rows: list[_Row] = [(_NAN, 0, d.update, d.decision, d.id) for d in kept]
        for decision in decisions:
            if decision.id in said.withdrawn or decision.episode in said.dropped:
                continue
            result = self.consequence(decision, said)
            stored = [d for d in result.demonstrations if d.id not in said.deleted]
            own = next((d.id for d in stored if d.kind is not Kind.RELABELLED), None)
            rows.append((decision.plan.uncertainty, int(result.outcome), decision.update, decision.id, own))
            rows += [(_NAN, 0, decision.update, decision.id, d.id) for d in stored if d.kind is Kind.RELABELLED]
            kept += stored
        return Folded(rows_of(rows), tuple(kept))

    def consequence(self, decision: Decision, said: Said) -> Consequence:
        """What follows from the answer in force, if there is one."""
        answer, failed = said.answers.get(decision.id), decision.id in said.failed
        known = self._known.get(decision.id)
        if known and known[0] is decision and known[1] is answer and known[2] is failed:
            return known[3]
        given = [] if answer is None else [answer]
        failures = (decision.id,) if failed else ()
        ((_, result),) = consequences([decision], given, self._switches, self._gate, failed=failures)
        self._known[decision.id] = (decision, answer, failed, result)
        return result


def _rules(lesson: Mapping[str, Any]) -> tuple[Fier, Gate]:
    """What of a lesson's plain values decides what follows from an answer; what they lack is as published."""
    try:
        gate = Gate(**lesson.get("gate", {}))
    except TypeError as error:
        raise BadInput(f"expected a gate's settings in the lesson, got {lesson['gate']}: {error}") from error
    return Fier(bool(lesson.get("validation", True)), bool(lesson.get("relabelling", True))), gate
