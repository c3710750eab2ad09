"""An episode while it happens: what was seen, decided and done so far, and when it is over."""

from __future__ import annotations

from typing import Any

from teaching.replay import Episode, Step
from teaching.task import Task
from teaching.types import Array, Decision, Plan
from teaching.world import Moment

_TERMINATED = ("done",)
_INTERRUPTED = ("stopped", "diverged", "ended")


class EpisodeDraft:
    """Grows by one step per decision."""

    def __init__(self, id: str, seed: int, task: str, split: str, teacher: str, started: float) -> None:
        self.id, self.seed, self.task, self.split, self.teacher, self.started = id, seed, task, split, teacher, started
        self.goal = ""
        self.max_steps = 1
        self.progress = 0.0
        self.end = ""
        """Why it is over, in words; empty while it goes on."""
        self.moments: list[Moment] = []
        self.decisions: list[Decision] = []
        self.executed: list[Array | None] = []
        self.rewards: list[float] = []
        self.kept = False
        self.left: Episode | None = None
        """What a crash left of it: the question to be asked once more."""
        self._made = 0

    @property
    def decision(self) -> Decision:
        """The latest one."""
        return self.decisions[-1]

    @property
    def steps(self) -> int:
        """Plans carried out, or held back, so far."""
        return len(self.executed)

    @property
    def upcoming(self) -> str:
        """The id that the next decision will get."""
        return f"{self.id}-{self._made}"

    def next_id(self) -> str:
        """The id of the next decision; a plan that replaces a withdrawn one gets a number of its own."""
        self._made += 1
        return f"{self.id}-{self._made - 1}"

    def add(self, decision: Decision, moment: Moment) -> None:
        """A decision was made."""
        self.moments.append(moment)
        self.decisions.append(decision)

    def drop(self) -> None:
        """The latest decision was withdrawn before anything was said of it."""
        self.moments.pop()
        self.decisions.pop()

    def carried_out(self, plan: Plan | None, after: Moment, task: Task) -> None:
        """The step is over: what was executed (None: nothing), what it earned, and whether the episode goes on."""
        before = self.moments[-1]
        self.executed.append(None if plan is None else plan.actions)
        self.rewards.append(self._reward(before, after, task))
        if plan is None:
            self.end = "held still"
        elif after.truth is not None and task.progress(self.goal, after.truth) >= 1.0 - 1e-9:
            self.end = "done"
        elif self.steps >= self.max_steps:
            self.end = "out of steps"

    def _reward(self, before: Moment, after: Moment, task: Task) -> float:
        if before.truth is None or after.truth is None:
            return 0.0
        self.progress = task.progress(self.goal, after.truth)
        return task.reward(self.goal, before.truth, after.truth)

    def correct(self, after: Moment, task: Task) -> None:
        """The last step led elsewhere than foreseen."""
        self.rewards[-1] = self._reward(self.moments[-1], after, task)
        self.end = "diverged"

    def cut(self, decision: Decision, end: str) -> None:
        """From this decision on, nothing of what was foreseen came about."""
        first = next(i for i, d in enumerate(self.decisions) if d.id == decision.id)
        for index in range(first, self.steps):
            self.executed[index], self.rewards[index] = None, 0.0
        self.end = end

    def extra(self, moment: Moment) -> dict[str, Any]:
        """What a pending question keeps beside its observation, to end the episode properly after a crash."""
        return {"seed": self.seed, "split": self.split, "started": self.started, "step": self.steps} | (
            {"truth": dict(moment.truth)} if moment.truth is not None else {}
        )

    def episode(self, ended: float) -> Episode:
        """The episode as it is kept."""
        steps = []
        for index, moment in enumerate(self.moments):
            done = index < self.steps  # the last one may have been cut short
            steps.append(
                Step(
                    moment.observation,
                    self.decisions[index],
                    executed=self.executed[index] if done else None,
                    reward=self.rewards[index] if done else 0.0,
                    truth=moment.truth,
                )
            )
        end = "interrupted" if self.end in _INTERRUPTED else "terminated" if self.end in _TERMINATED else "truncated"
        return Episode(
            self.id, self.task, self.goal, self.seed, self.split, tuple(steps), self.teacher, end, self.end,
            started=self.started, ended=ended,
        )  # fmt: skip
