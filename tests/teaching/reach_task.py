"""A task in motion for tests: bring the tip of an arm in memory to a place. No physics, no process, no time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from robot_io import beat as beats
from robot_io.arm import Action, Array, Features, Observation, Unsupported
from robot_io.errors import Driven
from robot_io.fake import FakeArm
from robot_io.flow import Flow, Mode
from robot_io.heartbeat import Heartbeat
from robot_io.memory import Memory
from robot_io.safety import SafeArm
from robot_io.teleop import Command
from teaching.rollout_task import Sight

NEAR = 0.015


class ReachTask:
    """Reach the place."""

    name = "reach"
    arms = 1
    subtasks = ("reach",)
    goal = "reach the place"
    limit = 150
    columns: Mapping[str, slice] = {"tip": slice(0, 3), "way": slice(3, 6), "gripper": slice(6, 7)}
    width = 7
    feels = 4
    look = 0.35

    def state(self, observation: Any) -> Array:
        parts = [np.asarray(observation[name], dtype=np.float64) for name in ("tip", "way", "gripper")]
        return np.concatenate(parts)

    def feel(self, observation: Any) -> Array:
        return np.concatenate([np.asarray(observation[name], dtype=np.float64) for name in ("tip", "gripper")])

    def relative(self, states: Array) -> Array:
        return states[:, 3:6] / 0.05

    def sights(self, truth: Mapping[str, Any], observation: Any) -> tuple[Sight]:
        tip = np.asarray(observation["tip"])
        return (Sight(tip, tip + np.asarray(observation["way"]), 0.0, 0.0, fits=0.01),)


TASK = ReachTask()


class ReachArm(FakeArm):
    """Its scene is a place to reach."""

    def __init__(self, *, simulated: bool = True) -> None:
        super().__init__(simulated=simulated)
        self.target = np.array([0.6, 0.1, 0.2])
        self.finishable = True

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        super().reset(seed, "put-block-in-bowl", "seen")
        rng = np.random.default_rng(seed)
        self.target = np.array([0.55, rng.uniform(-0.1, 0.1), 0.2])
        return self.truth()

    def observe(self, *, pictures: bool = False) -> Observation:
        seen = super().observe()
        return Observation(
            seen.time, {**seen.arrays, "tip": seen["joints"][:3], "way": self.target - seen["joints"][:3]}
        )

    def truth(self) -> Mapping[str, Any]:
        there = bool(np.linalg.norm(self.target - self._joints[:3]) < NEAR) and self.finishable
        return {"stage": int(there), "progress": float(there), "success": there, "contact": False, "good_look": True,
                "held": None, "retries": 0, "goal": TASK.goal}  # fmt: skip


class MemoryArm:
    """The face of `StreamArm` over a control loop in memory: ticks pass only while somebody has something to do."""

    def __init__(self, arm: ReachArm | None = None) -> None:
        self.inner = arm or ReachArm()
        self.arm = SafeArm(self.inner)
        self.arm.connect()
        self.time, self.tick = 0.0, 0
        self.flow = Flow(self.arm, lambda: self.time)
        self.memory = Memory(self.arm, lambda: self.time)
        self.heartbeat = Heartbeat(lambda: self.time)
        self.at: dict[int, Callable[[MemoryArm], None]] = {}
        """What a person does once so many ticks have passed."""
        self.fails: Exception | None = None
        """What the next question is answered with."""
        self.connected = True
        self.blind = ""
        """Which camera fails."""

    @property
    def features(self) -> Features:
        return self.arm.features

    # a person

    def take(self) -> None:
        self.flow.take_over()

    def push(self, *delta: float) -> None:
        self.flow.push(Command.of([*delta, 0.0]))

    def hand_back(self) -> None:
        self.flow.finish("handed back")

    # the program's verbs

    def record(self, *, on: bool = True) -> None:
        self.memory.record(on, self.tick)

    def reset(self, seed: int, task: str, split: str) -> None:
        if self.flow.busy:
            raise Driven("expected nobody to drive, but it is human")
        self.arm.refuse_if_stopped()
        self.inner.reset(seed, task, split)
        self.arm.moved()
        self.memory.forget(self.tick)

    def stream_beat(
        self, rows: Array, since: int, *, every: int = 1, kind: str = "tip", start: int | None = None, wait: int = 0
    ) -> Mapping[str, Any]:
        self._fail()
        self.arm.refuse_if_stopped()
        self.flow.stream(rows, self.tick, start=start, every=every, kind=kind)
        self.turn(wait)
        return {**self._beat(since), "ended": self.flow.note if self.flow.mode is not Mode.POLICY else ""}

    def beat(self, since: int) -> Mapping[str, Any]:
        self._fail()
        self.turn()
        return self._beat(since)

    def _fail(self) -> None:
        error, self.fails = self.fails, None
        if error is not None:
            raise error

    def _beat(self, since: int) -> Mapping[str, Any]:
        told = beats.beat(self, since)  # type: ignore[arg-type]
        return {**told, "now": {**told["now"], "observation": self.arm.observe()}}

    @property
    def state(self) -> Any:
        from types import SimpleNamespace

        held = self.blind if self.flow.streaming else ""
        phase = "stopped" if self.arm.stopped is not None else "held" if held else "idle"
        return SimpleNamespace(phase=SimpleNamespace(value=phase), why=held)

    def turn(self, left: int = 0) -> None:
        """All ticks that have something to do, up to what may be left of a policy's rows."""
        while not (self.flow.mode is Mode.POLICY and self.flow.end - self.tick <= left and left):
            act = self.at.pop(self.tick, None)
            if act is not None:
                act(self)
            self.flow.watch(held=self.blind if self.flow.streaming else "")
            if self.blind and self.flow.streaming:
                return
            mode, action = self.flow.mode, self.flow.next()
            if action is None:
                return
            self.time += 1 / 60
            self._send(mode.value, action)

    def _send(self, mode: str, action: Action) -> None:
        before = self.memory.before(self.tick)
        sent = self.arm.send(action)
        self.tick += 1
        self.memory.after(before, self.tick, mode, action, sent)
        self.flow.sent(sent)

    def hold(self) -> None:
        self.flow.finish("held")
        self.arm.hold()

    def rewind(self, tick: int) -> None:
        if self.flow.busy:
            raise Driven("expected nobody to drive, but a person does; hand it back first")
        self.memory.rewind(tick)

    def stills(self, cameras: Any, width: int, height: int) -> tuple[int, list[bytes]]:
        raise Unsupported("expected an arm with a camera, got one in memory")

    def places(self, joints: Array) -> Array:
        return self.inner.places(joints)

    def reconnect(self, *, patience: float = 0.0) -> None:
        self.connected = True
