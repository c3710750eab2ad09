"""The question-and-answer lesson (Algorithm 1 of ASkDAgger, for a person).

Per decision the novice plans, the gate weighs, a query waits for feedback (FIER), the arm carries out what follows.
Where the arm can foresee, the next question is worked out while it still moves, and compared with what came about.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from robot_io.arm import ArmError, Refused, Table, Unreachable
from teaching.blinding import NEVER, Blinding, Blinds, say_twice
from teaching.episode_draft import EpisodeDraft
from teaching.feedback import consequence
from teaching.gating import Gate
from teaching.history_view import sureness
from teaching.learning import Learning
from teaching.models import promote
from teaching.phases import Phase
from teaching.plan_moves import Foresight, PlanMoves
from teaching.policies.base import Policy
from teaching.question import Question
from teaching.replay import ReplayBuffer
from teaching.resuming import taken_up
from teaching.types import Answer, BadInput, Decision, Feedback, Outcome
from teaching.world import Moment

REPLAN_AFTER = 10.0
"""Seconds a question must have been on screen, untouched, before a better novice may replace it."""
CHECK_SECONDS = 0.15
"""How long an answer may wait for the check that its demonstration can be reached."""


class PlanLesson(PlanMoves):
    """The asking half, and what a person may do."""

    def __init__(
        self,
        buffer: ReplayBuffer,
        arm: Table,
        policy: Policy,
        learning: Learning,
        *,
        teacher: Callable[[Question], tuple[Feedback, float]] | None = None,
        clock: Callable[[], float] = time.time,
        ahead: bool = True,
    ) -> None:
        """As `PlanMoves`.

        Args:
            teacher: answers at once, on this thread (an oracle), and says how many seconds that would have cost a
                person; None: answers come from people, by `answer`.
            ahead: off makes runs reproducible (`--sync`).
        """
        super().__init__(buffer, arm, policy, learning, clock=clock, ahead=ahead, beside=teacher is None)
        self.teacher = teacher
        self.gate = self.config.gate
        self.rng = np.random.default_rng([self.config.seed, self.memory.begun, 7])
        self.question: Question | None = None
        luck = np.random.default_rng([self.config.seed, self.memory.begun, 13])
        self.blinds = Blinds(Blinding.of(buffer.lesson) if teacher is None else NEVER, luck)
        self.revisits: list[Question] = []
        """Questions opened once more by undo, the one on screen last."""

    def handle(self, kind: str, value: Any) -> None:
        """Also: an outcome foreseen, a better novice."""
        if kind == "foreseen":
            self._offer_relabels(value)
        else:
            super().handle(kind, value)
        self._adopt()

    # -- deciding ----------------------------------------------------------------------------------------------------

    def think(self) -> None:
        """Plan, weigh, and ask or act."""
        assert self.moment is not None and self.draft is not None
        left = taken_up(self.draft, self.moment, self.memory)
        decision = left or self._decide(self.moment, self.draft)
        self.draft.add(decision, self.moment)
        self.memory.add(decision, self.moment.observation)
        if decision.asked:
            if left is None:
                self.buffer.ask(decision, self.moment.observation, self.draft.extra(self.moment))
            self._ask(decision, self.moment)
        else:
            self.buffer.note(decision, self.moment.observation, self.draft.extra(self.moment))
            self.go("unasked")
            self.carry_out(decision.plan, None)

    def _decide(self, moment: Moment, draft: EpisodeDraft) -> Decision:
        plan = self.memory.scaled(self.policy(moment.observation, draft.goal, self.rng))
        weighed = self.gate.weigh(self.memory.rows(), plan.uncertainty, self.policy.version, self.rng)
        return Decision(
            draft.next_id(), draft.id, draft.steps, plan, weighed.threshold, weighed.gated, weighed.random,
            self.policy.version, weighed.reason, self.clock(),
        )  # fmt: skip

    def _ask(self, decision: Decision, moment: Moment) -> None:
        self.go("asked")
        self.question = question = Question(decision, moment, shown=self.clock(), blind=self.blinds.hides())
        question.details = self._details(decision)
        question.outcome = self.world.foresee_later(decision.plan.actions, moment)
        self.look_ahead()
        if self.teacher is None:
            question.outcome.add_done_callback(lambda _: self.post("foreseen", question))
        else:
            self._offer_relabels(question)
            feedback, seconds = self.teacher(question)
            self.answer(question, feedback, seconds=seconds)

    def _details(self, decision: Decision) -> dict[str, Any]:
        unknown = list(self.policy.unknown_words(decision.plan.goal))
        return sureness(decision, self.memory.rows()) | {"unknown_words": unknown}

    def _offer_relabels(self, question: Question) -> None:
        """Offer the goals that the plan would in fact achieve, then the scene's others."""
        truth, goal = question.moment.truth, question.decision.plan.goal
        try:
            result = question.outcome.result() if question.outcome else None
        except ArmError as error:
            question.details["unreachable"] = str(error)
            question.details["refused"] = isinstance(error, Refused)
            result = None
        if truth is None:
            return
        achieved = self.task.achieved(goal, truth, result.truth) if result and result.truth else ()
        question.details["achieves"] = len(achieved)
        question.relabels = achieved + tuple(g for g in self.task.goals(truth) if g != goal and g not in achieved)

    # -- answers -----------------------------------------------------------------------------------------------------

    def open_question(self, decision: str) -> Question:
        """The open question of that id; BadInput if it is open no more."""
        for question in [*self.revisits, *([self.question] if self.question else [])]:
            if question.decision.id == decision:
                return question
        raise BadInput("that question is no longer open; the one on the screen is newer")

    def answer(
        self,
        question: Question,
        feedback: Feedback,
        *,
        seconds: float,
        chosen: int = 0,
        teacher: str | None = None,
        anyway: bool = False,
    ) -> int:
        """Take an answer: durable when this returns its sequence number; carried out right after.

        With `anyway` a real arm moves though the rehearsal of the motion went wrong; that is recorded, too.

        Raises:
            BadInput: its demonstration cannot be reached; the question stays open.
            AskbackError: it could not be made durable (disk full); the question stays open.
        """
        if question.repeat:
            self.revisits.remove(question)
            return say_twice(self.buffer, question, feedback, seconds, teacher or self.config.teacher)
        outcome = None if question.again else self._checked(question, feedback, anyway)
        sequence = self._say(question.decision.id, feedback, seconds, chosen, teacher, question.again, question.blind)
        if question.again:
            self.revisits.remove(question)
            self.learning.wanted("an answer was changed")
            return sequence
        self.question = None
        self.go("answered")
        execute = consequence(question.decision, feedback, self.config, self.gate).execute
        foresight = question.outcome if execute is question.decision.plan else outcome
        if anyway:
            self.buffer.say("note", {"rehearsal": "overridden", "decision": question.decision.id, "teacher": teacher})
        self.later(lambda: self.carry_out(execute, foresight, anyway=anyway))
        if (once_more := self.blinds.reopen(self.memory, self.clock())) is not None:
            self.revisits.append(once_more)
        return sequence

    def _say(
        self, decision: str, feedback: Feedback, seconds: float, chosen: int, teacher: str | None, late: bool,
        blind: bool = False,
    ) -> int:  # fmt: skip
        name = teacher or self.config.teacher
        answer = Answer(decision, feedback, name, seconds, late=late, blind=blind, chosen=chosen, time=self.clock())
        return self.buffer.say("answer", answer)

    def _checked(self, question: Question, feedback: Feedback, anyway: bool) -> Foresight | None:
        """Where the demonstration leads; BadInput if it turns out in time that the arm cannot carry it out."""
        if feedback.demonstration is None:
            return None
        outcome = self.world.foresee_later(feedback.demonstration.actions, question.moment)
        try:
            outcome.result(None if self.teacher else CHECK_SECONDS)
        except TimeoutError:
            pass
        except Refused as error:
            if not anyway:
                raise BadInput(f"that was tried in a simulated arm first: {error}") from error
        except Unreachable as error:
            raise BadInput(f"the arm cannot reach there: {error}; click nearer to its middle") from error
        return outcome

    def judge(self, decision: str, outcome: Outcome) -> int:
        """A late verdict on a plan that was carried out unasked."""
        self.memory.find(decision)
        return self._say(decision, Feedback(outcome), 0.0, 0, None, True)

    def undo(self) -> int:
        """Take the last answer back; its question opens once more, and answering it moves nothing."""
        last = self.memory.last_answer()
        if last is None:
            raise BadInput("there is no answer to undo")
        said = self.buffer.say("undo", {"event": last[0]})
        decision = self.memory.find(last[1])
        observation = self.memory.observation(decision.id)
        self.revisits = [q for q in self.revisits if q.decision.id != decision.id]
        again = Question(decision, Moment(observation), shown=self.clock(), again=True)
        again.details = self._details(decision)
        self.revisits.append(again)
        self.learning.wanted("an answer was taken back")
        return said

    def withdraw(self) -> None:
        """The open question is void; nobody can answer it any more."""
        question, self.question = self.question, None
        if question is not None:
            self.buffer.say("withdraw", {"decision": question.decision.id})
            self.memory.drop(question.decision.id)
            if self.draft is not None:
                self.draft.drop()

    def _adopt(self) -> None:
        """Swap in a better novice between two plans; ask anew with it if nobody has begun to answer."""
        question = self.question
        if not self.learning.adopt(self.policy) or question is None or question.draft:
            return
        if self.clock() - question.shown > REPLAN_AFTER:
            self._replan()

    def _replan(self) -> None:
        self.withdraw()
        self.go("withdrawn")
        self.think()

    # -- what else a person may ask ----------------------------------------------------------------------------------

    def pause(self) -> None:
        """No new plans; the arm finishes what it does, an open question stays."""
        self.paused = True

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        if self.phase is Phase.PAUSED:
            self.go("resume")
            self.later(self.think)

    def next_scene(self) -> None:
        """Leave this scene for a new one."""
        if not self.course.idle or self.draft is None:
            raise BadInput("the arm is still moving; ask for a new scene when it has stopped")
        self.abandon("skipped")
        self.later(self.new_scene)

    def try_goal(self, goal: str) -> None:
        """Ask the novice for a goal of one's own in this scene."""
        wording = self.task.check(goal)
        if self.question is None or self.draft is None:
            raise BadInput("a goal can be given while the arm asks; wait for the next question")
        self.draft.goal = self.wanted_goal = wording
        self.later(self._replan)

    def promote(self, name: str) -> int:
        """Go on from another of the lesson's models; recorded. It plans from the next question on."""
        update = self.learning.promote(lambda number: promote(self.buffer.checkpoints, name, number))
        entry = {"update": update, "checkpoint": f"{update:06d}", "parent": name, "promoted": True}
        said = self.buffer.say("training", {"why": "chosen by hand", **entry})
        self.later(self._adopt)
        return said

    def set_gate(self, gate: Gate) -> int:
        """Change when it asks; recorded."""
        said = self.buffer.say("config", {"gate": asdict(gate)})
        self.gate = gate
        return said

    def end(self) -> None:
        """Finish: what is unfinished is committed as it is."""
        self.abandon("ended")
        self.message = " ".join(self.keeper.last_try())
        self.go("end")
        self.ended = True
        self.world.close()
        self.learning.close()
