"""Should the next scene be about what the novice is weak in? And what are novices weak in?

On the table of numbers a lesson chooses what every second goal is about: as it comes, by weakness, or by how little is
known (`teaching.skills`). From recorded lessons, if some are named, success is told skill by skill.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from teaching.experiments.experiment import Finding, Given, kept, table
from teaching.experiments.intervals import mean, paired
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.experiments.toy_lesson import Phase, ToyConfig, ToyLesson
from teaching.replay import ReplayBuffer
from teaching.skills import SCENES, profile
from teaching.types import BadInput

SEEDS, MARKS = tuple(range(400, 430)), (10, 20, 30, 50, 75, 100, 150)
FRESH = 120
"""Fresh scenes per colour."""


def run(given: Given) -> Finding:
    """All seeds; `--set lessons=DIR,DIR` adds the skills of recorded lessons."""
    if set(given.options) - {"lessons"}:
        raise BadInput("expected --set lessons=DIR,DIR: recorded lessons, as `run` leaves them")
    rows: list[dict[str, Any]] = []
    seeds = given.seeds or (tuple(range(400, 500)) if given.full else SEEDS)
    for done, seed in enumerate(seeds):
        given.report("seeds", done, len(seeds))
        settings = {"marks": MARKS, "fresh": FRESH, "arms": SCENES}
        rows += kept(given.work / f"numbers-{seed}.json", settings, partial(_numbers, seed))
    named = [name for name in str(given.options.get("lessons", "")).split(",") if name]
    return found(rows, {Path(name).name: recorded(Path(name)) for name in named})


def _numbers(seed: int) -> list[dict[str, Any]]:
    rows = []
    for arm in SCENES:
        lesson = ToyLesson(ToyConfig(about=arm, phases=(Phase(storing=MARKS[-1]),)), seed)
        for _, tally in lesson.run():
            if tally.storing in MARKS:
                scores = lesson.score_by_colour(Phase(), FRESH)
                rows.append({
                    "arm": arm, "seed": seed, "storing": tally.storing, "annotated": tally.annotated,
                    "seconds": tally.seconds, "mean": round(100 * sum(scores.values()) / len(scores), 2),
                    "worst": round(100 * min(scores.values()), 2),
                })  # fmt: skip
    return rows


def recorded(directory: Path) -> list[tuple[str, int]]:
    """(goal, outcome) of every judged plan of a lesson, in order."""
    with ReplayBuffer(directory, readonly=True) as buffer:
        answers, decisions = buffer.answers(), buffer.decisions()
        pairs = [(d.plan.goal, int(answers[d.id].feedback.outcome)) for d in decisions if d.id in answers]
        if not pairs:
            raise BadInput(f"expected a lesson with answers in {directory}, got none")
        return pairs


def found(rows: Sequence[dict[str, Any]], lessons: dict[str, list[tuple[str, int]]]) -> Finding:
    """Tables, verdict, plot."""
    body = []
    for storing in sorted({row["storing"] for row in rows}):
        for arm in SCENES:
            told = [mean(_at(rows, arm, storing, name)).told(1) for name in ("mean", "worst", "annotated", "seconds")]
            body.append([storing, arm, *told])
    head = ["storing episodes", "every second scene", "reward × 100, mean over colours", "worst colour", "annotated",
            "human seconds"]  # fmt: skip
    parts, figures = [table(head, body), _verdict(rows)], {"seeds": len({row["seed"] for row in rows})}
    if lessons:
        parts += ["## Skills in recorded lessons", _skills(lessons)]
    return Finding("\n\n".join(parts), figures, rows, {"curves": _plot(rows)})


def _at(rows: Sequence[dict[str, Any]], arm: str, storing: int, name: str) -> list[float]:
    own = [row for row in rows if row["arm"] == arm and row["storing"] == storing]
    return [float(row[name]) for row in sorted(own, key=lambda row: row["seed"])]


def _verdict(rows: Sequence[dict[str, Any]]) -> str:
    if len({row["seed"] for row in rows}) < 2:
        return "One seed: nothing to compare."
    marks = sorted({row["storing"] for row in rows})
    lines = []
    for arm in SCENES[1:]:
        for name, words in (("mean", "mean over colours"), ("worst", "worst colour")):
            for storing in (marks[len(marks) // 2], marks[-1]):
                one = paired(_at(rows, arm, storing, name), _at(rows, SCENES[0], storing, name))
                lines.append(f"- {arm} less random, {words}, after {storing} storing episodes: {one.told()}.")
    return "\n".join(lines)


def _skills(lessons: dict[str, list[tuple[str, int]]]) -> str:
    """The newest judged plans of each skill in each lesson; plans that were asked about are the uncertain ones."""
    every: dict[str, list[str]] = {}
    for number, pairs in enumerate(lessons.values()):
        for skill, rate in profile("put-block-in-bowl", pairs).items() or profile("packing-shapes", pairs).items():
            low, high = rate.interval
            cell = f"{rate.hits} of {rate.n} [{100 * low:.0f}, {100 * high:.0f}]"
            every.setdefault(skill, ["–"] * len(lessons))[number] = cell
    return table(
        ["skill", *(f"lesson {name}, % [Wilson 95 %]" for name in lessons)], [[s, *c] for s, c in every.items()]
    )


def _plot(rows: Sequence[dict[str, Any]]) -> str:
    panels = []
    for name, title in (("mean", "mean over colours"), ("worst", "worst colour")):
        lines = []
        for arm in SCENES:
            marks = sorted({row["storing"] for row in rows})
            means = [mean(_at(rows, arm, storing, name)) for storing in marks]
            spans = [m for m in means if m.n > 1]
            low, high = [m.low for m in spans], [m.high for m in spans]
            lines.append(Line(arm, marks, [m.value for m in means], low, high))
        panels.append(Panel(title, "storing episodes", "reward × 100", lines, None, (0, 100)))
    return svg(panels)
