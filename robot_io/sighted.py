"""What an arm at a real table, or at an emulated one, offers beside `robot_io.arm.Table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from robot_io.arm import Array, JointPath, Observation, Rehearsal, Table


@runtime_checkable
class Sighted(Table, Protocol):
    """A Table arm with a camera, and no simulator behind it: none of this asks the wire, or moves anything."""

    def see(self, observation: Observation) -> Observation:
        """An observation of the arm with the table's pictures, taken after this call; waits for the camera."""

    def frame(self, camera: str) -> bytes:
        """One JPEG of one of features.cameras."""

    def camera_trouble(self) -> str:
        """What is wrong with its camera, in a sentence; "" if nothing is. Costs nothing."""

    def path_from(self, joints: Array, actions: Array) -> JointPath:
        """As `Pathed.path`, from joints (J,)."""

    def aside(self, joints: Array, gripper: float) -> JointPath:
        """From joints (J,) to where it hides nothing of the table from its camera."""


@runtime_checkable
class Rehearses(Protocol):
    """A Twin that tries a motion out in a simulated body, for an arm whose own cannot be simulated from a snapshot."""

    def try_out(self, path: JointPath, joints: Array, gripper: float) -> None:
        """Follow a path from joints (J,). Refused says what went wrong."""


@runtime_checkable
class Glimpses(Protocol):
    """A Twin that draws small pictures for a policy to read, as quickly as it can."""

    def glimpse(self, cameras: Sequence[str], width: int, height: int, snapshot: bytes) -> Array:
        """(V, height, width, 3) uint8 of a snapshot, one from each camera; Unsupported names them."""


@runtime_checkable
class Shoots(Protocol):
    """A Twin that draws what several cameras see at once: it is asked, and answers, one time for all of them."""

    def frames(self, cameras: Sequence[str], size: tuple[int, int] | None, snapshot: bytes) -> list[bytes]:
        """One JPEG of a snapshot from each camera, of a width and height in pixels, or of the twin's own size."""


@runtime_checkable
class Laid(Table, Protocol):
    """Capability "laid": a table that is laid out for the arm, and known, though time there cannot be turned back."""

    def reset(self, seed: int, task: str, split: str) -> Mapping[str, Any]:
        """As `Scene.reset`; the arm stays where it is."""

    def snapshot(self) -> bytes:
        """What a rehearsal goes on from."""

    def rehearse(self, actions: Array, snapshot: bytes | None = None) -> Rehearsal:
        """As `Scene.rehearse`, to within what a real motion varies by; without pictures."""

    def truth(self) -> Mapping[str, Any]:
        """As `Scene.truth`."""
