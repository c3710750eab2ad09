"""Two models of a lesson on the same frozen scenes, on film: what became right, and what went wrong.

Films are kept by model and scene, beside the lesson; one that is there is not played again, so that a comparison that
was called off goes on where it was, and a longer one begins with what a shorter one left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teaching import films, jobs
from teaching.evaluations import MOST, Difference
from teaching.films import Head
from teaching.metrics import Interval
from teaching.types import BadInput

FOLDER = "comparisons"
_MODEL = re.compile(r"[0-9]{6}")
_NAME = re.compile(
    r"(?P<before>[0-9]{6})-(?P<after>[0-9]{6})-(?P<split>[a-z:]+)-seed(?P<seed>[0-9]+)-(?P<scenes>[0-9]+)\.log"
)


@dataclass(frozen=True)
class Pair:
    """Two models and the scenes on which they are compared."""

    before: str
    after: str
    split: str = "seen"
    seed: int = 0
    scenes: int = 20

    def __post_init__(self) -> None:
        for model in (self.before, self.after):
            if not _MODEL.fullmatch(model):
                raise BadInput(f"expected a model by its number, such as 000012, got {model!r}")
        if self.before == self.after:
            raise BadInput(f"expected two models, got {self.before} twice")
        if not 1 <= self.scenes <= MOST or self.seed < 0:
            raise BadInput(f"expected 1 to {MOST} scenes and a seed from 0, got {self.scenes} and {self.seed}")
        if not _NAME.fullmatch(self.name):
            raise BadInput(f"expected a plain split such as seen, got {self.split!r}")

    @property
    def name(self) -> str:
        """Of its log."""
        return f"{self.before}-{self.after}-{self.split}-seed{self.seed}-{self.scenes}.log"


@dataclass(frozen=True)
class Comparison:
    """One comparison as it stands."""

    pair: Pair
    log: Path
    running: bool
    words: jobs.Words
    whole: bool
    """It came to its end."""


@dataclass(frozen=True)
class Scene:
    """One frozen scene under both models."""

    before: Head
    after: Head

    @property
    def change(self) -> str:
        """ "fixed", "broken", "solved" by both or "unsolved" by both."""
        kinds = {(False, True): "fixed", (True, False): "broken", (True, True): "solved", (False, False): "unsolved"}
        return kinds[self.before.solved, self.after.solved]


def film_path(lesson: Path, model: str, split: str, seed: int, scene: int) -> Path:
    """Where a film lies."""
    return lesson / FOLDER / f"{model}-{split}-seed{seed}" / f"{scene:05d}.film"


def model_name(lesson: Path, given: str) -> str:
    """A model of a lesson by its number or "last"; BadInput lists those that are there."""
    folder = lesson / "checkpoints"
    known = sorted(p.name for p in folder.iterdir() if (p / "checkpoint.json").is_file()) if folder.is_dir() else []
    known = [name for name in known if _MODEL.fullmatch(name)]
    name = known[-1] if given == "last" and known else given.zfill(6)
    if name not in known:
        raise BadInput(f"expected a model among {', '.join(known) or 'none'}, got {given!r}; it may have been pruned")
    return name


def start(lesson: Path, pair: Pair) -> Path:
    """Compare in a process of its own, after the lesson's other jobs; its log.

    Raises:
        BadInput: no such models, or the same is under way.
    """
    for model in (pair.before, pair.after):
        model_name(lesson, model)
    log = lesson / FOLDER / pair.name
    arguments = ["compare", str(lesson), "--before", pair.before, "--after", pair.after, "--split", pair.split]
    jobs.start(log, [*arguments, "--episodes", str(pair.scenes), "--seed", str(pair.seed), "--queued"])
    return log


def keep(lesson: Path, pair: Pair, told: Mapping[str, Any]) -> None:
    """Leave what a command found where the pages look; a job's words are there already."""
    log = lesson / FOLDER / pair.name
    if not jobs.running(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(told) + "\n", encoding="utf-8")


def comparisons(lesson: Path) -> list[Comparison]:
    """All of a lesson, the latest first."""
    folder = lesson / FOLDER
    logs = sorted(folder.glob("*.log"), key=lambda p: -p.stat().st_mtime) if folder.is_dir() else []
    found = []
    for log in logs:
        named = _NAME.fullmatch(log.name)
        if named is None:
            continue
        try:
            pair = Pair(named["before"], named["after"], named["split"], int(named["seed"]), int(named["scenes"]))
        except BadInput:
            continue  # not one of ours
        words = jobs.words(log)
        found.append(Comparison(pair, log, jobs.running(log), words, words.last.startswith('{"before"')))
    return found


def played(lesson: Path, model: str) -> list[Head]:
    """All films of a model."""
    found = []
    for path in sorted((lesson / FOLDER).glob(f"{model}-*/*.film")):
        try:
            found.append(films.read_head(path))
        except BadInput:
            continue  # damaged: the next comparison takes it anew
    return found


def scenes(lesson: Path, pair: Pair) -> list[Scene]:
    """What is there of a comparison, scene by scene."""
    found = []
    for number in range(pair.scenes):
        paths = [film_path(lesson, m, pair.split, pair.seed, number) for m in (pair.before, pair.after)]
        if not all(p.is_file() for p in paths):
            continue
        try:
            found.append(Scene(*(films.read_head(p) for p in paths)))
        except BadInput:
            continue  # damaged: the next comparison takes it anew
    return found


def difference(found: list[Scene]) -> Difference:
    """What changed, by the scenes' numbers."""
    kinds: dict[str, list[int]] = {"fixed": [], "broken": [], "solved": [], "unsolved": []}
    for scene in found:
        kinds[scene.change].append(scene.before.scene)
    return Difference(**{kind: tuple(numbers) for kind, numbers in kinds.items()})


def figures(lesson: Path, pair: Pair) -> dict[str, Any]:
    """The last line of the command."""
    found = scenes(lesson, pair)
    change = difference(found)
    told: Mapping[str, Any] = {
        "before": pair.before, "after": pair.after, "episodes": len(found), "seed": pair.seed, "split": pair.split,
        **{kind: list(getattr(change, kind)) for kind in ("fixed", "broken", "solved", "unsolved")},
        "difference": round(change.value, 4), "difference_interval": _rounded(change.interval),
        "chance": round(change.chance, 4),
        "rewards": [[round(s.before.reward, 4), round(s.after.reward, 4)] for s in found],
    }  # fmt: skip
    return dict(told)


def _rounded(interval: Interval) -> list[float]:
    return [round(interval.low, 4), round(interval.high, 4)]
