"""A teacher who says what was said: the answers of a log, and what was amended between them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any

from teaching.gating import Gate
from teaching.plan_lesson import PlanLesson
from teaching.question import Question
from teaching.replay import Event
from teaching.replay.events import UNDOABLE, event_of
from teaching.replay.log import scan
from teaching.types import AskbackError, BadInput, Feedback

AMENDS = tuple(kind for kind in UNDOABLE if kind != "answer")


class Diverged(AskbackError):
    """A question came that was never answered: from here on the lesson is another."""


def events_of(capsule: dict[str, Any]) -> list[Event]:
    """The log of a capsule; BadInput if it is damaged."""
    try:
        data = base64.b64decode(capsule["log"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"expected the lesson's log in the capsule, got a damaged one: {error}; get it again") from error
    if hashlib.sha256(data).hexdigest() != capsule["log_sha256"]:
        raise BadInput("the log in the capsule is not the one that was put into it; get it again")
    return [event_of(record.seq, record.payload) for record in scan(data).records]


class Recorded:
    """Answers from the record; `lesson` is set once there is one."""

    lesson: PlanLesson

    def __init__(self, capsule: dict[str, Any]) -> None:
        self._events = events_of(capsule)
        self.before: Callable[[int], None] = lambda sequence: None
        """Told of every event before it is said once more, by the number that it had then."""
        self.answers: dict[str, Event] = {}
        for event in self._events:
            if event.kind == "answer" and event.answer is not None:
                self.answers.setdefault(event.answer.decision, event)
        self._said: set[str] = set()
        self._numbers: dict[int, int] = {}
        """Of events: then → now."""
        self._next = 0
        self._last: Event | None = None

    @property
    def left(self) -> int:
        """Answers that were not given yet."""
        return len(self.answers) - len(self._said)

    def __call__(self, question: Question) -> tuple[Feedback, float]:
        """What was said to this question; Diverged if nothing was."""
        event = self.answers.get(question.decision.id)
        if event is None or event.answer is None:
            raise Diverged(f"plan {question.decision.id} was asked about now, and was not then")
        self._amend(event.seq)
        self.before(event.seq)
        self._said.add(question.decision.id)
        self._last = event
        return event.answer.feedback, event.answer.seconds

    def _amend(self, until: int) -> None:
        """Say what was said between the answer before and this one, other than answers."""
        if self._last is not None:
            given = self._last.answer
            for now in reversed(self.lesson.buffer.history()):
                if given is not None and now.kind == "answer" and now.body["decision"] == given.decision:
                    self._numbers[self._last.seq] = now.seq
                    break
        while self._next < len(self._events) and self._events[self._next].seq < until:
            event = self._events[self._next]
            self._next += 1
            if event.kind == "config" or event.kind in AMENDS:
                self.before(event.seq)
            if event.kind == "config" and "gate" in event.body:
                self.lesson.set_gate(Gate(**event.body["gate"]))
            elif event.kind in AMENDS:
                body = dict(event.body)
                if event.kind == "undo":
                    body["event"] = self._numbers.get(int(body["event"]), int(body["event"]))
                self._numbers[event.seq] = self.lesson.buffer.say(event.kind, event.answer or body)
