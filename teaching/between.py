"""Which answers lie between two models: examples that the later one learnt and the earlier one had not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from teaching.models import Model
from teaching.replay.glance import Glance
from teaching.skills import skills
from teaching.types import BadInput

SAME = "the same goal"
MOST = 400
"""Cards that are read: the ones drawn most often."""


@dataclass(frozen=True)
class Taught:
    """One example in between, and the answer that brought it about."""

    example: str
    goal: str
    kind: str
    episode: str
    second: float
    """Of its question, within the episode."""
    teacher: str
    drawn: int
    """How often the trainings in between drew it, as far as their models are still on disk."""


@dataclass(frozen=True)
class Between:
    """What the later model learnt from and the earlier did not, and the other way round."""

    taught: tuple[Taught, ...]
    total: int
    """How many, of which `taught` holds the ones drawn most often."""
    unlearnt: tuple[str, ...]
    """Examples of the earlier model that the later one no longer learnt from: taken back, deleted or excluded."""
    episodes: tuple[str, ...] = ()
    """Of a lesson in motion: those that only the later one was trained on."""


def between(before: Model, after: Model, known: Sequence[Model], glance: Glance) -> Between:
    """What came in between.

    Args:
        before: the earlier model.
        after: the later one.
        known: those on disk, for what their trainings drew.
        glance: the lesson.
    """
    earlier, later = set(before.demonstrations), set(after.demonstrations)
    new, gone = later - earlier, tuple(sorted(earlier - later))
    drawn = draws(before, after, known)
    first = sorted(new, key=lambda d: (-drawn.get(d, 0), d))
    taught = [t for d in first[:MOST] if (t := _taught(d, drawn.get(d, 0), glance)) is not None]
    seen = set(before.lineage.get("episodes", ()))
    episodes = tuple(e for e in after.lineage.get("episodes", ()) if e not in seen)
    return Between(tuple(taught), len(new), gone, episodes)


def draws(before: Model, after: Model, known: Sequence[Model]) -> dict[str, int]:
    """How often each example was drawn on the way from one model to the other, along the lineage that is on disk."""
    names, total = {m.name: m for m in known}, dict[str, int]()
    at: Model | None = after
    passed: set[str] = set()
    while at is not None and at.name != before.name and at.name not in passed:
        passed.add(at.name)
        for example, count in dict(at.lineage.get("draws") or {}).items():
            total[example] = total.get(example, 0) + int(count)
        at = names.get(at.parent or "")
    return total


def _taught(example: str, drawn: int, glance: Glance) -> Taught | None:
    number = glance.number("demonstrations", example)
    if number is None:
        return None
    try:
        card = glance.card(number)
    except BadInput:
        return None
    one, answer = card.demonstration, card.answer
    second = _time(glance, one.decision) - _time(glance, f"{card.episode}-0")
    teacher = answer.teacher if answer else ""
    return Taught(example, one.goal, one.kind.value, card.episode, max(second, 0.0), teacher, drawn)


def _time(glance: Glance, decision: str) -> float:
    number = glance.number("decisions", decision)
    if number is None:
        return 0.0
    rows = glance.columns.decisions
    found = rows["time"][rows["number"] == number]
    return float(found[0]) if len(found) else 0.0


def about(task: str, goal: str, taught: Sequence[Taught]) -> list[tuple[Taught, tuple[str, ...]]]:
    """Those that share something with a scene's goal, the nearest first, with what they share.

    It tells what they are about, not what they caused: no training was repeated without them.
    """
    asked = set(skills(task, goal))
    found: list[tuple[Taught, tuple[str, ...]]] = []
    for one in taught:
        shared = [SAME] if one.goal == goal else sorted(asked & set(skills(task, one.goal)))
        if shared:
            found.append((one, tuple(shared)))
    return sorted(found, key=_nearness)


def _nearness(item: tuple[Taught, tuple[str, ...]]) -> tuple[bool, int, int]:
    one, shared = item
    return SAME not in shared, -len(shared), -one.drawn
