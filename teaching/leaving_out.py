"""Whether one answer made a change: trainings anew, with it and without it, on the same frozen scenes.

A training that lacks an answer also draws everything else differently. So one with the answer is repeated by another
seed: what that changes is the noise that a change has to stand out from.

What is read and kept, for pages: the training itself is in `retraining`. Nothing of it enters the lesson's own models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teaching import films, jobs
from teaching.comparing import FOLDER, Pair, Scene, difference, model_name
from teaching.types import BadInput

PLACE = "without"
WITH, OTHER, WITHOUT = "again", "other", "without"
"""The trainings: on the same as the later model, on the same drawn by another seed, and without one answer."""
_ANSWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True)
class LeftOut:
    """One question: what would the later model be without this answer?"""

    pair: Pair
    answer: str
    """A decision's id, an example's, or of a lesson in motion an episode's."""

    def __post_init__(self) -> None:
        if not _ANSWER.fullmatch(self.answer):
            raise BadInput(f"expected an answer by its decision, such as 000012-0, got {self.answer[:90]!r}")

    def folder(self, lesson: Path) -> Path:
        """Where the models and their films lie; shared by all scenes on which they are played."""
        return lesson / FOLDER / PLACE / f"{self.pair.before}-{self.pair.after}-{self.answer}"

    def log(self, lesson: Path) -> Path:
        """Of the job; its last line are the figures."""
        return self.folder(lesson) / f"{self.pair.split.replace(':', '+')}-seed{self.pair.seed}-{self.pair.scenes}.log"

    def film(self, lesson: Path, model: str, scene: int) -> Path:
        """Where a film of one of the models lies."""
        where = f"{model}-{self.pair.split}-seed{self.pair.seed}"
        return self.folder(lesson) / where / f"{scene:05d}.film"


@dataclass(frozen=True)
class Asked:
    """One such question of a lesson as it stands."""

    answer: str
    log: Path
    running: bool
    words: jobs.Words
    figures: Mapping[str, Any] | None
    """Once it came to its end."""


def start(lesson: Path, wanted: LeftOut) -> Path:
    """Train and play in a process of its own, after the lesson's other jobs; its log.

    Raises:
        BadInput: no such models, or the same is under way.
    """
    pair = wanted.pair
    for model in (pair.before, pair.after):
        model_name(lesson, model)
    arguments = ["compare", str(lesson), "--before", pair.before, "--after", pair.after, "--split", pair.split]
    arguments += ["--episodes", str(pair.scenes), "--seed", str(pair.seed), "--without", wanted.answer, "--queued"]
    jobs.start(wanted.log(lesson), arguments)
    return wanted.log(lesson)


def keep(lesson: Path, wanted: LeftOut, told: Mapping[str, Any]) -> None:
    """Leave what a command found where the pages look; a job's words are there already."""
    log = wanted.log(lesson)
    if not jobs.running(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(told) + "\n", encoding="utf-8")


def asked(lesson: Path) -> list[Asked]:
    """All of a lesson, the latest first."""
    logs = sorted((lesson / FOLDER / PLACE).glob("*/*.log"), key=lambda p: -p.stat().st_mtime)
    found = []
    for log in logs:
        words = jobs.words(log)
        found.append(Asked(log.parent.name.split("-", 2)[-1], log, jobs.running(log), words, _figures(words.last)))
    return found


def _figures(last: str) -> Mapping[str, Any] | None:
    try:
        told = json.loads(last)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "without" in told else None


def figures(lesson: Path, wanted: LeftOut, more: Mapping[str, Any]) -> dict[str, Any]:
    """The last line of the command: what the answer changed, and how much training again changes by itself.

    Args:
        lesson: its directory.
        wanted: what was asked.
        more: what the trainings told.
    """
    pair = wanted.pair
    heads = {m: [films.read_head(wanted.film(lesson, m, n)) for n in range(pair.scenes)] for m in MODELS}
    return {
        "without": wanted.answer, "before": pair.before, "after": pair.after, "episodes": pair.scenes,
        "seed": pair.seed, "split": pair.split, **more,
        "solved": {m: [h.scene for h in heads[m] if h.solved] for m in MODELS},
        "goals": [h.goal for h in heads["after"]],
        "answer": _change(heads[WITHOUT], heads[WITH]), "noise": _change(heads[OTHER], heads[WITH]),
        "repeat": _change(heads["after"], heads[WITH]),
    }  # fmt: skip


MODELS = ("before", "after", WITH, OTHER, WITHOUT)
"""Whose films are taken."""


def _change(earlier: list[films.Head], later: list[films.Head]) -> dict[str, Any]:
    """From one to the other, scene by scene."""
    change = difference([Scene(a, b) for a, b in zip(earlier, later, strict=True)])
    low, high = change.interval
    return {
        "fixed": list(change.fixed), "broken": list(change.broken), "difference": round(change.value, 4),
        "interval": [round(low, 4), round(high, 4)], "chance": round(change.chance, 4),
    }  # fmt: skip
