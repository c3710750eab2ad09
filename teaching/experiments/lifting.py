"""What a pick and place on the simulated table leads to, by geometry alone: a thousand times as quick as the physics.

The loose thing under the cup moves with it to where it is set down; nothing else moves. How often that agrees with the
physics is measured by `agreement` and told beside every figure that rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from robot_io.arm import Scene, Unreachable
from robot_io.sim import outlines
from robot_io.sim.packing_shapes import SCALE
from robot_io.sim.probe import CUP
from teaching.task import Task, Truth, is_valid
from teaching.tasks.things import Thing, flat
from teaching.types import Array, Plan

_AROUND = np.array([(0.0, 0.0), *((CUP * np.cos(a), CUP * np.sin(a)) for a in np.arange(8) * np.pi / 4)])
"""Where the cup feels for something, its axis first."""
LOOSE = ("block", "shape")


def _under(thing: Thing, points: Array) -> Array:
    """(N,) bool: which of the points (N, 2) lie over a thing."""
    turn = float(thing["yaw"])
    own = (points - flat(thing)) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if thing.get("shape"):
        return np.asarray(outlines.inside(str(thing["shape"]), own / SCALE))
    return np.asarray(np.all(np.abs(own) <= np.asarray(thing["size"][:2]) / 2, axis=1))


def taken(truth: Truth, point: Array) -> int | None:
    """The loose thing that a cup at (2,) takes, by its place in the scene: the nearest to its axis."""
    loose = [i for i, thing in enumerate(truth["objects"]) if thing["kind"] in LOOSE]
    near = [i for i in loose if np.linalg.norm(flat(truth["objects"][i]) - point) < 2 * SCALE]
    hits = {i: _under(truth["objects"][i], point + _AROUND) for i in near}
    felt = [(int(np.argmax(hit)), i) for i, hit in hits.items() if hit.any()]
    return min(felt)[1] if felt else None


def lifted(truth: Truth, actions: Array) -> dict[str, Any]:
    """The truth after a pick and place (2, 4); the same if the cup takes nothing."""
    pick, place = np.asarray(actions, dtype=np.float64)
    chosen = taken(truth, pick[:2])
    things = [dict(thing) for thing in truth["objects"]]
    if chosen is not None:
        thing, turn = things[chosen], float(place[3] - pick[3])
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        offset = turned @ (flat(thing) - pick[:2])
        thing["position"] = [*(place[:2] + offset), thing["position"][2]]
        thing["yaw"] = float(thing["yaw"]) + turn
    return {**truth, "objects": things}


def agreement(arm: Scene, task: Task, split: str, plans: Sequence[tuple[int, Plan]]) -> tuple[int, int]:
    """Of so many (scene's seed, plan), in how many the physics says the same of the plan; (same, all)."""
    same = 0
    for seed, plan in plans:
        before = arm.reset(seed, task.name, split)
        try:
            arm.perform(np.array(plan.actions))
            right = is_valid(task, plan.goal, before, arm.truth())
        except Unreachable:
            right = False
        same += right == is_valid(task, plan.goal, before, lifted(before, plan.actions))
    return same, len(plans)
