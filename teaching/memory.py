"""What a lesson remembers between plans: the history that the gate reads, what was answered, how far it has come."""

from __future__ import annotations

from dataclasses import replace

from robot_io.arm import Observation
from teaching.episode_draft import EpisodeDraft
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
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
        self.storing_episodes = len({_episode(d.decision) for d in buffer.demonstrations()})

    # -- episodes ----------------------------------------------------------------------------------------------------

    @property
    def next_seed(self) -> int:
        """Of the next scene: even, ten thousand to a run (section 6 of the spec)."""
        return 10_000 * self.config.seed + 2 * self.begun

    def begin(self, started: float) -> EpisodeDraft:
        """The draft of the next episode."""
        config, seed = self.config, self.next_seed
        self.begun += 1
        return EpisodeDraft(self.buffer.next_episode(), seed, config.task, config.split, config.teacher, started)

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
