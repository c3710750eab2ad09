"""The simulated table: a Panda that picks and places, as an Arm, a Table and a Scene, all within this process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import (
    Action,
    BadAction,
    Features,
    JointPath,
    NotConnected,
    Observation,
    Rehearsal,
    Report,
    Stopped,
    TableView,
)
from robot_io.motion import Pace, pick_and_place
from robot_io.sim.cameras import Studio
from robot_io.sim.scene import Recipe, tasks
from robot_io.sim.world import HOME, World, panda_chain

Array = NDArray[Any]
RATE = 60.0
_GAP = 0.001
"""Metres between the cup and what it takes, and between what it sets down and what is below."""


class Stage:
    """A world, its pictures and its paths: what doing and rehearsing share."""

    def __init__(self) -> None:
        self.world = World()
        self.chain = panda_chain()
        self.pace = Pace(rate=RATE)
        self._studio: Studio | None = None
        self._shown: Recipe | None = None

    def close(self) -> None:
        """Give everything back; twice is harmless."""
        self.world.close()
        if self._studio is not None:
            self._studio.close()
            self._studio = None

    def studio(self) -> Studio:
        """The cameras, holding the world's scene."""
        if self._studio is None:
            self._studio = Studio()
        if self._shown != self.world.recipe:
            self._studio.load(self.world.layout.things)
            self._shown = self.world.recipe
        return self._studio

    def observe(self, *, pictures: bool) -> Observation:
        """Joints and gripper, and the pictures."""
        arrays: dict[str, Array] = {"joints": self.world.joints(), "gripper": np.array([self.world.gripper])}
        if pictures:
            arrays |= self.studio().pictures(self.world.poses())
        return Observation(self.world.ticks / RATE, arrays)

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place from where the arm is told to be."""
        return pick_and_place(self.chain, self.guarded(actions), self.world.target, HOME, self.pace)

    def guarded(self, actions: Array) -> Array:
        """Actions (2, 4) whose z is where the tip meets something on its way down, whatever z they came with.

        At the place the thing that will be held is what meets something first.
        """
        out = np.array(actions, dtype=np.float64)
        if out.shape != (2, 4) or not np.all(np.isfinite(out[:, [0, 1, 3]])):
            raise BadAction(f"expected (2, 4) finite numbers, pick and place as x, y, z, yaw, got {out.tolist()}")
        probe = self.world.probe
        probe.look_at(self.world.poses())
        thing, height = probe.under_cup(*out[0, :2])
        out[0, 2] = height + _GAP
        if thing is None or self.world.layout.things[thing].fixed:
            out[1, 2] = probe.under_cup(*out[1, :2])[1] + _GAP
            return out
        turn = out[1, 3] - out[0, 3]
        c, s = np.cos(turn), np.sin(turn)
        moved = (probe.footprint(thing) - out[0, :2]) @ np.array([[c, s], [-s, c]]) + out[1, :2]
        under = max(height for _, height in probe.surface(moved, skip=thing))
        out[1, 2] = under + probe.thickness(thing, out[0, 2]) + _GAP
        return out

    def rehearse(self, actions: Array, snapshot: bytes) -> Rehearsal:
        """From a snapshot, carry out a pick and place here."""
        self.world.restore(snapshot)
        path = self.path(actions)
        for tick in range(len(path)):
            self.world.tick(path[tick].joints, path[tick].gripper)
        return self.now(Report(True, "", len(path)))

    def preview(self, recipe: Recipe) -> Rehearsal:
        """Build a scene here."""
        self.world.build(recipe)
        return self.now(Report(True))

    def now(self, report: Report) -> Rehearsal:
        """How things are."""
        return Rehearsal(self.observe(pictures=True), self.world.truth(), self.world.snapshot(), report)


class SimTable:
    """A simulated Panda at a table; see `robot_io.arm.Scene`.

    Time passes only while it moves (`send`, and `perform` which sends), never by a clock.
    """

    def __init__(self, name: str = "sim:panda") -> None:
        self._name = name
        self._stage: Stage | None = None
        self._second: Stage | None = None
        self._chain = panda_chain()
        self._latched = threading.Event()

    @property
    def features(self) -> Features:
        """What it has; readable before `connect`."""
        return Features(
            name=self._name,
            joints=self._chain.names,
            limits=self._chain.limits,
            rate=RATE,
            cameras=("side",),
            capabilities=frozenset({"table", "scene"}),
            table=TableView(),
            simulated=True,
            tasks=tasks(),
        )

    def connect(self) -> None:
        """Start the physics with a first scene on the table."""
        if self._stage is not None:
            raise NotConnected("expected an arm that is not connected yet, got a connected one; disconnect it first")
        self._stage = Stage()
        self._latched.clear()
        self._stage.world.build(Recipe(0, tasks()[0]))

    def disconnect(self) -> None:
        """End the physics; twice is harmless."""
        for stage in (self._stage, self._second):
            if stage is not None:
                stage.close()
        self._stage = self._second = None

    @property
    def stage(self) -> Stage:
        """The live world and cameras; NotConnected before `connect`."""
        if self._stage is None:
            raise NotConnected("expected a connected arm; call connect first")
        return self._stage

    def observe(self, *, pictures: bool = False) -> Observation:
        """Joints (7,), gripper (1,); with pictures colour, height and picture."""
        return self.stage.observe(pictures=pictures)

    def send(self, action: Action) -> Action:
        """One control tick of 1/60 s towards the action; returns what was sent, within the joints' limits."""
        world = self.stage.world
        if action.joints.shape != (7,) or not np.all(np.isfinite(action.joints)) or not np.isfinite(action.gripper):
            raise BadAction(f"expected 7 finite joints and a finite gripper, got {action}")
        if self._latched.is_set():
            raise Stopped("the arm is stopped; release it first")
        limits = self._chain.limits
        sent = Action(np.clip(action.joints, limits.lower, limits.upper), float(np.clip(action.gripper, 0, 1)))
        world.tick(sent.joints, sent.gripper)
        return sent

    def hold(self) -> None:
        """Stay here: the targets become the joints as they are."""
        world = self.stage.world
        world.stay()

    def stop(self) -> None:
        """Hold and latch; from any thread."""
        self._latched.set()

    def release(self) -> None:
        """Unlatch."""
        self._latched.clear()

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place from here; Unreachable moves nothing."""
        return self.stage.path(actions)

    def perform(self, actions: Array) -> Report:
        """Carry out a pick and place, as fast as it computes."""
        if self._latched.is_set():
            raise Stopped("the arm is stopped; release it first")
        path = self.path(actions)
        for tick in range(len(path)):
            self.send(path[tick])
        return Report(True, "", len(path))

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """A fresh scene with the arm at home; returns its truth."""
        self.stage.world.build(Recipe(seed, task, split))
        return self.truth()

    def truth(self) -> Mapping[str, Any]:
        """Where everything really is."""
        return self.stage.world.truth()

    def snapshot(self) -> bytes:
        """The whole physical state."""
        return self.stage.world.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, bit for bit."""
        self.stage.world.restore(snapshot)

    def _other(self) -> Stage:
        self.stage  # noqa: B018  (connected?)
        if self._second is None:
            self._second = Stage()
        return self._second

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """Roll a pick and place forward in a second world, from a snapshot or from now."""
        return self._other().rehearse(actions, self.snapshot() if snapshot is None else snapshot)

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """What `reset` would show."""
        return self._other().preview(Recipe(seed, task, split))

    def side(self, width: int = 320, height: int = 240) -> Array:
        """(height, width, 3) uint8 from the side, with the arm."""
        world = self.stage.world
        return self.stage.studio().side(world.poses(), world.joints(), width, height)
