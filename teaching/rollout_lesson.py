"""The rewind-and-correct lesson: what a person may say, when it calls, and what a scripted teacher does.

Taking over, driving, retracing and stopping never pass here: the page tells the arm, and the next beat tells us.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from robot_io.arm import ArmError
from teaching.gating import Gate
from teaching.rollout_draft import doubt_of
from teaching.rollout_episodes import Stand, need
from teaching.rollout_heat import heat
from teaching.rollout_moves import RolloutMoves
from teaching.rollout_phases import Event, Phase, allowed
from teaching.segments import NONE
from teaching.types import Array, BadInput

_WORDS = {
    Phase.READY: "the episode has not begun: start it, or show it yourself",
    Phase.DEMONSTRATION: "you are showing the whole task",
    Phase.POLICY: "the arm drives: take over first",
    Phase.RECOVERY: "you are bringing it back: say recovered when it is in a familiar place",
    Phase.RETRACING: "the arm is going back: let go of the key first",
    Phase.CORRECTION: "you are showing how to go on",
}
_MOTION = (Phase.RECOVERY, Phase.CORRECTION, Phase.RETRACING)


class RolloutLesson(RolloutMoves):
    """The saying half."""

    # -- what a person says ------------------------------------------------------------------------------------------

    def _need_episode(self, *phases: Phase) -> None:
        need(self.stand in (Stand.EPISODE, Stand.CALLING), f"expected an episode under way; the lesson is {self.stand}")
        words = _WORDS.get(self.phase, str(self.phase))
        need(not phases or self.phase in phases, f"that means nothing now: {words}")

    def _mark(self, what: str, **more: Any) -> int:
        """What was said is durable before it is acknowledged."""
        assert self.draft is not None
        body = {"episode": self.draft.id, "what": what, "tick": self.draft.head, "teacher": self.config.teacher, **more}
        return self.buffer.say("mark", body)

    def start(self) -> int:
        """The policy begins."""
        self._need_episode(Phase.READY)
        need(
            self.policy.version > 0 or self.hand.features.simulated,
            "expected a trained policy, but there is none yet: show the task a few times, then train",
        )
        need(self.config.protocol != "demos", "this lesson collects demonstrations only: show the task yourself")
        said = self._mark("start", seed=self.draft.seed if self.draft else 0)
        self.happen(Event.START)
        if not self.policy.version:
            self.message = "this policy was taught nothing yet: it wanders; show the task a few times, then train"
        return said

    def set_off(self) -> None:
        """Begin by itself, if the episode still waits for it; what stands against it is told."""
        if self.stand is not Stand.EPISODE or self.phase is not Phase.READY:
            return
        try:
            self.start()
        except BadInput as error:
            self.going, self.message = False, str(error)

    def demonstrate(self) -> int:
        """A person drives from the start."""
        self._need_episode(Phase.READY)
        said = self._mark("demonstrate", seed=self.draft.seed if self.draft else 0)
        self.happen(Event.DEMONSTRATE)
        return said

    def recovered(self, tick: int | None = None) -> int:
        """The arm is in a familiar place, now or since an earlier tick; what follows is a correction."""
        self._need_episode()
        assert self.draft is not None
        if tick is None or self.phase is not Phase.CORRECTION:
            self._need_episode(Phase.RECOVERY, Phase.RETRACING)
        at = self.draft.head if tick is None else int(tick)
        if self.draft.kinds and self.draft.intervention in self.draft.interventions:
            self.draft.drove(at)
        elif tick is not None:
            raise BadInput(f"expected a tick since you took over, got {tick}: you have not moved it yet")
        said = self._mark("recovered", at=at)
        self.draft.relabel(at)
        self.draft.marked.add(self.draft.intervention)
        if self.phase is not Phase.CORRECTION:
            self.happen(Event.MARK_RECOVERED)
        return said

    def done(self) -> int:
        """The correction is finished; the whole task, if it is a demonstration that the scene cannot judge."""
        if self.phase is Phase.RECOVERY and not self.rules.require_recovery:
            event = Event.FINISH
        else:
            self._need_episode(Phase.CORRECTION, Phase.RECOVERY)
            event = Event.SUBTASK_DONE if self.phase is Phase.CORRECTION else Event.FINISH
        self._need_person_moved()
        said = self._mark("done")
        self.happen(event)
        return said

    def _need_person_moved(self) -> None:
        assert self.draft is not None
        moved = self.draft.intervention in self.draft.interventions
        need(moved or self.draft.intervention == NONE, "you have not moved the arm yet: show it how, then say done")

    def failed_again(self) -> int:
        """The correction went wrong: back to recovering."""
        self._need_episode(Phase.CORRECTION)
        said = self._mark("failed_again")
        self.happen(Event.FAILED_AGAIN)
        return said

    def fumble(self) -> int:
        """The person made a mess of it: the episode counts nowhere."""
        self._need_episode(Phase.DEMONSTRATION, *_MOTION)
        said = self._mark("fumble")
        self.end_with(Event.FUMBLE, "fumbled")
        return said

    def abort(self) -> int:
        """Call the episode off, nobody's fault."""
        self._need_episode()
        said = self._mark("abort")
        event = Event.ABORT if (self.phase, Event.ABORT) in self.table() else Event.FUMBLE
        self.end_with(event, "called off")
        return said

    def table(self) -> set[tuple[Phase, Event]]:
        """What may happen now."""
        return {(self.phase, event) for event in allowed(self.phase, self.rules)}

    def succeed(self, value: bool) -> int:
        """A person's verdict where the scene has none: the whole task is done, or the episode failed."""
        self._need_episode(Phase.DEMONSTRATION, Phase.POLICY, Phase.CORRECTION, Phase.RECOVERY)
        assert self.draft is not None
        need(not self.hand.is_scene, "this scene says itself whether the task is done")
        said = self._mark("success", value=bool(value))
        self.draft.success = bool(value)
        self.end_with(Event.SUCCESS if value else Event.TIMEOUT, "as you said")
        return said

    def rewind(self, tick: int) -> int:
        """The time machine: the scene as it was after a tick of this episode; a correction follows."""
        self._need_episode(Phase.POLICY, *_MOTION)
        draft = self.draft
        assert draft is not None
        need(self.hand.can_rewind, "time goes one way on this arm: take over, or retrace")
        known = [draft.first, *draft.ticks]
        need(tick in known, f"expected a tick of this episode, {draft.first} to {draft.seen}, got {tick}")
        self.hold()
        self.hand.arm.rewind(tick)
        self.hand.forget()
        before = draft.head
        if self.phase is Phase.POLICY:
            draft.intervention += 1
            self.sense.took_over(called=self.stand is Stand.CALLING)
        self.stand = Stand.EPISODE
        draft.rewound(tick)
        self.happen(Event.RESTORE)
        self.hand.hurry()
        return self._mark("rewind", to=tick, tick=before)

    def return_to(self, branch: int) -> int:
        """The end of a branch that was left."""
        self._need_episode()
        branches = self.branches()
        need(0 <= branch < len(branches), f"expected one of {len(branches)} branches, got {branch}")
        return self.rewind(int(branches[branch]["last"]))

    def branches(self) -> list[dict[str, Any]]:
        """Unbroken runs of ticks: {"first", "last", "parent", "live"}."""
        draft = self.draft
        if draft is None or not draft.ticks:
            return []
        live = draft.live()
        found: list[dict[str, Any]] = []
        for tick, parent, on in zip(draft.ticks, draft.parents, live.tolist(), strict=True):
            if found and parent == tick - 1 == found[-1]["last"]:
                found[-1]["last"] = tick
                found[-1]["live"] = on
            else:
                found.append({"first": tick, "last": tick, "parent": parent, "live": on})
        return found

    # -- beside the episodes -----------------------------------------------------------------------------------------

    def undo(self) -> int:
        """The last episode that counts leaves; an event, which can itself be undone."""
        kept = self.buffer.rollouts()
        need(bool(kept), "there is no episode to take back")
        said = self.buffer.say("drop", {"episode": kept[-1].id})
        self.sense.learn()
        return said

    def next_scene(self) -> int:
        """A new scene; an episode under way is called off."""
        need(self.stand in (Stand.EPISODE, Stand.CALLING), f"a new scene is not possible while {self.stand}")
        if self.phase is Phase.READY:
            said = self._mark("next")
            self.end_with(Event.ABORT, "skipped")
            return said
        return self.abort()

    def go_on(self) -> None:
        """Episodes begin by themselves; a call for help that was not needed is waved on."""
        if self.stand is Stand.CALLING:
            self._mark("wave_on")
            self.sense.waved_on(len(self.draft.ticks) if self.draft else 0)
            self.stand, self.message = Stand.EPISODE, ""
            return
        need(self.config.protocol != "demos", "this lesson collects demonstrations only: show the task yourself")
        self.going = True
        if self.policy.version:
            self.set_off()

    def train(self) -> None:
        """Train on what counts, now."""
        shown = [s for s, _ in self.rounds.episodes()]
        need(bool(shown), "there is nothing to train on yet: show the task first")
        self.learning.wanted()

    def heat(self) -> dict[str, Any] | None:
        """Where demonstrated grippers were, over a camera's picture; drawn when demonstrations come or go."""
        if self._heat[0] is not self.sense.tips:
            self._heat = self.sense.tips, heat(self.sense.tips, self.hand.features.views)
        return self._heat[1]

    _heat: tuple[Any, dict[str, Any] | None] = (None, None)

    def wait(self) -> None:
        """After this episode, wait for a start."""
        self.going = False

    def set_gate(self, values: dict[str, Any]) -> int:
        """Change when it calls; recorded."""
        gate: Gate = self.sense.set_gate(values)
        said = self.buffer.say("config", {"gate": asdict(gate)})
        self.sense.change(gate)
        return said

    def end(self) -> None:
        """Finish: an episode under way is kept as truncated."""
        self.hold()
        if self.draft is not None and self.phase.segment is not None:
            self.message = "the lesson was ended"
            draft = self.draft
            self.lost(Stand.STOPPED)
            if draft.ticks:
                self.finished(draft, self._places_now(draft))
        self.message = " ".join(self.keeper.last_try())
        self.stand, self.ended = Stand.ENDED, True
        self.hand.close()
        self.learning.close()

    def _places_now(self, draft: Any) -> Array | None:
        try:
            return self.hand.arm.places(draft.joints())
        except ArmError:
            return None

    # -- calling -----------------------------------------------------------------------------------------------------

    def weigh(self) -> None:
        """Weigh each fresh chunk's doubt: from the threshold on the arm holds and calls."""
        assert self.draft is not None
        if self.plan is None or not self.pilot.fresh:
            return
        doubt = doubt_of(self.plan)
        if self.sense.calls(doubt, len(self.draft.ticks)):
            self.hold()
            self.stand = Stand.CALLING
            self.message = f"I am less sure than I should be: {doubt:.2f}, I call from {self.sense.threshold:.2f}"
            self.called_at = self.clock()

    called_at: float = 0.0
