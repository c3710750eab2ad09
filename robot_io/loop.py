"""The control loop of one arm: what moves, moves here, one tick at a time, through the safety layer.

Other threads hand it work (`call`), motions (`follow`), and `stop`, which waits for nothing but the tick under way.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from robot_io.arm import Action, ArmError, BadAction, JointPath, Parks, Report, Stopped, Unsupported
from robot_io.flow import Flow
from robot_io.following import Motion, pass_on, sent_by
from robot_io.heartbeat import Heartbeat, Pulse
from robot_io.jobs import Jobs
from robot_io.memory import Memory
from robot_io.parking import park
from robot_io.phase import Phase, State
from robot_io.safety import SafeArm

log = logging.getLogger(__name__)
T = TypeVar("T")
UNWATCHED = 2.0
"""Seconds without a watching page after which a real arm under a policy holds."""
IDLE_WAIT = 0.02
"""Seconds that an arm in no hurry waits for work."""
PAUSE = 3  # ticks without a command after which an arm starts softly again
FASTEST = 100.0


class Loop:
    """Owns the arm: nothing else moves it. Made anywhere, run by one thread."""

    def __init__(
        self,
        arm: SafeArm,
        heartbeat: Heartbeat,
        clock: Callable[[], float],
        *,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.arm, self.heartbeat = arm, heartbeat
        self.ending = False
        """Set it, from any thread or a signal handler, and `run` returns."""
        self.tick = 0
        self.revision = 0
        """Grows whenever anything may look different."""
        self.changed = changed
        """Called from the loop's thread when the state's phase or reason changed."""
        self.watched_at = -math.inf
        """The clock's time at which a page last showed that somebody may be watching."""
        self.turned_at = clock()  # the time of the last turn; an old one means that the loop hangs
        self.blind = ""  # which camera fails: what moves by itself is held until it gives pictures again
        self.flow = Flow(arm, clock)
        """Who drives tick by tick, if not a path; only from the loop's thread."""
        self.memory = Memory(arm, clock)
        """What was, tick by tick; only from the loop's thread."""
        self._clock = clock
        self._jobs = Jobs()
        self._motion: Motion | None = None
        self._held: str = ""
        self._fault: str = ""
        self._pace = 1.0
        self._told: tuple[str, str] = ("", "")
        self._since = clock()
        self._next_tick = clock()

    @property
    def state(self) -> State:
        """What it is doing; readable from any thread."""
        phase, why = Phase.IDLE, ""
        stopped = self.arm.stopped
        if self._fault:
            phase, why = Phase.FAULT, self._fault
        elif stopped is not None:
            phase, why = Phase.STOPPED, stopped
        elif self._held:
            phase, why = Phase.HELD, self._held
        elif self._motion is not None or self.flow.waits:
            phase = Phase.MOVING
        told = self.arm.features.name, self.tick, self.arm.clipped, self._pace, self._since
        return State(phase, why, *told, self.flow.mode.value, self.flow.note, self.blind)

    @property
    def moving(self) -> bool:
        """Whether a motion is under way, held or not."""
        return self._motion is not None or self.flow.waits

    @property
    def in_motion(self) -> bool:
        """Whether a path is being followed."""
        return self._motion is not None

    def set_pace(self, factor: float) -> float:
        """1 is real time, 0 as fast as it can; a real arm knows no other than 1."""
        if not 0 <= factor <= FASTEST:
            raise ArmError(f"expected a pace in [0, {FASTEST:g}], got {factor}")
        if factor != 1 and not self.arm.features.simulated:
            raise Unsupported(f"expected a simulated arm for pace {factor}, got {self.arm.features.name}; use 1")
        self._pace = factor
        return factor

    def call(self, work: Callable[[], T], *, still: bool = False, changes: bool = False) -> Future[T]:
        """Run something on the loop's thread, between two ticks.

        Args:
            work: what to run; it should take milliseconds.
            still: refuse it while a motion is under way.
            changes: it changes what the scene looks like.
        """

        def job() -> T:
            if still:
                self.need_stillness()
            result = work()
            if changes:
                self.arm.moved()
                self.memory.forget(self.tick)
                self.revision += 1
            return result

        return self._jobs.put(job)

    def follow(self, path: Sequence[Action] | JointPath) -> Future[Report]:
        """Follow a path from the next tick on; the future tells how it went."""
        motion = Motion(path, self.arm.clipped)
        self.call(lambda: self._start(motion)).add_done_callback(lambda started: pass_on(started, motion.done))
        return motion.done

    def send(self, action: Action) -> Future[Action]:
        """One action, on the next tick; the future holds what was really sent."""
        motion = Motion([action], self.arm.clipped)
        sent = sent_by(motion)
        self.call(lambda: self._start(motion)).add_done_callback(lambda started: pass_on(started, motion.done))
        return sent

    def stop(self, why: str, patience: float = -1) -> int | None:
        """Latch at once, from any thread; returns the tick on which it took effect, None as `SafeArm.stop` says."""
        stopped = self.arm.stop(why, patience)
        self.changed()
        return self.tick if stopped else None

    def release(self) -> None:
        """A person lets it go on; what it was doing when it was stopped does not go on."""
        self.heartbeat.end()
        self._fault = self._held = ""
        self.arm.release()
        self.changed()

    def hold(self, why: str = "held") -> Future[None]:
        """Stay; a motion under way ends there."""
        return self.call(lambda: self._end_motion(Report(reached=False, reason=why, ticks=0), hold=True))

    def run(self) -> None:
        """Until `ending` is set. Errors of the arm latch it and are told; they never end the loop."""
        while not self.ending:
            self.turned_at = self._clock()
            self._watch()
            self._advance()
            self._tell()
            self._wait()
        self._end_motion(Report(reached=False, reason="the arm process is ending"), hold=True)
        self._jobs.close()

    def park(self) -> None:
        """To the arm's parking place if it has one and is not stopped; hold, there or where that ended. After `run`."""
        try:
            if self.arm.stopped is None and isinstance(self.arm.arm, Parks):
                park(self.arm, self.arm.arm.parking(), self._period(), self._clock)
        except ArmError as error:
            log.error("the arm could not be parked, it holds where it is: %s", error)
        self._guarded(self.arm.hold)

    def _period(self) -> float:
        """Seconds from tick to tick; 0 as fast as it can."""
        return 1.0 / (self.arm.features.rate * self._pace) if self._pace else 0.0

    def need_stillness(self) -> None:
        """ArmError while a motion is under way or somebody drives; only from the loop's thread."""
        if self.flow.busy:
            raise ArmError(
                f"expected nobody to drive, but it is {self.flow.mode.value}; wait for its end, or hold first"
            )
        if self._motion is not None:
            raise ArmError("expected one motion at a time, but one is under way; wait for its end, or hold first")

    def _start(self, motion: Motion) -> None:
        """The next tick is the motion's first; ticks keep their distance, also from one motion to the next."""
        self.need_stillness()
        self.arm.refuse_if_stopped()
        self.flow.finish("a motion began")
        now = self._clock()
        self._next_tick = min(max(self._next_tick, now), now + self._period())
        self._motion = motion

    def _watch(self) -> None:
        """Hold or stop if nobody is there who should be."""
        pulse = self.heartbeat.pulse()
        now = self._clock()
        if pulse is Pulse.STOP:
            self.heartbeat.end()
            self.arm.stop("no heartbeat from the page of who drives")
        real = (self._motion is not None or self.flow.streaming) and not self.arm.features.simulated
        unwatched = real and now - self.watched_at >= UNWATCHED
        wanted = "no beat from the page of who drives" if pulse is Pulse.HOLD else ""
        blind = self.blind if self._motion is not None or self.flow.streaming else ""
        wanted = wanted or ("no page is watching" if unwatched else blind) or self.flow.lost
        if wanted and not self._held:
            self._guarded(self.arm.hold)
        if wanted != self._held:
            self._next_tick = now
        self.flow.watch(held=wanted)
        self._held = wanted

    def _advance(self) -> None:
        """One tick of the motion under way, or of who drives."""
        motion = self._motion
        if self._held or (self._pace and self._clock() < self._next_tick):
            return
        try:
            if motion is None:
                self._flow_on()
                return
            if motion.ticks < len(motion.path):
                self._step(motion)
            if motion.ticks == len(motion.path):
                self._end_motion(Report(True, "", motion.ticks, self.arm.clipped - motion.clipped_before))
        except (Stopped, BadAction) as error:
            self._end_motion(error)
        except Exception as error:
            self.fail(error)

    def _flow_on(self) -> None:
        mode, action = self.flow.mode, self.flow.next()
        if self._pace and self._clock() > self._next_tick + PAUSE * self._period():
            self.arm.rest()
        if action is not None:
            self._next_tick = max(self._next_tick, self._clock() - self._period())
            self._send(action, mode.value)

    def _step(self, motion: Motion) -> None:
        motion.sent = self._send(motion.path[motion.ticks], "program")
        motion.ticks += 1

    def _send(self, action: Action, controller: str) -> Action:
        before = self.memory.before(self.tick)
        sent = self.arm.send(action)
        self.tick += 1
        self.revision += 1
        self.memory.after(before, self.tick, controller, action, sent)
        self.flow.sent(sent)
        self._next_tick = max(self._next_tick + self._period(), self._clock() - self._period())
        return sent

    def _end_motion(self, result: Report | Exception, *, hold: bool = False) -> None:
        motion, self._motion = self._motion, None
        self.flow.finish(result.reason if isinstance(result, Report) else str(result))
        if hold:
            self._guarded(self.arm.hold)
        if motion is None:
            return
        if isinstance(result, Exception):
            motion.done.set_exception(result)
        else:
            motion.done.set_result(Report(result.reached, result.reason, motion.ticks, result.clipped))

    def fail(self, error: Exception) -> None:
        """The arm itself failed: latch, tell, and let whoever waits know; only from the loop's thread."""
        log.error("the arm failed: %s: %s", type(error).__name__, error)
        self._fault = f"{type(error).__name__}: {error}"
        self._guarded(lambda: self.arm.stop("the arm failed"))
        self._end_motion(error)

    def _guarded(self, verb: Callable[[], Any]) -> None:
        try:
            verb()
        except Exception as error:
            log.error("the arm failed to hold or stop: %s", error)
            self._fault = f"{type(error).__name__}: {error}"

    def _tell(self) -> None:
        state = self.state
        if (state.phase, state.why) != self._told:
            self._told, self._since = (state.phase, state.why), self._clock()
            self.changed()

    def _wait(self) -> None:
        """Do the work that came, until the next tick is due."""
        until = self._clock() + IDLE_WAIT
        if self.moving and not self._held:
            until = self._next_tick if self._pace else self._clock()
        due = self.heartbeat.due()
        until = until if due is None else min(until, due)
        while not self.ending:
            motion, moving = self._motion, self.moving
            if not self._jobs.do_one(until - self._clock()) or self._motion is not motion or self.moving != moving:
                return
