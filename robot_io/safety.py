"""An Arm around an Arm: whatever reaches the motors went through here.

Joint, speed, acceleration and workspace limits clip, and the clipping is counted and told; what is not a number at all
is refused.
`stop` latches under the lock that `send` holds: once it has returned, no motion command passes until `release`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol, runtime_checkable

import numpy as np

from robot_io.arm import (
    Action,
    Arm,
    Array,
    BadAction,
    Features,
    JointPath,
    Limits,
    Observation,
    Pathed,
    Report,
    Stopped,
    Unsupported,
)

TOLERANCE = 1e-9
"""Radians by which an action may be off before it counts as clipped."""
BISECTIONS = 20
"""Halvings when a step is shortened to end inside the workspace; 2⁻²⁰ of a step is far below a servo's resolution."""


@runtime_checkable
class Tipped(Protocol):
    """An arm that knows where its gripper would be."""

    def tip(self, joints: Array) -> Array:
        """(J,) radians → (3,) metres in the base frame, by forward kinematics."""


@runtime_checkable
class Tells(Protocol):
    """A simulated arm whose snapshots hold how fast it was told to be, so that going back stays bit-exact."""

    def told(self) -> tuple[Array, Array]:
        """(J,) radians where it was last told to be, and (J,) the step that led there."""


@dataclass(frozen=True)
class Clipped:
    """What clipping did to one action."""

    joints: Array
    """(J,) radians, inside every limit."""
    reasons: tuple[str, ...]
    """Any of "joint", "speed", "acceleration", "workspace"; empty: passed as it came."""


def checked(action: Action, joints: int) -> None:
    """BadAction unless every number is finite and there is one per joint."""
    if action.joints.shape != (joints,):
        raise BadAction(f"expected joints of shape ({joints},), got {action.joints.shape}")
    if not (np.all(np.isfinite(action.joints)) and np.isfinite(action.gripper)):
        raise BadAction(f"expected finite numbers, got joints {action.joints.tolist()}, gripper {action.gripper}")


def outside(point: Array, workspace: Array) -> float:
    """Metres by which a point (3,) lies outside the box (2, 3); 0 inside."""
    return float(np.max(np.maximum(np.maximum(workspace[0] - point, point - workspace[1]), 0.0)))


def clip(
    target: Array,
    last: Array,
    limits: Limits,
    dt: float,
    tip: Callable[[Array], Array] | None = None,
    before: Array | None = None,
) -> Clipped:
    """The nearest allowed step from `last` (J,) towards `target` (J,), in radians, for a tick of `dt` seconds.

    Each joint is brought into its range, its step to at most speed × dt, and that to at most acceleration × dt² more
    than the step `before` (J,), which is none for an arm that stood still. Less it may always be: nothing ever goes on
    because it went before. If the gripper would leave the workspace, the whole step is shortened to the part that stays
    inside; a gripper that is already outside may only come nearer.
    """
    reasons: list[str] = []
    inside = np.clip(target, limits.lower, limits.upper)
    if np.any(np.abs(inside - target) > TOLERANCE):
        reasons.append("joint")
    reach, step = limits.speed * dt, inside - last
    slow = np.abs(step) <= reach + TOLERANCE
    # What needs no clipping passes bit for bit, so that a rehearsed motion and the performed one are the same.
    stepped = np.where(slow, inside, last + np.clip(step, -reach, reach))
    if not np.all(slow):
        reasons.append("speed")
    if limits.acceleration is not None:
        soft = _soft(stepped, last, limits.acceleration * dt * dt, np.zeros_like(last) if before is None else before)
        if np.any(np.abs(soft - stepped) > TOLERANCE):
            reasons.append("acceleration")
        stepped = soft
    if tip is not None:
        kept = _within(stepped, last, limits.workspace, tip)
        if np.any(np.abs(kept - stepped) > TOLERANCE):
            reasons.append("workspace")
        stepped = kept
    return Clipped(stepped, tuple(reasons))


def _soft(target: Array, last: Array, more: Array, before: Array) -> Array:
    """The step `last` → `target`, (J,), at most `more` (J,) longer than the one before; bit for bit if it is not."""
    step = target - last
    low, high = np.minimum(before, 0.0) - more, np.maximum(before, 0.0) + more
    fine = (step >= low - TOLERANCE) & (step <= high + TOLERANCE)
    return np.asarray(np.where(fine, target, last + np.clip(step, low, high)))


def _within(target: Array, last: Array, workspace: Array, tip: Callable[[Array], Array]) -> Array:
    """The part of the step `last` → `target`, both (J,), on which the gripper stays in the workspace."""
    reached = outside(tip(target), workspace)
    if reached == 0.0:
        return target
    allowed = outside(tip(last), workspace)
    if reached <= allowed:
        return target
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if outside(tip(last + middle * (target - last)), workspace) <= allowed:
            low = middle
        else:
            high = middle
    return last + low * (target - last)


class SafeArm:
    """Limits, counting and the latched stop around any Arm. `stop` may be called from any thread, at any time."""

    def __init__(self, arm: Arm) -> None:
        self.arm = arm
        self.features: Features = arm.features
        self.clipped = 0
        """Actions that were clipped since it was made."""
        self.sent = 0
        """Actions that reached the arm."""
        self.reasons: tuple[str, ...] = ()
        """Why the last action was clipped; empty if it was not."""
        self.tally: Counter[str] = Counter()
        """How often each limit clipped."""
        self._tip = arm.tip if isinstance(arm, Tipped) else None
        self._dt = 1.0 / self.features.rate
        self._lock = Lock()
        self._why: str | None = None
        self._last: Array | None = None
        self._step: Array | None = None
        self.disturbed = 0
        """Grows whenever the arm's targets change by anything but `send`."""

    @property
    def last(self) -> Array | None:
        """(J,) radians: what was last sent; None if the next step is measured from where the arm then is."""
        return self._last

    @property
    def stopped(self) -> str | None:
        """Why it is stopped and latched, or None."""
        return self._why

    def connect(self) -> None:
        """Take the arm; the first step is measured from where it then is."""
        self.arm.connect()
        self._last = self.arm.observe()["joints"]

    def observe(self, *, pictures: bool = False) -> Observation:
        """What the arm senses."""
        return self.arm.observe(pictures=pictures)

    def send(self, action: Action) -> Action:
        """Clip, count, pass on; returns what was really sent."""
        checked(action, len(self.features.joints))
        with self._lock:
            self.refuse_if_stopped()
            if self._last is None:
                self._last = self.arm.observe()["joints"]
            clipped = clip(action.joints, self._last, self.features.limits, self._dt, self._tip, self._step)
            gripper = min(max(action.gripper, 0.0), 1.0)
            sent = self.arm.send(Action(clipped.joints, gripper))
            self._step = clipped.joints - self._last
            self._last, self.reasons = sent.joints, clipped.reasons
            self.tally.update(clipped.reasons)
            self.sent += 1
            self.clipped += bool(clipped.reasons)
            return sent

    def rest(self) -> None:
        """Nothing has been sent for a while: the next step starts softly."""
        self._step = None

    def hold(self) -> None:
        """Stay; the next step is measured from where the arm then is."""
        with self._lock:
            self.arm.hold()
            self._last = self._step = None
            self.disturbed += 1

    def stop(self, why: str = "stopped by hand", patience: float = -1) -> bool:
        """Hold and latch. When this returns true, no motion command passes any more.

        Args:
            why: for who asks.
            patience: seconds to wait for a command under way; negative: as long as it takes.

        Returns:
            Whether that command ended in time. If not, it was the last one, but the arm has not been told to stop yet.
        """
        self._why = self._why or why
        if not self._lock.acquire(timeout=patience):
            return False
        try:
            self._why = self._why or why
            self._last = self._step = None
            self.disturbed += 1
            self.arm.stop()
        finally:
            self._lock.release()
        return True

    def release(self) -> None:
        """A person unlatches; the arm stays where it is."""
        with self._lock:
            self.arm.release()
            self._why = None
            self._last = self._step = None
            self.disturbed += 1

    def disconnect(self) -> None:
        """Let go of the arm."""
        self.arm.disconnect()

    def moved(self, last: Array | None = None) -> None:
        """The arm was put elsewhere (a scene was reset or restored): measure the next step from there.

        Args:
            last: (J,) what had last been sent there, if that is known and the arm itself does not tell.
        """
        with self._lock:
            self._last, self._step = self.arm.told() if isinstance(self.arm, Tells) else (last, None)
            self.disturbed += 1

    def path(self, actions: Array) -> JointPath:
        """The arm's own joint path for a pick and place, (2, 4)."""
        if not isinstance(self.arm, Pathed):
            raise Unsupported(f"expected an arm that plans paths, got {self.features.name}")
        return self.arm.path(actions)

    def perform(self, actions: Array) -> Report:
        """Follow the joint path of a pick and place, (2, 4), every tick through the limits."""
        before = self.clipped
        path = self.path(actions)
        for tick in range(len(path)):
            self.send(path[tick])
        return Report(reached=True, ticks=len(path), clipped=self.clipped - before)

    def refuse_if_stopped(self) -> None:
        """Stopped says why, if it is stopped."""
        if self._why is not None:
            raise Stopped(f"the arm is stopped ({self._why}); release it to go on")
