"""The question-and-answer lesson (Algorithm 1 of ASkDAgger, for a person).

Per decision the novice plans, the gate weighs, a query waits for feedback (FIER), the arm carries out what follows.
Where the arm can foresee, the next question is worked out while it still moves, and compared with what came about.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any

import numpy as np

from robot_io.arm import ArmError, Stopped, Table, Unreachable
from teaching.episode_draft import EpisodeDraft
from teaching.feedback import consequence
from teaching.gating import Gate
from teaching.history_view import sureness
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.lesson_thread import LessonThread
from teaching.memory import Memory
from teaching.phases import Phase, after
from teaching.policies.base import Policy
from teaching.question import Question
from teaching.replay import ReplayBuffer
from teaching.task import make_task
from teaching.types import Answer, BadInput, Decision, Feedback, Outcome, Plan
from teaching.world import Done, Moment, World, same_scene

Foresight = Future[Moment | None]
REPLAN_AFTER = 10.0
"""Seconds a question must have been on screen, untouched, before a better novice may replace it."""
CHECK_SECONDS = 0.15
"""How long an answer may wait for the check that its demonstration can be reached."""


class PlanLesson(LessonThread):
    """The driver."""

    def __init__(
        self,
        buffer: ReplayBuffer,
        arm: Table,
        policy: Policy,
        learning: Learning,
        *,
        teacher: Callable[[Question], Feedback] | None = None,
        clock: Callable[[], float] = time.time,
        ahead: bool = True,
    ) -> None:
        """A lesson over an open buffer and a connected arm.

        Args:
            buffer: its `lesson` is a LessonConfig's `to_json`.
            arm: with capability "table", better "scene".
            policy: the novice.
            learning: trains it.
            teacher: answers at once, on this thread (an oracle); None: answers come from people, by `answer`.
            clock: Unix seconds.
            ahead: work out the next question while the arm moves; off makes runs reproducible (`--sync`).
        """
        super().__init__()
        self.buffer, self.policy, self.learning, self.teacher, self.clock = buffer, policy, learning, teacher, clock
        self.config = LessonConfig.from_json(buffer.lesson)
        self.gate = self.config.gate
        self.task = make_task(self.config.task)
        self.world = World(arm, self.config.task, self.config.split, lambda done: self.post("done", done))
        self.memory = Memory(buffer, self.config)
        self.ahead = ahead and self.world.is_scene
        self.rng = np.random.default_rng([self.config.seed, self.memory.begun, 7])
        self.phase, self.message, self.paused = Phase.STARTING, "", False
        self.draft: EpisodeDraft | None = None
        self.moment: Moment | None = None
        self.question: Question | None = None
        self.revisits: list[Question] = []
        """Questions opened once more by undo, the one on screen last."""
        self.acting: Decision | None = None
        self._doing: Plan | None = None
        self._closing: EpisodeDraft | None = None
        self._expected: Moment | None = None
        self._preview: Foresight | None = None
        self._moves = 0
        self._then: Callable[[], None] | None = None
        learning.connect(self.post)

    def handle(self, kind: str, value: Any) -> None:
        """An event: a move done, an outcome foreseen, a word of the trainer, a tick."""
        if kind == "done":
            self._done(value)
        elif kind == "foreseen":
            self._offer_relabels(value)
        elif kind == "trainer":
            self.learning.handle(value)
        elif self.phase in (Phase.STOPPED, Phase.FAULT) and self.world.ready():
            self._go("released")
            self.message, self._moves = "", 0
            self._new_scene()
        self._adopt()

    def _go(self, event: str) -> None:
        self.phase = after(self.phase, event)

    # -- scenes ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first scene."""
        self._go("scene")
        self._new_scene()

    def _new_scene(self) -> None:
        """Begin an episode: at once where its scene was previewed, else when the arm has got there."""
        self.policy.reset()
        self.draft = self.memory.begin(self.clock())
        preview, self._preview = self._preview, None
        moment = preview.result() if preview is not None else None
        self._moves += 1
        self.world.reset(self.draft.seed, look=moment is None)
        if moment is not None:
            self._scene(moment)

    def _scene(self, moment: Moment) -> None:
        assert self.draft is not None
        if moment.truth is not None:
            self.draft.goal, self.draft.max_steps = str(moment.truth["goal"]), int(moment.truth["max_steps"])
        self._arrive(moment)

    def _arrive(self, moment: Moment) -> None:
        """The lesson stands at a moment: think, unless paused."""
        self.moment = moment
        self._go("moment")
        if self.paused:
            self._go("pause")
        else:
            self._think()

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _think(self) -> None:
        assert self.moment is not None and self.draft is not None
        decision = self._decide(self.moment, self.draft)
        self.draft.add(decision, self.moment)
        self.memory.add(decision, self.moment.observation)
        if decision.asked:
            self._ask(decision, self.moment)
        else:
            self.buffer.note(decision, self.moment.observation, self.draft.extra(self.moment))
            self._go("unasked")
            self._carry_out(decision.plan, None)

    def _decide(self, moment: Moment, draft: EpisodeDraft) -> Decision:
        plan = self.memory.scaled(self.policy(moment.observation, draft.goal, self.rng))
        weighed = self.gate.weigh(self.memory.rows(), plan.uncertainty, self.policy.version, self.rng)
        return Decision(
            draft.next_id(), draft.id, draft.steps, plan, weighed.threshold, weighed.gated, weighed.random,
            self.policy.version, weighed.reason, self.clock(),
        )  # fmt: skip

    def _ask(self, decision: Decision, moment: Moment) -> None:
        assert self.draft is not None
        self.buffer.ask(decision, moment.observation, self.draft.extra(moment))
        self._go("asked")
        self.question = question = Question(decision, moment, shown=self.clock())
        question.details = self._details(decision)
        question.outcome = self.world.foresee_later(decision.plan.actions, moment)
        if self.teacher is None:
            question.outcome.add_done_callback(lambda _: self.post("foreseen", question))
        else:
            self._offer_relabels(question)
            self.answer(question, self.teacher(question), seconds=0.0)

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
        self, question: Question, feedback: Feedback, *, seconds: float, chosen: int = 0, teacher: str | None = None
    ) -> int:
        """Take an answer: durable when this returns its sequence number; carried out right after.

        Raises:
            BadInput: its demonstration cannot be reached; the question stays open.
            AskbackError: it could not be made durable (disk full); the question stays open.
        """
        outcome = None if question.again else self._checked(question, feedback)
        sequence = self._say(question.decision.id, feedback, seconds, chosen, teacher, question.again)
        if question.again:
            self.revisits.remove(question)
            self.learning.wanted()
            return sequence
        self.question = None
        self._go("answered")
        execute = consequence(question.decision, feedback, self.config, self.gate).execute
        foresight = question.outcome if execute is question.decision.plan else outcome
        self.later(lambda: self._carry_out(execute, foresight))
        return sequence

    def _say(
        self, decision: str, feedback: Feedback, seconds: float, chosen: int, teacher: str | None, late: bool
    ) -> int:
        name = teacher or self.config.teacher
        answer = Answer(decision, feedback, name, seconds, late=late, chosen=chosen, time=self.clock())
        return self.buffer.say("answer", answer)

    def _checked(self, question: Question, feedback: Feedback) -> Foresight | None:
        """Where the demonstration leads; BadInput if it turns out in time that the arm cannot carry it out."""
        if feedback.demonstration is None:
            return None
        outcome = self.world.foresee_later(feedback.demonstration.actions, question.moment)
        try:
            outcome.result(None if self.teacher else CHECK_SECONDS)
        except TimeoutError:
            pass
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
        self.learning.wanted()
        return said

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _carry_out(self, plan: Plan | None, outcome: Foresight | None) -> None:
        """Move, or hold still and end the episode; in its turn, while the arm still moves."""
        if self._moves:
            self._then = lambda: self._carry_out(plan, outcome)
            return
        if self.draft is None or self.moment is None or self.phase is not Phase.ACTING:
            return  # stopped or abandoned in between
        if plan is None:
            self._advance(None, self.moment)
            return
        self.acting, self._doing, self._expected = self.draft.decision, plan, None
        self._moves += 1
        if self.ahead:
            self._preview = self._preview or self.world.preview_later(self.memory.next_seed)
            self._expected = self._foreseen(plan, outcome, self.moment)
        self.world.perform(plan.actions, look=self._expected is None)
        if self._expected is not None:
            self._advance(plan, self._expected)

    def _foreseen(self, plan: Plan, outcome: Foresight | None, moment: Moment) -> Moment | None:
        try:
            return outcome.result() if outcome else self.world.foresee(plan.actions, moment)
        except Unreachable:
            return None  # the arm itself says so when it is told to move

    def _advance(self, plan: Plan | None, then: Moment) -> None:
        """A plan was carried out, or surely will be: what it earned, and what comes next."""
        assert self.draft is not None
        self.draft.carried_out(plan, then, self.task)
        if not self.draft.end:
            self._arrive(then)
            return
        closing, self.draft = self.draft, None
        self._go("over")
        if self._expected is not None:
            self._closing = closing  # committed once the arm has really finished it
        else:
            self._commit(closing)
        self._new_scene()

    def _commit(self, closing: EpisodeDraft) -> None:
        """Make the episode durable, then have the novice trained if it stored something."""
        if not closing.moments:
            return
        self.buffer.append(closing.episode(self.clock()))
        if self.memory.committed(closing):
            self.learning.stored(self.memory.storing_episodes)
        if self.learning.sync and self.learning.due and self.phase is Phase.RESETTING:
            self._go("train")
            self.learning.train_now(self.policy)
            self._go("trained")

    def _done(self, done: Done) -> None:
        self._moves = max(self._moves - 1, 0)
        if done.error is not None:
            self._failed(done.error)
        elif done.kind == "performed" and done.moment is not None:
            self._performed(done.moment)
        elif self.phase is Phase.RESETTING and done.moment is not None:
            self._scene(done.moment)
        if self._then is not None and not self._moves:
            then, self._then = self._then, None
            then()

    def _performed(self, moment: Moment) -> None:
        expected, self._expected = self._expected, None
        closing, self._closing = self._closing, None
        self.acting = None
        if expected is None:
            if self.draft is not None and self.phase is Phase.ACTING:
                self._advance(self._doing, moment)
            return
        same = same_scene(expected.truth, moment.truth)
        if closing is not None:
            if not same:
                closing.correct(moment, self.task)
            self._commit(closing)
        elif not same:
            self.message = "the arm ended up elsewhere than foreseen, so the scene begins anew"
            self._abandon("diverged")
            self._new_scene()

    def _failed(self, error: ArmError) -> None:
        """The arm refused, stopped or vanished: hold still, lose nothing, go on when a person lets it."""
        self.message = str(error)
        self._abandon("unreachable" if isinstance(error, Unreachable) else "stopped")
        if isinstance(error, Unreachable):
            self._new_scene()
        else:
            self._go("stopped" if isinstance(error, Stopped) else "lost")

    def _abandon(self, end: str) -> None:
        """Give up what is under way; all that was answered is kept."""
        self._withdraw()
        left = [draft for draft in (self._closing, self.draft) if draft is not None]
        self._closing = self._expected = self._then = self.acting = self.draft = self._preview = None
        self._go("abandoned")
        for draft in left:
            draft.end = draft.end or end
            self._commit(draft)

    def _withdraw(self) -> None:
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
        self._withdraw()
        self._go("withdrawn")
        self._think()

    # -- what else a person may ask ----------------------------------------------------------------------------------

    def pause(self) -> None:
        """No new plans; the arm finishes what it does, an open question stays."""
        self.paused = True

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        if self.phase is Phase.PAUSED:
            self._go("resume")
            self.later(self._think)

    def next_scene(self) -> None:
        """Leave this scene for a new one."""
        if self._moves or self.draft is None:
            raise BadInput("the arm is still moving; ask for a new scene when it has stopped")
        self._abandon("skipped")
        self.later(self._new_scene)

    def try_goal(self, goal: str) -> None:
        """Ask the novice for a goal of one's own in this scene."""
        wording = self.task.check(goal)
        if self.question is None or self.draft is None:
            raise BadInput("a goal can be given while the arm asks; wait for the next question")
        self.draft.goal = wording
        self.later(self._replan)

    def set_gate(self, gate: Gate) -> int:
        """Change when it asks; recorded."""
        said = self.buffer.say("config", {"gate": asdict(gate)})
        self.gate = gate
        return said

    def end(self) -> None:
        """Finish: what is unfinished is committed as it is."""
        self._abandon("ended")
        self._go("end")
        self.ended = True
        self.world.close()
        self.learning.close()
