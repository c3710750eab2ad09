"""How a plan lesson moves through scenes: episodes, the arm's course, what came about. Asking is `plan_lesson`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from robot_io.arm import ArmError, Stopped, Table, Unreachable
from teaching.course import Course, Move
from teaching.episode_draft import EpisodeDraft
from teaching.keeping import Keeper
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.lesson_thread import LessonThread
from teaching.memory import Memory
from teaching.phases import Phase, after
from teaching.policies.base import Policy
from teaching.replay import Episode, ReplayBuffer
from teaching.resuming import left_open
from teaching.task import make_task
from teaching.types import AskbackError, Plan
from teaching.world import Done, Moment, World, same_scene

Foresight = Future[Moment | None]


class PlanMoves(LessonThread):
    """The moving half. A subclass says how it thinks, and how it withdraws a question that became void."""

    def __init__(
        self,
        buffer: ReplayBuffer,
        arm: Table,
        policy: Policy,
        learning: Learning,
        *,
        clock: Callable[[], float] = time.time,
        ahead: bool = True,
        beside: bool = True,
    ) -> None:
        """A lesson over an open buffer, with what a crash left in it kept or taken up, and a connected arm.

        Args:
            buffer: its `lesson` is a LessonConfig's `to_json`.
            arm: with capability "table", better "scene".
            policy: the novice.
            learning: trains it.
            clock: Unix seconds.
            ahead: work out the next question while the arm moves.
            beside: commit episodes on a thread of its own.
        """
        super().__init__()
        self.buffer, self.policy, self.learning, self.clock = buffer, policy, learning, clock
        self.config = LessonConfig.from_json(buffer.lesson)
        self.task = make_task(self.config.task)
        self.world = World(arm, self.config.task, self.config.split, lambda done: self.post("done", done))
        self._left = left_open(buffer, arm)
        buffer.salvage(but=self._left)
        self.memory = Memory(buffer, self.config)
        self.ahead = ahead and self.world.is_scene
        self.blind = ""
        """What is wrong with the arm's camera."""
        self.phase, self.message, self.paused = Phase.STARTING, "", False
        self.wanted_goal = next((d.plan.goal for d in reversed(self.memory.decisions)), self.task.example)
        """What is asked of an arm that is not told its scene's goal: the last one that a person gave."""
        self.draft: EpisodeDraft | None = None
        self.moment: Moment | None = None
        self.course = Course(self.world, self.ahead)
        self.keeper = Keeper(buffer, self.post, beside=beside)
        self._preview: Foresight | None = None
        self._then: Callable[[], None] | None = None
        learning.connect(self.post)
        learning.diary = self._write_down

    def think(self) -> None:
        """Decide what to do at this moment: ask, or `carry_out`."""
        raise AssertionError("a lesson says how it thinks")

    def withdraw(self) -> None:
        """The open question, if any, is void."""

    def handle(self, kind: str, value: Any) -> None:
        """An event: a move done, an episode kept or not, a word of the trainer, a tick."""
        if kind == "done":
            self._done(value)
        elif kind == "trainer":
            self.learning.handle(value)
        elif kind == "kept":
            self._kept(value)
        elif kind == "unkept":
            self.message = f"an episode waits to be stored: {value}"
        elif kind == "tick":
            self._tick()

    def _write_down(self, entry: Mapping[str, Any]) -> None:
        """A training is over: a line of the log, with what it drew."""
        try:
            self.buffer.say("training", entry)
        except AskbackError as error:
            self.message = f"how the training went could not be written down: {error}"

    def _tick(self) -> None:
        self.keeper.retry()
        self._blinded(self.world.trouble())
        if self.phase in (Phase.STOPPED, Phase.FAULT) and self.world.ready():
            self.go("released")
            self.message = ""
            self.new_scene()

    def _blinded(self, trouble: str) -> None:
        """A camera fails, or does no more: tell. The arm is held meanwhile, and whatever is under way then goes on."""
        if trouble != self.blind:
            self.blind = trouble
            self.message = (
                f"{trouble}. The lesson waits, and goes on by itself when pictures come again" if trouble else ""
            )

    def go(self, event: str) -> None:
        """To the next phase, by the table."""
        self.phase = after(self.phase, event)

    # -- scenes ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first scene; the one of a question that a crash left open, if there is one."""
        self.go("scene")
        self.new_scene(self._left)

    def new_scene(self, left: Episode | None = None) -> None:
        """Begin an episode: at once where its scene was previewed, else when the arm has got there."""
        self.policy.reset()
        self.draft = self.memory.take_up(left) if left else self.memory.begin(self.clock())
        self.world.splits[self.draft.seed] = self.draft.split
        preview, self._preview = self._preview, None
        moment = preview.result() if preview is not None else None
        self.course.reset(self.draft.seed, look=moment is None)
        if moment is not None:
            self._scene(moment)

    def _scene(self, moment: Moment) -> None:
        assert self.draft is not None
        if moment.truth is not None:
            self.draft.goal, self.draft.max_steps = str(moment.truth["goal"]), int(moment.truth["max_steps"])
        else:
            self.draft.goal = self.wanted_goal
        self._arrive(moment)

    def _arrive(self, moment: Moment) -> None:
        """The lesson stands at a moment: think, unless paused."""
        self.moment = moment
        self.go("moment")
        if self.paused:
            self.go("pause")
        else:
            self.think()

    # -- carrying out ------------------------------------------------------------------------------------------------

    def carry_out(self, plan: Plan | None, outcome: Foresight | None, *, anyway: bool = False) -> None:
        """Move, or hold still and end the episode; in its turn, while the arm is too far behind.

        Args:
            plan: what to do, if anything.
            outcome: where it leads, if that is being found out.
            anyway: a person wants it though its rehearsal went wrong.
        """
        if self.course.full:
            self._then = lambda: self.carry_out(plan, outcome, anyway=anyway)
            return
        if self.draft is None or self.moment is None or self.phase is not Phase.ACTING:
            return  # stopped or abandoned in between
        if plan is None:
            self._advance(None, self.moment)
            return
        expected = None
        if self.ahead:
            self.look_ahead()
            expected = self._foreseen(plan, outcome, self.moment)
        self.course.perform(Move(self.draft.decision, plan, self.draft, expected, anyway=anyway))
        if expected is not None:
            self._advance(plan, expected)

    def look_ahead(self) -> None:
        """Have the next scene previewed, beside; it is needed as soon as this one is over."""
        if self.ahead and self._preview is None:
            self.world.splits[self.memory.next_seed] = self.memory.next_split
            self._preview = self.world.preview_later(self.memory.next_seed)

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
        self.go("over")
        if self.course.moves and self.course.moves[-1].draft is closing:
            self.course.moves[-1].last = True  # kept once the arm has really finished it
        else:
            self._keep(closing)
        self.later(self.new_scene)

    def _keep(self, closing: EpisodeDraft) -> None:
        self.keeper.keep(closing, self.clock())
        if self.keeper.beside:
            return
        if self.learning.sync and self._kept(closing) and self.learning.due:
            self.go("train")
            self.learning.train_now(self.policy)
            self.go("trained")

    def _kept(self, draft: EpisodeDraft) -> bool:
        """An episode is durable: have the novice trained if it stored something."""
        if draft.kept:
            return False
        draft.kept = True
        stored = self.memory.committed(draft)
        if stored:
            self.learning.stored(self.memory.storing_episodes)
        return stored

    def _done(self, done: Done) -> None:
        self._blinded(str(done.error) if done.kind == "blind" else "")
        if done.kind == "blind":
            return
        if done.error is not None:
            self._failed(done.error)
        elif done.kind == "performed" and done.moment is not None:
            self._performed(self.course.performed(), done.moment)
        else:
            self.course.was_reset()
            if self.phase is Phase.RESETTING and done.moment is not None and "colour" in done.moment.observation:
                self._scene(done.moment)
        if self._then is not None and not self.course.full:
            then, self._then = self._then, None
            then()

    def _performed(self, move: Move, moment: Moment) -> None:
        if move.expected is None:
            self._advance(move.plan, moment)
            return
        same = same_scene(move.expected.truth, moment.truth)
        if move.last:
            if not same:
                move.draft.correct(moment, self.task)
            self._keep(move.draft)
        elif not same:
            self.message = "the arm ended up elsewhere than foreseen, so the scene begins anew"
            self.abandon("diverged")
            self.later(self.new_scene)

    def _failed(self, error: ArmError) -> None:
        """The arm refused, stopped or vanished: hold still, lose nothing, go on when a person lets it."""
        self.message = str(error)
        self.abandon("unreachable" if isinstance(error, Unreachable) else "stopped")
        if isinstance(error, Unreachable):
            self.later(self.new_scene)
        else:
            self.go("stopped" if isinstance(error, Stopped) else "lost")

    def abandon(self, end: str) -> None:
        """Give up what is under way; all that was answered is kept."""
        self.withdraw()
        left = self.course.clear(end)
        if self.draft is not None and self.draft not in left:
            left.append(self.draft)
        self._then = self.draft = self._preview = None
        self.go("abandoned")
        for draft in left:
            draft.end = draft.end or end
            self._keep(draft)
