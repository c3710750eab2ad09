"""What lies before an emulated SO arm, and what its jaws do to it. Numpy only, no physics.

Things stay where they are put: jaws that close around one take it along, and where they open it comes to lie on what is
below. Nothing tips, slides or is pushed. Scenes are those of the simulated table at a third of their size, so that all
of them lies within the arm's reach. Letters: metres and radians in the arm's base frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_io import wire
from robot_io.emulation import one_block
from robot_io.errors import ArmError
from robot_io.sim import put_block_in_bowl
from robot_io.sim.scene import NoSuchScene, Recipe, Thing, lay_out
from robot_io.so_motion import PAN_X
from robot_io.table_view import TableView

Array = NDArray[Any]
SHRUNK = 1 / 3
TASKS = (put_block_in_bowl.NAME, one_block.NAME)
"""Scenes of blocks and bowls; what needs other forms is not emulated."""
FLOOR = 0.05
"""Thickness of a bowl's floor, as a share of its height."""
SHUT, OPEN = 0.5, 0.6
"""Radians of the jaw below which it holds, and above which it lets go."""
BITE = 0.004
"""Metres beside a thing's edge, below its underside or above its top, at which jaws still take it."""


def view() -> TableView:
    """The part of the table that scenes are laid on, before the arm's upright axis."""
    big = TableView()
    x, y = ((low * SHRUNK, high * SHRUNK) for low, high in (big.x, big.y))
    return TableView((PAN_X + x[0], PAN_X + x[1]), y, big.pixel * SHRUNK)


def _shrunk(thing: Thing) -> Thing:
    """A thing at a third of its size, at a third of the way."""
    size, (x, y, z) = tuple(side * SHRUNK for side in thing.size), thing.position
    place = (PAN_X + x * SHRUNK, y * SHRUNK, z * SHRUNK)
    return Thing(thing.kind, (size[0], size[1], size[2]), place, thing.yaw, thing.colour, thing.rgb, fixed=thing.fixed)


@dataclass
class Lying:
    """Where one thing is now."""

    position: Array
    """(3,) its centre."""
    yaw: float


class Bench:
    """The table in front of one arm. Used under one lock."""

    def __init__(self) -> None:
        self.recipe = Recipe(0, TASKS[0])
        self.goal, self.max_steps = "", 1
        self.lens = "fine"
        """What its camera does: "fine", "stall", "freeze" or "gone"."""
        self.moving = False
        """The scene is one for lessons in motion."""
        self.things: tuple[Thing, ...] = ()
        self.lying: list[Lying] = []
        self.held: int | None = None
        self._frame: tuple[Array, float] = (np.zeros(3), 0.0)
        self._jaw = 0.0
        self.lay(self.recipe)

    def lay(self, recipe: Recipe) -> None:
        """Put a scene there; what was there, or held, is taken away. NoSuchScene says which there are."""
        if recipe.task not in TASKS:
            raise NoSuchScene(f"expected a task among {', '.join(TASKS)} on an emulated bench, got {recipe.task!r}")
        moving = recipe.task == one_block.NAME
        layout = one_block.build(recipe, recipe.generator()) if moving else lay_out(recipe)
        self.recipe, self.goal, self.max_steps, self.moving = recipe, layout.goal, layout.max_steps, moving
        self.things = layout.things if moving else tuple(_shrunk(thing) for thing in layout.things)
        self.lying = [Lying(np.array(thing.position), thing.yaw) for thing in self.things]
        self.held = None

    def after(self, pose: Callable[[], Array], jaw: float) -> None:
        """The arm has moved.

        Args:
            pose: gives the pose (4, 4) of its tip, if that matters.
            jaw: radians open.
        """
        closes, self._jaw = self._jaw >= SHUT > jaw, jaw
        if self.held is None and closes:
            self._take(pose())
        elif self.held is not None and jaw > OPEN:
            self._let_go()
        if self.held is not None:
            (offset, turn), tip = self._frame, pose()
            self.lying[self.held] = Lying(tip[:3, 3] + tip[:3, :3] @ offset, _yaw(tip) + turn)

    def _take(self, tip: Array) -> None:
        """The nearest loose thing between the jaws."""
        near = [(float(np.linalg.norm(self.lying[i].position[:2] - tip[:2, 3])), i) for i in self._loose(tip)]
        if near:
            self.held = index = min(near)[1]
            here = self.lying[index]
            self._frame = tip[:3, :3].T @ (here.position - tip[:3, 3]), here.yaw - _yaw(tip)

    def _loose(self, tip: Array) -> list[int]:
        found = []
        for index, (thing, here) in enumerate(zip(self.things, self.lying, strict=True)):
            beside = np.linalg.norm(here.position[:2] - tip[:2, 3]) - thing.size[0] / 2
            above = abs(tip[2, 3] - here.position[2]) - thing.size[2] / 2
            if not thing.fixed and beside < BITE and above < BITE:
                found.append(index)
        return found

    def _let_go(self) -> None:
        """What was held comes to lie on what is below."""
        index, self.held = self.held, None
        assert index is not None
        here, half = self.lying[index], self.things[index].size[0] / 2
        for bowl, (thing, there) in enumerate(zip(self.things, self.lying, strict=True)):
            away = here.position[:2] - there.position[:2]
            far, rim = float(np.linalg.norm(away)), thing.size[0] / 2
            if thing.kind != "bowl" or bowl == index or far >= rim + half:
                continue
            # On the rim it rolls to the side on which its middle is.
            kept = min(far, 0.5 * rim) if far < rim else rim + 1.5 * half
            here.position[:2] = there.position[:2] + (away / far * kept if far > 0 else 0.0)
        here.position[2] = self._under(index) + self.things[index].size[2] / 2

    def _under(self, index: int) -> float:
        """The height of what a thing comes to lie on."""
        here, half, highest = self.lying[index].position, self.things[index].size[0] / 2, 0.0
        for other, (thing, there) in enumerate(zip(self.things, self.lying, strict=True)):
            far = float(np.linalg.norm(here[:2] - there.position[:2]))
            if other == index:
                continue
            if thing.kind == "bowl" and far < thing.size[0] / 2:
                highest = max(highest, FLOOR * thing.size[2])
            elif thing.kind != "bowl" and far < half + 0.9 * thing.size[0] / 2:
                highest = max(highest, float(there.position[2]) + thing.size[2] / 2)
        return highest

    def truth(self) -> dict[str, Any]:
        """Where everything really is; see `robot_io.arm.Scene`."""
        return {
            "task": self.recipe.task,
            "goal": self.goal,
            "seed": self.recipe.seed,
            "split": self.recipe.split,
            "max_steps": self.max_steps,
            "objects": [self._object(index) for index in range(len(self.things))],
            "held": self.held,
            **(one_block.facts(self._stage()) if self.moving else {}),
        }

    def sense(self) -> dict[str, Any] | None:
        """Block and bowl (3,) and whether the block is held, in a scene for lessons in motion; else None."""
        if not self.moving:
            return None
        block, bowl = (here.position for here in self.lying)
        return {"block": block, "bowl": bowl, "held": self.held is not None}

    def _stage(self) -> int:
        block, bowl = (here.position for here in self.lying)
        return one_block.stage_of(block, bowl, self.held is not None)

    def _object(self, index: int) -> dict[str, Any]:
        thing, here = self.things[index], self.lying[index]
        return {
            "id": index,
            "kind": thing.kind,
            "colour": thing.colour,
            "shape": thing.shape,
            "position": here.position.tolist(),
            "yaw": float(here.yaw),
            "size": list(thing.size),
            "grip": [*here.position[:2].tolist(), float(here.position[2]) + thing.size[2] / 2],
        }

    def poses(self) -> Array:
        """(N, 4) x, y, z, yaw of every thing, for whoever draws them."""
        return np.array([[*here.position, here.yaw] for here in self.lying]).reshape(-1, 4)

    def saved(self) -> dict[str, Any]:
        """Everything, as plain values."""
        recipe = [self.recipe.seed, self.recipe.task, self.recipe.split]
        return {"recipe": recipe, "poses": self.poses(), "held": self.held,
                "frame": [*self._frame[0].tolist(), self._frame[1]], "jaw": self._jaw}  # fmt: skip

    def restore(self, snapshot: bytes) -> Array:
        """What `packed` kept, as a hand would lay it out again; (6,) where the arm's joints were then.

        Raises:
            ArmError: the bytes are something else; nothing changed but the scene.
        """
        try:
            saved: Mapping[str, Any] = wire.unpack(snapshot)
            seed, task, split = saved["recipe"]
            self.lay(Recipe(int(seed), str(task), str(split)))
            for here, (x, y, z, yaw) in zip(self.lying, saved["poses"].tolist(), strict=True):
                here.position, here.yaw = np.array([x, y, z]), yaw
            self.held = None if saved["held"] is None else int(saved["held"])
            self._frame = np.array(saved["frame"][:3]), float(saved["frame"][3])
            self._jaw = float(saved["jaw"])
            return np.array(saved["joints"], dtype=np.float64).reshape(6)
        except (KeyError, TypeError, ValueError) as error:
            raise ArmError(f"expected a kept state of an emulated bench, got something else: {error!r}") from error


def packed(bench: Bench, joints: Array) -> bytes:
    """A bench and the six joints (6,) of its arm as bytes: what a twin goes on from."""
    return wire.pack({**bench.saved(), "joints": np.asarray(joints, dtype=np.float64)})


def _yaw(pose: Array) -> float:
    return math.atan2(pose[1, 0], pose[0, 0])
