"""How a rollout lesson moves from beat to beat: what the arm told becomes events of the table and ticks of the draft.

What a person may say is in `rollout_lesson`. The arm is asked one thing at a time by `rollout_arm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from robot_io.arm import NotConnected, Stopped
from robot_io.recording import CONTROLLERS
from teaching.rollout_arm import Beat, Told
from teaching.rollout_draft import doubt_of
from teaching.rollout_episodes import RolloutEpisodes, Stand, cut
from teaching.rollout_glimpse import beside
from teaching.rollout_phases import Event, Phase
from teaching.rollout_rescue import rescue
from teaching.rollout_states import EVERY, sensed
from teaching.types import Array

GRACE = 2.0
"""Times the policy's limit that an episode may last with a person's help."""


class RolloutMoves(RolloutEpisodes):
    """The moving half."""

    _held = False

    # -- events ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first scene; before it, what the arm remembers of an episode that a crash of ours cut short."""
        self.hand.ask("rescue", lambda: self.hand.arm.beat(-1))

    def handle(self, kind: str, value: Any) -> None:
        """A word of the arm, of the store, of the trainer, or a tick."""
        if kind == "told":
            self._told(value)
        elif kind == "trainer":
            self.learning.handle(value)
        elif kind == "kept":
            self.keep_told(value)
        elif kind == "unkept":
            self.message = f"an episode waits to be stored: {value}"
        elif kind == "tick":
            self.keeper.retry()
        if not self.hand.busy and not self.ended:
            self._next()

    def _told(self, told: Told) -> None:
        self.hand.busy = False
        if told.what == "places":
            self.finished(told.about, None if told.error else told.value)
        elif told.what == "rescue":
            self._rescue(told.value)
        elif told.error is not None:
            self._refused(told)
        elif told.what == "reset":
            self.arrived(told.value)
        else:
            self._beaten(told.value)

    def _rescue(self, told: Mapping[str, Any] | None) -> None:
        """Keep an episode that was cut short, then begin."""
        frames = told["frames"] if told else {}
        draft = rescue(self.buffer, frames, self.rules, self.task.goal, self.policy.version)
        if draft is None:
            self.new_scene()
            return
        self.stand, self._then = Stand.SAVING, Stand.RESETTING
        self.message = f"episode {draft.id} was cut short; it is kept, marked as truncated"
        self.rounds.begun = max(self.rounds.begun, int(draft.id) + 1)
        self.hand.places(draft.joints(), draft)

    def _refused(self, told: Told) -> None:
        """The arm did not do what was asked: say why, lose nothing, try again when it can."""
        self.message = str(told.error)
        if isinstance(told.error, NotConnected):
            self.lost(Stand.FAULT)
        elif isinstance(told.error, Stopped):
            self.lost(Stand.STOPPED)
        elif told.what == "reset":
            self.hand.look()  # then it is tried again: somebody drives, perhaps
        elif self.phase.segment is not None:
            self.message = f"the arm refused what it was told: {told.error}; the episode is kept as far as it came"
            self.lost(Stand.RESETTING)

    # -- beats -------------------------------------------------------------------------------------------------------

    def _beaten(self, beat: Beat) -> None:
        before, self.beat = self.beat, beat
        if self.stand in (Stand.STOPPED, Stand.FAULT):
            if beat.now["phase"] not in ("stopped", "fault"):
                self.message = ""
                self.new_scene()
            return
        if self.draft is None or self.stand not in (Stand.EPISODE, Stand.CALLING):
            return
        self._absorb(beat, before)
        if beat.now["phase"] in ("stopped", "fault"):
            self.message = beat.now["why"] or beat.now["note"] or "the arm was stopped; release it to go on"
            self.lost(Stand.STOPPED)
            return
        if self._waits(beat):
            return
        self.observe(beat)
        self._judge(beat)

    def _waits(self, beat: Beat) -> bool:
        """Whether the policy is held, by a camera that fails or because nobody watches: it goes on by itself."""
        was, self._held = self._held, beat.now["phase"] == "held" and self.phase is Phase.POLICY
        if self._held:
            self.message = f"it holds still and goes on by itself: {beat.now['why']}"
        elif was:
            self.message = ""
        return self._held

    def _absorb(self, beat: Beat, before: Beat | None) -> None:
        """Ticks since the last beat, run by run of who drove."""
        assert self.draft is not None
        frames, draft = self._with_pictures(beat.frames, before), self.draft
        ticks = np.asarray(frames.get("tick", ()), dtype=np.int64)
        start = int(np.searchsorted(ticks, draft.seen, side="right"))
        drivers = np.asarray(frames.get("controller", ()))
        edges = [start, *(np.flatnonzero(np.diff(drivers[start:])) + 1 + start).tolist(), len(ticks)]
        for a, b in pairwise(edges):
            if b > a:
                self._drove(CONTROLLERS[int(drivers[a])])
                self._take(cut(frames, a, b))
        if beat.now["controller"] in ("human", "retrace"):
            self._drove(beat.now["controller"])

    def _with_pictures(self, frames: Mapping[str, Any], before: Beat | None) -> Mapping[str, Any]:
        """During these ticks the policy had what was seen at the beat before."""
        if self.hand.glimpser is None or before is None or not len(frames.get("tick", ())):
            return frames
        seen = beside(before.now["observation"], frames["tick"], int(before.now["tick"]), self.hand.features.rate)
        return {**frames, "observation": {**frames["observation"], **seen}}

    def _take(self, rows: Mapping[str, Any]) -> None:
        assert self.draft is not None
        kind = self.phase.segment
        if kind is None:  # before the start: not part of the episode
            self.draft.first = self.draft.head = self.draft.seen = int(rows["tick"][-1])
        else:
            self.draft.add(rows, kind, self.plan)

    def _drove(self, who: str) -> None:
        """Who drives tells of take-overs and of paths retraced."""
        if who == "human" and self.phase in (Phase.POLICY, Phase.RETRACING):
            self.takeover()
        elif who == "retrace" and self.phase in (Phase.POLICY, Phase.RECOVERY, Phase.CORRECTION):
            if self.phase is Phase.POLICY:
                self.takeover()
            if self.phase is Phase.CORRECTION:
                self.happen(Event.FAILED_AGAIN)
            self.happen(Event.RETRACE)

    def takeover(self) -> None:
        """A person drives now."""
        assert self.draft is not None
        if self.phase is Phase.POLICY:
            self.draft.intervention += 1
            self.sense.took_over(called=self.stand is Stand.CALLING)
            self.stand = Stand.EPISODE
        self.happen(Event.TAKEOVER)

    def observe(self, beat: Beat) -> None:
        """What the novice makes of it, and what the scene says."""
        assert self.draft is not None
        draft, observation = self.draft, beat.now["observation"]
        if beat.truth is not None:
            draft.stage, draft.progress = int(beat.truth.get("stage", 0)), float(beat.truth.get("progress", 0.0))
            draft.success = bool(beat.truth.get("success", False))
        driving = self.phase is Phase.POLICY and self.stand is Stand.EPISODE
        if driving:
            self.plan = self.pilot.ready(observation)
        else:  # what was taught nothing has nothing to say while it is shown
            self.plan = self.pilot.look(observation) if self.policy.version else None
        familiar = self.sense.familiar(sensed(self.task, observation.arrays))
        if self.phase.segment is not None:
            draft.point(doubt_of(self.plan) if self.plan else 1.0, familiar)

    def _judge(self, beat: Beat) -> None:
        """Is it over, and does it call?"""
        assert self.draft is not None
        if self.phase.segment is None:
            return
        ticks = len(self.draft.ticks)
        if self.draft.success:
            self.end_with(self.succeeded())
        elif ticks >= self.task.limit * EVERY * (1.0 if self.phase is Phase.POLICY else GRACE):
            self.end_with(Event.TIMEOUT, "out of time")
        else:
            self.supervise(beat)

    def supervise(self, beat: Beat) -> None:
        """While it goes on: should it call for help?"""
        if self.phase is Phase.POLICY and self.stand is Stand.EPISODE:
            self.weigh()

    def succeeded(self) -> Event:
        """What it is when the scene says that the task is done."""
        return Event.SUCCESS

    def weigh(self) -> None:
        """Should it call for help?"""

    def teach(self) -> Array | None:
        """The next rows (N, 5) of a scripted teacher who drives now; None: nobody like that."""

    def _next(self) -> None:
        """The next thing to ask of the arm."""
        if self.stand in (Stand.STOPPED, Stand.FAULT, Stand.SAVING, Stand.ENDED):
            if self.stand in (Stand.STOPPED, Stand.FAULT) and self.hand.reconnect():
                self.hand.look()
            return
        if self.stand is Stand.RESETTING and self.draft is not None:
            self.hand.reset(self.draft.seed, self.config.task, self.split)
            return
        rows = self.teach()
        driving = self.phase is Phase.POLICY and self.stand is Stand.EPISODE and not self._held
        if rows is None and driving and self.beat is not None and not self.beat.now["driven"]:
            self.plan = self.pilot.ready(self.beat.now["observation"])
            if self.ahead:
                rows, spare = self.pilot.whole()
                self.hand.drive(rows, start=int(self.beat.now["tick"]), left=EVERY * spare)
                return
            rows = self.pilot.take()
        if rows is None:
            self.hand.look()
        else:
            self.hand.drive(rows)
