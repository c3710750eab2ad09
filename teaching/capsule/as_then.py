"""A lesson gone through again whose models come when they came: trained on what had been read, used from the plan on
that they made then. So a lesson that was trained beside its questions can come out the same, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from teaching.episode_draft import EpisodeDraft
from teaching.learning import ENDINGS, Learning
from teaching.plan_lesson import PlanLesson
from teaching.types import AskbackError, Decision
from teaching.world import Moment


def schedule(trainings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
    """The trainings of a capsule in order; None if it does not tell of each what it had read, or one was by hand."""
    done = [t for t in trainings if not (t.get("failed") or t.get("cancelled"))]
    return None if any(t.get("promoted") or "read" not in t for t in done) else done


class AsThen(Learning):
    """Trains when it is told to, and only then."""

    def wanted(self, why: str = "asked for") -> None:
        """It was wanted then, at another moment."""

    def repeat(self, one: Mapping[str, Any]) -> None:
        """One training of a schedule, on what is stored now; AskbackError if it fails."""
        assert self.trainer is not None
        self.trainer.train(int(one["steps"]), int(one["seed"]), int(one["update"]))
        while (message := self._inbox.get()).get("type") not in ENDINGS:
            self.handle(message)
        self.handle(message)
        if message["type"] != "done":
            raise AskbackError(f"training failed: {self.status.message}")


class LessonAsThen(PlanLesson):
    """Plans with the model that planned then."""

    learning: AsThen
    left: list[Mapping[str, Any]]
    """Trainings that were not repeated yet."""
    updates: Mapping[str, int]
    """Decision → the model that made it."""

    def before(self, sequence: int) -> None:
        """Train what had been trained on what was said before an event."""
        while self.left and int(self.left[0]["read"]) < sequence:
            self.learning.repeat(self.left.pop(0))

    def _decide(self, moment: Moment, draft: EpisodeDraft) -> Decision:
        wanted = self.updates.get(draft.upcoming, self.policy.version)
        while self.left and int(self.left[0]["update"]) <= wanted:
            self.learning.repeat(self.left.pop(0))
        place = self.buffer.checkpoints / f"{wanted:06d}"
        if wanted != self.policy.version and place.is_dir():
            self.policy.load(place)
        return super()._decide(moment, draft)

    def _adopt(self) -> None:
        """Only by the plans that were made."""
