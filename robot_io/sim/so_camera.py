"""An emulated bench's camera, `python -m robot_io.sim.so_camera DIR`: renders beside the bus, which it never holds up.

It asks at the back door what there is to see, draws it when it has changed, and adds the noise that every lens has.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from robot_io import hand_eye, wire
from robot_io.emulated_camera import FRAME, RATE, SIGHT, write_frame
from robot_io.emulation.back_door import BackDoor
from robot_io.emulation.bench import Bench
from robot_io.errors import NotConnected
from robot_io.hand_eye import Sight
from robot_io.priority import be_nice
from robot_io.sim import bodies
from robot_io.sim.cameras import Camera
from robot_io.sim.so101 import load
from robot_io.sim.so_bench import REACH
from robot_io.so_motion import chain

Array = NDArray[Any]
LENS = Camera((0.25, 0.03, 0.60), (0.205, 0.0, 0.0), (-1, 0, 0), 400, 300, (-0.36, 0.36, -0.27, 0.27), 0.05, 2.0)
"""Above the bench and a little to the side, as somebody screwed it on; 1.1 mm a pixel on the table."""
SIDE = Camera((0.62, -0.42, 0.42), (0.12, 0.0, 0.08), (0, 0, 1), 320, 240, (-0.4, 0.4, -0.3, 0.3), 0.1, 3.0)
NOISE = 1.5
"""Standard deviation of a pixel's brightness, of 255."""
NICE = 4
BEAD, BEAD_SIZE, BEAD_COLOUR = 0.25, 0.007, (0.95, 0.1, 0.85, 1.0)
"""Radians below which the empty jaws hold a bead, for whoever calibrates the camera; metres of its radius; red, green,
blue, alpha."""
ORPHAN = 5.0
"""Seconds without a bench after which it ends."""


def sight_of(lens: Camera) -> Sight:
    """What calibrating a camera of known pose would find, without a click."""
    view, projection = (np.reshape(m, (4, 4)).T for m in lens.matrices())
    screen = np.array([[lens.width / 2, 0, 0, lens.width / 2], [0, -lens.height / 2, 0, lens.height / 2], [0, 0, 0, 1]])
    camera = screen @ projection @ view
    camera = camera / np.linalg.norm(camera)
    return Sight(camera[:, [0, 1, 3]], (lens.height, lens.width), camera=camera)


class Set:
    """A client that only renders: the table, the arm and what lies there."""

    def __init__(self) -> None:
        self._client = bodies.connect()
        self._bench = Bench()
        self._laid: Any = None
        self._arm = self._bead = -1
        self._chain = chain(REACH)
        self._ids: list[int] = []

    def close(self) -> None:
        """Give the client back."""
        pybullet.disconnect(self._client)

    def show(self, snapshot: bytes, lens: Camera = LENS) -> Array:
        """(H, W, 3) uint8: a kept state through a lens."""
        return self.measure(snapshot, lens)[0]

    def measure(self, snapshot: bytes, lens: Camera = LENS) -> tuple[Array, Array]:
        """The same (H, W, 3), and how deep each pixel lies (H, W): metres along the lens's axis."""
        joints = self._bench.restore(snapshot)
        if self._laid != self._bench.recipe:
            self._build()
        for index, angle in enumerate(joints):
            pybullet.resetJointState(self._arm, index, angle, physicsClientId=self._client)
        for body, (x, y, z, yaw) in zip(self._ids, self._bench.poses().tolist(), strict=True):
            pybullet.resetBasePositionAndOrientation(body, (x, y, z), bodies.quaternion(yaw), self._client)
        there = self._chain.tip(joints[:5]) if joints[5] < BEAD and self._bench.held is None else np.array([0, 0, -9.0])
        pybullet.resetBasePositionAndOrientation(self._bead, there.tolist(), (0, 0, 0, 1), self._client)
        colour, depth = lens.shoot(self._client)
        return colour, lens.metres(depth)

    def _build(self) -> None:
        pybullet.resetSimulation(physicsClientId=self._client)
        bodies.add_table(self._client, solid=False)
        self._arm = load(self._client)
        self._ids = [bodies.add_seen(thing, self._client) for thing in self._bench.things]
        look = pybullet.createVisualShape(
            pybullet.GEOM_SPHERE, radius=BEAD_SIZE, rgbaColor=BEAD_COLOUR, physicsClientId=self._client
        )
        self._bead = pybullet.createMultiBody(0, -1, look, physicsClientId=self._client)
        self._laid = self._bench.recipe


def film(directory: Path, seed: int, rate: float, *, deep: bool = False) -> None:
    """Give pictures until the bench is gone; with their depth, if it is `deep`."""
    rng, stage, door = np.random.default_rng(seed), Set(), BackDoor(directory)
    picture: Array = np.zeros((0, 0, 3), np.uint8)
    depth: Array = np.zeros((0, 0))
    seen, number, heard = b"", 0, time.monotonic()
    shown: Array | None = None
    grain = np.round(rng.normal(0.0, NOISE, (2 * LENS.height, 2 * LENS.width, 1))).astype(np.int16)
    while time.monotonic() - heard < ORPHAN:
        begun = time.monotonic()
        try:
            snapshot, lens = bytes(door.ask("snapshot")), str(door.ask("lens"))
            heard = begun
        except NotConnected:
            time.sleep(0.2)
            continue
        if (now := _visible(snapshot)) != seen:
            (picture, depth), seen = stage.measure(snapshot), now
        if lens == "gone":
            (directory / FRAME).unlink(missing_ok=True)
        elif lens != "stall":
            number += 1
            shown = shown if lens == "freeze" and shown is not None else _grainy(picture, grain, rng)
            write_frame(directory, shown, number, depth if deep else None)
        time.sleep(max(0.0, 1 / rate - (time.monotonic() - begun)))
    stage.close()


def _grainy(picture: Array, grain: Array, rng: np.random.Generator) -> Array:
    """A picture (H, W, 3) with a random piece of grain (2H, 2W, 1) over it."""
    height, width = picture.shape[:2]
    row, column = int(rng.integers(height)), int(rng.integers(width))
    noisy = picture.astype(np.int16) + grain[row : row + height, column : column + width]
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _visible(snapshot: bytes) -> bytes:
    """What of a state can be seen, joints to a tenth of a degree: an arm that holds still trembles less."""
    saved = wire.unpack(snapshot)
    joints = np.round(saved["joints"] * 500).astype(np.int64)
    return wire.pack([saved["recipe"], saved["poses"], joints])


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when the bench is gone."""
    parser = argparse.ArgumentParser(prog="python -m robot_io.sim.so_camera", description="An emulated bench's camera.")
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--depth", action="store_true", help="with the depth of each pixel")
    got = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    be_nice(NICE)
    if not (got.directory / SIGHT).exists():
        hand_eye.save(sight_of(LENS), got.directory / SIGHT)
    film(got.directory, got.seed, got.rate, deep=got.depth)
    return 0


if __name__ == "__main__":
    sys.exit(main())
