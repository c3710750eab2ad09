"""A rollout lesson from scene to scene: how an episode begins, how it ends, and that it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import numpy as np

from robot_io.arm import ArmError
from robot_io.remote_stream import StreamArm
from teaching.keeping import Keeper
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.lesson_thread import LessonThread
from teaching.policies.flow import FlowPolicy
from teaching.replay import ReplayBuffer
from teaching.rollout_arm import LOOK_SECONDS, Beat, RolloutArm
from teaching.rollout_draft import RolloutDraft
from teaching.rollout_facts import facts_of
from teaching.rollout_phases import PROTOCOLS, Event, Phase, Rules, after
from teaching.rollout_pilot import Pilot
from teaching.rollout_rounds import Rounds
from teaching.rollout_sense import Sense
from teaching.rollout_states import grippers
from teaching.rollout_task import make_rollout_task
from teaching.segments import NONE
from teaching.types import Array, BadInput, Plan


class Stand(StrEnum):
    """Where the lesson is between episodes; within one, the table's phase says it."""

    STARTING = "starting"
    EPISODE = "episode"
    CALLING = "calling"
    SAVING = "saving"
    RESETTING = "resetting"
    STOPPED = "stopped"
    FAULT = "fault"
    ENDED = "ended"


class RolloutEpisodes(LessonThread):
    """Scenes and ends. A subclass says what happens in between."""

    def __init__(
        self,
        buffer: ReplayBuffer,
        arm: StreamArm,
        policy: FlowPolicy,
        learning: Learning,
        *,
        scripted: bool = False,
        clock: Callable[[], float] = time.time,
        beside: bool = True,
    ) -> None:
        """A lesson over an open buffer and a connected arm.

        Args:
            buffer: its `lesson` is a LessonConfig's `to_json`, of kind "rollout".
            arm: whose tip can be moved; better a scene.
            policy: the novice.
            learning: trains it.
            scripted: a program teaches: it is asked about every row, and nobody waits between two looks.
            clock: Unix seconds.
            beside: commit episodes on a thread of its own.
        """
        super().__init__()
        self.buffer, self.policy, self.learning, self.clock = buffer, policy, learning, clock
        self.config = LessonConfig.from_json(buffer.lesson)
        self.task = make_rollout_task(self.config.task)
        self.rules: Rules = PROTOCOLS.get(self.config.protocol, Rules())
        self.rounds = Rounds(buffer, self.config)
        self.sense = Sense(buffer, self.task)
        self.rng = np.random.default_rng([abs(self.config.seed), self.rounds.begun, 7])
        self.pilot = Pilot(policy, self.task, self.rng, 1 if scripted else None)
        self.hand = RolloutArm(arm, self.post, 0.0 if scripted else LOOK_SECONDS)
        if self.config.observe == "pictures":
            self.hand.see()
        if self.config.film:
            self.hand.watch()
        self.keeper = Keeper(buffer, self.post, beside=beside)
        self.phase, self.stand, self.message = Phase.READY, Stand.STARTING, ""
        self.draft: RolloutDraft | None = None
        self.beat: Beat | None = None
        self.plan: Plan | None = None
        self._then = Stand.RESETTING
        self.split = self.config.split
        """Of the scene under way."""
        self.ahead = not scripted
        """The rest of a plan goes on while the next is thought of; off makes runs reproducible."""
        self.going = False
        """Episodes begin by themselves."""
        learning.connect(self.post)

    def observe(self, beat: Beat) -> None:
        """What the novice makes of how things are."""

    # -- scenes ------------------------------------------------------------------------------------------------------

    def new_scene(self) -> None:
        """Begin an episode: a new scene where there is one."""
        self.stand, self.phase, self.plan = Stand.RESETTING, Phase.READY, None
        adopted = self.learning.adopt(self.policy)
        if adopted:
            self.message = f"model {self.policy.version} drives from now on"
            self.sense.learn()
        self.pilot.forget()
        self.draft = self.rounds.begin(self.clock(), self.task.goal, self.policy.version)
        self.draft.arms = self.task.arms
        self.split = self.wanted_split()

    def wanted_split(self) -> str:
        """Of the next scene."""
        return self.config.split

    def arrived(self, beat: Beat) -> None:
        """The scene is ready: wait for a start, or begin."""
        assert self.draft is not None
        self.beat, self.stand = beat, Stand.EPISODE
        self.draft.first = self.draft.head = self.draft.seen = int(beat.now["tick"])
        self.sense.begin(self.policy.version)
        self.observe(beat)
        if self.going:
            self.later(self.set_off)

    def set_off(self) -> None:
        """The policy begins; a subclass says when it may."""
        self.happen(Event.START)

    # -- ends --------------------------------------------------------------------------------------------------------

    def happen(self, event: Event) -> None:
        """An event of the table; BadInput if it means nothing now, and then nothing changed."""
        aided = self.draft is not None and self.draft.intervention > NONE
        self.phase = after(self.phase, event, self.rules, aided=aided)
        if self.phase is Phase.POLICY:
            self.pilot.forget()
        if self.phase.end is not None:
            self._over()

    def end_with(self, event: Event, reason: str = "") -> None:
        """An event that ends the episode, and why."""
        if self.draft is not None:
            self.draft.reason = reason
        self.happen(event)

    def lost(self, stand: Stand) -> None:
        """Stopped, or contact lost: the episode is kept and marked."""
        self.going = False
        if self.draft is not None and self.phase.segment is not None and self.stand in (Stand.EPISODE, Stand.CALLING):
            self.draft.reason = self.message
            self.phase = after(self.phase, Event.LOST, self.rules)
            self._over(stand)
        elif self.stand not in (Stand.SAVING, Stand.ENDED):
            self.stand = stand

    def _over(self, then: Stand = Stand.RESETTING) -> None:
        """The episode has ended: ask where its moves led, then keep it."""
        draft, self.draft = self.draft, None
        assert draft is not None and self.phase.end is not None
        self._then = then
        self.sense.ended(self.phase.end)
        if self.stand is Stand.EPISODE and self.beat is not None and self.beat.now["controller"] == "policy":
            self.hold()
        draft.end = self.phase.end
        if not draft.ticks:
            self._go_on()
            return
        self.stand = Stand.SAVING
        self.hand.places(draft.joints(), draft)

    def hold(self) -> None:
        """Whoever drives ends; the arm stays where it is."""
        try:
            self.hand.arm.hold()
        except ArmError as error:
            self.message = str(error)

    def finished(self, draft: RolloutDraft, places: Array | None) -> None:
        """An episode that has ended, with where its moves led, (T + 1, 4): keep it, go on."""
        assert draft.end is not None
        facts = facts_of(draft, self.config, self.task, self.split, self.hand.features.rate)
        draft.pictures, filmed = self.hand.filmed(draft.ticks)
        facts |= filmed
        draft.finish(draft.end, draft.reason, facts, places, grippers(self.hand.features.joints))
        self.keeper.keep(draft, self.clock())
        if not self.keeper.beside:
            self.keep_told(draft)
        self._go_on()

    def _go_on(self) -> None:
        if self._then is Stand.RESETTING:
            self.new_scene()
        else:
            self.stand = self._then

    def keep_told(self, draft: RolloutDraft) -> None:
        """An episode is durable: have the novice trained if the round is full."""
        if not draft.kept:
            draft.kept = True
            if self.rounds.full(self.policy.version) and self.learning.status.state != "running":
                self.learning.wanted()
            if self.learning.sync and self.learning.due:
                self.learning.train_now(self.policy)
                self.sense.learn()


def need(condition: bool, sentence: str) -> None:
    """BadInput with a sentence unless a condition holds."""
    if not condition:
        raise BadInput(sentence)


def cut(frames: Mapping[str, Any], a: int, b: int) -> dict[str, Any]:
    """Rows [a, b) of the columns."""
    rows = {n: np.asarray(c)[a:b] for n, c in frames.items() if isinstance(c, np.ndarray) and n != "observation"}
    return {**rows, "observation": {n: np.asarray(c)[a:b] for n, c in frames["observation"].items()}}
