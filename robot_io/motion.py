"""From a pick and place to a joint path, for any arm whose joints turn: inverse kinematics, approach and retreat.

Letters: N poses, J joints, T ticks. Metres, radians, seconds. Nothing here moves an arm; `Unreachable` comes before
the first tick.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import BadAction, JointPath, Limits, TableView, Unreachable
from robot_io.kinematics import Chain, pointing_down

Array = NDArray[Any]
_RAMP = 0.2
"""Share of a move spent on gaining speed, and on losing it."""
_PEAK = 1 / (1 - _RAMP)
"""Top speed of a move over its mean speed."""


def read_urdf(path: Path, tip: str, workspace: Array, offset: float = 0.0) -> Chain:
    """The chain to a link of a URDF file, read once by a physics client of its own.

    Args:
        path: the URDF file.
        tip: name of the link that the tool ends in.
        workspace: (2, 3) for `Limits`.
        offset: metres from that link's frame to the real tip, along its z axis.
    """
    import pybullet  # an arm whose lengths are known, such as an SO arm, does without

    client = pybullet.connect(pybullet.DIRECT)
    try:
        flags = pybullet.URDF_IGNORE_VISUAL_SHAPES
        body = pybullet.loadURDF(str(path), useFixedBase=True, flags=flags, physicsClientId=client)
        return _read(pybullet, client, body, tip, workspace, offset)
    finally:
        pybullet.disconnect(client)


def _read(pybullet: Any, client: int, body: int, tip: str, workspace: Array, offset: float) -> Chain:
    infos = [pybullet.getJointInfo(body, j, client) for j in range(pybullet.getNumJoints(body, client))]
    index = next(j for j, info in enumerate(infos) if info[12].decode() == tip)
    turning: list[int] = []
    j = index
    while j >= 0:
        if infos[j][2] == pybullet.JOINT_REVOLUTE:
            turning.insert(0, j)
        j = infos[j][16]
    frames = {j: pybullet.getLinkState(body, j, physicsClientId=client)[4:6] for j in [*turning, index]}
    rotation = {j: np.reshape(pybullet.getMatrixFromQuaternion(f[1]), (3, 3)) for j, f in frames.items()}
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation[index], frames[index][0] + rotation[index] @ [0, 0, offset]
    chosen = [infos[j] for j in turning]
    lower, upper, speed = (np.array([info[column] for info in chosen]) for column in (8, 9, 11))
    return Chain(
        names=tuple(info[1].decode() for info in chosen),
        axes=np.array([rotation[j] @ infos[j][13] for j in turning]),
        points=np.array([frames[j][0] for j in turning]),
        tip_at_zero=pose,
        limits=Limits(lower, upper, speed, workspace),
    )


@dataclass(frozen=True)
class Pace:
    """How briskly to move."""

    rate: float = 60.0
    """Control ticks per second."""
    share: float = 0.95
    """Of the joints' speed limits."""
    tip_speed: float = 0.9
    """Metres per second on straight descents and lifts."""
    travel: float = 0.14
    """Metres of the tip above the table between pick and place."""
    wait: float = 0.08
    """Seconds before gripping and after releasing."""
    rest: float = 0.2
    """Seconds at the end, for things to come to rest."""


def _profile(seconds: float, rate: float) -> Array:
    """Smooth progress 0 → 1, one value per tick without the 0; top speed `_PEAK` / seconds, cosine ramps."""
    ticks = max(int(np.ceil(seconds * rate)), 1)
    t = np.arange(1, ticks + 1) / ticks
    mirrored = np.minimum(t, 1 - t)
    rising = np.where(
        mirrored < _RAMP,
        (mirrored - _RAMP / np.pi * np.sin(np.pi * mirrored / _RAMP)) / 2,
        mirrored - _RAMP / 2,
    ) / (1 - _RAMP)
    return np.where(t <= 0.5, rising, 1 - rising)


class _Writer:
    """Collects the rows of a path."""

    def __init__(self, chain: Chain, start: Array, pace: Pace) -> None:
        self.chain, self.pace = chain, pace
        self.rows: list[Array] = []
        self.grips: list[Array] = []
        self.at = np.asarray(start, dtype=np.float64)

    def _add(self, rows: Array, grip: float) -> None:
        self.rows.append(rows)
        self.grips.append(np.full(len(rows), grip))
        self.at = rows[-1]

    def swing(self, to: Array, grip: float) -> None:
        """Joint by joint, all arriving together, within the speed limits."""
        seconds = _PEAK * np.max(np.abs(to - self.at) / (self.chain.limits.speed * self.pace.share))
        if seconds > 1e-6:
            s = _profile(seconds, self.pace.rate)[:, None]
            self._add(np.concatenate([(self.at + s * (to - self.at))[:-1], to[None]]), grip)

    def straight(self, rows: Array, grip: float) -> None:
        """Rows of joints already spaced in time."""
        self._add(rows, grip)

    def wait(self, seconds: float, grip: float) -> None:
        """Stand still."""
        self._add(np.tile(self.at, (max(round(seconds * self.pace.rate), 1), 1)), grip)


def _turned(angle: float) -> float:
    """An angle in [−π, π)."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def pick_and_place(chain: Chain, actions: Array, start: Array, home: Array, pace: Pace | None = None) -> JointPath:
    """Home → above the pick → straight down → grip → lift → above the place → down → release → lift → home.

    The cup is round: only how far the held thing turns, place yaw − pick yaw, matters, and it is shared out between the
    two so that the wrist stays near its middle.

    Args:
        chain: the arm.
        actions: (2, 4) the tip's x, y, z and yaw at the pick and at the place.
        start: (J,) where the arm is.
        home: (J,) where it ends; its posture is also where inverse kinematics starts.
        pace: how briskly.

    Raises:
        BadAction: not (2, 4) finite numbers.
        Unreachable: no joint path.
    """
    actions = np.asarray(actions, dtype=np.float64)
    if actions.shape != (2, 4) or not np.all(np.isfinite(actions)):
        raise BadAction(f"expected (2, 4) finite numbers, pick and place as x, y, z, yaw, got {actions.tolist()}")
    pace = pace or Pace()
    out = _Writer(chain, start, pace)
    downs = _descents(chain, actions, home, pace)
    for down, before, after in ((downs[0], 0.0, 1.0), (downs[1], 1.0, 0.0)):
        out.swing(down[0], before)
        out.straight(down[1:], before)
        out.wait(pace.wait, before)
        out.wait(pace.wait, after)
        out.straight(down[-2::-1], after)
    out.swing(np.asarray(home, dtype=np.float64), 0.0)
    out.wait(pace.rest, 0.0)
    return JointPath(np.concatenate(out.rows), np.concatenate(out.grips))


def parking(chain: Chain, start: Array, gripper: float, home: Array, pace: Pace | None = None) -> JointPath:
    """Home from anywhere: straight up first if the tip is low and can rise, letting go of nothing.

    Args:
        chain: the arm.
        start: (J,) where it is.
        gripper: as it is, and stays.
        home: (J,) where it ends.
        pace: how briskly.
    """
    pace = pace or Pace()
    out = _Writer(chain, start, pace)
    pose = chain.pose(out.at)
    rise = pace.travel - pose[2, 3]
    if rise > 0:
        ticks = _profile(_PEAK * rise / pace.tip_speed, pace.rate)
        up = np.tile(pose, (len(ticks), 1, 1))
        up[:, 2, 3] += ticks * rise
        with contextlib.suppress(Unreachable):
            rows = chain.solve(up, out.at)
            out.straight(_slowed(np.concatenate([out.at[None], rows]), chain, pace)[1:], gripper)
    out.swing(np.asarray(home, dtype=np.float64), gripper)
    out.wait(pace.rest, gripper)
    return JointPath(np.concatenate(out.rows), np.concatenate(out.grips))


def _descents(chain: Chain, actions: Array, home: Array, pace: Pace) -> tuple[Array, Array]:
    """Joints (T, J) of the way straight down to the pick, and to the place, one row per tick, the top row first."""
    azimuth = np.arctan2(actions[:, 1], actions[:, 0])
    turn = _turned(float(np.diff(actions[:, 3])[0] - np.diff(azimuth)[0]))
    yaws = azimuth + np.array([-turn / 2, turn / 2])
    poses, seeds, lengths = [], [], []
    for action, yaw, around, wrist in zip(actions, yaws, azimuth, (-turn / 2, turn / 2), strict=True):
        top = max(pace.travel, action[2] + 0.02)
        seconds = _PEAK * (top - action[2]) / pace.tip_speed
        z = top + np.concatenate([[0.0], _profile(seconds, pace.rate)]) * (action[2] - top)
        poses.append(pointing_down(np.column_stack([np.tile(action[:2], (len(z), 1)), z]), np.full(len(z), yaw)))
        seed = np.array(home, dtype=np.float64)
        seed[0] += around
        seed[-1] -= wrist
        seeds.append(np.tile(seed, (len(z), 1)))
        lengths.append(len(z))
    joints = chain.solve(np.concatenate(poses), np.concatenate(seeds))
    downs = joints[: lengths[0]], joints[lengths[0] :]
    return _slowed(downs[0], chain, pace), _slowed(downs[1], chain, pace)


def _slowed(rows: Array, chain: Chain, pace: Pace) -> Array:
    """The same way with more ticks where a joint would exceed its speed limit."""
    fastest = np.max(np.abs(np.diff(rows, axis=0)) * pace.rate / (chain.limits.speed * pace.share))
    if fastest <= 1:
        return rows
    ticks = int(np.ceil((len(rows) - 1) * fastest))
    old, new = np.linspace(0, 1, len(rows)), np.linspace(0, 1, ticks + 1)
    return np.column_stack([np.interp(new, old, column) for column in rows.T])


def surface(height: Array, view: TableView, x: float, y: float) -> float:
    """The height (m) that a height map (H, W) shows at a point: the z of a click. ValueError off the table."""
    return float(height[view.pixel_of(x, y)])
