"""Evaluations on fresh scenes: each a process of its own, whose last line is its result, kept beside the lesson."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teaching.metrics import Rate
from teaching.types import BadInput

WHOLE = 1.0 - 1e-4
"""Reward of a scene that was solved wholly; they are kept to four digits."""
FOLDER = "evaluations"
MOST = 500
"""Scenes of one evaluation: seeds of one run are that far apart."""
_NAME = re.compile(r"(?P<model>[0-9]{6})-(?P<split>[a-z:]+)-seed(?P<seed>[0-9]+)-(?P<scenes>[0-9]+)\.log")
_RUNNING: dict[Path, subprocess.Popen[bytes]] = {}
"""Started by this process."""


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

    @property
    def success(self) -> Rate | None:
        """Scenes that were solved wholly."""
        if self.figures is None:
            return None
        scenes = int(self.figures["episodes"])
        return Rate(round(float(self.figures["success"]) * scenes), scenes)


def start(lesson: Path, model: str, *, scenes: int, split: str = "seen", seed: int = 0) -> Path:
    """Evaluate a model in a process of its own, beside everything else; where its result will be.

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
    if _alive(target):
        raise BadInput("the same evaluation is under way; wait for it, or choose another seed")
    target.parent.mkdir(exist_ok=True)
    command = ["nice", "-n", "10", sys.executable, "-m", "teaching", "evaluate", str(lesson), "--checkpoint", model]
    command += ["--episodes", str(scenes), "--seed", str(seed), "--split", split]
    with target.open("wb") as out:
        _RUNNING[target] = subprocess.Popen(
            command, cwd=Path(__file__).resolve().parent.parent, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
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


def _alive(path: Path) -> bool:
    child = _RUNNING.get(path)
    return child is not None and child.poll() is None


def _read(path: Path) -> Evaluation | None:
    named = _NAME.fullmatch(path.name)
    if named is None:
        return None
    which = (named["model"], named["split"], int(named["seed"]), int(named["scenes"]))
    lines = [line for line in path.read_text(errors="replace").replace("\r", "\n").splitlines() if line.strip()]
    last = lines[-1].strip() if lines else ""
    try:
        figures = json.loads(last)
        if {"success", "episodes"} <= figures.keys():
            return Evaluation(*which, False, figures)
    except (ValueError, AttributeError):
        pass  # it has not come to its end, or failed: its last words tell
    return Evaluation(*which, _alive(path), None, last[-200:])


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
