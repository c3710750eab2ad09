"""Where a row of turning joints brings its tip, and which joints bring it somewhere. Numpy only.

Letters: N poses, J joints. Metres, radians. Screws at zero (product of exponentials), solved by damped least squares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io.arm import Limits, Unreachable

Array = NDArray[Any]
_EYE = np.eye(4)


def _skew(v: Array) -> Array:
    """(..., 3) → the (..., 3, 3) matrix of the cross product with it."""
    zero = np.zeros_like(v[..., 0])
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*v.shape[:-1], 3, 3)


def _cross(a: Array, b: Array) -> Array:
    """(..., 3) × (..., 3); `np.cross` takes several times as long, and it is asked twice per tick."""
    x, y, z = a[..., 0], a[..., 1], a[..., 2]
    u, v, w = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], -1)


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
    cosine = np.clip((matrix[..., 0, 0] + matrix[..., 1, 1] + matrix[..., 2, 2] - 1) / 2, -1, 1)
    norm = np.linalg.norm(sine, axis=-1, keepdims=True)
    angle = np.arctan2(norm[..., 0] / 2, cosine)[..., None]
    return np.where(norm > 1e-9, sine / np.maximum(norm, 1e-9) * angle, sine / 2)


def _pose(turn: Array, place: Array) -> Array:
    """(3, 3) and (3,) → (4, 4)."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, place
    return pose


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

    @cached_property
    def _turning(self) -> tuple[Array, Array]:
        """(J, 4, 4) twice: what a joint's pose has of its angle's sine, and of one minus its cosine."""
        found = np.zeros((2, len(self.axes), 4, 4))
        found[0, :, :3, :3] = skew = _skew(self.axes)
        found[1, :, :3, :3] = skew @ skew
        found[:, :, :3, 3] = -(found[:, :, :3, :3] @ self.points[:, :, None])[..., 0]
        return found[0], found[1]

    def _screws(self, joints: Array) -> tuple[Array, Array, Array, Array]:
        """Joints (N, J) → tip rotation (N, 3, 3), tip (N, 3), axes (N, J, 3), points (N, J, 3) in the base frame."""
        sine, cosine = self._turning
        angle = joints[..., None, None]
        local = _EYE + np.sin(angle) * sine + (1 - np.cos(angle)) * cosine
        before = np.empty((len(joints), len(self.axes) + 1, 4, 4))
        before[:, 0] = _EYE
        for j in range(len(self.axes)):
            np.matmul(before[:, j], local[:, j], out=before[:, j + 1])
        turn, shift = before[:, :-1, :3, :3], before[:, :-1, :3, 3]
        axes = (turn @ self.axes[:, :, None])[..., 0]
        points = (turn @ self.points[:, :, None])[..., 0] + shift
        tip = before[:, -1] @ self.tip_at_zero
        return tip[:, :3, :3], tip[:, :3, 3], axes, points

    def tip(self, joints: Array) -> Array:
        """Where the tip is, (3,) metres, for joints (J,). In plain numbers: the safety layer asks on every tick."""
        x, y, z = (float(v) for v in self.tip_at_zero[:3, 3])
        for (a, b, c), (u, v, w), angle in reversed(
            list(zip(self.axes.tolist(), self.points.tolist(), np.asarray(joints).tolist(), strict=True))
        ):
            x, y, z = x - u, y - v, z - w
            sine, cosine = math.sin(angle), math.cos(angle)
            along = (a * x + b * y + c * z) * (1 - cosine)
            x, y, z = (
                x * cosine + (b * z - c * y) * sine + a * along + u,
                y * cosine + (c * x - a * z) * sine + b * along + v,
                z * cosine + (a * y - b * x) * sine + c * along + w,
            )
        return np.array([x, y, z])

    def tips(self, joints: Array) -> Array:
        """Where the tip is, (N, 3) metres, for joints (N, J)."""
        return self._screws(np.asarray(joints, dtype=np.float64))[1]

    def places(self, joints: Array) -> Array:
        """Where the tip is and how it is turned, (N, 4) x, y, z in metres and yaw in radians, for joints (N, J)."""
        turn, tip, _, _ = self._screws(np.asarray(joints, dtype=np.float64))
        return np.column_stack([tip, np.arctan2(turn[:, 1, 0], turn[:, 0, 0])])

    def pose(self, joints: Array) -> Array:
        """The tip's pose (4, 4) for joints (J,)."""
        rotation, tip, _, _ = self._screws(np.asarray(joints, dtype=np.float64)[None])
        return _pose(rotation[0], tip[0])

    def skeleton(self, joints: Array) -> tuple[Array, Array]:
        """Where the joints' axes are, (J, 3) a point on each, and the tip's pose (4, 4), for joints (J,)."""
        turn, tip, _, points = self._screws(np.asarray(joints, dtype=np.float64)[None])
        return points[0], _pose(turn[0], tip[0])

    def nudge(self, joints: Array, move: Array, *, steps: int = 2, damping: float = 1e-3, lean: float = 0.35) -> Array:
        """Joints (J,) after the tip moved by dx, dy, dz (metres) and dyaw (radians), (4,); as near as it gets.

        A tool that looks down to within `lean` radians is kept looking straight down.
        """
        joints = np.array(joints, dtype=np.float64)[None]
        known = self._screws(joints)
        pose, eye = _pose(known[0][0], known[1][0]), damping**2 * np.eye(6)
        c, s = np.cos(move[3]), np.sin(move[3])
        pose[:3, :3] = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ pose[:3, :3]
        pose[:3, 3] += move[:3]
        if pose[2, 2] < -np.cos(lean):
            pose = pointing_down(pose[:3, 3], np.arctan2(pose[1, 0], pose[0, 0]))[0]
        for step in range(steps):
            rotation, tip, axes, points = self._screws(joints) if step else known
            error = self._error(pose[None], rotation, tip)
            jacobian = np.concatenate([_cross(axes, tip[:, None] - points), axes], -1)
            square = np.swapaxes(jacobian, 1, 2) @ jacobian + eye
            change = (jacobian @ np.linalg.solve(square, error[..., None]))[..., 0]
            joints = np.clip(joints + np.clip(change, -0.2, 0.2), self.limits.lower, self.limits.upper)
        return np.asarray(joints[0])

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
            jacobian = np.concatenate([_cross(axes, tip[:, None] - points), axes], -1)  # (N, J, 6)
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
