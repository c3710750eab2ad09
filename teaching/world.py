"""An arm as a lesson sees it: moments, foresight, and one thread that carries out what was decided.

A simulated arm can foresee: a second physics client rolls the next move forward while the arm still moves, so that the
next question is ready at once. What was foreseen is compared with what came about; a difference voids it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from robot_io.arm import ArmError, NotConnected, Observation, Report, Scene, Stopped, Table, Unreachable
from robot_io.errors import CameraError
from teaching.task import Truth
from teaching.tasks.sequence import scene_of
from teaching.types import Array

BLIND_SECONDS = 0.2
"""Between two looks through a camera that fails."""
TOLERANCE = 0.002
"""Metres by which a foreseen object may lie elsewhere."""


@dataclass(frozen=True)
class Moment:
    """What the arm sees at one instant between two plans."""

    observation: Observation
    truth: Truth | None = None
    """None on an arm that cannot know."""
    snapshot: bytes | None = None
    foreseen: bool = False


@dataclass(frozen=True)
class Done:
    """One thing that the arm was told to do, and how it went."""

    kind: str
    """"performed" or "reset"; "blind": a camera fails, and it is waited for."""
    moment: Moment | None = None
    report: Report | None = None
    error: ArmError | None = None


def same_scene(one: Truth | None, other: Truth | None) -> bool:
    """Whether every object lies where the other truth says, within TOLERANCE."""
    if one is None or other is None:
        return False
    places = [{o["id"]: o["position"] for o in truth["objects"]} for truth in (one, other)]
    if places[0].keys() != places[1].keys():
        return False
    return all(np.linalg.norm(np.subtract(places[0][i], places[1][i])) <= TOLERANCE for i in places[0])


class World:
    """Thread-safe towards the arm: moves happen on one thread of its own, in order."""

    def __init__(self, arm: Table, task: str, split: str, post: Callable[[Done], None]) -> None:
        """Args: arm connected; task and split for `reset`; post receives a Done per move, on the arm's thread."""
        self.arm, self.task, self.split, self._post = arm, task, split, post
        self.splits: dict[int, str] = {}
        """Of scenes that are made of something else, by their seed."""
        self.is_scene = "scene" in arm.features.capabilities
        """It can foresee, and be put back."""
        self.is_known = bool({"scene", "laid"} & arm.features.capabilities)
        """Somebody knows where everything is, and lays out new scenes."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="arm")
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="foresight")
        self._era = 0

    @property
    def scene(self) -> Scene:
        """The arm as a Scene; ask `is_scene` first."""
        return cast(Scene, self.arm)

    def look(self) -> Moment:
        """What is there now."""
        observation = self.arm.observe(pictures=True)
        if not self.is_known:
            return Moment(observation)
        return Moment(observation, self.scene.truth(), self.scene.snapshot())

    def foresee(self, actions: Array, moment: Moment) -> Moment | None:
        """The moment after a move, without moving; None where that cannot be known. Raises Unreachable.

        An arm that cannot foresee still tells whether it would begin the move.
        """
        if not self.is_known or moment.snapshot is None:
            check = getattr(self.arm, "check", None)
            if check is not None:
                check(np.array(actions))
            return None
        rehearsal = self.scene.rehearse(np.array(actions), moment.snapshot)
        if not rehearsal.report.reached:
            raise Unreachable(rehearsal.report.reason or "the arm cannot reach there")
        return Moment(rehearsal.observation, rehearsal.truth, rehearsal.snapshot, foreseen=True)

    def foresee_later(self, actions: Array, moment: Moment) -> Future[Moment | None]:
        """`foresee` on a thread beside."""
        return self._aside.submit(self.foresee, actions, moment)

    def preview_later(self, seed: int) -> Future[Moment | None]:
        """The first moment of a fresh scene, on a thread beside; None where that cannot be known."""
        return self._aside.submit(self._preview, seed)

    def _preview(self, seed: int) -> Moment | None:
        if not self.is_scene:
            return None
        shown = self.scene.preview(seed, *self._recipe(seed))
        return Moment(shown.observation, shown.truth, shown.snapshot, foreseen=True)

    def perform(self, actions: Array, *, look: bool, anyway: bool = False) -> None:
        """Carry out a pick-and-place, after whatever is under way; a Done is posted.

        Args:
            actions: (2, 4).
            look: have pictures taken afterwards.
            anyway: also if its rehearsal goes wrong, as a person wants it.
        """
        more = {"anyway": True} if anyway else {}
        self._thread.submit(
            self._run, self._era, "performed", look, lambda: self.arm.perform(np.array(actions), **more)
        )

    def reset(self, seed: int, *, look: bool) -> None:
        """A fresh scene, after whatever is under way; on an arm without scenes only a look. A Done is posted."""
        self._thread.submit(
            self._run,
            self._era,
            "reset",
            look,
            lambda: self._lay(seed),
        )

    def _recipe(self, seed: int) -> tuple[str, str]:
        return scene_of(self.task, self.splits.get(seed, self.split))

    def _lay(self, seed: int) -> None:
        if self.is_known:
            self.scene.reset(seed, *self._recipe(seed))
        elif (clear := getattr(self.arm, "clear", None)) is not None:
            clear()

    def forget(self) -> None:
        """What has not begun is not begun; what is under way ends, and nothing is posted of it."""
        self._era += 1

    def _run(self, era: int, kind: str, look: bool, act: Callable[[], Any]) -> None:
        if era != self._era:
            return
        try:
            report = act() or None
            moment = self._seen(era) if look or not self.is_scene else Moment(self.arm.observe(), self.scene.truth())
            done = Done(kind, moment, report)
            if isinstance(report, Report) and not report.reached:
                done = Done(kind, error=Stopped(f"the arm did not finish its move: {report.reason or 'it was held'}"))
        except ArmError as error:
            done = Done(kind, error=error)
        if era == self._era:
            self._post(done)

    def _seen(self, era: int) -> Moment:
        """What is there now; a camera that fails is waited for, and that is told."""
        while True:
            try:
                return self.look()
            except CameraError as error:
                if era != self._era:
                    raise
                self._post(Done("blind", error=error))
                time.sleep(BLIND_SECONDS)

    def trouble(self) -> str:
        """What is wrong with a camera of a real arm, in a sentence; "" if nothing is, or it cannot be asked."""
        state = getattr(self.arm, "state", None)
        if state is None or self.arm.features.simulated:
            return ""
        try:
            return str(state().get("blind", ""))
        except ArmError:
            return ""

    def ready(self) -> bool:
        """Whether the arm can be told to move again; tries to reach one that vanished."""
        state = getattr(self.arm, "state", None)
        try:
            if state is not None and state()["phase"] in ("stopped", "fault"):
                return False
            self.arm.observe(pictures=not self.is_scene)
        except NotConnected:
            reconnect = getattr(self.arm, "reconnect", None)
            return bool(reconnect and self._reached(reconnect))
        except ArmError:
            return False
        return True

    @staticmethod
    def _reached(reconnect: Callable[..., None]) -> bool:
        try:
            reconnect(patience=0.0)
        except ArmError:
            return False
        return True

    def close(self) -> None:
        """Finish nothing more; the arm is left to its owner."""
        self.forget()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._aside.shutdown(wait=False, cancel_futures=True)
