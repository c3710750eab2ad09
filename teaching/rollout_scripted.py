"""A rollout lesson that a scripted teacher supervises: it notices as a person would, and says what a person would.

It moves the arm as a program does, since only pages drive as people; its ticks are labelled human here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from robot_io.arm import Observation
from robot_io.remote_stream import StreamArm
from teaching.learning import Learning
from teaching.policies.flow import FlowPolicy
from teaching.replay import ReplayBuffer
from teaching.rollout_arm import Beat
from teaching.rollout_episodes import Stand
from teaching.rollout_lesson import RolloutLesson
from teaching.rollout_phases import Event, Phase
from teaching.segments import SegmentKind
from teaching.types import Array

Mode = Literal["demonstrate", "recover", "correct"]
_MODES: dict[SegmentKind | None, Mode] = {
    SegmentKind.DEMO: "demonstrate",
    SegmentKind.RECOVERY: "recover",
    SegmentKind.CORRECTION: "correct",
}


PERFECT = {"peg-and-button": "without:errors", "hold-and-insert": "without:errors"}
"""Splits in which every look is right."""


class Teacher(Protocol):
    """As `teaching.rollout_oracle.RolloutOracle`: one call of a verb for each row."""

    clean: bool
    """The demonstration under way teaches nothing wrong."""

    def reset(self) -> None:
        """A new episode."""

    def watch(self, truth: Mapping[str, Any], observation: Observation) -> bool:
        """Take over now."""

    def drive(self, truth: Mapping[str, Any], observation: Observation, mode: Mode) -> Array:
        """(5,) dx, dy, dz, dyaw, gripper."""

    def recovered(self, truth: Mapping[str, Any], observation: Observation) -> bool:
        """The recovery is over."""


class ScriptedRollout(RolloutLesson):
    """Demonstrates where that is wanted, else lets the policy drive and helps."""

    def __init__(
        self, buffer: ReplayBuffer, arm: StreamArm, policy: FlowPolicy, learning: Learning, teacher: Teacher
    ) -> None:  # fmt: skip
        """As `RolloutLesson`; the teacher drives. Episodes begin by themselves, trainings are waited for."""
        super().__init__(buffer, arm, policy, learning, scripted=True, beside=False)
        self.teacher = teacher
        self.going = True
        self._goal = 0

    def begin(self) -> None:
        """Go on: a round that was full when the run before ended is trained on first."""
        if self.rounds.full(self.policy.version):
            self.learning.wanted()
            self.learning.train_now(self.policy)
            self.sense.learn()
        super().begin()

    def lost(self, stand: Stand) -> None:
        """As always; then it goes on by itself, once the arm has been released."""
        super().lost(stand)
        self.going = True

    def shows(self) -> bool:
        """Whether whole demonstrations are wanted."""
        return not self.policy.version or self.config.protocol == "demos"

    def wanted_split(self) -> str:
        """Demonstrations are given where every look is right: under a wrong one it would show how to miss."""
        perfect = PERFECT.get(self.config.task) if self.config.split == "seen" and self.shows() else None
        return perfect or self.config.split

    def set_off(self) -> None:
        """The policy begins, or the teacher shows the whole task."""
        self.teacher.reset()
        if self.shows():
            self.demonstrate()
        else:
            self.start()

    def supervise(self, beat: Beat) -> None:
        """Take over, say recovered, say done."""
        assert self.draft is not None and beat.truth is not None
        observation, stage = beat.now["observation"], self.draft.stage
        if self.phase is Phase.POLICY:
            if self.teacher.watch(beat.truth, observation) or self.stand is Stand.CALLING:
                self._goal = stage
                self.takeover()
            elif self.stand is Stand.EPISODE:
                self.weigh()
        elif self.phase is Phase.RECOVERY and self._moved() and self.teacher.recovered(beat.truth, observation):
            self._goal = stage
            self.recovered()
        elif self.phase is Phase.CORRECTION and stage > self._goal and self._moved():
            self.done()

    def succeeded(self) -> Event:
        """A demonstration under a wrong look is a fumble: it would teach to miss."""
        wrong = self.phase is Phase.DEMONSTRATION and not self.teacher.clean
        return Event.FUMBLE if wrong else Event.SUCCESS

    def _moved(self) -> bool:
        return self.draft is not None and self.draft.intervention in self.draft.interventions

    def teach(self) -> Array | None:
        """Its next row, while it drives."""
        mode, beat = _MODES.get(self.phase.segment), self.beat
        if mode is None or beat is None or beat.truth is None or self.stand is not Stand.EPISODE:
            return None
        row: Array = self.teacher.drive(beat.truth, beat.now["observation"], mode)
        return row[None]
