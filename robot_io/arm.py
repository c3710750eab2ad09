"""The Arm protocol: what every arm, simulated or real, promises.

SI units and radians throughout. An Arm is six verbs; what else it can do (a Scene, pick-and-place) it says in its
`Features.capabilities`, and callers ask before they use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from robot_io.errors import ArmError as ArmError
from robot_io.errors import ArmNotFound as ArmNotFound
from robot_io.errors import BadAction as BadAction
from robot_io.errors import NotConnected as NotConnected
from robot_io.errors import Refused as Refused
from robot_io.errors import Stopped as Stopped
from robot_io.errors import Unreachable as Unreachable
from robot_io.errors import Unsupported as Unsupported
from robot_io.features import CameraView as CameraView
from robot_io.features import Features as Features
from robot_io.limits import Limits as Limits
from robot_io.table_view import TableView as TableView

Array = NDArray[Any]


@dataclass(frozen=True)
class Observation:
    """Named arrays from the arm at one instant.

    `joints` (J,) radians and `gripper` (1,) in [0 open, 1 closed] are always there. With pictures, a tabletop arm adds
    `colour` (H, W, 3) uint8 and `height` (H, W) float32, metres above the table: the top-down map of `TableView`.
    """

    time: float
    """Seconds on the arm's clock."""
    arrays: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        try:
            return self.arrays[name]
        except KeyError:
            raise KeyError(f"expected one of {sorted(self.arrays)}, got {name!r}") from None

    def __contains__(self, name: object) -> bool:
        return name in self.arrays


@dataclass(frozen=True)
class Action:
    """One target for the next tick."""

    joints: Array
    """(J,) radians."""
    gripper: float = 0.0
    """0 open … 1 closed (or suction on)."""

    def __post_init__(self) -> None:
        joints = np.array(self.joints, dtype=np.float64)
        if joints.ndim != 1:
            raise BadAction(f"expected joints of shape (J,), got {joints.shape}")
        joints.setflags(write=False)
        object.__setattr__(self, "joints", joints)
        object.__setattr__(self, "gripper", float(self.gripper))


@runtime_checkable
class Arm(Protocol):
    """Six verbs. `send` returns what was really sent, after clipping: that is what gets recorded."""

    @property
    def features(self) -> Features:
        """What it has; readable before `connect`."""

    def connect(self) -> None:
        """Take the arm; afterwards it holds still. Twice is an ArmError."""

    def observe(self, *, pictures: bool = False) -> Observation:
        """What it senses now."""

    def send(self, action: Action) -> Action:
        """Move towards a target for one tick; returns what was really sent. BadAction if not finite or misshapen."""

    def hold(self) -> None:
        """Stay where it is, with torque; the next `send` moves again."""

    def stop(self) -> None:
        """Hold and latch: `send` raises Stopped until `release`. Callable from any thread, at any time."""

    def release(self) -> None:
        """A person unlatches a stop."""

    def disconnect(self) -> None:
        """Let go of the arm, safely; twice is harmless."""


@dataclass(frozen=True)
class JointPath:
    """A motion, one row per control tick: what a Table arm would do for a plan, waits and gripper included."""

    joints: Array
    """(T, J) radians."""
    gripper: Array
    """(T,) in [0 open, 1 closed]."""

    def __post_init__(self) -> None:
        joints = np.array(self.joints, dtype=np.float64)
        gripper = np.array(self.gripper, dtype=np.float64)
        if joints.ndim != 2 or gripper.shape != joints.shape[:1]:
            raise ValueError(f"expected joints (T, J) and gripper (T,), got {joints.shape} and {gripper.shape}")
        for name, array in {"joints": joints, "gripper": gripper}.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.joints)

    def __getitem__(self, tick: int) -> Action:
        return Action(self.joints[tick], float(self.gripper[tick]))


@dataclass(frozen=True)
class Report:
    """How a pick-and-place went."""

    reached: bool
    """The whole path was followed."""
    reason: str = ""
    """If not: why, in words."""
    ticks: int = 0
    clipped: int = 0
    """Ticks on which the safety layer clipped."""


@runtime_checkable
class Table(Arm, Protocol):
    """Capability "table": pick-and-place over a top-down picture."""

    def perform(self, actions: Array) -> Report:
        """Carry out pick and place.

        Args:
            actions: (2, 4) float: pick, then place; x, y, z in metres, yaw in radians.

        Raises:
            Unreachable: no joint path; nothing moved.
            Stopped: stopped before or on the way.
        """


@runtime_checkable
class Pathed(Protocol):
    """A Table arm whose motions others may follow, tick by tick through the safety layer."""

    def path(self, actions: Array) -> JointPath:
        """The joint path of a pick and place, (2, 4) as in `Table.perform`, from where the arm is; moves nothing.

        Raises:
            Unreachable: no joint path.
        """


@dataclass(frozen=True)
class Rehearsal:
    """What would happen, found in a second physics client; the arm did not move."""

    observation: Observation
    truth: Mapping[str, Any]
    snapshot: bytes
    report: Report


@runtime_checkable
class Scene(Table, Protocol):
    """Capability "scene": what a simulated arm also offers.

    `truth` is a plain JSON-able mapping: {"task": str, "goal": str, "seed": int, "split": str, "max_steps": int,
    "objects": [{"id": int, "kind": str, "colour": str | None, "shape": str | None, "position": [x, y, z],
    "yaw": float, "size": [dx, dy, dz]}, …], "held": int | None}. Positions are metres in the base frame.
    """

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """Build a fresh scene; returns its truth. Same arguments, same scene, bit for bit."""

    def snapshot(self) -> bytes:
        """The whole physical state, motor targets and constraints included."""

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, bit for bit."""

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """Roll a pick-and-place forward in a second client, from a snapshot or from now."""

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """What `reset` would show, without touching the arm."""

    def truth(self) -> Mapping[str, Any]:
        """Where everything really is."""


@runtime_checkable
class Twin(Protocol):
    """A second copy of a scene, in a process of its own, so that no picture ever holds the control loop.

    Everything works from a snapshot; one call at a time. A twin that died raises NotConnected.
    """

    def observe(self, snapshot: bytes) -> Observation:
        """What `observe(pictures=True)` of the arm would give."""

    def frame(self, camera: str, snapshot: bytes) -> bytes:
        """One JPEG of one of features.cameras, for people to watch."""

    def path(self, actions: Array, snapshot: bytes) -> JointPath:
        """As `Pathed.path`, from a snapshot."""

    def rehearse(self, actions: Array, snapshot: bytes) -> Rehearsal:
        """As `Scene.rehearse`."""

    def preview(self, seed: int, task: str, split: str) -> Rehearsal:
        """As `Scene.preview`."""

    def close(self) -> None:
        """End the process; twice is harmless."""


@runtime_checkable
class Twinned(Protocol):
    """A Scene arm that can start twins of itself."""

    def twin(self) -> Twin:
        """A new twin, ready to use."""


@runtime_checkable
class Parks(Protocol):
    """An arm that knows a safe place to wait."""

    def parking(self) -> JointPath:
        """The joint path there from where it is."""


Factory = Callable[[str], Arm]
_FACTORIES: dict[str, Factory] = {}


def register(kind: str, factory: Factory) -> None:
    """Make `kind:rest` a name that `make_arm` knows; the factory gets `rest`."""
    _FACTORIES[kind] = factory


def kinds() -> Iterator[str]:
    """The kinds of arm that can be made, registered or built in."""
    yield from sorted({*_FACTORIES, *_BUILT_IN})


_BUILT_IN = {
    "sim": "robot_io.sim",
    "fake": "robot_io.fake",
    "line": "robot_io.serial_arm",
    "feetech": "robot_io.feetech_arm",
    "dynamixel": "robot_io.dynamixel_arm",
    "so100": "robot_io.so_arm:make_so100",
    "so101": "robot_io.so_arm:make_so101",
    "lerobot": "robot_io.lerobot_arm",
    "calibrate": "robot_io.calibration_arm",
}
"""Kind → module with `make(rest)`, or module:function; imported when needed: a missing vendor costs its arms alone."""


def make_arm(name: str) -> Arm:
    """The arm of a name such as `sim:panda`; not yet connected. ArmNotFound says which kinds there are."""
    kind, _, rest = name.partition(":")
    if kind in _FACTORIES:
        return _FACTORIES[kind](rest)
    if kind in _BUILT_IN:
        import importlib

        module, _, function = _BUILT_IN[kind].partition(":")
        factory: Factory = getattr(importlib.import_module(module), function or "make")
        return factory(rest)
    raise ArmNotFound(f"expected an arm name that starts with one of {list(kinds())}, like sim:panda, got {name!r}")
