"""What a page may ask of a lesson: one function per intent, each carried out on the lesson's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from robot_io.arm import TableView
from teaching.amending import VERBS, amend
from teaching.gating import Gate
from teaching.plan_lesson import PlanLesson
from teaching.question import spoken
from teaching.types import BadInput, Outcome

Values = Mapping[str, Any]
DRAFT_BYTES = 16_384
GATE_FIELDS = ("kind", "target", "mode", "p_rand", "level", "n_min")


class Intents:
    """The table of intents of one lesson."""

    def __init__(self, lesson: PlanLesson, table: TableView, timeout: float = 30.0) -> None:
        self.lesson, self.table, self.timeout = lesson, table, timeout
        self.names: dict[str, str] = {}
        """Session → the name that its person gave."""
        self._table: dict[str, Callable[[Values], int | None]] = {
            "answer": self._answer,
            "draft": self._draft,
            "undo": lambda values: lesson.undo(),
            "wrong": lambda values: lesson.judge(str(values.get("decision")), Outcome.FAILURE),
            "right": lambda values: lesson.judge(str(values.get("decision")), Outcome.SUCCESS),
            "pause": lambda values: lesson.pause(),
            "resume": lambda values: lesson.resume(),
            "next": lambda values: lesson.next_scene(),
            "train": lambda values: lesson.learning.wanted(),
            "cancel": lambda values: lesson.learning.cancel(),
            "gate": self._gate,
            "goal": lambda values: lesson.try_goal(str(values.get("goal", ""))),
            "practice": lambda values: None,
            "promote": lambda values: lesson.promote(str(values.get("checkpoint"))),
            **{do: partial(self._amend, do) for do in VERBS},
        }

    def carry_out(self, do: str, values: Values, session: str) -> int | None:
        """Carry out an intent and wait until it is durable; its sequence number, if it has one.

        Raises:
            BadInput: not an intent, or its values cannot be used; says what was expected.
        """
        if do not in self._table:
            raise BadInput(f"expected an intent among {', '.join(self._table)}, got {do!r}")
        who = self.names.get(session)
        sequence: int | None = self.lesson.request(lambda: self._table[do]({**values, "teacher": who}), self.timeout)
        return sequence

    def _answer(self, values: Values) -> int:
        question = self.lesson.open_question(str(values.get("query")))
        feedback, chosen = spoken(values, question, self.table)
        try:
            seconds = float(values.get("seconds") or 0.0)
        except (TypeError, ValueError) as error:
            raise BadInput(f"expected seconds as a number, got {values.get('seconds')!r}") from error
        teacher = values.get("teacher")
        return self.lesson.answer(
            question,
            feedback,
            seconds=min(max(seconds, 0.0), 86_400.0),
            chosen=chosen,
            teacher=teacher,
            anyway=values.get("anyway") is True,
        )

    def _draft(self, values: Values) -> None:
        question = self.lesson.open_question(str(values.get("query")))
        draft = values.get("draft")
        if draft is not None and (not isinstance(draft, Mapping) or len(repr(draft)) > DRAFT_BYTES):
            raise BadInput("expected a draft of a few clicks and words")
        question.draft = draft or None

    def _amend(self, do: str, values: Values) -> int:
        return amend(self.lesson.buffer, do, values)

    def _gate(self, values: Values) -> int:
        given = {name: values[name] for name in GATE_FIELDS if values.get(name) is not None}
        try:
            gate: Gate = replace(self.lesson.gate, **given)
        except (TypeError, ValueError) as error:
            raise BadInput(f"that gate cannot be: {error}") from error
        return self.lesson.set_gate(gate)
