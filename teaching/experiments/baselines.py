"""ASkDAgger against what it is compared with, at equal annotations: Active DAgger, SafeDAgger, ThriftyDAgger, chance.

On the table of numbers (`toy_lesson`) every method has one knob, tried at as many values on the same seeds; the value
with the highest success at so many annotations is then frozen and run on other seeds, and on the simulated table
(`short_table`), where nothing is tuned. A demonstration is an annotation; confirmations and relabels are not, so
success at equal answers and at equal human seconds stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from teaching.experiments.baseline_gates import Asker, RandomAsker, SafeAsker, SagAsker, ThriftyAsker
from teaching.experiments.experiment import Finding, Given, kept, table
from teaching.experiments.intervals import mean, paired
from teaching.experiments.short_lesson import Tally, at
from teaching.experiments.short_table import TableWay
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.experiments.table_courses import TASKS, all_courses, audited, stretches
from teaching.experiments.toy_lesson import Phase, ToyConfig, ToyLesson
from teaching.experiments.toy_table import UNSEEN, ToyNoviceConfig
from teaching.feedback import Fier
from teaching.sampling import Sampling
from teaching.types import BadInput

METHODS: dict[str, tuple[str, Callable[[float], Asker], tuple[float, ...]]] = {
    "ASkDAgger": ("promised sensitivity", lambda v: SagAsker(v), (0.7, 0.8, 0.9, 0.95)),
    "Active DAgger": ("promised sensitivity", lambda v: SagAsker(v), (0.7, 0.8, 0.9, 0.95)),
    "SafeDAgger": ("cut", lambda v: SafeAsker(v), (0.1, 0.2, 0.35, 0.5)),
    "ThriftyDAgger": ("budget", lambda v: ThriftyAsker(v), (0.1, 0.2, 0.35, 0.5)),
    "random": ("share", lambda v: RandomAsker(v), (0.25, 0.5, 0.75, 1.0)),
}
"""Name → its knob, the rule for a value of it, the values tried."""
OURS = "ASkDAgger"
TUNING, SEEDS = tuple(range(3)), tuple(range(100, 112))
ANNOTATIONS = (20, 40, 60)
Equal = tuple[tuple[str, tuple[int, int, int]], ...]
EQUAL: Equal = (("annotated", ANNOTATIONS), ("answers", (50, 100, 150)), ("seconds", (300, 600, 900)))
TABLE_EQUAL: Equal = (("annotated", (10, 15, 20)), ("answers", (20, 40, 60)), ("seconds", (100, 200, 400)))
"""Amounts at which methods are compared; by the middle ones the verdict goes."""
TABLE_SEEDS, TABLE_STORING = (40, 41, 42), 75
TABLE_MARKS = (3, 6, 10, 15, 20, 25, 30, 40, 50, 60, 75)
VIEWS = 4
"""Mirrored views that ThriftyDAgger's novice differs between on the simulated table, instead of an ensemble."""
MARKS = (3, 6, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 120, 150, 200, 250, 300)
"""Storing episodes after which a novice is tried on fresh scenes."""
SCENES = 150
WORDS = {"annotated": "annotations", "answers": "answers", "seconds": "human seconds"}


def config_of(method: str, knob: float) -> ToyConfig:
    """How a method teaches: confirmations, relabels and priorities are ASkDAgger's alone."""
    own = method == OURS
    members = 3 if method == "ThriftyDAgger" else 1
    return ToyConfig(
        asker=METHODS[method][1](knob), fier=Fier(own, own), sampling=Sampling(prioritised=own),
        novice=ToyNoviceConfig(members=members),
    )  # fmt: skip


def curve(method: str, knob: float, seed: int, *, seconds: float = 1600.0, storing: int = 300) -> dict[str, Any]:
    """One lesson: what was said, and success on fresh scenes, at every mark, until so many seconds or episodes."""
    config = replace(config_of(method, knob), phases=(Phase(storing=storing),))
    lesson = ToyLesson(config, seed)
    row: dict[str, Any] = {"method": method, "knob": knob, "seed": seed}
    series: dict[str, list[float]] = {name: [0.0] for name in ("annotated", "answers", "seconds", "failed")}
    series |= {
        "seen": [round(lesson.score(Phase(), SCENES), 4)],
        "unseen": [round(lesson.score(Phase(UNSEEN), SCENES), 4)],
    }
    for _, tally in lesson.run():
        if tally.storing in MARKS:
            for name in ("annotated", "answers", "seconds", "failed"):
                series[name].append(getattr(tally, name))
            series["seen"].append(round(lesson.score(Phase(), SCENES), 4))
            series["unseen"].append(round(lesson.score(Phase(UNSEEN), SCENES), 4))
        if tally.seconds > seconds:
            break
    tally = lesson.tally
    return row | series | {"storing": tally.storing, "decisions": tally.decisions} | _kinds(tally)


def _kinds(tally: Tally) -> dict[str, int]:
    return {f"stored_{kind}": number for kind, number in tally.stored.items()}


def reached(row: dict[str, Any], by: str, amount: float, split: str = "seen") -> float:
    """Success after so many annotations, answers or seconds; what it ended with if it never said so much."""
    points = list(zip(row[by], row[split], strict=True))
    return at(points, min(amount, points[-1][0]))


def tune(given: Given, seeds: Sequence[int]) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """The best knob of each method, and all that was tried."""
    rows: list[dict[str, Any]] = []
    best: dict[str, float] = {}
    for number, method in enumerate(METHODS):
        given.report("methods tuned", number, len(METHODS))
        own = tried(given, method, seeds)
        best[method] = max(own, key=lambda row: row["score"])["knob"]
        rows += own
    return best, rows


def tried(given: Given, method: str, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Every value of a method's knob and how it did; read if it is there."""

    def score(value: float) -> float:
        found = [curve(method, value, seed, seconds=700) for seed in seeds]
        return float(np.mean([reached(row, "annotated", ANNOTATIONS[1]) for row in found]))

    settings = {"values": METHODS[method][2], "seeds": list(seeds), "scenes": SCENES, "at": ANNOTATIONS[1]}
    return kept(
        given.work / f"tuning-{method.replace(' ', '-')}.json", settings,
        lambda: [{"method": method, "knob": v, "score": round(score(v), 4)} for v in METHODS[method][2]],
    )  # fmt: skip


def compared(given: Given, knobs: dict[str, float], seed: int) -> list[dict[str, Any]]:
    """All methods on one seed; read if they are there."""
    settings = {"knobs": knobs, "marks": MARKS, "scenes": SCENES}
    made = partial(_all_methods, knobs, seed)
    return kept(given.work / f"seed-{seed}.json", settings, made)


def _all_methods(knobs: dict[str, float], seed: int) -> list[dict[str, Any]]:
    return [curve(method, knobs[method], seed) for method in METHODS]


def on_the_table(given: Given, knobs: dict[str, float]) -> list[dict[str, Any]]:
    """All methods on the simulated table, with the knobs of the table of numbers."""
    seeds = given.seeds or (tuple(range(40, 50)) if given.full else TABLE_SEEDS)
    ways = {method: table_way(method, knobs[method]) for method in METHODS}
    tasks = TASKS if given.full else TASKS[:1]
    said = all_courses(given, tasks, seeds, ways, TABLE_MARKS)
    return [_series(own) for own in _grouped(said)]


def table_way(method: str, knob: float) -> TableWay:
    """How a method teaches on the simulated table."""
    own = method == OURS
    return TableWay(
        asker=METHODS[method][1](knob), fier=Fier(own, own), sampling=replace(TableWay().sampling, prioritised=own),
        phases=stretches(("seen", TABLE_STORING)), most=3 * TABLE_STORING,
        views=VIEWS if method == "ThriftyDAgger" else 1,
    )  # fmt: skip


def _grouped(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    lessons = dict.fromkeys((row["where"], row["arm"], row["seed"]) for row in rows)
    return [[row for row in rows if (row["where"], row["arm"], row["seed"]) == one] for one in lessons]


def _series(own: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A lesson's rows as one row of curves, as `curve` gives."""
    end = own[-1]
    return {
        "where": end["where"], "method": end["arm"], "seed": end["seed"],
        **{name: [float(row[name]) for row in own] for name in ("annotated", "answers", "seconds", "failed")},
        **{split: [round(row[split] / 100, 4) for row in own] for split in ("seen", "unseen")},
        "storing": end["storing"], "decisions": end["decisions"],
        **{f"stored_{kind}": end[kind] for kind in ("annotated", "validated", "relabelled", "offline")},
        "agreed": end["agreed"], "audited": end["audited"],
    }  # fmt: skip


def run(given: Given) -> Finding:
    """Tune on some seeds, compare on others; `--set where=numbers` or `table` for one of the two."""
    where = str(given.options.get("where", "both"))
    if set(given.options) - {"where"} or where not in ("numbers", "table", "both"):
        raise BadInput(f"expected --set where=numbers, table or both, got {dict(given.options)}")
    knobs, tuning = tune(given, TUNING if not given.full else tuple(range(20)))
    seeds = given.seeds or (tuple(range(100, 200)) if given.full else SEEDS)
    rows: list[dict[str, Any]] = []
    for done, seed in enumerate(seeds if where != "table" else ()):
        given.report("seeds", done, len(seeds))
        rows += [{"where": "numbers"} | row for row in compared(given, knobs, seed)]
    if where != "numbers":
        rows += on_the_table(given, knobs)
    return found(rows, knobs, tuning)


TITLES = {"numbers": "The table of numbers"} | {task: f"The simulated table: {task}" for task in TASKS}


def found(rows: Sequence[dict[str, Any]], knobs: dict[str, float], tuning: Sequence[dict[str, Any]]) -> Finding:
    """Tables, plots and the verdicts."""
    parts: list[str] = []
    figures: dict[str, Any] = {"knobs": knobs}
    for where, title in TITLES.items():
        own = [row for row in rows if row["where"] == where]
        if own:
            text, figures[where] = _section(own, EQUAL if where == "numbers" else TABLE_EQUAL)
            parts += [f"## {title}", *([audited(own)] if "audited" in own[0] else []), *text]
    return Finding("\n\n".join([*parts, "## Knobs", _knobs(knobs, tuning)]), figures, rows, {"equal": _plot(rows)})


def _section(rows: Sequence[dict[str, Any]], equal: Equal) -> tuple[list[str], dict[str, Any]]:
    ahead, differences = _differences(rows, equal)
    won = {split: sum(ahead[other][split] for other in ahead) for split in ("seen", "unseen")}
    n = len({row["seed"] for row in rows})
    verdict = (
        f"At {equal[0][1][1]} annotations ASkDAgger is ahead of {won['seen']} of {len(ahead)} others for seen goals, "
        f"of {won['unseen']} for unseen ones (intervals above 0; {n} seeds)."
    )
    parts = [f"**{verdict}**", "### ASkDAgger less each of the others, seed by seed", differences]
    for split in ("seen", "unseen"):
        parts += [f"### Success × 100 for {split} goals, mean [95 %]", _equal(rows, split, equal)]
    return [*parts, "### What was said, and what slipped through", _said(rows)], {"ahead": ahead, "seeds": n}


def _differences(rows: Sequence[dict[str, Any]], equal: Equal) -> tuple[dict[str, dict[str, bool]], str]:
    """Whether ours is ahead at equal annotations, and a table of all differences."""
    ahead: dict[str, dict[str, bool]] = {other: {} for other in METHODS if other != OURS}
    body = []
    for other, (by, amounts) in product(ahead, equal):
        cells = []
        for split in ("seen", "unseen"):
            pair = [_values(rows, method, by, amounts[1], split) for method in (OURS, other)]
            if len(pair[0]) < 2:
                cells += [f"{100 * (pair[0][0] - pair[1][0]):.1f} (one seed)", "–", "–"]
                ahead[other][split] = False
                continue
            one = paired(*pair)
            cells += [one.difference.told(1, 100), f"{one.p:.3f}", f"{100 * one.detectable:.0f}"]
            if by == "annotated":
                ahead[other][split] = bool(one.difference.low > 0)
        body.append([other, f"{amounts[1]} {WORDS[by]}", *cells])
    head = ["against", "at", "seen goals: points ahead [95 %]", "p (sign-flip)", "would have shown 4 times of 5",
            "unseen goals: points ahead [95 %]", "p", "would have shown"]  # fmt: skip
    return ahead, table(head, body)


def _values(rows: Sequence[dict[str, Any]], method: str, by: str, amount: float, split: str = "seen") -> list[float]:
    own = sorted((row for row in rows if row["method"] == method), key=lambda row: row["seed"])
    return [reached(row, by, amount, split) for row in own]


def _equal(rows: Sequence[dict[str, Any]], split: str, equal: Equal) -> str:
    head = ["method", *(f"{amount} {WORDS[by]}" for by, amounts in equal for amount in amounts)]
    body = [
        [method, *(mean(_values(rows, method, by, a, split)).told(1, 100) for by, amounts in equal for a in amounts)]
        for method in METHODS
    ]
    return table(head, body)


def _said(rows: Sequence[dict[str, Any]]) -> str:
    body = []
    for method in METHODS:
        own = [row for row in rows if row["method"] == method]
        names = ("decisions", "stored_annotated", "stored_validated", "stored_relabelled")
        sums = [f"{np.mean([row[name] for row in own]):.0f}" for name in names]
        ends = [np.mean([row[name][-1] for row in own]) for name in ("seconds", "failed", "seen", "unseen")]
        body.append([
            method, *sums, f"{ends[0]:.0f}", f"{ends[1]:.1f}", f"{100 * ends[2]:.1f}", f"{100 * ends[3]:.1f}",
        ])  # fmt: skip
    head = ["method", "plans", "annotated", "confirmed", "relabelled", "human seconds", "wrong and not asked",
            "seen, at its end", "unseen, at its end"]  # fmt: skip
    return table(head, body)


def _knobs(knobs: dict[str, float], tuning: Sequence[dict[str, Any]]) -> str:
    body = []
    for method, (knob, _, values) in METHODS.items():
        scores = {row["knob"]: row["score"] for row in tuning if row["method"] == method}
        tried = ", ".join(f"{v}: {100 * scores[v]:.1f}" if v in scores else f"{v}" for v in values)
        body.append([method, knob, tried, knobs[method]])
    told = f"Success × 100 at {ANNOTATIONS[1]} annotations on the seeds for tuning:"
    return f"{told}\n\n{table(['method', 'knob', 'tried', 'taken'], body)}"


def _plot(rows: Sequence[dict[str, Any]]) -> str:
    panels = []
    for where, split in product(TITLES, ("seen", "unseen")):
        own = [row for row in rows if row["where"] == where]
        for by, amounts in (EQUAL if where == "numbers" else TABLE_EQUAL) if own else ():
            grid = np.linspace(0, amounts[-1] * 1.2, 13)
            lines = []
            for method in METHODS:
                found = [mean(_values(own, method, by, x, split)) for x in grid]
                spans = [m for m in found if m.n > 1]
                low, high = [m.low for m in spans], [m.high for m in spans]
                lines.append(Line(method, grid.tolist(), [m.value for m in found], low, high, dots=False))
            panels.append(Panel(f"{where}: {split} goals", WORDS[by], "success", lines, None, (0, 1)))
    return svg(panels)
