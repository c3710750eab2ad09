"""ASkDAgger against what it is compared with, at equal annotations: Active DAgger, SafeDAgger, ThriftyDAgger, chance.

On the table of numbers (`toy_lesson`). Every method has one knob, tried at as many values on the same seeds; the value
with the highest success at so many annotations is then frozen and run on other seeds. A demonstration is an annotation;
confirmations and relabels are not, so success at equal answers and at equal human seconds stands beside.
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
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.experiments.toy_lesson import Phase, Tally, ToyConfig, ToyLesson, at
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
ANNOTATIONS, ANSWERS, SECONDS = (20, 40, 60), (50, 100, 150), (300, 600, 900)
MARKS = (3, 6, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 120, 150, 200, 250, 300)
"""Storing episodes after which a novice is tried on fresh scenes."""
SCENES = 150
EQUAL = (("annotated", ANNOTATIONS), ("answers", ANSWERS), ("seconds", SECONDS))
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


def run(given: Given) -> Finding:
    """Tune on some seeds, compare on others."""
    if given.options:
        raise BadInput(f"expected nothing to be set, got {', '.join(given.options)}")
    knobs, tuning = tune(given, TUNING if not given.full else tuple(range(20)))
    seeds = given.seeds or (tuple(range(100, 200)) if given.full else SEEDS)
    rows: list[dict[str, Any]] = []
    for done, seed in enumerate(seeds):
        given.report("seeds", done, len(seeds))
        rows += compared(given, knobs, seed)
    return found(rows, knobs, tuning)


def found(rows: Sequence[dict[str, Any]], knobs: dict[str, float], tuning: Sequence[dict[str, Any]]) -> Finding:
    """Tables, plots and the verdict."""
    ahead, differences = _differences(rows)
    won = {split: sum(ahead[other][split] for other in ahead) for split in ("seen", "unseen")}
    verdict = (
        f"At {ANNOTATIONS[1]} annotations ASkDAgger is ahead of {won['seen']} of {len(ahead)} others for seen goals, "
        f"of {won['unseen']} for unseen ones (intervals above 0)."
    )
    parts = [f"**{verdict}**", "## ASkDAgger less each of the others, seed by seed", differences]
    for split in ("seen", "unseen"):
        parts += [f"## Success × 100 for {split} goals, mean [95 %]", _equal(rows, split)]
    parts += ["## What was said, and what slipped through", _said(rows), "## Knobs", _knobs(knobs, tuning)]
    figures = {"ahead": ahead, "knobs": knobs, "seeds": len({row["seed"] for row in rows})}
    return Finding("\n\n".join(parts), figures, rows, {"equal": _plot(rows)})


def _differences(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, dict[str, bool]], str]:
    """Whether ours is ahead at equal annotations, and a table of all differences."""
    ahead: dict[str, dict[str, bool]] = {other: {} for other in METHODS if other != OURS}
    body = []
    for other, (by, amounts) in product(ahead, EQUAL):
        cells = []
        for split in ("seen", "unseen"):
            one = paired(*(_values(rows, method, by, amounts[1], split) for method in (OURS, other)))
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


def _equal(rows: Sequence[dict[str, Any]], split: str) -> str:
    head = ["method", *(f"{amount} {WORDS[by]}" for by, amounts in EQUAL for amount in amounts)]
    body = [
        [method, *(mean(_values(rows, method, by, a, split)).told(1, 100) for by, amounts in EQUAL for a in amounts)]
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
    for split in ("seen", "unseen"):
        for by, amounts in EQUAL:
            grid = np.linspace(0, amounts[-1] * 1.2, 13)
            lines = []
            for method in METHODS:
                found = [mean(_values(rows, method, by, x, split)) for x in grid]
                spans = [m for m in found if m.n > 1]
                low, high = [m.low for m in spans], [m.high for m in spans]
                lines.append(Line(method, grid.tolist(), [m.value for m in found], low, high, dots=False))
            panels.append(Panel(f"{split} goals", WORDS[by], "success", lines, None, (0, 1)))
    return svg(panels)
