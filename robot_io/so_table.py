"""An SO arm at a table under a camera: it sees from above, picks and places.

Heights are told by a camera that gives depth and is calibrated in space; without either the map's heights are those of
the bare table. A plan's own heights are not used: things are taken `GRASP` above the table and let go `SET` above it.
While it looks, the arm is folded and turned aside. Metres and radians in the arm's base frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from robot_io import hand_eye, so
from robot_io.arm import (
    Array,
    BadAction,
    Features,
    JointPath,
    Limits,
    NotConnected,
    Observation,
    Rehearsal,
    Report,
    Stopped,
    Unsupported,
)
from robot_io.cameras import Camera, CameraError, Frame, open_camera
from robot_io.driver import Driver
from robot_io.emulation import one_block
from robot_io.emulation.back_door import BackDoor
from robot_io.emulation.bench import TASKS, view
from robot_io.errors import NotCalibrated
from robot_io.features import CameraView
from robot_io.hand_eye import Sight
from robot_io.heights import heights_of, points_of
from robot_io.naming import ArmName
from robot_io.pictures import jpeg
from robot_io.so_motion import PAN_X, SoArm, fold, pick_and_place, solve

if TYPE_CHECKING:
    from robot_io.sim.so_twin import SoTwin

CAMERA = "camera"
GRASP, SET = 0.008, 0.02
"""Metres above the table at which the tip takes and lets go."""
OPENED = 0.5
"""Half open is wide enough for what it can lift."""
ASIDE = np.array([-1.5, *so.REST[1:]])
"""Folded, and turned so far that its open jaw points away from the table's map."""
READY = np.array(
    [0.0, *solve(np.array([[PAN_X + 0.16, 0.0, 0.06, 0.0]]), Limits(so.LOWER, so.UPPER, so.SPEED, so.WORKSPACE))[0, 1:]]
)
"""Where lessons in motion begin."""
LAG = 0.3
"""Seconds that a picture may be old when it comes."""
WAIT = 5.0
"""Seconds to wait for a picture."""
SCALE = 4
"""Pixels of the picture for people to one of the map."""


def made(driver: Driver, name: ArmName, clock: Callable[[], float] = time.monotonic) -> SoArm:
    """The arm of a name: with `camera=…` one that picks and places, on an emulated bench one that knows it."""
    if "camera" not in name.options:
        return SoArm(driver, clock)
    camera, file = name.options["camera"], name.sight_file("so_follower")
    if file is None:
        raise NotCalibrated(
            f"expected to know where camera {camera} looks; add sight=FILE or id=NAME to the arm's name, and calibrate "
            "the camera on the Arms page"
        )
    kind, _, folder = camera.partition(":")
    if kind == "emulated":
        return BenchSoTable(driver, clock, camera, file, BackDoor(Path(folder)))
    return SoTable(driver, clock, camera, file)


class SoTable(SoArm):
    """An SO arm that sees its table."""

    def __init__(
        self,
        driver: Driver,
        clock: Callable[[], float],
        camera: str,
        sight: Path,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Args: camera as `open_camera` names it; sight: the file of its calibration."""
        super().__init__(driver, clock)
        self._camera_name, self._sight_file, self._sleep = camera, sight, sleep
        self._camera: Camera | None = None
        self._sight: Sight | None = None
        self._shown: Features | None = None

    @property
    def features(self) -> Features:
        """What it has; asks the arm once."""
        if self._shown is None:
            self._shown = replace(
                super().features,
                capabilities=frozenset({"table"}),
                cameras=(CAMERA,),
                table=view(),
                views=self._views(),
            )
        return self._shown

    def connect(self) -> None:
        """Take the camera, then the arm."""
        if self._camera is None:
            self._sight = hand_eye.load(self._sight_file)
            camera = open_camera(self._camera_name)
            camera.start()
            self._camera = camera
        super().connect()

    def disconnect(self) -> None:
        """Let go of both."""
        super().disconnect()
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def observe(self, *, pictures: bool = False) -> Observation:
        """Joints (5,) and gripper (1,); with pictures colour (H, W, 3), height (H, W) and picture (4H, 4W, 3)."""
        seen = super().observe()
        return self.see(seen) if pictures else seen

    def see(self, observation: Observation) -> Observation:
        """With the pictures of a frame that was taken after this call. CameraError if none comes."""
        frame, table = self._fresh(), self.features.table
        assert self._sight is not None
        arrays: dict[str, Array] = dict(observation.arrays)
        arrays["colour"] = self._sight.top_down(frame.colour, table)
        arrays["height"] = self._heights(frame)
        arrays["picture"] = self._sight.top_down(frame.colour, table, SCALE)
        return Observation(observation.time, arrays)

    def _heights(self, frame: Frame) -> Array:
        """(H, W) float32 metres; the bare table without depth, or while only the plane is calibrated."""
        table = self.features.table
        if frame.depth is None or self._sight is None or self._sight.camera is None:
            return np.zeros(table.shape, np.float32)
        return heights_of(table, points_of(self._sight, frame.depth))

    def camera_trouble(self) -> str:
        """What is wrong with its camera, in a sentence; "" if nothing is."""
        return self._camera.state().trouble if self._camera is not None else ""

    def frame(self, camera: str) -> bytes:
        """One JPEG of what the camera shows now."""
        if camera != CAMERA:
            raise Unsupported(f"expected the camera {CAMERA}, got {camera!r}")
        return jpeg(self._need_camera().latest().colour)

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place, from where it is."""
        return self.path_from(super().observe()["joints"], actions)

    def path_from(self, joints: Array, actions: Array) -> JointPath:
        """The same from joints (5,); z of the actions (2, 4) may be missing (NaN) and is not used."""
        actions = np.array(actions, dtype=np.float64)
        if actions.shape != (2, 4) or not np.all(np.isfinite(actions[:, [0, 1, 3]])):
            raise BadAction(f"expected (2, 4) finite numbers, pick and place as x, y, z, yaw, got {actions.tolist()}")
        actions[:, 2] = GRASP, SET
        return pick_and_place(actions, joints, self.features.limits, rest=ASIDE, opened=OPENED)

    def aside(self, joints: Array, gripper: float) -> JointPath:
        """From joints (5,) out of the camera's view of the map."""
        return fold(joints, gripper, ASIDE, self.features.limits)

    def perform(self, actions: Array) -> Report:
        """Carry out a pick and place, tick by tick on this thread."""
        if self._stopped:
            raise Stopped("the arm is stopped; release it to go on")
        path = self.path(actions)
        due = self._clock()
        for tick in range(len(path)):
            self.send(path[tick])
            due += 1 / self.features.rate
            self._sleep(max(0.0, due - self._clock()))
        return Report(reached=True, ticks=len(path))

    def twin(self) -> SoTwin:
        """A simulated body in a process of its own, in which motions are rehearsed."""
        from robot_io.sim.so_twin import SoTwin

        return SoTwin(self.path_from)

    def _views(self) -> dict[str, CameraView]:
        """Where what the camera sees lies, if it was calibrated in space."""
        try:
            sight = hand_eye.load(self._sight_file)
        except NotCalibrated:
            return {}
        if sight.camera is None:
            return {}
        height, width = sight.picture
        across, down, far = (sight.camera / [[width], [height], [1.0]]).tolist()
        return {CAMERA: CameraView((across, down, far))}

    def _fresh(self) -> Frame:
        camera, asked = self._need_camera(), self._clock()
        while True:
            try:
                frame = camera.latest()
                if frame.time >= asked + LAG:
                    return frame
                trouble = f"expected a picture of camera {camera.name} within {WAIT:g} s, got none; check its cable"
            except CameraError as error:
                trouble = str(error)
            if self._clock() > asked + WAIT:
                raise CameraError(trouble)
            self._sleep(0.02)

    def _need_camera(self) -> Camera:
        if self._camera is None:
            raise NotConnected("expected a connected arm; call connect first")
        return self._camera


class BenchSoTable(SoTable):
    """One on an emulated bench, which can be laid out and asked."""

    def __init__(
        self, driver: Driver, clock: Callable[[], float], camera: str, sight: Path, door: BackDoor, **more: Any
    ) -> None:
        """As `SoTable`; `door` leads behind the emulated arm."""
        super().__init__(driver, clock, camera, sight, **more)
        self._door = door
        self._rehearsing: SoTwin | None = None
        self._moving = False

    @property
    def features(self) -> Features:
        """What it has."""
        return replace(super().features, capabilities=frozenset({"table", "laid"}), tasks=TASKS)

    def disconnect(self) -> None:
        """Let go of everything."""
        super().disconnect()
        self._door.close()
        twin, self._rehearsing = self._rehearsing, None
        if twin is not None:
            twin.close()

    def connect(self) -> None:
        """Take camera and arm, and see which scene lies there."""
        super().connect()
        self._moving = self._door.ask("sense") is not None

    def observe(self, *, pictures: bool = False) -> Observation:
        """As `SoTable.observe`; in a scene for lessons in motion also what `one_block.perceived` tells."""
        seen = super().observe(pictures=pictures)
        told = self._door.ask("sense") if self._moving else None
        if told is None:
            return seen
        perceived = one_block.perceived(self.tip(seen["joints"]), told["block"], told["bowl"], bool(told["held"]))
        return Observation(seen.time, {**seen.arrays, **perceived})

    def aside(self, joints: Array, gripper: float) -> JointPath:
        """Out of the picture; for lessons in motion to where these begin, above the middle and pointing down."""
        return fold(joints, gripper, READY if self._moving else ASIDE, self.features.limits)

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """Lay the bench out anew."""
        self._moving = task == one_block.NAME
        truth: Mapping[str, Any] = self._door.ask("reset", seed=seed, task=task, split=split)
        return truth

    def truth(self) -> Mapping[str, Any]:
        """Where everything really is."""
        truth: Mapping[str, Any] = self._door.ask("truth")
        return truth

    def snapshot(self) -> bytes:
        """The bench and the arm's joints."""
        return bytes(self._door.ask("snapshot"))

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """Carry it out in a twin."""
        if self._rehearsing is None:
            self._rehearsing = self.twin()
        return self._rehearsing.rehearse(actions, self.snapshot() if snapshot is None else snapshot)
