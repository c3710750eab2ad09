"""Recovery and correction against its alternatives on a physical scene, at equal human frames, as a user would run it.

Each seed begins with the same demonstrations and the same first policy, in a lesson of its own on the simulated arm.
Copies of that lesson go on under each protocol, with the same human frames in every round; the last policy is rolled
out alone on fresh scenes, the same for all protocols of one seed. Time-outs are failures. What is broken off goes on.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from teaching import rollout_evaluate, rollout_headless
from teaching.experiments import rac_report
from teaching.experiments.experiment import Finding, Given, Report, kept, silent
from teaching.experiments.rac import cost
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.replay.branch import branch
from teaching.rollout_oracle import RolloutOracleConfig
from teaching.rollout_rounds import Rounds
from teaching.rollout_shape import flow_config
from teaching.rollout_task import make_rollout_task
from teaching.types import BadInput, explained

SEEDS = (1, 2, 3, 4, 5)
"""Not those that the settings were chosen with (100 and above)."""
ARMS = ("demos", "hg-dagger", "rac")
SPLITS: Mapping[str, str] = {"looks": "seen", "perfect": "without:errors"}
"""Looks can be wrong; the control in which they never are."""
EVALUATED = 5_000
"""Added to a seed: scenes that policies are evaluated on."""
SPENT = ("teaching_seconds", "wall_seconds", "cpu_seconds")
CAVEATS = """The physics are those of the simulated arm (PyBullet), the lesson is the one a user runs. The scripted
person knows the truth, never fumbles and recovers perfectly. In `looks` what is perceived of slot and button can be
wrong and stays so until the arm has backed out: a direct correction cannot be imitated and a retry can, which is the
condition under which recovering pays. `perfect` is the control without it. Without a retry `looks` allows 30 % at
most. Frames are ticks of 1/60 s. Intervals of pooled rollouts leave out how much seeds differ, so every seed
is shown."""


@dataclass(frozen=True)
class PhysicalConfig:
    """What is compared, and how; the same for every protocol."""

    task: str = explained("peg-and-button", "The scene")
    arm: str = explained("sim:panda", "The arm, or two")
    observe: str = explained("state", "What the policy reads: state, or pictures")
    first: int = explained(120, "Demonstrations at the start")
    frames: int = explained(2800, "Ticks that a person drives in a round")
    rounds: int = explained(2, "Rounds after the demonstrations")
    wanted: int = explained(30, "A round ends after five times so many episodes without help, too")
    steps: int = explained(3000, "Optimiser steps of one training")
    rollouts: int = explained(50, "Unaided rollouts per evaluation")
    most: int = explained(6, "Recoveries allowed at test time, at most, in the curve")

    def __post_init__(self) -> None:
        if min(self.first, self.frames, self.rounds, self.wanted, self.steps, self.rollouts) < 1 or self.most < 0:
            raise BadInput(f"expected counts of at least 1, got {self}")

    def lesson(self, seed: int) -> LessonConfig:
        """Of the start."""
        told = asdict(self)
        shared = {name: told[name] for name in ("task", "arm", "observe", "first", "frames", "rounds", "wanted")}
        training = {"steps": self.steps}
        return LessonConfig.from_json({**shared, "name": f"physical-{seed}", "kind": "rollout", "teacher": "oracle",
                                       "seed": seed, "film": False, "training": training})  # fmt: skip


QUICK = PhysicalConfig(first=60, frames=1200, rounds=1, wanted=12, steps=1500, rollouts=10, most=4)
"""For a quarter of an hour: it shows that everything runs, not who wins."""


def run(given: Given) -> Finding:
    """In full five seeds; else one seed of a setting that is too small to tell protocols apart.

    Options: `arms` and `scenes`, with commas between them, `cells=there` to tell of finished cells alone, and any
    whole number or name of PhysicalConfig.
    """
    options = dict(given.options)
    arms = tuple(str(options.pop("arms", ",".join(ARMS))).split(","))
    scenes = tuple(str(options.pop("scenes", "looks")).split(","))
    there = options.pop("cells", "") == "there"
    config = changed(PhysicalConfig() if given.full else QUICK, options)
    seeds = given.seeds or (SEEDS if given.full else SEEDS[:1])
    rows = list(compare(given.work, config, seeds, arms, scenes, report=given.report, there=there))
    if not rows:
        raise BadInput(f"expected finished cells in {given.work}, got none; leave cells=there away to run them")
    flow = asdict(flow_config(make_rollout_task(config.task), config.steps, config.observe))
    told = {**asdict(config), "flow": flow, "expert": asdict(RolloutOracleConfig())}
    return rac_report.found(rows, told, CAVEATS)


def changed(config: PhysicalConfig, options: Mapping[str, Any]) -> PhysicalConfig:
    """With some fields as text; BadInput for others."""
    known = asdict(config)
    if unknown := set(options) - set(known):
        raise BadInput(f"expected arms, scenes, cells or one of {', '.join(known)}, got {', '.join(sorted(unknown))}")
    try:
        return replace(config, **{name: type(known[name])(value) for name, value in options.items()})
    except ValueError as error:
        raise BadInput(f"expected whole numbers, got {dict(options)}") from error


def compare(
    out: Path, config: PhysicalConfig, seeds: tuple[int, ...], arms: tuple[str, ...] = ARMS,
    scenes: tuple[str, ...] = ("looks",), *, report: Report = silent, there: bool = False,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Run what is missing; finished cells are kept in `out/cells`, lessons in `out/lessons`.

    Yields:
        Two rows for each seed, scene and arm: of the demonstrations alone, and after all rounds.

    Raises:
        BadInput: unknown arm or scene, or `out` holds figures of other settings.
    """
    if set(arms) - set(ARMS) - {"rule1", "rule2"} or set(scenes) - set(SPLITS):
        raise BadInput(f"expected arms among {', '.join(ARMS)}, rule1, rule2 and scenes among {', '.join(SPLITS)}")
    for seed in seeds:
        for scene in scenes:
            cells = _Cells(out, config, seed, scene, report)
            found = [arm for arm in arms if cells.finished(arm) or not there]
            for number, arm in enumerate(found):
                start = cells.start()
                spent = {} if number else {name: start[name] for name in SPENT}  # once, though all begin with it
                yield {**{k: v for k, v in start.items() if k not in SPENT}, **spent, "arm": arm}
                yield cells.taught(arm)


class _Cells:
    """The lessons of one seed in one scene."""

    def __init__(self, out: Path, config: PhysicalConfig, seed: int, scene: str, report: Report) -> None:
        self._out, self._config, self._seed, self._scene, self._report = out, config, seed, scene, report
        self._settings = asdict(config)

    def _path(self, name: str) -> Path:
        return self._out / "cells" / f"{self._scene}-{name}-{self._seed}.json"

    def finished(self, arm: str) -> bool:
        """Whether its figures are there, and those of what it began with."""
        return self._path(arm).is_file() and self._path("start").is_file()

    def start(self) -> dict[str, Any]:
        """Demonstrations, and what the policy that learned from them does alone."""

        def make() -> list[dict[str, Any]]:
            begun = _clocks()
            self._begin()
            return [self._row(self._lesson("start"), "start", 0, begun)]

        row: dict[str, Any] = kept(self._path("start"), self._settings, make)[0]
        return row

    def taught(self, arm: str) -> dict[str, Any]:
        """All rounds of one protocol, and what the last policy does alone."""

        def make() -> list[dict[str, Any]]:
            begun, path = _clocks(), self._lesson(f"{self._scene}-{arm}")
            if not path.is_dir():
                branch(self._begin(), path, {"protocol": arm, "split": SPLITS[self._scene]})
            config = self._config.lesson(self._seed)
            rollout_headless.run(path, config, self._config.rounds, report=self._telling(arm))
            return [self._row(path, arm, self._config.rounds, begun)]

        row: dict[str, Any] = kept(self._path(arm), self._settings, make)[0]
        return row

    def _lesson(self, name: str) -> Path:
        return self._out / "lessons" / f"{name}-{self._seed}"

    def _begin(self) -> Path:
        path = self._lesson("start")
        rollout_headless.run(path, self._config.lesson(self._seed), 0, report=self._telling("demonstrations"))
        return path

    def _telling(self, arm: str) -> Report:
        return lambda what, done, of: self._report(f"{arm}, seed {self._seed}: {what}", done, of)

    def _row(self, path: Path, arm: str, number: int, begun: tuple[float, float]) -> dict[str, Any]:
        taught = time.perf_counter() - begun[0]
        found = rollout_evaluate.evaluate(
            path, f"{number + 1:06d}", SPLITS[self._scene], self._config.rollouts, EVALUATED + self._seed,
            most=self._config.most, report=self._telling(arm),
        )  # fmt: skip
        row = {
            "scene": self._scene, "arm": arm, "seed": self._seed, "round": number, **_driven(path, number),
            "rollouts": found["episodes"], "median_length": found["median_rows"],
            "capped_looks": found["capped_by_looks"],
            **{name: found[name] for name in ("successes", "progress", "recoveries", "retries", "stalled", "capped",
                                              "rewards")},
        }  # fmt: skip
        wall, cpu = (round(now - then, 1) for now, then in zip(_clocks(), begun, strict=True))
        told: dict[str, Any] = json.loads(
            json.dumps(row | dict(zip(SPENT, (round(taught, 1), wall, cpu), strict=True)))
        )
        return told


def _clocks() -> tuple[float, float]:
    """Seconds by the clock, and of processors: this process's and those of its arms and trainers that ended."""
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.perf_counter(), sum(used.ru_utime + used.ru_stime for used in each)


def _driven(path: Path, number: int) -> dict[str, Any]:
    """Human frames up to a round, and what the rounds after the demonstrations cost."""
    with ReplayBuffer(path, readonly=True) as buffer:
        rounds = Rounds(buffer, LessonConfig.from_json(buffer.lesson))
        each = [[t for _, t in rounds.of(k)] for k in range(number + 1)]
    human = sum(cost(found)["human_frames"] for found in each)
    return {"human_frames": human, "collected": cost([t for found in each[min(number, 1) :] for t in found]),
            "by_round": [cost(found) for found in each]}  # fmt: skip
