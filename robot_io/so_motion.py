"""Where an SO arm's gripper is, and how it gets to a pick and a place: five joints, solved by hand.

Five joints cannot take every pose, but every pose that points straight down within reach: the base turns to it, three
joints fold in one upright plane, the wrist turns to the yaw. Lengths are those published for the SO-101, in metres;
angles are zero in the middle of each joint's range. Base frame: x forward, y left, z up from the table.

Letters: N poses, T ticks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import so
from robot_io.arm import BadAction, JointPath, Limits, Unreachable
from robot_io.driver import Driver
from robot_io.kinematics import Chain
from robot_io.motion import Pace
from robot_io.wired import WiredArm

Array = NDArray[Any]

PAN_X = 0.0388353
"""Of the upright axis that the base turns about."""
SIDE = -0.0001778
"""By which the plane of the three folding joints is beside that axis."""
SHOULDER = np.array([0.0303992, 0.1166])
"""Forward of the upright axis, and up."""
UPPER = np.array([0.028, 0.11257])
LOWER = np.array([0.1349, 0.0052])
"""Shoulder to elbow, and elbow to wrist, with all joints at zero: forward and up."""
WRIST_TO_ROLL, ROLL_TO_TIP = 0.0611, 0.0981274
TIP = np.array([-0.0078944, 0.0, 0.0])
"""From the roll's axis to the tip, seen from the gripper (its x, y) while pointing down."""
ROLL_ZERO = 0.0486795
"""Radians by which the gripper is turned at roll zero."""

CARRY = np.array([-0.9, 0.5, 1.3])
"""Shoulder, elbow and wrist between pick and place: the gripper high, still nearly upright."""
HIGHEST = 0.095
"""Metres above which it points straight down nowhere."""
LEAN = 0.35
"""Radians from straight down within which a gripper that is moved by hand is kept looking down."""
SHARES = (1.0, 0.5, 0.2, 0.05)
"""Of a move by hand: the largest that leads where it should is done."""
ASIDE = 0.001
"""Metres by which such a move may end elsewhere."""
CLEAR = 0.02
"""Metres of straight descent at least."""
PACE = Pace(rate=so.RATE, share=0.8, tip_speed=0.12, travel=0.08, wait=0.5, rest=0.3)
"""Unhurried: below a quarter of a metre per second, and half a second for the jaws."""


def chain(limits: Limits) -> Chain:
    """The arm as screws, for forward kinematics."""
    axes = np.array([[0, 0, -1], [0, 1, 0], [0, 1, 0], [0, 1, 0], [-1, 0, 0]], dtype=np.float64)
    shoulder = np.array([PAN_X + SHOULDER[0], SIDE, SHOULDER[1]])
    elbow = shoulder + np.array([UPPER[0], 0, UPPER[1]])
    wrist = elbow + np.array([LOWER[0], 0, LOWER[1]])
    roll = wrist + np.array([WRIST_TO_ROLL, 0, 0])
    c, s = math.cos(ROLL_ZERO), math.sin(ROLL_ZERO)
    tip = np.eye(4)
    tip[:3, :3] = np.array([[0, 0, 1], [s, c, 0], [-c, s, 0]])
    tip[:3, 3] = roll + [ROLL_TO_TIP, 0, 0] + tip[:3, :3] @ [-TIP[0], 0, 0]
    points = np.stack([[PAN_X, 0, 0], shoulder, elbow, wrist, roll])
    return Chain(names=so.JOINTS, axes=axes, points=points, tip_at_zero=tip, limits=limits)


def solve(actions: Array, limits: Limits) -> Array:
    """Joints (N, 5) that bring the tip straight down to x, y, z with yaw, actions (N, 4).

    A gripper turned by half a turn grips the same: the nearer of both is taken, the same one for all N.

    Raises:
        Unreachable: says which point, and how far the arm reaches there.
    """
    options = [_folded(actions, turn) for turn in (0.0, math.pi)]
    order = sorted(
        options, key=lambda joints: float(np.max(np.abs(joints[:, 4]))) if np.all(np.isfinite(joints)) else 9
    )
    for joints in order:
        if np.all(np.isfinite(joints)) and np.all((joints >= limits.lower) & (joints <= limits.upper)):
            return joints
    raise _unreachable(actions, order[0], limits)


def _folded(actions: Array, turn: float) -> Array:
    """(N, 5); NaN where it is too far or too near."""
    x, y, z, yaw = np.asarray(actions, dtype=np.float64).T
    yaw = yaw + turn
    ax = x + TIP[0] * np.cos(yaw) - PAN_X
    ay = y + TIP[0] * np.sin(yaw)
    far = np.hypot(ax, ay)
    with np.errstate(invalid="ignore"):
        azimuth = np.arctan2(ay, ax) - np.arcsin(SIDE / far)
        forward = np.sqrt(far**2 - SIDE**2) - SHOULDER[0]
        up = z + WRIST_TO_ROLL + ROLL_TO_TIP - SHOULDER[1]
    first, second = two_bars(forward, up)
    lift = math.atan2(UPPER[1], UPPER[0]) - first
    elbow = math.atan2(LOWER[1], LOWER[0]) - second - lift
    wrist = math.pi / 2 - lift - elbow
    roll = (yaw - azimuth - math.pi + ROLL_ZERO + math.pi) % (2 * math.pi) - math.pi
    return np.column_stack([-azimuth, lift, elbow, wrist, roll])


def two_bars(forward: Array, up: Array) -> tuple[Array, Array]:
    """How the upper and the lower arm slope, (N,) radians each, to bring the wrist (N,) metres forward of the
    shoulder and up; NaN where it is too far or too near.
    """
    upper, lower = np.hypot(*UPPER), np.hypot(*LOWER)
    with np.errstate(invalid="ignore"):
        reach = np.hypot(forward, up)
        inner = np.arccos((upper**2 + reach**2 - lower**2) / (2 * upper * reach))
        first = np.arctan2(up, forward) + inner
        return first, np.arctan2(up - upper * np.sin(first), forward - upper * np.cos(first))


def _unreachable(actions: Array, joints: Array, limits: Limits) -> Unreachable:
    over = np.maximum(np.nan_to_num(joints, nan=9.0) - limits.upper, limits.lower - np.nan_to_num(joints, nan=-9.0))
    worst = int(np.argmax(np.max(over, axis=1)))
    x, y, z, _ = actions[worst]
    distance = math.hypot(x - PAN_X, y)
    if np.all(np.isfinite(joints[worst])):
        why = f"{so.JOINTS[int(np.argmax(over[worst]))]} cannot turn that far"
    elif z > HIGHEST:
        why = f"it is {z:.2f} m up, too high"
    else:
        why = f"it is {distance:.2f} m from the base's axis, too {'far' if distance > 0.2 else 'near'}"
    return Unreachable(
        f"the gripper cannot point straight down at x = {x:.3f} m, y = {y:.3f} m, z = {z:.3f} m: {why}; choose a point "
        "0.10 to 0.25 m from that axis, near the table"
    )


def pick_and_place(
    actions: Array, start: Array, limits: Limits, pace: Pace = PACE, *, rest: Array = so.REST, opened: float = 0.0
) -> JointPath:
    """Above the pick, down, grip, up; above the place, down, let go, up; fold.

    Args:
        actions: (2, 4) pick and place: x, y, z, yaw.
        start: (5,) where the arm is.
        limits: of the joints.
        pace: how briskly.
        rest: (5,) where it ends, folded.
        opened: how far the jaws are open, 0 wide … 1 shut.

    Raises:
        BadAction: not (2, 4) finite numbers.
        Unreachable: nothing moved.
    """
    actions = np.asarray(actions, dtype=np.float64)
    if actions.shape != (2, 4) or not np.all(np.isfinite(actions)):
        raise BadAction(f"expected (2, 4) finite numbers, pick and place as x, y, z, yaw, got {actions.tolist()}")
    pick, place = (_descent(action, limits, pace) for action in actions)
    over = [np.array([rows[0, 0], *CARRY, rows[0, 4]]) for rows in (pick, place)]
    still = np.zeros((max(round(pace.wait * pace.rate), 1), 1))
    legs: list[tuple[Array, float]] = []
    at = np.asarray(start, dtype=np.float64)
    for carry, down, before, after in ((over[0], pick, opened, 1.0), (over[1], place, 1.0, opened)):
        legs += [(swing(at, carry, limits, pace), before), (swing(carry, down[0], limits, pace), before)]
        legs += [(down, before), (down[-1] + still, before), (down[-1] + still, after), (down[::-1], after)]
        legs.append((swing(down[0], carry, limits, pace), after))
        at = carry
    legs.append((swing(at, np.clip(rest, limits.lower, limits.upper), limits, pace), opened))
    return JointPath(np.concatenate([rows for rows, _ in legs]), np.concatenate([[g] * len(r) for r, g in legs]))


def fold(start: Array, gripper: float, rest: Array, limits: Limits) -> JointPath:
    """From joints (5,) up, unless it is folded already, and then to rest (5,); the gripper stays as it is."""
    rest, up = np.clip(rest, limits.lower, limits.upper), np.array([start[0], *CARRY, start[4]])
    legs = [] if so.folded(start) else [swing(start, up, limits, PACE)]
    rows = np.concatenate([*legs, swing(legs[-1][-1] if legs else start, rest, limits, PACE)])
    return JointPath(rows, np.full(len(rows), gripper))


def _descent(action: Array, limits: Limits, pace: Pace) -> Array:
    """(T, 5) straight down to a point, from as high as it can point straight down there."""
    tops = np.arange(max(pace.travel, action[2] + CLEAR), action[2] + CLEAR - 1e-9, -0.005)
    for top in tops:
        ticks = max(int(np.ceil((top - action[2]) / pace.tip_speed * pace.rate)), 2)
        points = np.tile(action, (ticks, 1))
        points[:, 2] = top + np.linspace(0, 1, ticks) * (action[2] - top)
        try:
            rows = solve(points, limits)
            break
        except Unreachable:
            if top == tops[-1]:
                raise
    fastest = np.max(np.abs(np.diff(rows, axis=0)) * pace.rate / (limits.speed * pace.share))
    if fastest <= 1:
        return rows
    new = np.linspace(0, 1, int(np.ceil((ticks - 1) * fastest)) + 1)
    return np.column_stack([np.interp(new, np.linspace(0, 1, ticks), column) for column in rows.T])


def swing(start: Array, end: Array, limits: Limits, pace: Pace) -> Array:
    """(T, 5) from joints (5,) to joints (5,): all together, softly off and softly on."""
    seconds = np.pi / 2 * float(np.max(np.abs(end - start) / (limits.speed * pace.share)))
    ticks = max(int(np.ceil(seconds * pace.rate)), 1)
    share = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, ticks + 1) / ticks)
    return np.asarray(start + share[:, None] * (end - start))


def nudged(arm: Chain, joints: Array, move: Array) -> Array:
    """Joints (5,) after the tip moved by dx, dy, dz in metres and dyaw in radians, (4,).

    A gripper that points down is kept pointing down. One that leans keeps its lean and turns about the upright axis as
    it goes sideways, since five joints cannot do otherwise; its yaw is then the roll of its wrist.
    """
    joints, move = np.asarray(joints, dtype=np.float64), np.array(move, dtype=np.float64)
    before = arm.tip(joints)
    for share in SHARES:
        found = _nudged(arm, joints, share * move)
        if np.linalg.norm(arm.tip(found) - before - share * move[:3]) < ASIDE + 0.1 * share * np.linalg.norm(move[:3]):
            return found
    return joints


def _nudged(arm: Chain, joints: Array, move: Array) -> Array:
    pose = arm.pose(joints)
    if pose[2, 2] < -math.cos(LEAN):
        return arm.nudge(joints, move, steps=5, lean=LEAN)
    x, y = pose[0, 3] - PAN_X, pose[1, 3]
    turn = math.atan2(y + move[1], x + move[0]) - math.atan2(y, x)
    turned = arm.nudge(joints, np.array([*move[:3], (turn + math.pi) % (2 * math.pi) - math.pi]), steps=5, lean=0.0)
    turned[4] = np.clip(turned[4] + move[3], arm.limits.lower[4], arm.limits.upper[4])
    return turned


class SoArm(WiredArm):
    """A wired SO arm that knows where its gripper is, how to get somewhere, and where to rest."""

    def __init__(self, driver: Driver, clock: Callable[[], float]) -> None:
        super().__init__(driver, clock)
        self._chain: Chain | None = None

    def tip(self, joints: Array) -> Array:
        """(5,) → (3,) metres."""
        return self._screws.tip(joints)

    def skeleton(self, joints: Array) -> Array:
        """(5,) → (7, 3) metres: the foot, the five axes, the tip."""
        axes, pose = self._screws.skeleton(joints)
        return np.vstack([[PAN_X, 0.0, 0.0], axes, pose[:3, 3]])

    @property
    def _screws(self) -> Chain:
        if self._chain is None:
            self._chain = chain(self.features.limits)
        return self._chain

    def reach(self, joints: Array, move: Array) -> Array:
        """Joints (5,) after the tip moved by dx, dy, dz, dyaw (4,) from joints (5,); as near as five joints get."""
        self.tip(joints)
        assert self._chain is not None
        return nudged(self._chain, joints, move)

    def places(self, joints: Array) -> Array:
        """Where joints (N, 5) bring the tip: (N, 4) x, y, z in metres and yaw in radians."""
        poses = [chain(self.features.limits).pose(row) for row in np.atleast_2d(joints)]
        return np.array([[*pose[:3, 3], math.atan2(pose[1, 0], pose[0, 0])] for pose in poses]).reshape(-1, 4)

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place, from where it is."""
        return pick_and_place(actions, self.observe()["joints"], self.features.limits)

    def parking(self) -> JointPath:
        """Up, and then folded; it lets go of nothing."""
        seen = self.observe()
        return fold(seen["joints"], float(seen["gripper"][0]), so.REST, self.features.limits)
