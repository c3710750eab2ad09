"""What the arm shows: pictures, rehearsals and previews, made by twins beside the loop where the arm has some."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import numpy as np

from robot_io.arm import Array, BadAction, JointPath, NotConnected, Observation, Rehearsal, Twin, Twinned, Unsupported
from robot_io.loop import Loop
from robot_io.sighted import Glimpses, Laid, Rehearses, Shoots, Sighted
from robot_io.sizing import Size

log = logging.getLogger(__name__)
T = TypeVar("T")
NEAR = 0.15
"""Radians of any joint within which an arm that stands aside is where it belongs."""
SMALL = 160
"""Pixels: what a policy reads is at most this wide or high."""
CLOSE_PATIENCE = 3.0
"""Seconds that closing waits for a picture or a rehearsal under way."""


class Eye:
    """One twin, used by one thread at a time; a twin that died is replaced once per call."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._arm = loop.arm.arm
        self._lock = Lock()
        self._twin: Twin | None = None
        self._closed = False

    def warm(self) -> None:
        """Start the twin before it is needed."""
        if isinstance(self._arm, Twinned):
            with self._lock:
                self._ready()

    def observe(self) -> Observation:
        """What the arm sees now, pictures included; a camera is waited for here, and not in the loop."""
        if isinstance(self._arm, Sighted):
            return self._arm.see(self._sensed())
        if not isinstance(self._arm, Twinned):
            return self._loop.call(lambda: self._arm.observe(pictures=True)).result()
        snapshot = self._now()
        return self._ask(lambda twin: twin.observe(snapshot))

    def frame(self, camera: str) -> bytes:
        """One JPEG from a camera, now."""
        return self.frames([camera])[0]

    def frames(self, cameras: Sequence[str], size: Size | None = None) -> list[bytes]:
        """One JPEG from each camera, all of one moment: drawn from one state, by one call to the twin.

        Args:
            cameras: of the arm's features, without lenses.
            size: width and height in pixels, where the scene can be drawn in other sizes than its own.
        """
        if isinstance(self._arm, Sighted):
            return [self._arm.frame(camera) for camera in cameras]
        snapshot = self._now()

        def draw(twin: Twin) -> list[bytes]:
            if isinstance(twin, Shoots):
                return twin.frames(cameras, size, snapshot)
            return [twin.frame(camera, snapshot) for camera in cameras]

        return self._ask(draw)

    def glimpse(self, cameras: Sequence[str], width: int, height: int) -> tuple[int, Array]:
        """The tick and how it looked after it, small: (V, height, width, 3) uint8, one from each camera.

        Raises:
            Unsupported: an arm that draws nothing small, or a camera that it has not.
        """
        seen = isinstance(self._arm, Sighted)  # by a camera: its twin has a body, and draws nothing
        if seen or not isinstance(self._arm, Laid) or not isinstance(self._arm, Twinned):
            raise Unsupported(f"expected an arm that can be drawn small, got {self._arm.features.name}; read its state")
        if not all(8 <= side <= SMALL for side in (width, height)):
            raise BadAction(f"expected small pictures, 8 to {SMALL} pixels a side, got {width} × {height}")
        arm: Laid = self._arm
        tick, snapshot = self._loop.call(lambda: (self._loop.tick, arm.snapshot())).result()

        def draw(twin: Twin) -> Array:
            if not isinstance(twin, Glimpses):
                name = self._arm.features.name
                raise Unsupported(f"expected an arm that can be drawn small, got {name}; read its state")
            return twin.glimpse(cameras, width, height, snapshot)

        return tick, self._ask(draw)

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place from where the arm is."""
        if isinstance(self._arm, Sighted):
            return self._arm.path_from(self._sensed()["joints"], actions)
        if not isinstance(self._arm, Twinned):
            return self._loop.call(lambda: self._loop.arm.path(actions)).result()
        snapshot = self._now()
        return self._ask(lambda twin: twin.path(actions, snapshot))

    def aside(self) -> JointPath | None:
        """The way out of the picture, for an arm that stands in its own; None if it is not in it."""
        if not isinstance(self._arm, Sighted):
            return None
        seen = self._sensed()
        path = self._arm.aside(seen["joints"], float(seen["gripper"][0]))
        return path if np.max(np.abs(path.joints[-1] - seen["joints"])) > NEAR else None

    def try_out(self, path: JointPath) -> None:
        """Rehearse a motion in a simulated body, for an arm that has none; Refused says what went wrong."""
        if not isinstance(self._arm, Sighted) or not isinstance(self._arm, Twinned):
            return
        seen = self._sensed()
        joints, gripper = seen["joints"], float(seen["gripper"][0])

        def tried(twin: Twin) -> None:
            if isinstance(twin, Rehearses):
                twin.try_out(path, joints, gripper)

        self._ask(tried)

    def rehearse(self, actions: Array, snapshot: bytes | None) -> Rehearsal:
        """As `Scene.rehearse`."""
        start = self._now() if snapshot is None else snapshot
        return self._ask(lambda twin: twin.rehearse(actions, start))

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """As `Scene.preview`."""
        return self._ask(lambda twin: twin.preview(seed, task, split))

    def close(self) -> None:
        """End the twin, after the call under way if that ends soon."""
        self._closed = True
        waited = self._lock.acquire(timeout=CLOSE_PATIENCE)
        try:
            twin, self._twin = self._twin, None
            if twin is not None:
                twin.close()
        finally:
            if waited:
                self._lock.release()

    def _sensed(self) -> Observation:
        return self._loop.call(self._loop.arm.observe).result()

    def _now(self) -> bytes:
        arm = self._arm
        if not isinstance(arm, Laid) or not isinstance(arm, Twinned):
            raise Unsupported(f"expected an arm with a scene, got {arm.features.name}")
        return self._loop.call(arm.snapshot).result()

    def _ask(self, question: Callable[[Twin], T]) -> T:
        with self._lock:
            try:
                return question(self._ready())
            except NotConnected as error:
                if self._closed:
                    raise
                log.warning("a twin died (%s); another one is started", error)
                self._twin = None
                return question(self._ready())

    def _ready(self) -> Twin:
        if self._closed:
            raise NotConnected("the arm process is ending")
        if self._twin is None:
            if not isinstance(self._arm, Twinned):
                raise Unsupported(f"expected an arm with a scene, got {self._arm.features.name}")
            self._twin = self._arm.twin()
        return self._twin
