"""Who moves the arm tick by tick: a policy's stream, a person, or a path retraced. One at a time, by a table.

Everything here runs on the control loop's thread, but for reading `mode`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import Action, ArmError, Unsupported
from robot_io.chunk import Chunk
from robot_io.driver import Pose
from robot_io.errors import Driven
from robot_io.jog import Jog, Rates
from robot_io.leading import Leading
from robot_io.retrace import Retrace
from robot_io.safety import SafeArm
from robot_io.teleop import Command, Reaches, Several, Teleop

Array = NDArray[Any]
STILL = 0.004
"""Radians, and share of the gripper's stroke, below which a hand on a leader counts as still."""


class Mode(StrEnum):
    """Who drives."""

    NOBODY = "nobody"
    POLICY = "policy"
    HUMAN = "human"
    RETRACE = "retrace"


TABLE: dict[tuple[Mode, str], Mode] = {
    (Mode.NOBODY, "stream"): Mode.POLICY,
    (Mode.POLICY, "stream"): Mode.POLICY,
    (Mode.NOBODY, "take"): Mode.HUMAN,
    (Mode.POLICY, "take"): Mode.HUMAN,
    (Mode.HUMAN, "take"): Mode.HUMAN,
    (Mode.RETRACE, "take"): Mode.HUMAN,
    (Mode.HUMAN, "retrace"): Mode.RETRACE,
    (Mode.RETRACE, "retrace"): Mode.RETRACE,
}
"""What each may become; whatever ends, ends in nobody."""
_WHY = {
    "stream": "expected nobody to drive by hand, but a person does; wait until it is handed back",
    "retrace": "expected a person to drive before a path is retraced; take over first",
}


class Flow:
    """The one who drives, and what is next."""

    def __init__(self, arm: SafeArm, clock: Callable[[], float]) -> None:
        self.mode = Mode.NOBODY
        self.note = ""
        """How the last one ended, for people."""
        self.leader: Leading | None = None
        """A second arm that a person may drive with, if there is one."""
        self.lost = ""
        """Why the arm has to be held although a person drives: the leader that drove it failed."""
        self._led: Pose | None = None
        self._arm, self._clock = arm, clock
        arms = arm.arm.arms if isinstance(arm.arm, Several) else 1
        self._grips = [i for i, name in enumerate(arm.features.joints) if arms > 1 and name.endswith("/gripper")]
        self._chunk = Chunk(len(arm.features.joints), arms)
        self._teleop, self._jog = Teleop(arms), Jog()
        self._retrace: Retrace | None = None
        self._waiting: list[tuple[int, Future[str]]] = []
        self._gripper: float | None = None
        self._held = ""

    @property
    def waits(self) -> bool:
        """Whether there is something to do on the next tick."""
        if self.mode is Mode.POLICY:
            return len(self._chunk) > 0
        if self.mode is Mode.HUMAN:
            return self._teleop.waits or self._jog.waits(self._clock()) or self._led is not None
        return self._retrace is not None and self.mode is Mode.RETRACE and self._retrace.waits(self._clock())

    @property
    def streaming(self) -> bool:
        """Whether a policy's rows wait."""
        return self.mode is Mode.POLICY and len(self._chunk) > 0

    @property
    def busy(self) -> bool:
        """Whether somebody else has to wait: rows wait, or a person drives."""
        return self.waits or self.mode in (Mode.HUMAN, Mode.RETRACE)

    @property
    def end(self) -> int:
        """The tick after which the policy's rows are used up."""
        return self._chunk.end

    def _become(self, event: str) -> None:
        following = TABLE.get((self.mode, event))
        if following is None:
            raise Driven(_WHY.get(event, f"expected another moment for {event}, got {self.mode.value}"))
        self.mode = following

    def stream(self, actions: Array, now: int, *, start: int | None, every: int, kind: str) -> int:
        """A policy's next rows, as `Chunk.put`; returns the tick after which they are used up."""
        if (self.mode, "stream") not in TABLE:
            self._become("stream")
        if kind == "tip":
            self._need_reach()
        end = self._chunk.put(actions, now, self.told(), start=start, every=every, kind=kind)
        self._become("stream")
        return end

    def until(self, left: int) -> Future[str]:
        """Done when no more than `left` ticks wait, or when the stream ended or is held: with "", or with why."""
        future: Future[str] = Future()
        future.set_running_or_notify_cancel()
        if self.mode is not Mode.POLICY or self._held:
            future.set_result(self._held or self.note)
        elif len(self._chunk) <= left:
            future.set_result("")
        else:
            self._waiting.append((left, future))
        return future

    def take_over(self) -> None:
        """A person drives from now on; what the policy wanted is forgotten."""
        if self.mode is not Mode.HUMAN:
            self._drop("a person took over")
        self._become("take")

    def lead(self, *, on: bool) -> None:
        """The leader drives from now on, as soon as it is where the arm is; or no more.

        Raises:
            Unsupported: there is none.
            ArmError: it cannot be taken.
        """
        if self.leader is None:
            raise Unsupported("expected an arm with a leader, got one without; name it: …,leader=PORT")
        self.put_down()
        if on:
            if self.mode is not Mode.HUMAN:
                self.take_over()
            self.leader.begin(Pose(self.told(), self.gripper()))

    def put_down(self) -> None:
        """The leader drives no more, and what went wrong with it is forgotten."""
        self.lost, self._led = "", None
        if self.leader is not None:
            self.leader.put_down()

    def push(self, command: Command) -> None:
        """A person's command."""
        self._need_reach()
        self.put_down()
        if self.mode is not Mode.HUMAN:
            self.take_over()
        self._teleop.push(command)

    def jog(self, rates: Rates) -> None:
        """A person turns single joints."""
        self.put_down()
        if self.mode is not Mode.HUMAN:
            self.take_over()
        self._jog.push(rates, self._clock())

    def go_back(self, joints: Array, gripper: Array) -> None:
        """Retrace a path, newest first, while `key` comes."""
        if (self.mode, "retrace") not in TABLE:
            self._become("retrace")
        retrace = Retrace(joints, np.column_stack([joints[:, self._grips], gripper]))
        self._drop("")
        self._become("retrace")
        self._retrace = retrace

    def key(self) -> None:
        """The key that retraces is held."""
        if self._retrace is not None:
            self._retrace.held(self._clock())

    def watch(self, *, held: str) -> None:
        """Once a turn: while the arm is held, what a person asks for is forgotten; a stop ends whoever drives.

        Args:
            held: why it is held, empty if it is not. Whoever waits for ticks hears of it; the rows stay for afterwards.
        """
        self._held = held
        if held:
            self._teleop.clear()
            self._jog.clear()
            self._tell_all(held)
        if self._arm.stopped is not None:
            self.finish(f"stopped: {self._arm.stopped}")
        if self.leader is not None and self.leader.takes_part:
            self._look(self.leader, held=bool(held))

    def _look(self, leader: Leading, *, held: bool) -> None:
        """Where the leader wants the arm, unless it is there."""
        try:
            told, grip = self.told(), self.gripper()
        except ArmError:
            self._led = None  # whoever feels the arm finds that, too, and tells
            return
        self._led, self.lost = leader.look(Pose(told, grip), held=held)
        if self._led is not None and np.max(np.abs(self._led.joints - told)) < STILL > abs(self._led.gripper - grip):
            self._led = None

    def finish(self, why: str) -> None:
        """Nobody drives any more."""
        if self.mode is not Mode.NOBODY:
            self._drop(why)
            self.mode = Mode.NOBODY

    def _drop(self, why: str) -> None:
        self._chunk.clear()
        self._teleop.clear()
        self._jog.clear()
        self._retrace, self.note = None, why
        self.put_down()
        self._tell_all(why or "it was ended")

    def _tell_all(self, why: str) -> None:
        waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            future.set_result(why)

    def told(self) -> Array:
        """(J,) radians: where the arm was told to be, or is if nobody told it since it was held."""
        last = self._arm.last
        return self._arm.observe()["joints"] if last is None else last

    def gripper(self) -> float:
        """As it was told, or is."""
        if self._gripper is None or self._arm.last is None:
            return float(self._arm.observe()["gripper"][0])
        return self._gripper

    def next(self) -> Action | None:
        """The next tick's action, or None: the arm stays."""
        if self.mode is Mode.POLICY:
            return self._from_chunk()
        if self.mode is Mode.HUMAN and self._teleop.waits:
            row = self._teleop.take([*self.told()[self._grips], self.gripper()])
            return Action(self._reach(row[:-1]), float(row[-1]))
        if self.mode is Mode.HUMAN and self._jog.waits(self._clock()):
            features = self._arm.features
            here, seconds = self._arm.observe()["joints"], 1.0 / features.rate
            return Action(*self._jog.take(self.told(), here, self.gripper(), features.limits.speed, seconds))
        if self.mode is Mode.HUMAN and self._led is not None:
            return Action(self._led.joints, self._led.gripper)
        if self.mode is Mode.RETRACE and self._retrace is not None:
            return self._from_path(self._retrace)
        return None

    def _from_chunk(self) -> Action | None:
        row = self._chunk.take()
        if row is None:
            return None
        return Action(row[:-1] if self._chunk.kind == "joints" else self._reach(row[:-1]), float(row[-1]))

    def _from_path(self, retrace: Retrace) -> Action | None:
        if not retrace.waits(self._clock()):
            return None
        joints = retrace.take(self._arm.observe()["joints"], self.told())
        action = None if joints is None else Action(joints, self.gripper())
        if retrace.ended:
            self.take_over()
            self.note = retrace.ended
        return action

    def sent(self, action: Action) -> None:
        """What was really sent, whoever wanted it."""
        self._gripper = action.gripper
        due = [entry for entry in self._waiting if len(self._chunk) <= entry[0]]
        self._waiting = [entry for entry in self._waiting if len(self._chunk) > entry[0]]
        for _, future in due:
            future.set_result("")

    def _need_reach(self) -> None:
        if not isinstance(self._arm.arm, Reaches):
            raise Unsupported(f"expected an arm whose tip can be moved, got {self._arm.features.name}; send joints")

    def _reach(self, move: Array) -> Array:
        told = self.told()
        if not (np.any(move) or self._grips) or not isinstance(self._arm.arm, Reaches):
            return told
        return self._arm.arm.reach(told, move)
