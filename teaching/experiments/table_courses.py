"""Lessons of one plan per scene on the simulated table, run or read: what was said, how good the novice was by then.

The quick setting of `fier`, `pier` and `baselines`; the full one runs a lesson's own code (`table_lessons`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from teaching.experiments.experiment import Given, kept
from teaching.experiments.lifting import agreement
from teaching.experiments.short_lesson import Tally
from teaching.experiments.short_table import Stretch, TableLesson, TableWay
from teaching.experiments.starter import scene_of
from teaching.experiments.table_scenes import TableScenes

TASKS = ("put-block-in-bowl", "packing-shapes")
ARM = "sim:panda"
FRESH = 50
"""Fresh scenes of a trial, the same for all."""
AUDITED = 20
"""Last plans of a lesson that the physics carries out, too."""
ENOUGH = 0.95
"""Share of them in which physics and geometry must agree."""
MARKS, STORING = (10, 25, 50, 75), 75
SPLITS = ("seen", "unseen")


@contextmanager
def looked_at(given: Given, task: str) -> Iterator[TableScenes]:
    """The scenes of a task, kept beside the experiments' own work."""
    torch.set_num_threads(1)
    arm = scene_of(ARM)
    try:
        yield TableScenes(arm, task, given.work.parent / "scenes")
    finally:
        arm.disconnect()


def said(tally: Tally) -> dict[str, Any]:
    """What was said so far, and what slipped through."""
    return {
        "storing": tally.storing, "decisions": tally.decisions, "answers": tally.answers, "seconds": tally.seconds,
        "failed": tally.failed, "caught": tally.caught, **tally.stored,
    }  # fmt: skip


def course(
    given: Given, name: str, way: TableWay, seed: int, scenes: TableScenes, marks: Sequence[int] = MARKS
) -> list[dict[str, Any]]:
    """One lesson: a row at the outset, at every mark and at its end, if that comes before; read if it is there."""
    settings = {"way": repr(way), "seed": seed, "marks": list(marks), "fresh": FRESH}
    path = given.work / f"{scenes.task}-{name.lower().replace(', ', '-').replace(' ', '-')}-{seed}.json"
    return kept(path, settings, lambda: _taught(TableLesson(way, seed, scenes), marks))


def _taught(lesson: TableLesson, marks: Sequence[int]) -> list[dict[str, Any]]:
    def row() -> dict[str, Any]:
        return said(lesson.tally) | {split: round(100 * lesson.score(split, FRESH), 1) for split in SPLITS}

    rows = [row()]
    rows += [row() for _, tally in lesson.run() if tally.storing in marks]
    if rows[-1]["storing"] != lesson.tally.storing:
        rows.append(row())
    last = SPLITS[-1]
    plans = [(scene.seed, plan) for scene, plan in lesson.tried(last, FRESH)[:AUDITED]]
    same, of = agreement(lesson.scenes.arm, lesson.task, last, plans)
    rows[-1] |= {"agreed": same, "audited": of}
    return rows


def audited(rows: Sequence[dict[str, Any]]) -> str:
    """How often the physics agreed, in words."""
    same, of = (sum(row.get(name, 0) for row in rows) for name in ("agreed", "audited"))
    doubt = "" if same >= ENOUGH * of else " **That is too seldom: these figures are not to be believed.**"
    return (
        "One plan per scene; what it leads to is worked out by geometry, and the physics, asked about last novices' "
        f"plans, said the same in {same} of {of}. Pictures of 40 × 80 pixels, a transporter of half the channels, "
        f"batches of 8; {FRESH} fresh scenes per trial and split.{doubt}"
    )


def all_courses(
    given: Given,
    tasks: Sequence[str],
    seeds: Sequence[int],
    ways: Mapping[str, TableWay],
    marks: Sequence[int] = MARKS,
) -> list[dict[str, Any]]:
    """Every way, seed and task, seed by seed, so that an interrupted run has whole pairs."""
    rows: list[dict[str, Any]] = []
    for number, task in enumerate(tasks):
        with looked_at(given, task) as scenes:
            for done, seed in enumerate(seeds):
                given.report("seeds on the table", number * len(seeds) + done, len(seeds) * len(tasks))
                for name, way in ways.items():
                    head = {"where": task, "arm": name, "seed": seed}
                    rows += [head | row for row in course(given, name, way, seed, scenes, marks)]
    return rows


def stretches(*parts: tuple[str, int]) -> tuple[Stretch, ...]:
    """Domains from (split, storing episodes)."""
    return tuple(Stretch(split, storing) for split, storing in parts)
