"""Did the gate keep its promise in recorded lessons on the table, and would another promise have been kept?

What was really asked is counted with what was true: answers say so for plans that were asked about, rewards in the
recording for the others. Then the same decisions go by again under other promises, each of which learns only the
outcomes that it would have asked for. The novice was trained on what was really asked, so that part says whether the
gate would have tracked, not what would have been learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from teaching.experiments import promises_taught
from teaching.experiments.experiment import Finding, Given, table
from teaching.experiments.intervals import mean
from teaching.experiments.starter import scene_of
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.experiments.table_lessons import Cell, run_cell
from teaching.gating import Gate
from teaching.lesson import LessonConfig
from teaching.logistic import sigmoid
from teaching.metrics import Rate, count, tracked
from teaching.replay import ReplayBuffer
from teaching.sag import MODES, Mode, Sag
from teaching.task import make_task
from teaching.types import Array, BadInput, Outcome

TARGETS = (0.5, 0.7, 0.9)
N_MIN = 15
"""Mistakes needed by the promises tried afterwards, as in lessons. With fewer a promise falls short."""
FEW = (5, 15, 30)
WINDOW = 50
TABLE_ARM, TABLE_SEEDS, TABLE_STORING = "sim:panda", (40, 41), 60


@dataclass(frozen=True)
class Recorded:
    """The decisions of one lesson, in order."""

    name: str
    uncertainty: Array
    """(N,)"""
    outcome: Array
    """(N,) int: +1 right, −1 wrong; 0 where neither an answer nor a reward tells."""
    asked: Array
    """(N,) bool, as it was."""
    update: Array
    """(N,) int."""
    gate: Gate


def recorded(directory: Path) -> Recorded:
    """Read a lesson of a simulated arm."""
    with ReplayBuffer(directory, readonly=True) as buffer:
        task, gate = make_task(str(buffer.lesson["task"])), Gate(**buffer.lesson["gate"])
        rows: list[tuple[float, int, bool, int]] = []
        answers = buffer.answers()
        for summary in buffer.episodes():
            for step in buffer.read(summary.id).steps:
                decision = step.decision
                if decision is None:
                    continue
                said = answers.get(decision.id)
                outcome = int(said.feedback.outcome) if said else Outcome.UNKNOWN
                if not said and step.executed is not None and step.truth is not None:
                    best = task.best_step(decision.plan.goal, step.truth)
                    outcome = 1 if best > 0 and abs(best - step.reward) < 0.01 else -1
                rows.append((decision.plan.uncertainty, outcome, decision.asked, decision.update))
    if not rows:
        raise BadInput(f"expected a lesson with decisions in {directory}, got none")
    u, r, asked, k = (np.array(column) for column in zip(*rows, strict=True))
    return Recorded(directory.name, u, r, asked.astype(bool), k, gate)


def made_up(decisions: int = 600) -> Recorded:
    """A stream that stands still and tells: the log odds of failure rise by 3 with each spread of uncertainty."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=decisions)
    outcome = np.where(rng.random(decisions) < sigmoid(3.0 * z), -1, 1)
    return Recorded("made up", sigmoid(z), outcome, np.ones(decisions, bool), np.arange(decisions) // 4, Gate())


def again(lesson: Recorded, mode: Mode, target: float, seed: int, p_rand: float = 0.1, n_min: int = N_MIN) -> Array:
    """(N,) float: 1 asked, 0 not, NaN while too little was known, had the gate promised something else."""
    rng, sag = np.random.default_rng(seed), Sag(target, mode, p_rand, n_min)
    dense = np.unique(lesson.update, return_inverse=True)[1]
    seen, asked = np.zeros(len(dense), dtype=int), np.full(len(dense), np.nan)
    for i in range(len(dense)):
        found = sag.threshold(lesson.uncertainty[: i + 1], seen[: i + 1], dense[: i + 1], rng)
        now = lesson.uncertainty[i] >= found.value or rng.random() < p_rand
        seen[i] = lesson.outcome[i] if now else 0
        if found.known:
            asked[i] = float(now)
    return asked


def separation(lesson: Recorded) -> float:
    """The chance that a wrong plan was less certain than a right one of the same hundred decisions; ½: no telling."""
    hits: list[float] = []
    for start in range(0, len(lesson.outcome), 100):
        u, r = (values[start : start + 100] for values in (lesson.uncertainty, lesson.outcome))
        hits += [float(np.mean((w > u[r > 0]) + 0.5 * (w == u[r > 0]))) for w in u[r < 0] if np.any(r > 0)]
    return float(np.mean(hits)) if hits else float("nan")


def run(given: Given) -> Finding:
    """Over the lessons named by `--set lessons=DIR,DIR`, else over two that are taught first; then lessons taught anew.

    `--set taught=no` leaves these out.
    """
    if set(given.options) - {"lessons", "taught"}:
        raise BadInput("expected --set lessons=DIR,DIR: recorded lessons of a simulated arm, as `run` leaves them")
    named = str(given.options["lessons"]).split(",") if "lessons" in given.options else None
    lessons = [recorded(Path(name)) for name in named or _taught(given)]
    rows, repeats = [], 20 if given.full else 3
    wanted = [(lesson, mode, target) for lesson in lessons for mode in MODES for target in TARGETS]
    for done, (lesson, mode, target) in enumerate(wanted):
        given.report("promises", done, len(wanted))
        for repeat in given.seeds or range(repeats):
            rows.append(_row(lesson, mode, target, repeat))
    fewest = [_few(n_min, repeat) for n_min in FEW for repeat in range(repeats)]
    anew = [] if given.options.get("taught") == "no" else promises_taught.taught(given)
    return found(lessons, rows, fewest, anew)


def _few(n_min: int, repeat: int) -> dict[str, Any]:
    lesson = made_up()
    asked = again(lesson, "sensitivity", 0.7, repeat, n_min=n_min)
    scored = ~np.isnan(asked)
    rate = count(asked[scored] > 0, lesson.outcome[scored]).sensitivity
    return {"lesson": lesson.name, "n_min": n_min, "repeat": repeat, "hits": rate.hits, "of": rate.n}


def _taught(given: Given) -> list[Path]:
    """Lessons from nothing, kept in the work directory."""
    arm, storing = scene_of(TABLE_ARM), 300 if given.full else TABLE_STORING
    try:
        for seed in TABLE_SEEDS:
            given.report("lessons taught", seed - TABLE_SEEDS[0], len(TABLE_SEEDS))
            config = LessonConfig(name=f"lesson-{seed}", arm=TABLE_ARM, teacher="oracle", start="nothing", seed=seed)
            run_cell(Cell(config.name, config, storing, scenes=1), given.work, arm)
    finally:
        arm.disconnect()
    return [given.work / f"lesson-{seed}" for seed in TABLE_SEEDS]


def _row(lesson: Recorded, mode: Mode, target: float, repeat: int) -> dict[str, Any]:
    asked = again(lesson, mode, target, repeat)
    scored = ~np.isnan(asked)
    counts = count(asked[scored] > 0, lesson.outcome[scored])
    rates = {"sensitivity": counts.sensitivity, "specificity": counts.specificity, "success": counts.system_success}
    return {
        "lesson": lesson.name, "mode": mode, "target": target, "repeat": repeat, "hits": rates[mode].hits,
        "of": rates[mode].n, "scored": int(scored.sum()), "asked": int(np.sum(asked[scored])),
        "right": counts.novice_success.hits,
    }  # fmt: skip


def found(
    lessons: Sequence[Recorded],
    rows: Sequence[dict[str, Any]],
    fewest: Sequence[dict[str, Any]],
    anew: Sequence[dict[str, Any]] = (),
) -> Finding:
    """Tables and plots."""
    parts = [_as_it_was(lessons), "## The same decisions under other promises", _promises(rows)]
    few = [[n, mean([r["hits"] / r["of"] for r in fewest if r["n_min"] == n]).told(2)] for n in FEW]
    told = (
        f"`p_rand` 0.1, promises computed from {N_MIN} known mistakes (successes) on; kept: over all lessons and "
        "repetitions, with the range of single lessons."
    )
    figures = {"lessons": len(lessons), "decisions": sum(len(lesson.outcome) for lesson in lessons)}
    parts += [told, "## How many known mistakes a promise needs"]
    parts.append("A made-up stream of 600 decisions that stands still; promised: sensitivity 0.7.")
    parts.append(table(["known mistakes that the window must hold", "kept, mean [95 %]"], few))
    if anew:
        parts += ["## Lessons taught under a promise", promises_taught.told(anew)]
    return Finding("\n\n".join(parts), figures, [*rows, *fewest, *anew], {"kept": _plot(lessons, rows)})


def _shown(rate: Rate) -> str:
    if not rate.n:
        return "–"
    low, high = rate.interval
    return f"{rate.hits} of {rate.n}: {rate.value:.2f} [{low:.2f}, {high:.2f}]"


def _as_it_was(lessons: Sequence[Recorded]) -> str:
    body = []
    for lesson in lessons:
        counts = count(lesson.asked, lesson.outcome)
        body.append([
            lesson.name, len(lesson.outcome), f"{lesson.gate.mode} {lesson.gate.target}", _shown(counts.sensitivity),
            _shown(counts.specificity), _shown(counts.system_success), f"{lesson.asked.mean():.2f}",
            f"{separation(lesson):.2f}",
        ])  # fmt: skip
    head = ["lesson", "decisions", "promised", "sensitivity [Wilson 95 %]", "specificity", "success", "asked",
            "a wrong plan is less certain than a right one"]  # fmt: skip
    return table(head, body)


def _promises(rows: Sequence[dict[str, Any]]) -> str:
    body = []
    for mode in MODES:
        for target in TARGETS:
            own = [r for r in rows if r["mode"] == mode and r["target"] == target and r["of"]]
            if not own:
                body.append([mode, target, "too little known", "–", "–", "–"])
                continue
            each = {name: _share([r for r in own if r["lesson"] == name]) for name in {r["lesson"] for r in own}}
            asked = sum(r["asked"] for r in own) / sum(r["scored"] for r in own)
            least = min(each.values()), max(each.values())
            over = mean(list(each.values()))
            kept = over._replace(low=max(over.low, 0.0), high=min(over.high, 1.0)).told(2)
            cases = round(sum(r["of"] for r in own) / len({r["repeat"] for r in own}))
            body.append([mode, target, kept, f"{least[0]:.2f} to {least[1]:.2f}", cases, f"{asked:.2f}"])
    head = ["promise", "target", "kept, mean over lessons [95 %]", "single lessons", "cases that count", "asked"]
    return table(head, body)


def _share(rows: Sequence[dict[str, Any]]) -> float:
    return float(sum(r["hits"] for r in rows) / sum(r["of"] for r in rows))


def _plot(lessons: Sequence[Recorded], rows: Sequence[dict[str, Any]]) -> str:
    lines, courses = [], []
    for mode in MODES:
        points = [(t, [r for r in rows if r["mode"] == mode and r["target"] == t and r["of"]]) for t in TARGETS]
        known = [(t, _share(own)) for t, own in points if own]
        lines.append(Line(mode, [t for t, _ in known], [y for _, y in known]))
    for lesson in lessons:
        course = tracked(lesson.asked, lesson.outcome < 0, WINDOW)
        courses.append(Line(lesson.name, range(len(course)), course.tolist(), dots=False))
    asked = [
        Line(x.name, range(len(x.asked)), tracked(x.asked, np.ones(len(x.asked), bool), WINDOW).tolist(), dots=False)
        for x in lessons
    ]
    return svg([
        Panel("other promises, same decisions", "promised", "kept", lines, (0.4, 1), (0.4, 1), diagonal=True),
        Panel("as it was: mistakes asked about", "decision", "of the last 50 mistakes", courses, None, (0, 1)),
        Panel("as it was: plans asked about", "decision", "of the last 50 plans", asked, None, (0, 1)),
    ])  # fmt: skip
