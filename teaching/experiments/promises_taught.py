"""What a promise costs, and whether it is kept, when lessons are taught under it: on the simulated table, seed by seed.

Each lesson is as many plans long, one per scene (`short_table`), so that a gate that asks seldom also teaches less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from teaching.experiments.baseline_gates import SagAsker
from teaching.experiments.experiment import Given, table
from teaching.experiments.intervals import mean
from teaching.experiments.short_table import TableWay
from teaching.experiments.table_courses import TASKS, all_courses, audited, stretches
from teaching.metrics import Rate

GATES = {
    "sensitivity 0.9, from 15 mistakes on (the paper's)": SagAsker(),
    "sensitivity 0.9, from 5 mistakes on": SagAsker(n_min=5),
    "specificity 0.7, from 15 right plans on": SagAsker(0.7, "specificity"),
    "success 0.95, from 5 mistakes on, 0.1 at random (a person's)": SagAsker(0.95, "success", 0.1, 5),
}
SEEDS, DECISIONS = (50, 51, 52), 150
ENDLESS = 1_000_000


def way(asker: SagAsker) -> TableWay:
    """So many plans under one promise, with all of FIER and PIER."""
    return TableWay(asker=asker, phases=stretches(("seen", ENDLESS)), most=DECISIONS)


def taught(given: Given) -> list[dict[str, Any]]:
    """The end of every lesson; read if it is there."""
    ways = {name: way(asker) for name, asker in GATES.items()}
    rows = all_courses(given, TASKS[:1], SEEDS, ways, marks=())
    return [row for row in rows if row["decisions"] == DECISIONS]


def told(rows: Sequence[dict[str, Any]]) -> str:
    """A table over seeds; counts of all lessons with their interval."""
    body = []
    for name in GATES:
        own = [row for row in rows if row["arm"] == name]
        caught, missed = (sum(row[key] for row in own) for key in ("caught", "failed"))
        plans = sum(row["decisions"] for row in own)
        each = [mean([row[key] for row in own]) for key in ("annotated", "seconds", "seen")]
        asked = mean([row["answers"] / row["decisions"] for row in own])
        body.append([
            name, asked.told(2), _share(caught, caught + missed), _share(plans - missed, plans), each[0].told(0),
            each[1].told(0), each[2].told(1),
        ])  # fmt: skip
    head = ["promise", "plans asked about", "mistakes asked about [Wilson 95 %]", "right or asked about",
            "demonstrations", "human seconds", "reward × 100, seen, at its end"]  # fmt: skip
    return f"{audited(rows)} Each lesson: {DECISIONS} plans.\n\n{table(head, body)}"


def _share(hits: int, n: int) -> str:
    if not n:
        return "–"
    low, high = Rate(hits, n).interval
    return f"{hits} of {n}: {hits / n:.2f} [{low:.2f}, {high:.2f}]"
