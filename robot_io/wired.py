"""An Arm at the end of a wire: what is the same for every real arm, whatever it speaks.

It latches, clips to its own limits as well (the safety layer is the first to do so), never asks for more than a short
step from where the arm really is, forgives a wire that stumbles for a moment (the arm keeps its last target
meanwhile), and calls by their names a joint that does not follow, an impossible reading, and a port that is gone.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from threading import Lock

import numpy as np

from robot_io.arm import Action, ArmError, Array, BadAction, Features, NotConnected, Observation, Stopped
from robot_io.driver import Driver, Health, Known, Pose
from robot_io.errors import BadReply, PowerLost, ServoFault, Stalled, Strained, Unplugged, WireError
from robot_io.strain import Strain

log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds for which a wire may stumble before that is an error."""
REACH = 0.2
"""Seconds of motion at full speed that a target may be ahead of the arm."""
FRESH = 0.1
"""Seconds for which a reading is where the arm is."""
STALL_SECONDS = 0.7
STALL_GAP = 0.12
"""Radians behind its target from which a joint that stands still is stuck."""
STALL_MOVE = 0.02
"""Radians in that time which count as moving."""
JUMP = 0.35
"""Radians beyond its speed by which a reading may differ from the last one."""
HEALTH_SECONDS = 0.5
"""Between two looks at temperatures, loads and faults while it moves."""
GATHER = 0.1
"""Seconds in which an arm of which nothing is known may gather full speed."""
GRIPPER_SPEED = 3.0
"""Full strokes per second."""


class WiredArm:
    """An Arm around a Driver. `stop` may be called from any thread, at any time."""

    def __init__(self, driver: Driver, clock: Callable[[], float]) -> None:
        self.missed = 0
        """Readings and commands that got lost on the wire."""
        self._driver, self._clock = driver, clock
        self._features: Features | None = None
        self._lock = Lock()
        self._connected = self._stopped = self._lost = False
        self._seen: Pose | None = None
        self._seen_at = self._moved_at = self._felt_at = -math.inf
        self._anchor: Array | None = None
        self._target: Pose | None = None
        self._failing_since: float | None = None
        self._outdated = True
        self._strain = Strain()
        self._health = Health()

    @property
    def features(self) -> Features:
        """What it has; asks the arm once."""
        if self._features is None:
            self._features = self._driver.describe()
        return self._features

    def connect(self) -> None:
        """Take it; it stands still where it is, with torque."""
        with self._lock:
            if self._connected:
                raise ArmError("expected one connect; this arm is connected already, disconnect it first")
            self._open()
            self._connected = True

    def disconnect(self) -> None:
        """Let go: limp if it is parked, holding still otherwise, so that it does not fall."""
        with self._lock:
            seen = self._seen if self._connected and not self._lost else None
            self._driver.close(limp=seen is not None and self._driver.at_rest(seen))
            self._connected = self._lost = False

    def observe(self, *, pictures: bool = False) -> Observation:
        """Where it is; a stumbling wire gives the last known place for a moment."""
        with self._lock:
            self._need_connection()
            try:
                self._read()
            except WireError as error:
                self._forgive(error)
            assert self._seen is not None
            arrays: dict[str, Array] = {
                "joints": np.array(self._seen.joints),
                "gripper": np.array([self._seen.gripper]),
            }
            return Observation(self._seen_at, arrays)

    def send(self, action: Action) -> Action:
        """One step towards a target. A command that got lost returns the target that is still in force."""
        self._check(action)
        with self._lock:
            self._need_connection()
            self._refuse_if_stopped()
            try:
                here = self._where()
                wanted = self._short(action, here)
                self._watch_stall(here)
                self._watch_health()
                self._write(wanted)
            except WireError as error:
                self._forgive(error)
            kept = self._target or self._seen
            assert kept is not None
            return Action(kept.joints, kept.gripper)

    def hold(self) -> None:
        """Stay."""
        with self._lock:
            self._need_connection()
            self._hold()

    def stop(self) -> None:
        """Latch, then hold; on a dead wire the latch alone, and that is logged."""
        self._stopped = True
        with self._lock:
            if not self._connected:
                return
            try:
                self._hold()
            except ArmError as error:
                log.error("the arm could not be told to hold: %s", error)

    def release(self) -> None:
        """Unlatch. An arm that was unplugged is taken anew first; it stands still where it is."""
        with self._lock:
            if self._connected and self._lost:
                self._driver.close(limp=False)
                self._open()
                self._lost = False
            elif self._connected and self._stopped:
                self._hold()
            self._stopped = False

    def health(self) -> Health:
        """Temperatures, voltages, loads, and what is wrong. Strained if a joint works too hard: it holds then."""
        with self._lock:
            self._need_connection()
            try:
                self._health = self._feel()
            except WireError as error:
                self._forgive(error)  # one lost answer is no failure
            return self._health

    def identity(self) -> str:
        """What it is recognised by; "" if its electronics tell nothing."""
        return self._driver.identity() if isinstance(self._driver, Known) else ""

    def _open(self) -> None:
        if self._features is None:
            self._features = self._driver.describe()
        self._driver.open()
        self._seen = self._target = self._anchor = self._failing_since = None
        for left in (2, 1, 0):
            try:
                self._read()
                return
            except WireError:
                if not left:
                    self._driver.close(limp=False)
                    raise

    def _check(self, action: Action) -> None:
        count = len(self.features.joints)
        if action.joints.shape != (count,):
            raise BadAction(f"expected joints of shape ({count},), got {action.joints.shape}")
        if not (np.all(np.isfinite(action.joints)) and math.isfinite(action.gripper)):
            raise BadAction(f"expected finite numbers, got joints {action.joints.tolist()}, gripper {action.gripper}")

    def _where(self) -> Pose:
        if self._seen is None or self._outdated or self._clock() - self._seen_at > FRESH:
            self._read()
        assert self._seen is not None
        return self._seen

    def _read(self) -> None:
        self._learn(self._driver.read())

    def _learn(self, pose: Pose) -> None:
        """Believe a reading, unless it cannot be true."""
        now, last = self._clock(), self._seen
        if last is not None:
            possible = JUMP + self.features.limits.speed * (now - self._seen_at)
            far = np.abs(pose.joints - last.joints) - possible
            if np.any(far > 0) and now - self._seen_at < PATIENCE:
                name = self.features.joints[int(np.argmax(far))]
                raise BadReply(f"expected {name} near where it was, got a jump; check the cable and the supply")
        self._seen, self._seen_at, self._failing_since = pose, now, None

    def _short(self, action: Action, here: Pose) -> Pose:
        """The target, inside the limits and a short step from where the arm is."""
        limits = self.features.limits
        reach = limits.speed * REACH
        near = np.clip(action.joints, here.joints - reach, here.joints + reach)
        before = self._target.gripper if self._target else here.gripper
        step = GRIPPER_SPEED / self.features.rate
        gripper = min(max(action.gripper, before - step, 0.0), before + step, 1.0)
        return Pose(np.clip(near, limits.lower, limits.upper), gripper)

    def _write(self, pose: Pose) -> None:
        written = self._driver.write(pose)
        self._target, self._outdated = written.sent, written.here is None
        if written.here is not None:
            self._learn(written.here)

    def _watch_stall(self, here: Pose) -> None:
        now = self._clock()
        target = self._target
        if self._anchor is None or target is None:
            self._anchor, self._moved_at = here.joints, now
            return
        stands = (np.abs(here.joints - self._anchor) < STALL_MOVE) & (np.abs(target.joints - here.joints) > STALL_GAP)
        if not np.any(stands):
            self._anchor, self._moved_at = here.joints, now
        elif now - self._moved_at > STALL_SECONDS:
            joint = self.features.joints[int(np.argmax(stands))]
            self._felt_at = -math.inf
            self._watch_health()
            self._hold()
            raise Stalled(
                f"expected {joint} to follow, but it has stood still for {STALL_SECONDS:g} s; something is in its way "
                "or its load is too heavy: take that away, then release"
            )

    def _watch_health(self) -> None:
        """Now and then: a servo that protects itself no longer obeys."""
        now = self._clock()
        if now - self._felt_at < HEALTH_SECONDS:
            return
        self._felt_at = now
        faults = self._feel().faults
        if faults:
            self._hold()
            raise ServoFault("; ".join(f"{joint}: {words}" for joint, words in faults.items()))

    def _feel(self) -> Health:
        health = self._driver.health()
        if health.limp:
            self._lost = True  # it has forgotten its settings, too: release takes it anew
            raise PowerLost(
                f"expected torque on every joint, but {', '.join(health.limp)} went limp: the supply was off for a "
                "moment; check it, then release"
            )
        if words := self._strain.feel(health, self.features.joints, self._clock()):
            self._hold()
            raise Strained(words)
        return health

    def _hold(self) -> None:
        if self._lost:
            raise Unplugged("the arm is unplugged; plug it in, then release")
        self._driver.hold()
        self._target = self._anchor = None

    def _forgive(self, error: WireError) -> None:
        """Nothing if the wire has stumbled for a moment only; otherwise the error, and the arm counts as lost."""
        self.missed += 1
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        if isinstance(error, Unplugged):
            self._lost = True
            raise error
        if self._seen is None or now - self._failing_since >= PATIENCE:
            raise type(error)(f"{error} ({why})" if (why := self._driver.diagnose()) else str(error)) from error

    def _need_connection(self) -> None:
        if not self._connected:
            raise NotConnected("expected a connected arm; call connect first")
        if self._lost:
            raise Unplugged("the arm is unplugged; plug it in, then release")

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise Stopped("the arm is stopped; release it to go on")
