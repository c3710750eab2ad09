"""Does replay by priority help a novice through a change? Storing episodes to regain 80 % after a domain shift.

On the table of numbers, over many seeds: colours that goals name, then other colours, then another light that turns
every colour. Ways of teaching, as published: whole, without FIER, without PIER; and with priorities, but without the
weights in the loss that take them back. On the simulated table seen, then unseen colours: lessons of one plan per scene
(`short_table`), in the full setting a lesson's own code, of whole and without PIER.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from teaching.experiments.experiment import Finding, Given, kept, table
from teaching.experiments.intervals import mean, paired
from teaching.experiments.short_table import TableWay
from teaching.experiments.starter import scene_of
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.experiments.table_courses import TASKS, all_courses, audited, stretches
from teaching.experiments.table_lessons import Cell, run_cell
from teaching.experiments.toy_lesson import Phase, ToyConfig, ToyLesson
from teaching.experiments.toy_table import SEEN, UNSEEN
from teaching.feedback import Fier
from teaching.lesson import LessonConfig, TrainingConfig
from teaching.sampling import Sampling
from teaching.types import BadInput

ARMS = {
    "whole": (True, Sampling()),
    "without PIER": (True, Sampling(prioritised=False)),
    "without FIER": (False, Sampling()),
    "PIER, weights off": (True, Sampling(beta=0.0)),
}
"""Name → FIER on, how batches are drawn. Weights: whether the loss takes back how often a row is drawn."""
EACH = 120
"""Storing episodes in each domain of the table of numbers."""
PHASES = (Phase(SEEN, 0.0, EACH), Phase(UNSEEN, 0.0, EACH), Phase(SEEN, 1.2, EACH))
NAMES = ("first colours", "other colours", "other light")
SEEDS = tuple(range(315, 335))
"""Fresh: what the weights do was first seen on seeds 300 to 314 (docs/results/pier-first.json)."""
STEP, SCENES, BACK = 4, 200, 0.8
TABLE_ARM, TABLE_SEEDS = "sim:panda", (30, 31, 32)
TABLE_FIRST, TABLE_AFTER, TABLE_STEP = 30, 40, 4
WHOLE_EACH, WHOLE_SCENES = 150, 50
SHIFTED = TASKS[0]
"""The task whose colours change."""


def run(given: Given) -> Finding:
    """Numbers, then the table; `--set where=numbers` or `table` for one of them."""
    where = str(given.options.get("where", "both"))
    if set(given.options) - {"where"} or where not in ("numbers", "table", "both"):
        raise BadInput(f"expected --set where=numbers, table or both, got {dict(given.options)}")
    rows: list[dict[str, Any]] = []
    if where != "table":
        seeds = given.seeds or (tuple(range(315, 415)) if given.full else SEEDS)
        for done, seed in enumerate(seeds):
            given.report("seeds", done, len(seeds))
            rows += [row for arm in ARMS for row in numbers(given, arm, seed)]
    if where != "numbers":
        rows += _whole_lessons(given) if given.full else on_the_table(given)
    return found(rows)


def numbers(given: Given, arm: str, seed: int) -> list[dict[str, Any]]:
    """One lesson on the table of numbers; read if it is there."""
    settings = {"each": EACH, "step": STEP, "scenes": SCENES, "phases": [asdict(phase) for phase in PHASES]}
    made = given.work / f"numbers-{arm.lower().replace(', ', '-').replace(' ', '-')}-{seed}.json"
    return kept(made, settings, partial(_numbers, arm, seed))


def _numbers(arm: str, seed: int) -> list[dict[str, Any]]:
    fier, sampling = ARMS[arm]
    config = ToyConfig(fier=Fier(fier, fier), sampling=sampling, phases=PHASES, most=2000)
    lesson = ToyLesson(config, seed)
    curves: list[list[float]] = [[] for _ in PHASES]
    for number, tally in lesson.run():
        if tally.storing % STEP == 0:
            curves[number].append(round(100 * lesson.score(PHASES[number], SCENES), 2))
    tally = lesson.tally
    return [{
        "where": "numbers", "arm": arm, "seed": seed, "curves": curves, "answers": tally.answers,
        "seconds": tally.seconds, "annotated": tally.annotated, "needed": [needed(c, STEP, EACH) for c in curves[1:]],
    }]  # fmt: skip


def needed(curve: Sequence[float], step: int, most: int) -> int:
    """Storing episodes until two trials in a row reach 80; `most` if that never came."""
    for i in range(len(curve) - 1):
        if min(curve[i], curve[i + 1]) >= 100 * BACK:
            return (i + 1) * step
    return most


def on_the_table(given: Given) -> list[dict[str, Any]]:
    """Lessons of one plan per scene; kept in the work directory, lesson by lesson."""
    marks = range(TABLE_FIRST, TABLE_FIRST + TABLE_AFTER + 1, TABLE_STEP)
    ways = {name: table_way(name) for name in ARMS if name != "without FIER"}
    said = all_courses(given, [SHIFTED], given.seeds or TABLE_SEEDS, ways, tuple(marks))
    said = [row for row in said if row["storing"]]
    rows = []
    for name, seed in dict.fromkeys((row["arm"], row["seed"]) for row in said):
        own = [row for row in said if (row["arm"], row["seed"]) == (name, seed)]
        curve, end = [row["unseen"] for row in own[1:]], own[-1]
        rows.append({
            "where": "table", "arm": name, "seed": seed, "curves": [[row["seen"] for row in own[:1]], curve],
            "needed": [needed(curve, TABLE_STEP, TABLE_AFTER)],
            **{key: end[key] for key in ("answers", "seconds", "annotated", "agreed", "audited")},
        })  # fmt: skip
    return rows


def table_way(name: str) -> TableWay:
    """How an arm teaches: seen colours, then unseen ones."""
    fier, sampling = ARMS[name]
    return TableWay(
        fier=Fier(fier, fier), sampling=replace(sampling, batch=TableWay().sampling.batch),
        phases=stretches(("seen", TABLE_FIRST), ("unseen", TABLE_AFTER)),
    )  # fmt: skip


def _whole_lessons(given: Given) -> list[dict[str, Any]]:
    """Whole and without PIER, by a lesson's own code; kept in the work directory, cell by cell."""
    rows, arm = [], scene_of(TABLE_ARM)
    try:
        wanted = [(name, seed) for seed in given.seeds or range(30, 40) for name in ("whole", "without PIER")]
        for done, (name, seed) in enumerate(wanted):
            given.report("lessons on the table", done, len(wanted))
            rows.append(_whole_lesson(name, seed, given, arm))
    finally:
        arm.disconnect()
    return rows


def _whole_lesson(name: str, seed: int, given: Given, arm: Any) -> dict[str, Any]:
    config = LessonConfig(
        name=f"{name}-{seed}", arm=TABLE_ARM, teacher="oracle", start="nothing", seed=seed,
        training=TrainingConfig(prioritised=ARMS[name][1].prioritised),
    )  # fmt: skip
    short = f"{name.lower().replace(' ', '-')}-{seed}"
    before = run_cell(Cell(short, config, WHOLE_EACH, scenes=WHOLE_SCENES), given.work, arm)
    marks = tuple(range(WHOLE_EACH + TABLE_STEP, 2 * WHOLE_EACH, TABLE_STEP))
    moved, begin = replace(config, split="unseen"), given.work / short
    shifted = Cell(f"{short}-shifted", moved, 2 * WHOLE_EACH, marks, ("unseen",), WHOLE_SCENES, begin=begin)
    found = run_cell(shifted, given.work, arm)
    curve = [float(row["unseen"]) for row in found]
    return {
        "where": "table", "arm": name, "seed": seed, "curves": [[float(before[-1]["seen"])], curve],
        "answers": found[-1]["answers"], "seconds": found[-1]["seconds"], "annotated": found[-1]["annotated"],
        "needed": [needed(curve, TABLE_STEP, WHOLE_EACH)],
    }  # fmt: skip


def found(rows: Sequence[dict[str, Any]]) -> Finding:
    """Tables, verdicts, plot."""
    parts, figures = [], {}
    for where, title in (("numbers", "The table of numbers"), ("table", "The simulated table")):
        own = [row for row in rows if row["where"] == where]
        if own:
            lines, figures[where] = _verdict(own)
            parts += [f"## {title}", *([audited(own)] if "audited" in own[0] else []), _table(own), lines]
    return Finding("\n\n".join(parts), figures, rows, {"shift": _plot(rows)})


def _of(rows: Sequence[dict[str, Any]], arm: str) -> list[dict[str, Any]]:
    return sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["seed"])


def _table(rows: Sequence[dict[str, Any]]) -> str:
    shifts = range(len(rows[0]["needed"]))
    body = []
    for arm in ARMS:
        own = _of(rows, arm)
        if own:
            regained = [mean([row["needed"][i] for row in own]).told(1) for i in shifts]
            ends = [mean([row["curves"][i][-1] for row in own]).told(1) for i in range(len(own[0]["curves"]))]
            said = [mean([row[name] for row in own]).told(0) for name in ("annotated", "answers", "seconds")]
            body.append([arm, *regained, *ends, *said])
    places = NAMES[: len(rows[0]["curves"])]
    changes = [f"storing episodes to 80 % after the change to {NAMES[i + 1]}" for i in shifts]
    ended = [f"reward × 100, {name}, at its end" for name in places]
    return table(["lesson", *changes, *ended, "annotated", "answers", "human seconds"], body)


COMPARED = (
    ("without PIER", "whole"), ("without FIER", "whole"), ("PIER, weights off", "whole"),
    ("without PIER", "PIER, weights off"),
)  # fmt: skip


def _verdict(rows: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    lines: list[str] = []
    figures: dict[str, Any] = {"seeds": len({row["seed"] for row in rows})}
    for other, base in COMPARED:
        less, whole = _of(rows, other), _of(rows, base)
        if len(less) < 2 or len(whole) != len(less):
            continue
        pairs = {
            f"after the change to {NAMES[i + 1]}": [[row["needed"][i] for row in own] for own in (less, whole)]
            for i in range(len(whole[0]["needed"]))
        }
        pairs["summed over changes"] = [[sum(row["needed"]) for row in own] for own in (less, whole)]
        for name, (a, b) in pairs.items():
            found = paired(a, b)
            lines.append(f"- *{other}* needs so many storing episodes more than *{base}*, {name}: {found.told()}.")
            figures[f"{other} less {base}, {name}"] = [round(x, 2) for x in found.difference[:3]]
    return "\n".join(lines), figures


def _plot(rows: Sequence[dict[str, Any]]) -> str:
    panels = []
    for where, step in (("numbers", STEP), ("table", TABLE_STEP)):
        own = [row for row in rows if row["where"] == where]
        for i in range(len(own[0]["curves"]) if own else 0):
            lines = []
            for arm in ARMS:
                curves = [row["curves"][i] for row in _of(own, arm)]
                length = min((len(c) for c in curves), default=0)
                if length < 2:
                    continue
                means = np.mean([c[:length] for c in curves], axis=0).tolist()
                lines.append(Line(arm, [step * (j + 1) for j in range(length)], means, dots=False))
            if lines:
                title = f"{where}: {NAMES[i]}"
                panels.append(Panel(title, "storing episodes", "reward × 100", lines, None, (0, 100), [100 * BACK]))
    return svg(panels)
