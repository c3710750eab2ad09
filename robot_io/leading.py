"""A leader arm beside an arm: read in a thread of its own, so that its wire never holds up the control loop.

On the way: away (not there, and why) → ready (read, limp) → coming (its motors bring it to the arm) → leading. What
goes wrong while a person leads is told once, by `look`: the arm holds with that sentence until the person does
something.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from robot_io.driver import Pose
from robot_io.errors import ArmError, ArmNotFound, Unplugged, WireError
from robot_io.leader import Handover, Leader, Relative
from robot_io.limits import Limits

log = logging.getLogger(__name__)
READ_SECONDS = 1 / 60
RETRY_SECONDS = 1.0
STALE = 0.15
"""Seconds after which a reading no longer says where the hand is."""
JUMP = 0.6
"""Radians between two readings that no hand turns a joint by."""
SILENT = "it does not answer any more: check its cable and its supply"
COMES = 3
"""How often it is tried to bring it to the arm, over a wire that stumbles."""
NEAR = 0.35
"""Radians that a leader may be away from the arm at the most when it begins to lead."""


class Stage(StrEnum):
    """What the leader does."""

    AWAY = "away"
    READY = "ready"
    COMING = "coming"
    LEADING = "leading"


class Readable(Protocol):
    """What a leader device can do; see `robot_io.leader.Leader`."""

    @property
    def port(self) -> str:
        """Where it is plugged in."""

    @property
    def has_motors(self) -> bool:
        """Whether it can be driven to the arm."""

    def connect(self) -> None:
        """Take it, limp."""

    def read(self) -> Pose:
        """Where the hand holds it."""

    def align(
        self,
        follower: Pose,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        wanted: Callable[[], bool] = ...,
    ) -> float:
        """Drive it to the arm and let go of it there; returns the gap that is left, in radians."""

    def disconnect(self) -> None:
        """Give it back; twice is harmless."""


@dataclass(frozen=True)
class _Seen:
    pose: Pose
    at: float


def parted(name: str) -> tuple[str, str]:
    """An arm's name without its leader, and the leader's own name, "" if there is none.

    `so101:PORT,leader=PORT2,leader_type=TYPE` gives `so101:PORT` and `PORT2,type=TYPE`.
    """
    kind, colon, rest = name.partition(":")
    port, *options = rest.split(",")
    own = [part for part in options if not part.startswith("leader")]
    theirs = {key: value for key, _, value in (part.partition("=") for part in options if part.startswith("leader"))}
    if not theirs:
        return name, ""
    strange = sorted(key for key in theirs if key != "leader" and not key.startswith("leader_"))
    if strange or not theirs.get("leader"):
        raise ArmNotFound(f"expected {kind}:PORT,leader=PORT with options like leader_type=…, got {name}")
    if theirs["leader"] == port:
        raise ArmNotFound(f"expected the leader at a port of its own, got {port} for both; choose the leader's port")
    more = [f"{key.removeprefix('leader_')}={value}" for key, value in theirs.items() if key != "leader"]
    return kind + colon + ",".join([port, *own]), ",".join([theirs["leader"], *more])


def made(name: str, joints: tuple[str, ...]) -> Leader:
    """The leader of a name as `parted` gives it, with what it needs loaded, for an arm with these joints."""
    leader = Leader(name, joints)
    leader.prepare()
    return leader


class Leading:
    """One leader and its thread. `begin`, `look` and `put_down` are for the control loop's thread."""

    def __init__(self, leader: Readable, limits: Limits, clock: Callable[[], float]) -> None:
        self._leader, self._limits, self._clock = leader, limits, clock
        self.why = "it has not been found yet"
        """Why it is away."""
        self._seen: _Seen | None = None
        self._wanted: Pose | None = None
        self._came: Pose | None = None
        self._failed = ""
        self._hand: Handover | Relative | None = None
        self._began = 0.0
        self._held = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leader", daemon=True)

    @property
    def stage(self) -> Stage:
        """What it does; readable from any thread."""
        if self._hand is not None:
            return Stage.LEADING
        if self._wanted is not None:
            return Stage.COMING
        return Stage.READY if self._seen is not None else Stage.AWAY

    def start(self) -> None:
        """Read it, as soon as it is there."""
        self._thread.start()

    def close(self) -> None:
        """Let go of it."""
        self._ending.set()
        self._wanted = None
        if self._thread.is_alive():
            self._thread.join(10.0)

    # -- for the control loop --------------------------------------------------------------------------------------

    def begin(self, follower: Pose) -> None:
        """Bring it to where the arm is, if it has motors, and lead from then on.

        Raises:
            ArmError: it is not there.
        """
        if self._fresh() is None:
            raise ArmError(f"expected a leader arm at {self._leader.port}, but {self.why}; plug it in")
        self._came, self._failed, self._hand, self._held = None, "", None, False
        self._wanted = follower

    def put_down(self) -> None:
        """It leads no more; the hand may go on holding it."""
        self._wanted = self._hand = None

    @property
    def takes_part(self) -> bool:
        """Whether it leads, or is on its way to."""
        return self._wanted is not None or self._hand is not None

    def look(self, told: Pose, *, held: bool) -> tuple[Pose | None, str]:
        """Once a turn while it takes part: where the arm shall go (None: it stays), and what went wrong ("": nothing).

        Args:
            told: where the arm was last told to be.
            held: whether the arm is held: what the hand does meanwhile is not followed.
        """
        seen, coming = self._fresh(), self._hand is None and self._came is not self._wanted
        if self._failed or (seen is None and not coming):
            self.put_down()
            return None, f"the leader arm is gone ({self._failed or SILENT}); let it lead again, or drive by keys"
        if coming or seen is None:
            return None, ""
        if self._hand is None:
            return self._hand_over(told, seen)
        if held:
            self._held = True
            return None, ""
        if self._held:
            self._held = False
            return self._hand_over(told, seen)
        return self._hand.target(seen, self._clock() - self._began), ""

    def _hand_over(self, told: Pose, seen: Pose) -> tuple[Pose | None, str]:
        gap = Handover(told, seen).gap
        if self._leader.has_motors and gap > NEAR:
            self.put_down()
            return None, (
                f"the leader arm is {np.degrees(gap):.0f}° away from the arm and would pull it along: free it, let it "
                "lead again, or drive by keys"
            )
        self._hand = Handover(told, seen) if self._leader.has_motors else Relative(told, seen, self._limits)
        self._began, self._wanted = self._clock(), None
        return self._hand.target(seen, 0.0), ""

    def _fresh(self) -> Pose | None:
        """Where the hand holds it, if that is known."""
        seen = self._seen
        return seen.pose if seen is not None and self._clock() - seen.at <= STALE else None

    # -- its own thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._leader.connect()
                self._read_on()
            except ArmError as error:
                self._lose(error)
            except Exception as error:
                log.error("the leader failed", exc_info=error)
                self._lose(ArmError(f"{type(error).__name__}: {error}"))
            finally:
                self._leader.disconnect()
            self._ending.wait(RETRY_SECONDS)

    def _read_on(self) -> None:
        """Until it ends, or its wire fails for longer than a reading may be old."""
        while not self._ending.wait(READ_SECONDS):
            try:
                self._learn(self._leader.read())
                if (wanted := self._wanted) is not None and self._came is not wanted:
                    self._come(wanted)
            except Unplugged:
                raise
            except WireError:
                if self._fresh() is None:
                    raise

    def _learn(self, pose: Pose) -> None:
        before, now = self._seen, self._clock()
        if before is not None and now - before.at <= STALE and np.max(np.abs(pose.joints - before.pose.joints)) > JUMP:
            return
        if before is not None and now - before.at > STALE:
            self._held = True  # nobody knows what the hand did meanwhile: it is taken over from anew
        self._seen = _Seen(pose, now)

    def _come(self, follower: Pose) -> None:
        for left in range(COMES - 1, -1, -1):
            try:
                if self._leader.has_motors:
                    self._leader.align(follower, self._clock, self._sleep, self._goes_on)
                self._learn(self._leader.read())
                self._came = follower
                return
            except WireError as error:
                if not left or isinstance(error, Unplugged):
                    raise Unplugged(str(error)) from error

    def _sleep(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def _goes_on(self) -> bool:
        return self._wanted is not None and not self._ending.is_set()

    def _lose(self, error: ArmError) -> None:
        self.why = str(error)
        self._seen = None
        if self.takes_part:
            self._failed = self.why
