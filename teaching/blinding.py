"""Questions that tell how steady a teacher's answers are: some hide the novice's confidence, some come twice.

Whoever sees how sure the novice is tends to agree with it; comparing answers with it hidden and shown tells how much.
A question asked twice tells how often the teacher agrees with themselves. Its second answer changes nothing else.
"""

from __future__ import annotations

import numpy as np

from teaching.lesson import Blinding as Blinding
from teaching.memory import Memory
from teaching.question import Question
from teaching.replay import ReplayBuffer
from teaching.types import Answer, Decision, Feedback, Outcome
from teaching.world import Moment

APART = 5
"""Answers that lie between a question and its repetition, at least."""
BACK = 60
"""Answers, counted from the latest, that may be repeated."""


NEVER = Blinding(0.0, 0.0)


class Blinds:
    """Draws which question hides, and which comes twice; has its own generator, so that scenes do not depend on it."""

    def __init__(self, how: Blinding, rng: np.random.Generator) -> None:
        self.how, self._rng = how, rng
        self._again: set[str] = set()

    def hides(self) -> bool:
        """Whether the next question hides the novice's confidence."""
        return bool(self._rng.random() < self.how.hidden)

    def reopen(self, memory: Memory, shown: float) -> Question | None:
        """Now and then an earlier question, to be asked once more: never one of doubt, and each only once."""
        if self._rng.random() >= self.how.repeated:
            return None
        answers = memory.buffer.answers()
        old = [d for d in list(answers)[-BACK:-APART] if _plain(answers[d]) and d not in self._again]
        if not old:
            return None
        decision: Decision = memory.find(old[int(self._rng.integers(len(old)))])
        self._again.add(decision.id)
        moment = Moment(memory.observation(decision.id))
        return Question(decision, moment, shown=shown, again=True, blind=True, repeat=True)


def _plain(answer: Answer) -> bool:
    return not answer.late and answer.feedback.outcome != Outcome.UNKNOWN


def say_twice(buffer: ReplayBuffer, question: Question, feedback: Feedback, seconds: float, teacher: str) -> int:
    """Keep a second answer beside the first, which stays the one that counts; its number."""
    first = buffer.answers().get(question.decision.id)
    outcome = None if first is None else int(first.feedback.outcome)
    body = {
        "what": "repeat",
        "decision": question.decision.id,
        "first": outcome,
        "second": int(feedback.outcome),
        "same": outcome == int(feedback.outcome),
        "seconds": seconds,
        "teacher": teacher,
    }
    return buffer.say("note", body)
