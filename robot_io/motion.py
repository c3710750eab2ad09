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

Array = NDArray[Any]
_RAMP = 0.2
"""Share of a move spent on gaining speed, and on losing it."""
_PEAK = 1 / (1 - _RAMP)
"""Top speed of a move over its mean speed."""


def _skew(v: Array) -> Array:
    """(..., 3) → the (..., 3, 3) matrix of the cross product with it."""
    zero = np.zeros_like(v[..., 0])
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*v.shape[:-1], 3, 3)


def _rotation_vector(matrix: Array) -> Array:
    """(..., 3, 3) rotation → (..., 3) axis times angle, for angles below π."""
    sine = np.stack(
        [
            matrix[..., 2, 1] - matrix[..., 1, 2],
            matrix[..., 0, 2] - matrix[..., 2, 0],
            matrix[..., 1, 0] - matrix[..., 0, 1],
        ],
        -1,
    )
    cosine = np.clip((np.trace(matrix, axis1=-2, axis2=-1) - 1) / 2, -1, 1)
    norm = np.linalg.norm(sine, axis=-1, keepdims=True)
    angle = np.arctan2(norm[..., 0] / 2, cosine)[..., None]
    return np.where(norm > 1e-9, sine / np.maximum(norm, 1e-9) * angle, sine / 2)


def pointing_down(position: Array, yaw: Array) -> Array:
    """Tool poses (N, 4, 4) that look straight down at positions (N, 3), turned by yaw (N,)."""
    position, yaw = np.atleast_2d(position), np.atleast_1d(yaw)
    pose = np.tile(np.eye(4), (len(position), 1, 1))
    c, s = np.cos(yaw), np.sin(yaw)
    pose[:, 0, 0], pose[:, 0, 1] = c, s
    pose[:, 1, 0], pose[:, 1, 1] = s, -c
    pose[:, 2, 2] = -1
    pose[:, :3, 3] = position
    return pose


@dataclass(frozen=True)
class Chain:
    """A row of turning joints from the base to the tool's tip, as screws at zero (product of exponentials)."""

    names: tuple[str, ...]
    axes: Array
    """(J, 3) unit axes in the base frame, all joints at zero."""
    points: Array
    """(J, 3) a point on each axis."""
    tip_at_zero: Array
    """(4, 4)."""
    limits: Limits

    @classmethod
    def from_urdf(cls, path: Path, tip: str, workspace: Array, offset: float = 0.0) -> Chain:
        """The chain to a link of a URDF file, read once by a physics client of its own.

        Args:
            path: the URDF file.
            tip: name of the link that the tool ends in.
            workspace: (2, 3) for `Limits`.
            offset: metres from that link's frame to the real tip, along its z axis.
        """
        import pybullet

        client = pybullet.connect(pybullet.DIRECT)
        try:
            body = pybullet.loadURDF(
                str(path), useFixedBase=True, flags=pybullet.URDF_IGNORE_VISUAL_SHAPES, physicsClientId=client
            )
            return cls._read(pybullet, client, body, tip, workspace, offset)
        finally:
            pybullet.disconnect(client)

    @classmethod
    def _read(cls, physics: Any, client: int, body: int, tip: str, workspace: Array, offset: float) -> Chain:
        infos = [physics.getJointInfo(body, j, client) for j in range(physics.getNumJoints(body, client))]
        index = next(j for j, info in enumerate(infos) if info[12].decode() == tip)
        turning: list[int] = []
        j = index
        while j >= 0:
            if infos[j][2] == physics.JOINT_REVOLUTE:
                turning.insert(0, j)
            j = infos[j][16]
        frames = {j: physics.getLinkState(body, j, physicsClientId=client)[4:6] for j in [*turning, index]}
        rotation = {j: np.reshape(physics.getMatrixFromQuaternion(f[1]), (3, 3)) for j, f in frames.items()}
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation[index], frames[index][0] + rotation[index] @ [0, 0, offset]
        chosen = [infos[j] for j in turning]
        return cls(
            names=tuple(info[1].decode() for info in chosen),
            axes=np.array([rotation[j] @ infos[j][13] for j in turning]),
            points=np.array([frames[j][0] for j in turning]),
            tip_at_zero=pose,
            limits=Limits(
                lower=[i[8] for i in chosen],  # type: ignore[arg-type]
                upper=[i[9] for i in chosen],  # type: ignore[arg-type]
                speed=[i[11] for i in chosen],  # type: ignore[arg-type]
                workspace=workspace,
            ),
        )

    def _screws(self, joints: Array) -> tuple[Array, Array, Array, Array]:
        """Joints (N, J) → tip rotation (N, 3, 3), tip (N, 3), axes (N, J, 3), points (N, J, 3) in the base frame."""
        n = len(joints)
        turn = np.tile(np.eye(3), (n, 1, 1))
        shift = np.zeros((n, 3))
        axes, points = np.empty((n, len(self.axes), 3)), np.empty((n, len(self.axes), 3))
        for j, (axis, point) in enumerate(zip(self.axes, self.points, strict=True)):
            axes[:, j] = turn @ axis
            points[:, j] = turn @ point + shift
            k = _skew(axis)
            angle = joints[:, j, None, None]
            local = np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)
            shift = shift + turn @ point
            turn = turn @ local
            shift = shift - turn @ point
        return turn @ self.tip_at_zero[:3, :3], turn @ self.tip_at_zero[:3, 3] + shift, axes, points

    def tip(self, joints: Array) -> Array:
        """Where the tip is, (..., 3) metres, for joints (..., J)."""
        joints = np.asarray(joints, dtype=np.float64)
        return self._screws(joints.reshape(-1, joints.shape[-1]))[1].reshape(*joints.shape[:-1], 3)

    def pose(self, joints: Array) -> Array:
        """The tip's pose (4, 4) for joints (J,)."""
        rotation, tip, _, _ = self._screws(np.asarray(joints, dtype=np.float64)[None])
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation[0], tip[0]
        return pose

    def solve(self, poses: Array, seed: Array, *, steps: int = 40, damping: float = 1e-4) -> Array:
        """Joints (N, J) that bring the tip to poses (N, 4, 4), all found together by damped least squares.

        Starting every pose from the same kind of posture (`seed`, (N, J)) keeps neighbours in one branch.

        Raises:
            Unreachable: for a pose no joints within the limits come closer than 0.5 mm and 0.01 rad.
        """
        joints = np.array(np.broadcast_to(seed, (len(poses), len(self.axes))), dtype=np.float64)
        eye = damping * np.eye(6)
        for _ in range(steps):
            rotation, tip, axes, points = self._screws(joints)
            error = self._error(poses, rotation, tip)
            if np.abs(error).max() < 1e-7:
                break
            jacobian = np.concatenate([np.cross(axes, tip[:, None] - points), axes], -1)  # (N, J, 6)
            square = np.swapaxes(jacobian, 1, 2) @ jacobian + eye
            step = (jacobian @ np.linalg.solve(square, error[..., None]))[..., 0]
            joints = np.clip(joints + np.clip(step, -0.5, 0.5), self.limits.lower, self.limits.upper)
        self._check(poses, joints)
        return joints

    @staticmethod
    def _error(poses: Array, rotation: Array, tip: Array) -> Array:
        """(N, 6) what is left to go: metres, then radians."""
        turn = _rotation_vector(poses[:, :3, :3] @ np.swapaxes(rotation, 1, 2))
        return np.concatenate([poses[:, :3, 3] - tip, turn], -1)

    def _check(self, poses: Array, joints: Array) -> None:
        rotation, tip, _, _ = self._screws(joints)
        error = self._error(poses, rotation, tip)
        bad = (np.linalg.norm(error[:, :3], axis=1) > 5e-4) | (np.linalg.norm(error[:, 3:], axis=1) > 1e-2)
        if bad.any():
            x, y, z = poses[bad.argmax(), :3, 3]
            raise Unreachable(
                f"no joints bring the tip straight down to x = {x:.3f} m, y = {y:.3f} m, z = {z:.3f} m; "
                "choose a point nearer to the middle of the table"
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
