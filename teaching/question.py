"""A question on screen: the decision, what it is about, and what has been drafted as its answer."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from robot_io.arm import Observation, TableView
from teaching.feedback import feedback_of
from teaching.types import BadInput, Decision, Feedback, Outcome, Plan
from teaching.world import Moment

VERDICTS = {"valid": Outcome.SUCCESS, "invalid": Outcome.FAILURE, "unknown": Outcome.UNKNOWN}


@dataclass
class Question:
    """Open until answered, withdrawn or superseded."""

    decision: Decision
    moment: Moment
    outcome: Future[Moment | None] | None = None
    """What carrying out the plan would lead to, once known."""
    relabels: tuple[str, ...] = ()
    """Goals that the plan would achieve, first; then other goals of the scene."""
    draft: Mapping[str, Any] | None = None
    shown: float = 0.0
    """Unix seconds."""
    again: bool = False
    """An earlier question, open once more after an undo; answering it moves nothing."""
    blind: bool = False
    """The novice's confidence is hidden."""
    repeat: bool = False
    """Asked and answered before; this answer only tells how steady the teacher's are."""
    details: dict[str, Any] = field(default_factory=dict)
    """What else the page shows: words, frequency, unknown words."""


def height_at(observation: Observation, table: TableView, x: float, y: float) -> float:
    """The height in metres of what lies at a point of the table: the highest of the 3 × 3 pixels around it."""
    row, column = table.pixel_of(x, y)
    height = observation["height"]
    patch = height[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    return float(np.max(patch))


def demonstrated(values: Mapping[str, Any], goal: str, observation: Observation, table: TableView) -> Plan:
    """The plan of two clicks: `{"pick": [x, y, yaw], "place": [x, y, yaw]}`, heights read off the map.

    Raises:
        BadInput: not two points with a rotation each, or a point outside the table.
    """
    actions = []
    for name in ("pick", "place"):
        try:
            x, y, yaw = (float(v) for v in values[name])
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"expected {name} as [x, y, yaw] in metres and radians, got {values!r}") from error
        if not np.all(np.isfinite([x, y, yaw])):
            raise BadInput(f"expected finite numbers in {name}, got {values[name]}")
        try:
            z = height_at(observation, table, x, y)
        except ValueError as error:
            raise BadInput(f"{error}; click on the table") from error
        actions.append([x, y, z, yaw])
    return Plan(np.array(actions), goal)


def spoken(values: Mapping[str, Any], question: Question, table: TableView) -> tuple[Feedback, int]:
    """The Feedback of an `answer` intent, and which ghost it chose (0: the plan itself).

    Raises:
        BadInput: a verdict, ghost, relabel or demonstration that cannot be used.
    """
    verdict = values.get("verdict")
    if verdict not in VERDICTS:
        raise BadInput(f"expected a verdict among {', '.join(VERDICTS)}, got {verdict!r}")
    try:
        chosen = int(values.get("choice") or 0)
    except (TypeError, ValueError) as error:
        raise BadInput(f"expected the number of a ghost, got {values.get('choice')!r}") from error
    plan, shown = question.decision.plan, values.get("demonstration")
    demonstration = demonstrated(shown, plan.goal, question.moment.observation, table) if shown else None
    feedback = feedback_of(
        plan, VERDICTS[verdict], chosen=chosen, relabel=values.get("relabel") or None, demonstration=demonstration
    )
    return feedback, chosen
