"""What confirming and relabelling save a teacher: lessons with and without them, goals seen and unseen.

First on the table of numbers, over many seeds and as many storing episodes as published; then on the simulated table:
lessons of one plan per scene (`short_table`), in the full setting a lesson's own code. Active DAgger is the same gate
without both, and without priorities: the teacher shows every plan that is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from teaching.experiments.experiment import Finding, Given, kept, table
from teaching.experiments.intervals import mean, paired
from teaching.experiments.short_table import TableWay
from teaching.experiments.starter import scene_of
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.experiments.table_courses import STORING as TABLE_STORING
from teaching.experiments.table_courses import TASKS, all_courses, audited, stretches
from teaching.experiments.table_lessons import Cell, run_cell
from teaching.experiments.toy_lesson import Phase, ToyConfig, ToyLesson
from teaching.experiments.toy_table import UNSEEN
from teaching.feedback import Fier
from teaching.lesson import LessonConfig, TrainingConfig
from teaching.oracle import OracleConfig
from teaching.sampling import Sampling
from teaching.types import BadInput

ARMS = {
    "ASkDAgger": (Fier(), True),
    "without priorities": (Fier(), False),
    "without relabelling": (Fier(relabelling=False), True),
    "without confirming": (Fier(validation=False), True),
    "Active DAgger": (Fier(False, False), False),
}
"""Name → what of FIER is on, and whether replay is prioritised."""
OURS, OTHER = "ASkDAgger", "Active DAgger"
SEEDS, STORING, MARKS = tuple(range(200, 212)), 300, (10, 25, 50, 100, 200, 300)
TABLE_ARM = "sim:panda"
TABLE_SEEDS = (20, 21, 22)
DOMAINS = {"seen": Phase(), "unseen": Phase(UNSEEN)}
SCENES, TABLE_SCENES = 200, 25
PUBLISHED = {
    "ASkDAgger": (87.4, 54.0, "194, 206, 100, 84"), "Active DAgger": (84.2, 33.2, "603, 563, 300, 427"),
}  # fmt: skip
"""Means over four tasks after 300 storing episodes: reward × 100 seen, unseen; annotations of each task."""


def run(given: Given) -> Finding:
    """Numbers, then the table; `--set where=numbers` or `table` for one of them."""
    where = str(given.options.get("where", "both"))
    if set(given.options) - {"where"} or where not in ("numbers", "table", "both"):
        raise BadInput(f"expected --set where=numbers, table or both, got {dict(given.options)}")
    rows: list[dict[str, Any]] = []
    if where != "table":
        rows += numbers(given)
    if where != "numbers":
        rows += on_the_table(given)
    return found(rows)


def numbers(given: Given) -> list[dict[str, Any]]:
    """Every arm and seed on the table of numbers."""
    seeds = given.seeds or (tuple(range(200, 260)) if given.full else SEEDS)
    rows = []
    for done, seed in enumerate(seeds):
        given.report("seeds", done, len(seeds))
        settings = {"storing": STORING, "marks": MARKS, "scenes": SCENES, "arms": list(ARMS)}
        rows += kept(given.work / f"numbers-{seed}.json", settings, partial(_numbers, seed))
    return rows


def _numbers(seed: int) -> list[dict[str, Any]]:
    rows = []
    for arm, (fier, prioritised) in ARMS.items():
        config = ToyConfig(fier=fier, sampling=Sampling(prioritised=prioritised), phases=(Phase(storing=STORING),))
        lesson = ToyLesson(config, seed)
        for _, tally in lesson.run():
            if tally.storing in MARKS:
                said = {"answers": tally.answers, "seconds": tally.seconds, **tally.stored}
                scores = {name: lesson.score(domain, SCENES) for name, domain in DOMAINS.items()}
                head = {"where": "numbers", "arm": arm, "seed": seed, "storing": tally.storing}
                rows.append(head | said | {k: round(100 * v, 2) for k, v in scores.items()})
    return rows


def on_the_table(given: Given) -> list[dict[str, Any]]:
    """Ours and Active DAgger on the simulated table; kept in the work directory, lesson by lesson."""
    if given.full:
        return [row for task in TASKS for row in _whole_lessons(given, task)]
    ways = {name: table_way(name, TABLE_STORING) for name in (OURS, OTHER)}
    seeds = given.seeds or TABLE_SEEDS
    return [row for row in all_courses(given, TASKS, seeds, ways) if row["storing"]]


def table_way(arm: str, storing: int) -> TableWay:
    """How an arm teaches where one plan per scene is made."""
    fier, prioritised = ARMS[arm]
    sampling = replace(TableWay().sampling, prioritised=prioritised)
    return TableWay(fier=fier, sampling=sampling, phases=stretches(("seen", storing)))


def cell(arm: str, seed: int, storing: int, task: str = TASKS[0]) -> Cell:
    """One whole lesson on the simulated table."""
    fier, prioritised = ARMS[arm]
    config = LessonConfig(
        name=f"{arm}-{seed}", task=task, arm=TABLE_ARM, teacher="oracle", start="nothing", seed=seed,
        validation=fier.validation, relabelling=fier.relabelling, training=TrainingConfig(prioritised=prioritised),
    )  # fmt: skip
    oracle = OracleConfig(relabels=fier.relabelling, always_demonstrates=not fier.validation)
    name = f"whole-{task}-{arm.lower().replace(' ', '-')}-{seed}"
    return Cell(name, config, storing, (storing // 2,), ("seen", "unseen"), TABLE_SCENES, oracle)


def _whole_lessons(given: Given, task: str) -> list[dict[str, Any]]:
    """By a lesson's own code."""
    seeds = given.seeds or tuple(range(20, 30))
    rows, arm = [], scene_of(TABLE_ARM)
    try:
        wanted = [(name, seed) for seed in seeds for name in (OURS, OTHER)]
        for done, (name, seed) in enumerate(wanted):
            given.report(f"lessons of {task}", done, len(wanted))
            for row in run_cell(cell(name, seed, STORING, task), given.work, arm):
                rows.append({"where": task, "arm": name, "seed": seed} | row)
    finally:
        arm.disconnect()
    return rows


TITLES = {"numbers": "The table of numbers"} | {task: f"The simulated table: {task}" for task in TASKS}


def found(rows: Sequence[dict[str, Any]]) -> Finding:
    """Tables, verdicts, plot."""
    parts, figures = [], {}
    for where, title in TITLES.items():
        own = [row for row in rows if row["where"] == where]
        if own:
            figures[where] = _figures(own)
            parts += [f"## {title}", *([audited(own)] if "audited" in own[-1] else []), _table(own), _verdict(own)]
    on_tables = [row for row in rows if row["where"] in TASKS]
    if len({row["where"] for row in on_tables}) > 1:
        parts += ["## The simulated table: mean over its tasks", _verdict(_over_tasks(on_tables))]
    published = "Published means over four tasks after 300 storing episodes: " + "; ".join(
        f"{arm} seen {s}, unseen {u}, annotations {a}" for arm, (s, u, a) in PUBLISHED.items()
    )
    return Finding("\n\n".join([*parts, published + "."]), figures, rows, {"curves": _plot(rows)})


def _over_tasks(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per arm and seed, at the end: the mean over tasks."""
    means = []
    for arm, seed in sorted({(row["arm"], row["seed"]) for row in rows}):
        ends = [
            max((r for r in rows if (r["where"], r["arm"], r["seed"]) == (task, arm, seed)), key=lambda r: r["storing"])
            for task in TASKS
        ]
        names = ("annotated", "seen", "unseen", "seconds")
        means.append({"arm": arm, "seed": seed, "storing": 0, **{n: np.mean([e[n] for e in ends]) for n in names}})
    return means


def _at(rows: Sequence[dict[str, Any]], arm: str, storing: int, name: str) -> list[float]:
    own = [row for row in rows if row["arm"] == arm and row["storing"] == storing]
    return [float(row[name]) for row in sorted(own, key=lambda row: row["seed"])]


def _figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    last = max(row["storing"] for row in rows)
    ours, other = (np.mean(_at(rows, arm, last, "annotated")) for arm in (OURS, OTHER))
    unseen = [np.mean(_at(rows, arm, last, "unseen")) for arm in (OURS, OTHER)]
    return {
        "storing": last, "seeds": len({row["seed"] for row in rows}),
        "annotations_saved": round(float(1 - ours / other), 3),
        "unseen_gain": round(float(unseen[0] - unseen[1]), 1),
    }  # fmt: skip


def _table(rows: Sequence[dict[str, Any]]) -> str:
    names = ("seen", "unseen", "annotated", "relabelled", "validated", "answers", "seconds")
    body = []
    for storing in sorted({row["storing"] for row in rows} - {10, *([25] if rows[0]["where"] == "numbers" else [])}):
        for arm in ARMS:
            if _at(rows, arm, storing, "seen"):
                found = {name: mean(_at(rows, arm, storing, name)) for name in names}
                body.append([storing, arm, *(m.told(int(name in DOMAINS)) for name, m in found.items())])
    head = ["storing episodes", "lesson", "reward × 100, seen", "unseen", "annotated", "relabelled", "confirmed",
            "answers", "human seconds"]  # fmt: skip
    return table(head, body)


def _verdict(rows: Sequence[dict[str, Any]]) -> str:
    last = max(row["storing"] for row in rows)
    lines = []
    ours, other = (_at(rows, arm, last, "annotated") for arm in (OURS, OTHER))
    saved = [1 - a / b for a, b in zip(ours, other, strict=True)]
    after = f" after {last} storing episodes" if last else ""
    lines.append(f"- Annotations saved{after}: {mean(saved).told(1, 100)} % (bar: 63 %).")
    if len(ours) > 1:
        for name, bar in (("unseen", " (bar: 15 points)"), ("seen", ""), ("seconds", "")):
            found = paired(_at(rows, OURS, last, name), _at(rows, OTHER, last, name))
            lines.append(f"- {OURS} less {OTHER}, {name}: {found.told()}{bar}.")
    return "\n".join(lines)


def _plot(rows: Sequence[dict[str, Any]]) -> str:
    panels = []
    for where in TITLES:
        own = [row for row in rows if row["where"] == where]
        for name in ("seen", "unseen", "annotated"):
            lines = []
            for arm in ARMS:
                marks = [s for s in sorted({row["storing"] for row in own}) if _at(own, arm, s, name)]
                found = [mean(_at(own, arm, s, name)) for s in marks]
                spans = [m for m in found if m.n > 1]
                low, high = [m.low for m in spans], [m.high for m in spans]
                if marks:
                    lines.append(Line(arm, marks, [m.value for m in found], low, high))
            if lines:
                label, ends = ("annotations", None) if name == "annotated" else (f"reward × 100, {name}", (0.0, 100.0))
                panels.append(Panel(where, "storing episodes", label, lines, None, ends))
    return svg(panels)
