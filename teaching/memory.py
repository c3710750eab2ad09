"""What a lesson remembers between plans: the history that the gate reads, what was answered, how far it has come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robot_io.arm import Observation
from teaching.episode_draft import EpisodeDraft
from teaching.lesson import LessonConfig
from teaching.replay import Episode, ReplayBuffer
from teaching.skills import by_word, choose, named
from teaching.tasks import sequence
from teaching.types import BadInput, Decision, Plan, Rows
from teaching.uncertainty import EntropyScale

KEPT = 60
"""Observations held in memory for undo; older ones are read from their files."""


class Memory:
    """Lives on the lesson's thread, over the buffer that holds the truth."""

    def __init__(self, buffer: ReplayBuffer, config: LessonConfig) -> None:
        self.buffer, self.config = buffer, config
        self.scale = EntropyScale()
        self.decisions: list[Decision] = []
        for decision in buffer.decisions():
            if len(decision.plan.entropy):
                self.scale = self.scale.update(decision.plan.entropy).scale
            self.decisions.append(decision)
        self.kept: dict[str, Observation] = {}
        """Observations of the latest decisions, for undo."""
        self.begun = len(buffer.episodes())
        self._split = (-1, config.split)
        self.storing_episodes = len({_episode(d.decision) for d in buffer.demonstrations()})

    # -- episodes ----------------------------------------------------------------------------------------------------

    @property
    def next_seed(self) -> int:
        """Of the next scene: even, ten thousand to a run (section 6 of the spec)."""
        return 10_000 * self.config.seed + 2 * self.begun

    @property
    def next_split(self) -> str:
        """What the next scene is made of; the same however often it is asked."""
        if self._split[0] != self.begun:
            self._split = (self.begun, self._chosen())
        return self._split[1]

    def _chosen(self) -> str:
        """The lesson's split or stage, or goals about one word that the novice is weak in: every second scene."""
        config, rng = self.config, np.random.default_rng([self.config.seed, self.begun, 5])
        if config.task == sequence.NAME:
            return sequence.stage_after(config.split, self.storing_episodes, config.stage_episodes)
        if config.scenes == "random" or rng.random() < 0.5:
            return config.split
        goals = {d.id: d.plan.goal for d in self.decisions}
        rows = self.rows()
        outcomes = zip(rows.decision, rows.outcome, rows.uncertainty, strict=True)
        judged = [(goals[d], int(r)) for d, r, u in outcomes if d in goals and r and np.isfinite(u)]
        rates = by_word(config.task, judged, named(config.task, (goal for goal, _ in judged)))
        return f"only:{choose(rates, rng, config.scenes)}" if rates else config.split

    def begin(self, started: float) -> EpisodeDraft:
        """The draft of the next episode."""
        return self._draft(self.buffer.next_episode(), self.next_seed, self.next_split, started)

    def take_up(self, left: Episode) -> EpisodeDraft:
        """The draft of an episode whose first question a crash left open."""
        draft = self._draft(left.id, left.seed, left.split, left.started)
        draft.left = left
        draft.next_id()
        return draft

    def _draft(self, id: str, seed: int, split: str, started: float) -> EpisodeDraft:
        self.begun += 1
        return EpisodeDraft(id, seed, self.config.task, split, self.config.teacher, started)

    def committed(self, episode: EpisodeDraft) -> bool:
        """An episode is durable; whether it stored at least one demonstration."""
        stored = any(_episode(d) == episode.id for d in self.rows().demonstration if d)
        self.storing_episodes += stored
        return stored

    # -- decisions ---------------------------------------------------------------------------------------------------

    def scaled(self, plan: Plan) -> Plan:
        """The plan with its uncertainty over the running maxima of this lesson (section 5 of the spec)."""
        self.scale, per_step, uncertainty = self.scale.update(plan.entropy)
        return replace(plan, per_step=per_step, uncertainty=uncertainty)

    def add(self, decision: Decision, observation: Observation) -> None:
        """A decision was made."""
        self.decisions.append(replace(decision, plan=replace(decision.plan, maps={})))
        self.kept[decision.id] = observation
        while len(self.kept) > KEPT:
            del self.kept[next(iter(self.kept))]

    def drop(self, decision: str) -> None:
        """Its question is void: it counts in no history."""
        self.decisions = [d for d in self.decisions if d.id != decision]

    def rows(self) -> Rows:
        """The history as SAG and PIER read it."""
        return self.buffer.rows()

    def find(self, decision: str) -> Decision:
        """The decision of that id; BadInput if there is none."""
        for known in reversed(self.decisions):
            if known.id == decision:
                return known
        raise BadInput(f"expected a plan of this lesson, got {decision!r}")

    def observation(self, decision: str) -> Observation:
        """What was seen at it."""
        return self.kept.get(decision) or self.buffer.observation(decision)

    def last_answer(self) -> tuple[int, str] | None:
        """Sequence number and decision of the last answer in force: what undo takes back."""
        for event in reversed(self.buffer.history()):
            if event.kind in ("answer", "verdict") and not event.undone:
                return event.seq, str(event.body["decision"])
        return None


def _episode(decision: str) -> str:
    """The episode of a decision's, or a demonstration's, id."""
    return decision.split("-", 1)[0]
