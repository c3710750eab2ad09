"""A scripted teacher, for tests, demos and experiments: it knows where everything is. Pure.

The published oracle judges a plan by carrying it out on a copy of the scene and taking it back; this one is handed what
a rehearsal led to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from teaching.metrics import Costs
from teaching.task import Task, Truth, is_valid
from teaching.types import Array, Decision, Feedback, Outcome, Plan, explained

Rehearse = Callable[[Array], Truth | None]
"""Actions (T, A) → the truth that they would lead to from here; None when the arm cannot carry them out."""


@dataclass(frozen=True)
class OracleConfig:
    """What kind of teacher it is."""

    relabels: bool = explained(True, "Says what a wrong plan would achieve instead.")
    demonstrates: bool = explained(True, "Shows what is right.")
    always_demonstrates: bool = explained(False, "Shows it for right plans too, as the Active DAgger baseline needs.")
    noise: float = explained(0.0, "Share of its verdicts that are turned round.")
    tries: int = explained(3, "Demonstrations it thinks of, at most, until one works in rehearsal.")
    costs: Costs = explained(Costs(), "Seconds that each part of an answer takes.")


@dataclass(frozen=True)
class Said:
    """One answer of the oracle."""

    feedback: Feedback
    seconds: float
    """Under its cost model."""
    act_fails: bool = False
    """It found nothing that works in rehearsal, or nothing to do, so it shows nothing; a relabel is kept."""


class OracleTeacher:
    """Answers from the truth of the scene."""

    def __init__(self, task: Task, rng: np.random.Generator, config: OracleConfig | None = None) -> None:
        self.task = task
        self.rng = rng
        self.config = config or OracleConfig()

    def answer(self, decision: Decision, before: Truth, after: Truth | None, rehearse: Rehearse | None = None) -> Said:
        """What it says of a plan.

        Args:
            decision: the plan in question.
            before: the scene as it is.
            after: where the plan would lead; None: the arm cannot carry it out, so it is wrong.
            rehearse: tries out its own demonstrations; None: they are taken to work.
        """
        goal = decision.plan.goal
        valid = after is not None and is_valid(self.task, goal, before, after)
        if self.config.noise and self.rng.random() < self.config.noise:
            valid = not valid
        if valid:
            return self._approve(goal, before, rehearse)
        achieved = self.task.achieved(goal, before, after) if after is not None and self.config.relabels else ()
        act, fails = self._act(goal, before, rehearse) if self.config.demonstrates else (None, False)
        feedback = Feedback(Outcome.FAILURE, achieved[0] if achieved else None, act)
        return Said(feedback, self.config.costs.of(feedback), fails)

    def _approve(self, goal: str, before: Truth, rehearse: Rehearse | None) -> Said:
        if not self.config.always_demonstrates:
            return Said(Feedback(Outcome.SUCCESS), self.config.costs.validate)
        act, fails = self._act(goal, before, rehearse)
        return Said(Feedback(Outcome.SUCCESS, demonstration=act), self.config.costs.demonstrate, fails)

    def _act(self, goal: str, before: Truth, rehearse: Rehearse | None) -> tuple[Plan | None, bool]:
        """The first of its demonstrations that works, and whether none does."""
        for _ in range(self.config.tries):
            act = self.task.demonstrate(goal, before, self.rng)
            if act is None:
                break
            if rehearse is None:
                return act, False
            after = rehearse(act.actions)
            if after is not None and is_valid(self.task, goal, before, after):
                return act, False
        return None, True
