"""Plans, decisions and truths to test with."""

from __future__ import annotations

from typing import Any

import numpy as np

from teaching.types import Alternative, Decision, Plan

GOAL = "put the red blocks in a green bowl"


def plan(at: float = 0.5, *, goal: str = GOAL, uncertainty: float = 0.4, ghosts: int = 0) -> Plan:
    """A pick-and-place whose pick has x = `at`; ghost n picks at x = n."""
    actions = np.array([[at, 0.0, 0.04, 0.0], [0.6, 0.2, 0.05, 0.0]])
    others = tuple(Alternative(np.array([[n + 1.0, 0.0, 0.04, 0.0], actions[1]]), 0.1) for n in range(ghosts))
    return Plan(actions, goal, alternatives=others, uncertainty=uncertainty)


def decision(
    name: str = "e1-0", *, gated: bool = True, random: bool = False, update: int = 0, made: Plan | None = None
) -> Decision:
    """A decision that was asked, unless said otherwise."""
    episode, _, step = name.rpartition("-")
    return Decision(name, episode, int(step), made or plan(), 0.3, gated, random, update)


def thing(kind: str, at: tuple[float, float], colour: str | None = None, **more: Any) -> dict[str, Any]:
    """One object of a truth."""
    size = {"block": [0.04] * 3, "bowl": [0.12, 0.12, 0.045], "box": [0.12, 0.10, 0.05], "shape": [0.07, 0.05, 0.025]}
    base = {
        "kind": kind, "colour": colour, "shape": None, "yaw": 0.0, "size": size[kind],
        "position": [*at, size[kind][2] / 2],
    }  # fmt: skip
    return base | more


def truth(goal: str, *things: dict[str, Any]) -> dict[str, Any]:
    """A truth as an arm tells it."""
    objects = [thing | {"id": i} for i, thing in enumerate(things)]
    return {"task": "", "goal": goal, "seed": 0, "split": "seen", "max_steps": 1, "objects": objects, "held": None}


def moved(before: dict[str, Any], index: int, to: tuple[float, float]) -> dict[str, Any]:
    """The truth after one thing came to lie elsewhere."""
    objects = [dict(o) for o in before["objects"]]
    objects[index]["position"] = [*to, objects[index]["position"][2]]
    return before | {"objects": objects}
