"""Makes the three practice questions of the Teach page from real pictures of the simulated table.

Run from the project's root: `python scripts/practice.py`. It writes pages/components/practice.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from robot_io.arm import Scene, make_arm
from teaching.view import picture

OUT = Path(__file__).parents[1] / "pages" / "components" / "practice.json"
TASK = "put-block-in-bowl"


def _pose(thing: dict[str, Any]) -> list[float]:
    x, y, z = thing["position"]
    return [round(x, 4), round(y, 4), round(z, 4), 0.0]


def _scene(arm: Scene, seed: int) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], str]:
    """A scene's picture as question fields, its goal's blocks, all bowls, and the goal."""
    truth = arm.reset(seed, TASK, "seen")
    goal = str(truth["goal"])
    table = arm.features.table
    fields = {
        "image": picture(arm.observe(pictures=True)),
        "table": {"x": list(table.x), "y": list(table.y), "shape": list(table.shape)},
    }
    words = goal.split()
    blocks = [o for o in truth["objects"] if o["kind"] == "block" and o["colour"] == words[2]]
    bowls = [o for o in truth["objects"] if o["kind"] == "bowl"]
    return fields, blocks, bowls, goal


def _bowl(bowls: list[dict[str, Any]], colour: str, *, other: bool = False) -> dict[str, Any]:
    return next(b for b in bowls if (b["colour"] != colour) == other)


def questions(arm: Scene) -> list[dict[str, Any]]:
    """One right plan, one that is right for another goal, one that is wrong."""
    made = []
    for number, seed in enumerate((11, 12, 13)):
        fields, blocks, bowls, goal = _scene(arm, seed)
        wanted = goal.split()[-2]
        right, wrong = _bowl(bowls, wanted), _bowl(bowls, wanted, other=True)
        other = goal.replace(f" {wanted} bowl", f" {wrong['colour']} bowl")
        plan = {"pick": _pose(blocks[0]), "place": _pose(right if number == 0 else wrong)}
        if number == 2:
            plan["place"] = [round(float(np.mean(arm.features.table.x)), 3), 0.0, 0.0, 0.0]
        kept = {
            "id": f"practice-{number + 1}",
            "goal": goal,
            **fields,
            "plan": plan,
            "relabels": [other],
            "achieves": 1,
        }
        goals = [b for b in bowls if b["colour"] == wanted]
        made.append(kept | _known(number, other, blocks, goals))
    return made


def _known(number: int, other: str, blocks: list[dict[str, Any]], bowls: list[dict[str, Any]]) -> dict[str, Any]:
    """What is expected, and what to say before and after."""
    if number == 0:
        return {
            "hint": "The arm wants to pick at the ring and place at the target. That is right: press A.",
            "expect": {"verdict": "valid"},
            "explain": {
                "right": "just so: the arm would do it now, and remember that it was right",
                "wrong": "this plan reaches the goal: press A",
            },
        }
    if number == 1:
        return {
            "hint": "Wrong bowl, but right for another goal: press L, then F, then Enter.",
            "expect": {"verdict": "invalid", "relabel": other},
            "explain": {
                "right": "just so: nothing was wasted, it learns that goal instead",
                "wrong": "press L, choose the goal that this plan reaches with F, then press Enter",
            },
        }
    shown = {"picks": [_pose(b)[:2] for b in blocks], "places": [_pose(b)[:2] for b in bowls]}
    return {
        "hint": "Wrong: press D, click the block, click the right bowl, press Enter.",
        "expect": {"verdict": "invalid", "demonstration": shown},
        "explain": {
            "right": "just so: that is how it learns fastest",
            "wrong": "press D, click a block of the goal's colour, then the bowl, then press Enter",
        },
    }


def main() -> None:
    """Write the file."""
    arm = make_arm("sim:panda")
    arm.connect()
    try:
        made = questions(arm)
    finally:
        arm.disconnect()
    OUT.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(made)} questions, {OUT.stat().st_size / 1000:.0f} kB")  # noqa: T201


if __name__ == "__main__":
    main()
