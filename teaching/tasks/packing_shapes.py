"""Pack the {shape} in the brown box. Pure.

As in the paper's tasks: one plan, reward 1 if the centre of the goal's shape lies in the box.
"""

from __future__ import annotations

import numpy as np

from teaching.task import Truth
from teaching.tasks.things import Thing, bottom, flat, grip, near, of_kind, pick_and_place, words
from teaching.types import BadInput, Plan, checked_goal

SEEN = (
    "square",
    "rectangle",
    "bar",
    "disc",
    "half disc",
    "triangle",
    "diamond",
    "pentagon",
    "trapezoid",
    "star",
    "plus",
    "T",
    "U",
    "Z",
)
UNSEEN = ("E", "L", "ring", "hexagon", "heart", "M")
SHAPES = (*SEEN, *UNSEEN)
SYNONYMS = {"circle": "disc", "disk": "disc", "semicircle": "half disc", "cross": "plus", "rod": "bar"}
FLOOR = 0.004
"""Metres from the box's underside to where a shape comes to lie."""
SPREAD = 0.002
"""Metres around a shape's grip where the teacher takes hold."""


def wording(shape: str) -> str:
    """The goal in its standard words."""
    return f"pack the {shape} in the brown box"


def read(goal: str) -> str:
    """The shape that a goal names, in whatever words; BadInput if it is not clear."""
    said = words(checked_goal(goal))
    ends = [i for i, word in enumerate(said) if word in ("in", "into", "inside")]
    text = " ".join(SYNONYMS.get(word, word) for word in said[: ends[0] if ends else None])
    text = text.replace("half disk", "half disc")
    found = [shape for shape in SHAPES if f" {shape.lower()} " in f" {text} "]
    if "half disc" in found:
        found = [shape for shape in found if shape != "disc"]
    if len(found) != 1:
        raise BadInput(
            f"expected a goal that names one shape, like {wording('star')!r}, out of {', '.join(SHAPES)}, got {goal!r}"
        )
    return found[0]


def _is_in(shape: Thing, box: Thing) -> bool:
    """Whether the centre of the shape lies between the walls of the box, whichever way it is turned."""
    away, turn = flat(shape) - flat(box), float(box["yaw"])
    along = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) @ away
    return bool(np.all(np.abs(along) <= np.asarray(box["size"][:2]) / 2))


def _packed(truth: Truth) -> list[Thing]:
    boxes = of_kind(truth, "box")
    return [shape for shape in of_kind(truth, "shape") if any(_is_in(shape, box) for box in boxes)]


def _wanted(goal: str, truth: Truth) -> list[Thing]:
    name = read(goal)
    return [shape for shape in of_kind(truth, "shape") if shape["shape"] == name]


class PackingShapes:
    """One shape of several belongs in the box."""

    name = "packing-shapes"
    example = wording("star")

    def goals(self, truth: Truth) -> tuple[str, ...]:
        """Every shape of the scene, its own goal first."""
        every = (wording(shape["shape"]) for shape in of_kind(truth, "shape"))
        return tuple(dict.fromkeys([truth["goal"], *every]))

    def check(self, goal: str) -> str:
        """The goal in its standard words."""
        return wording(read(goal))

    def progress(self, goal: str, truth: Truth) -> float:
        """1 when the shape is in the box, else 0."""
        name = read(goal)
        return float(any(shape["shape"] == name for shape in _packed(truth)))

    def reward(self, goal: str, before: Truth, after: Truth) -> float:
        """1 when the shape came into the box."""
        return max(0.0, self.progress(goal, after) - self.progress(goal, before))

    def best_step(self, goal: str, before: Truth) -> float:
        """1 while the shape is there and not packed, else 0."""
        return float(bool(_wanted(goal, before)) and self.progress(goal, before) == 0.0)

    def achieved(self, goal: str, before: Truth, after: Truth) -> tuple[str, ...]:
        """Goals of other shapes that came into the box."""
        earlier, asked = {shape["id"] for shape in _packed(before)}, self.check(goal)
        new = (wording(shape["shape"]) for shape in _packed(after) if shape["id"] not in earlier)
        return tuple(dict.fromkeys(text for text in new if text != asked))

    def demonstrate(self, goal: str, truth: Truth, rng: np.random.Generator) -> Plan | None:
        """The shape, taken where it is held best, so that its centre comes to lie in the middle of the box."""
        boxes, shapes = of_kind(truth, "box"), _wanted(goal, truth)
        if not boxes or not self.best_step(goal, truth):
            return None
        shape, box = shapes[0], boxes[0]
        pick = near(grip(shape), SPREAD, rng)
        place = np.append(flat(box) + pick[:2] - flat(shape), bottom(box) + FLOOR + float(shape["size"][2]))
        return Plan(pick_and_place(pick, place), goal)


TASK = PackingShapes()
