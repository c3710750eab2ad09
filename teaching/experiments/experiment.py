"""What an experiment is given and what it finds; the list of those that `python -m teaching reproduce` runs.

To add one: a module with `run(given) -> Finding`, and a line in EXPERIMENTS.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from teaching.types import BadInput

Report = Callable[[str, int, int], None]
"""What, how many, of how many."""


def silent(what: str, done: int, of: int) -> None:
    """No progress shown."""


@dataclass(frozen=True)
class Given:
    """How an experiment is to be run."""

    work: Path
    """Where long runs keep what they have; the same command goes on from there."""
    seeds: tuple[int, ...] | None = None
    """Each a whole repetition; None: those of the setting."""
    full: bool = False
    """The setting for days, else the one for minutes."""
    report: Report = silent
    options: Mapping[str, Any] = field(default_factory=dict)
    """What one experiment alone understands, from `--set NAME=VALUE`; unknown names are a BadInput."""

    def __post_init__(self) -> None:
        if self.seeds is not None and (not self.seeds or len(set(self.seeds)) != len(self.seeds)):
            raise BadInput(f"expected seeds that differ, at least one, got {self.seeds}")


@dataclass(frozen=True)
class Finding:
    """What came out."""

    markdown: str
    """Tables and verdicts, without a heading of the first rank."""
    figures: Mapping[str, Any]
    """The last line of JSON."""
    rows: Sequence[Mapping[str, Any]]
    """What the tables were made from, so that others can make their own."""
    plots: Mapping[str, str] = field(default_factory=dict)
    """What is shown → SVG text."""
    seconds: float | None = None
    """By the clock, all of it, where some of it was there before; None: as long as this run took."""


class Experiment(NamedTuple):
    """One line of the list."""

    module: str
    question: str
    minutes: float
    """About how long the quick setting takes on one core."""

    def run(self, given: Given) -> Finding:
        """Run it."""
        found: Finding = import_module(self.module).run(given)
        return found


EXPERIMENTS: dict[str, Experiment] = {
    "sag-digits": Experiment("teaching.experiments.sag_digits", "Does the gate keep its promise, on digits?", 14.0),
    "sag-table": Experiment("teaching.experiments.sag_table", "Did the gate keep its promise on the table?", 10.0),
    "fier": Experiment("teaching.experiments.fier", "What do confirming and relabelling save a teacher?", 9.0),
    "pier": Experiment("teaching.experiments.pier", "Does replay by priority help through a change?", 8.0),
    "profile": Experiment("teaching.experiments.profile", "Should scenes be about what a novice is weak in?", 3.0),
    "baselines": Experiment("teaching.experiments.baselines", "Is it ahead of other ways of asking?", 11.0),
    "rac": Experiment("teaching.experiments.rac", "Do recovery and correction pay, at equal human frames?", 4.0),
    "physical": Experiment("teaching.experiments.physical", "Do they pay in the physics, in a whole lesson?", 15.0),
    "rac-rules": Experiment("teaching.experiments.rac_rules", "What does each of the two rules do?", 5.0),
    "rac-test-time": Experiment("teaching.experiments.rac_test_time", "Do more tries at test time pay?", 3.0),
    "rac-doubt": Experiment("teaching.experiments.rac_doubt", "Does doubt rise before a failure?", 2.0),
    "robot-gated": Experiment("teaching.experiments.robot_gated", "Called, or watching all the time?", 5.0),
}


def experiment(name: str) -> Experiment:
    """The experiment of that name; BadInput lists the names."""
    if name not in EXPERIMENTS:
        raise BadInput(f"expected an experiment among {', '.join(EXPERIMENTS)}, or all, got {name!r}")
    return EXPERIMENTS[name]


def kept(path: Path, settings: Mapping[str, Any], make: Callable[[], Sequence[Mapping[str, Any]]]) -> list[Any]:
    """The rows of one piece of a long run: read if they are there, else made and written whole.

    Raises:
        BadInput: the file holds rows of other settings.
    """
    wanted = json.loads(json.dumps(settings))
    if path.is_file():
        there = json.loads(path.read_text(encoding="utf-8"))
        if there["settings"] != wanted:
            raise BadInput(f"expected {path} to hold figures of these settings; name another --work, or remove it")
        return list(there["rows"])
    rows = list(make())
    write_json(path, {"settings": wanted, "rows": rows})
    return rows


def write_json(path: Path, value: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
    """All of it or nothing, also while another experiment that shares the runs writes the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text(json.dumps(value, indent=1), encoding="utf-8")
    beside.replace(path)


def table(head: Sequence[str], body: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
