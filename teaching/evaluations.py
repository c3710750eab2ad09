"""Evaluations on fresh scenes: each a process of its own, whose last line is its result, kept beside the lesson."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from teaching import jobs
from teaching.metrics import Interval, Rate, paired_difference
from teaching.types import BadInput

WHOLE = 1.0 - 1e-4
"""Reward of a scene that was solved wholly; they are kept to four digits."""
FOLDER = "evaluations"
MOST = 500
"""Scenes of one evaluation: seeds of one run are that far apart."""
_NAME = re.compile(r"(?P<model>[0-9]{6})-(?P<split>[a-z:]+)-seed(?P<seed>[0-9]+)-(?P<scenes>[0-9]+)\.log")


@dataclass(frozen=True)
class Evaluation:
    """One model on some fresh scenes."""

    model: str
    split: str
    seed: int
    scenes: int
    running: bool
    figures: Mapping[str, Any] | None = None
    """What the command found; None while it runs, and if it failed."""
    said: str = ""
    """Its last words otherwise."""
    log: Path = Path()
    words: jobs.Words = field(default_factory=jobs.Words)

    @property
    def success(self) -> Rate | None:
        """Scenes that were solved wholly."""
        if self.figures is None:
            return None
        scenes = int(self.figures["episodes"])
        return Rate(round(float(self.figures["success"]) * scenes), scenes)


def start(lesson: Path, model: str, *, scenes: int, split: str = "seen", seed: int = 0) -> Path:
    """Evaluate a model in a process of its own, beside everything else; where its result will be.

    It waits for the lesson's other jobs.

    Raises:
        BadInput: no such model, too many scenes, or the same is under way.
    """
    if not (lesson / "checkpoints" / model / "checkpoint.json").is_file():
        raise BadInput(f"expected a model of {lesson.name}, got {model!r}; it may have been pruned")
    if not 1 <= scenes <= MOST:
        raise BadInput(f"expected 1 to {MOST} scenes, got {scenes}")
    target = lesson / FOLDER / f"{model}-{split}-seed{seed}-{scenes}.log"
    if not _NAME.fullmatch(target.name):
        raise BadInput(f"expected a model of six digits and a plain split, got {model!r} and {split!r}")
    arguments = ["evaluate", str(lesson), "--checkpoint", model, "--episodes", str(scenes)]
    jobs.start(target, [*arguments, "--seed", str(seed), "--split", split, "--queued"])
    return target


def evaluations(lesson: Path) -> list[Evaluation]:
    """All of a lesson, by model and seed."""
    found = (lesson / FOLDER).glob("*.log") if (lesson / FOLDER).is_dir() else iter(())
    return [one for path in sorted(found) if (one := _read(path)) is not None]


def pooled(found: list[Evaluation], model: str, split: str = "seen") -> Rate | None:
    """A model's success over all its evaluations on different scenes; None if there is none."""
    largest: dict[int, Rate] = {}
    for one in found:
        rate = one.success
        if one.model == model and one.split == split and rate is not None:
            largest[one.seed] = max(largest.get(one.seed, rate), rate, key=lambda r: r.n)
    rates = list(largest.values())
    return Rate(sum(r.hits for r in rates), sum(r.n for r in rates)) if rates else None


def _read(path: Path) -> Evaluation | None:
    named = _NAME.fullmatch(path.name)
    if named is None:
        return None
    which = (named["model"], named["split"], int(named["seed"]), int(named["scenes"]))
    words = jobs.words(path)
    try:
        figures = json.loads(words.last)
        if {"success", "episodes"} <= figures.keys():
            return Evaluation(*which, False, figures, log=path)
    except (ValueError, AttributeError):
        pass  # it has not come to its end, or failed: its last words tell
    return Evaluation(*which, jobs.running(path), None, words.last[-200:], path, words)


@dataclass(frozen=True)
class Difference:
    """Two models on the same frozen scenes, by the scenes' numbers, counted from 0."""

    fixed: tuple[int, ...]
    """Solved wholly by the later one only."""
    broken: tuple[int, ...]
    """By the earlier one only."""
    solved: tuple[int, ...]
    unsolved: tuple[int, ...]

    @property
    def n(self) -> int:
        """All scenes."""
        return sum(map(len, (self.fixed, self.broken, self.solved, self.unsolved)))

    @property
    def value(self) -> float:
        """Success of the later one minus success of the earlier one; 0 of nothing."""
        return (len(self.fixed) - len(self.broken)) / self.n if self.n else 0.0

    @property
    def interval(self) -> Interval:
        """Of that difference, at 95 %, from the same scenes."""
        return paired_difference(len(self.fixed), len(self.broken), self.n)

    @property
    def chance(self) -> float:
        """How likely so uneven a change is if both were equally good: the exact sign test, two-sided (McNemar)."""
        n, fewer = len(self.fixed) + len(self.broken), min(len(self.fixed), len(self.broken))
        return float(min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n))


def difference(earlier: Evaluation, later: Evaluation) -> Difference:
    """What changed from one model to another, scene by scene.

    Raises:
        BadInput: not evaluated on the same scenes, or by a version that did not keep each scene's reward.
    """
    if (earlier.seed, earlier.split) != (later.seed, later.split):
        raise BadInput("expected evaluations of the same seed and objects; evaluate both on the same scenes")
    rewards = [(e.figures or {}).get("rewards") for e in (earlier, later)]
    if rewards[0] is None or rewards[1] is None:
        raise BadInput("expected evaluations that kept the reward of each scene; evaluate both anew")
    kinds: dict[tuple[bool, bool], list[int]] = {(a, b): [] for a in (False, True) for b in (False, True)}
    for scene, (before, after) in enumerate(zip(*rewards, strict=False)):
        kinds[before >= WHOLE, after >= WHOLE].append(scene)
    return Difference(*(tuple(kinds[k]) for k in ((False, True), (True, False), (True, True), (False, False))))
