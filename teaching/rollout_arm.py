"""The arm of a rollout lesson: one worker thread asks it, one thing at a time, and posts what it told."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from robot_io.arm import ArmError, Features, Observation
from robot_io.errors import Driven
from robot_io.remote_stream import StreamArm
from teaching.replay.pictures import Pictures
from teaching.rollout_film import RolloutFilm
from teaching.rollout_glimpse import Glimpser
from teaching.rollout_states import EVERY
from teaching.types import Array

LOOK_SECONDS = 0.03
"""Between two looks while a person drives or nobody does: a take-over is noticed within it."""


@dataclass(frozen=True)
class Beat:
    """What the arm told, all within a few milliseconds."""

    now: Mapping[str, Any]
    """As `StreamArm.now`."""
    frames: Mapping[str, Any]
    """As `StreamArm.frames`: the ticks since the last beat."""
    truth: Mapping[str, Any] | None
    """Of a simulated scene."""
    ended: str = ""
    """Why a stream ended early."""


@dataclass(frozen=True)
class Told:
    """One piece of work, done: what came of it, or why nothing did."""

    what: str
    value: Any = None
    error: ArmError | None = None
    about: Any = None
    """What the asker gave along."""


@dataclass
class RolloutArm:
    """Does one piece of work after another; `post` hears ("told", Told) for each."""

    arm: StreamArm
    post: Callable[[str, Any], None]
    look_seconds: float = LOOK_SECONDS
    busy: bool = False
    """Something is under way."""
    seen: int = -1
    """The last tick that was told of."""
    glimpser: Glimpser | None = None
    """Where the policy reads pictures."""
    film: RolloutFilm | None = None
    """Where people will want to see what happened."""
    _work: queue.Queue[tuple[str, Callable[[], Any], Any] | None] = field(default_factory=queue.Queue)
    _features: Features | None = None

    def __post_init__(self) -> None:
        self._features = self.arm.features
        self._pause = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arm", daemon=True)
        self._thread.start()

    @property
    def features(self) -> Features:
        """What the arm has."""
        assert self._features is not None
        return self._features

    @property
    def is_scene(self) -> bool:
        """Whether it can be reset, and tells the truth."""
        return bool({"laid", "scene"} & self.features.capabilities)

    @property
    def can_rewind(self) -> bool:
        """Whether time can be turned back."""
        return "scene" in self.features.capabilities

    def ask(self, what: str, work: Callable[[], Any], about: Any = None) -> None:
        """Have some work done; one at a time."""
        self.busy = True
        self._work.put((what, work, about))

    def look(self) -> None:
        """Wait a moment, then see how things are."""

        def work() -> Beat:
            self._pause.wait(self.look_seconds)
            self._pause.clear()
            return self._beat("")

        self.ask("beat", work)

    def hurry(self) -> None:
        """A look under way need not wait."""
        self._pause.set()

    def drive(self, rows: Array, *, start: int | None = None, left: int = 0) -> None:
        """Carry rows out and tell how things are when no more than `left` ticks wait, or when they ended early.

        Args:
            rows: (T, 5 per arm), appended, or in place of what waits from tick `start` on.
            start: the tick before the first row; rows of ticks that are over by then are left out.
            left: what is left over goes on while the next rows are thought of, so that a late thought is no standstill.
        """

        def work() -> Beat:
            try:
                return self._told(self.arm.stream_beat(rows, self.seen, every=EVERY, start=start, wait=left))
            except Driven as error:
                return self._beat(str(error))

        self.ask("beat", work)

    def reset(self, seed: int, task: str, split: str) -> None:
        """A new scene where there is one, and recording from here on."""

        def work() -> Beat:
            self.arm.record(on=False)
            if self.is_scene:
                self.arm.reset(seed, task, split)
            self.arm.record()
            self.seen = -1
            self.forget()
            if self.film is not None:
                self.film.begin()
            return self._beat("")

        self.ask("reset", work)

    def see(self) -> None:
        """The policy reads pictures; Unsupported if the arm draws none."""
        self.glimpser = Glimpser(self.arm, self.features.cameras, self.features.rate)
        self.glimpser.seen(Observation(0.0, {}), 0)
        self.glimpser.forget()

    def watch(self) -> None:
        """What the cameras see is filmed, beside everything else."""
        self.film = RolloutFilm(self.arm, self.features.cameras, lambda: self.seen)

    def filmed(self, ticks: Sequence[int]) -> tuple[Pictures | None, dict[str, Any]]:
        """As `RolloutFilm.take`; nothing where it is not filmed."""
        return (None, {}) if self.film is None else self.film.take(ticks)

    def forget(self) -> None:
        """What was seen is no longer so."""
        if self.glimpser is not None:
            self.glimpser.forget()

    def places(self, joints: Array, about: Any) -> None:
        """Where joints (N, J) bring the tip, (N, 4)."""
        self.ask("places", lambda: self.arm.places(joints), about)

    def _beat(self, ended: str) -> Beat:
        return self._told({**self.arm.beat(self.seen), "ended": ended})

    def _told(self, told: Mapping[str, Any]) -> Beat:
        ticks = np.asarray(told["frames"].get("tick", ()))
        if len(ticks):
            self.seen = int(ticks[-1])
        now = told["now"]
        if self.glimpser is not None:
            now = {**now, "observation": self.glimpser.seen(now["observation"], int(now["tick"]))}
        return Beat(now, told["frames"], told["truth"], str(told["ended"]))

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            what, work, about = item
            try:
                told = Told(what, work(), None, about)
            except ArmError as error:
                told = Told(what, None, error, about)
            self.post("told", told)

    def reconnect(self) -> bool:
        """Whether the arm process answers, again if need be."""
        try:
            if not self.arm.connected:
                self.arm.reconnect(patience=0.0)
        except ArmError:
            return False
        return True

    def close(self) -> None:
        """End the worker; the arm stays as it is."""
        self._work.put(None)
        self._pause.set()
        if self.film is not None:
            self.film.close()
