"""Recovery and correction against its alternatives, at equal human frames (Hu et al. 2025, arXiv 2509.07953).

Each arm begins with the same demonstrations and the same first policy. In every round it gets the same number of human
frames, spent by its own protocol; the policy is then trained from scratch on all of it and rolled out unaided. Scenes,
luck and the rollouts' seeds are the same for all arms of one seed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robot_io.sim.assembly import AssemblySpec
from robot_io.sim.bench_assembly import BenchAssembly
from teaching.experiments import rac_report
from teaching.experiments.experiment import Finding, Given, Report, silent, write_json
from teaching.experiments.rac_expert import ExpertConfig
from teaching.experiments.rac_rollouts import COUNTING, Driver, Recording, relative
from teaching.familiarity import Familiarity
from teaching.policies.chunks import ChunkData
from teaching.policies.flow import FlowLearner, FlowPolicy
from teaching.policies.flow_network import FlowConfig
from teaching.recoveries import recoveries, within
from teaching.rollout_metrics import evaluation, stalls, supervision
from teaching.rollout_phases import PROTOCOLS
from teaching.segments import Timeline
from teaching.selection import Selection
from teaching.types import Array, BadInput, explained

SEEDS = (1, 2, 3, 4, 5)
"""Not the one that settings were chosen with (0)."""
ARMS = ("demos", "hg-dagger", "rule2", "rule1", "rac")
SCENES = {"looks": AssemblySpec(), "perfect": AssemblySpec.perfect()}
"""Looks can be wrong; the control in which they never are."""
CAPS = (0, 1, 2, 3, 4, 6, 8)
"""Recoveries allowed at test time."""
DEMOS, SUPERVISED, EVALUATED = 1_000_000, 2_000_000, 3_000_000
"""Where the seeds of scenes begin, by what they are for; no scene serves two ends."""
PER_SEED = 10_000
"""Scenes kept for each seed of the experiment and each end."""


@dataclass(frozen=True)
class RacConfig:
    """What is compared, and how."""

    arms: tuple[str, ...] = explained(("demos", "hg-dagger", "rule2", "rac"), "Protocols to compare")
    seeds: tuple[int, ...] = explained((0,), "Each a whole repetition: demonstrations, luck, weights")
    rounds: int = explained(3, "Rounds after the demonstrations")
    first: int = explained(3000, "Human frames of demonstrations at the start")
    each: int = explained(1200, "Human frames per round")
    watched: int = explained(400, "Most episodes supervised in a round")
    beside: int = explained(25, "Rollouts supervised side by side")
    rollouts: int = explained(100, "Unaided rollouts per evaluation")
    batch: int = explained(256, "Chunks in one optimiser step")
    unaided: bool = explained(False, "Also train on episodes that the policy finished by itself")
    flow: FlowConfig = field(default_factory=FlowConfig)
    expert: ExpertConfig = field(default_factory=ExpertConfig)

    def __post_init__(self) -> None:
        if unknown := set(self.arms) - set(ARMS):
            raise BadInput(f"expected arms among {', '.join(ARMS)}, got {', '.join(sorted(unknown))}")
        if min(self.rounds, self.first - 1, self.each - 1, self.rollouts - 1) < 0 or not self.seeds:
            raise BadInput(f"expected rounds ≥ 0, positive numbers of frames and rollouts, and seeds, got {self}")
        if max(self.rollouts, self.watched * self.rounds) > PER_SEED:
            raise BadInput(f"expected at most {PER_SEED} scenes for each seed, got {self}")


@dataclass(frozen=True)
class Start:
    """What all arms of a seed begin with, in every scene: demonstrations and the policy learned from them."""

    recordings: tuple[Recording, ...]
    used: int
    """Scenes gone through while demonstrating."""
    luck: Mapping[str, Any]
    """Of the cell's generator, after it."""
    learner: FlowLearner
    seconds: float
    """That the training took."""


class Cell:
    """One arm with one seed in one scene: its data, its policy, its figures round by round."""

    def __init__(self, scene: str, arm: str, seed: int, config: RacConfig, report: Report) -> None:
        """Nothing shown yet."""
        self.scene, self.arm, self.seed, self.config, self._report = scene, arm, seed, config, report
        self._rng = np.random.default_rng([seed, 5])
        self._used = {DEMOS: 0, SUPERVISED: 0}
        self.recordings: list[Recording] = []
        self.learner = FlowLearner(config.flow, seed=seed)
        self.policy = FlowPolicy(config.flow)
        self.familiarity: Familiarity | None = None

    def start(self) -> Start:
        """Demonstrations and what is learned from them; depends on the seed alone."""
        self.recordings = self._collect(self.config.first, None)
        seconds = self._train(0)
        luck = self._rng.bit_generator.state
        return Start(tuple(self.recordings), self._used[DEMOS], luck, self.learner, seconds)

    def rounds(self, start: Start | None = None) -> Iterator[dict[str, Any]]:
        """The figures of each round, beginning with that of the demonstrations alone, from `start` if it is known."""
        begun = start or self.start()
        self._rng.bit_generator.state, self._used[DEMOS] = dict(begun.luck), begun.used
        self.recordings, self.learner, self.policy = list(begun.recordings), begun.learner, begun.learner.policy()
        states = [relative(r.states, BenchAssembly.columns) for r in self.recordings]
        self.familiarity = Familiarity(states, scale=np.ones(states[0].shape[1]))
        for number in range(self.config.rounds + 1):
            found, seconds = list(self.recordings), begun.seconds
            if number:
                found = self._collect(self.config.each, None if self.arm == "demos" else self.arm)
                self.recordings += found
                seconds = self._train(number)
            human = sum(r.timeline.human_frames for r in self.recordings)
            yield {
                "scene": self.scene, "arm": self.arm, "seed": self.seed, "round": number, "human_frames": human,
                "train_seconds": round(seconds, 1), "collected": cost([r.timeline for r in found]), **self._evaluate(),
            }  # fmt: skip

    def _scenes(self, start: int, n: int) -> range:
        begin = start + PER_SEED * self.seed + self._used[start]
        self._used[start] += n
        return range(begin, begin + n)

    def _collect(self, budget: int, protocol: str | None) -> list[Recording]:
        """Episodes, in the order of their scenes, until the human frames are spent; the last one is kept whole."""
        found: list[Recording] = []
        spent = watched = 0
        rules = PROTOCOLS[protocol] if protocol else None
        spec = SCENES[self.scene] if protocol else AssemblySpec.perfect()
        while spent < budget and (protocol is None or watched < self.config.watched):
            scenes = self._scenes(SUPERVISED if protocol else DEMOS, self.config.beside)
            driver = Driver(
                BenchAssembly(spec), scenes, self.policy if protocol else None, self._rng,
                rules=rules, config=self.config.expert,
            )  # fmt: skip
            for recording in driver.run():
                if spent >= budget:
                    break
                found.append(recording)
                spent += recording.timeline.human_frames
                watched += 1
            self._report(f"{self.arm}, seed {self.seed}: human frames", min(spent, budget), budget)
        return found

    def _train(self, number: int) -> float:
        """From scratch on all that was shown; the seconds it took."""
        data = ChunkData(
            [r.timeline for r in self.recordings], [r.states for r in self.recordings],
            [r.actions for r in self.recordings], self.config.flow.horizon, Selection(unaided=self.config.unaided),
        )  # fmt: skip
        begun = time.perf_counter()
        rng = np.random.default_rng([self.seed, number, 6])
        self.learner = FlowLearner(self.config.flow, seed=self.seed)
        self.learner.fit(data.states, data.actions)
        for step in range(self.config.flow.steps):
            self.learner.update(data.draw(self.config.batch, rng), rng)
            if step % 100 == 99:
                self._report(f"{self.arm}, seed {self.seed}: optimiser steps", step + 1, self.config.flow.steps)
        self.policy = self.learner.policy()
        return time.perf_counter() - begun

    def _evaluate(self) -> dict[str, Any]:
        """Unaided rollouts on scenes that nothing was learned from."""
        begin = EVALUATED + PER_SEED * self.seed
        scenes = range(begin, begin + self.config.rollouts)
        rng = np.random.default_rng([self.seed, 7])
        found = Driver(BenchAssembly(SCENES[self.scene]), scenes, self.policy, rng).run()
        counts = self.count(found)
        success, looks = np.array([r.success for r in found]), np.array([r.retries for r in found])
        figures = evaluation(
            success, np.array([r.stages[-1] for r in found]), counts, np.array([_stalled(r) for r in found]),
            np.array([r.timeline.frames for r in found]),
        )  # fmt: skip
        return {
            "rollouts": len(found), "successes": figures.success.hits, "progress": figures.progress,
            "recoveries": figures.recoveries, "recoveries_of_successes": figures.recoveries_of_successes,
            "retries": float(looks.mean()), "drops": float(np.mean([r.drops for r in found])),
            "stalled": figures.stalled.hits, "median_length": figures.median_length,
            "capped": {str(cap): int(within(counts, success, cap).sum()) for cap in CAPS},
            "capped_looks": {str(cap): int(within(looks, success, cap).sum()) for cap in CAPS},
        }  # fmt: skip

    def count(self, found: Sequence[Recording]) -> Array:
        """(N,) recoveries of each rollout."""
        assert self.familiarity is not None
        known, columns = self.familiarity, BenchAssembly.columns
        return np.array([len(recoveries(known.phase(relative(r.states, columns)), config=COUNTING)) for r in found])


def _stalled(recording: Recording) -> bool:
    return not recording.success and stalls(recording.states[:, :3], window=60, radius=0.03)


def cost(timelines: Sequence[Timeline]) -> dict[str, Any]:
    """What a round's episodes cost, as plain numbers."""
    figures = supervision(timelines)
    return {
        "episodes": figures.episodes, "interventions": figures.interventions, "human_frames": figures.human_frames,
        "recovery_frames": figures.recovery_frames, "correction_frames": figures.correction_frames,
        "watched_frames": figures.watched_frames, "unaided": figures.unaided.hits, "marked": figures.marked.hits,
    }  # fmt: skip


def settings(config: RacConfig) -> dict[str, Any]:
    """What the figures depend on, apart from arm, scene and seed."""
    known = asdict(config)
    return {name: value for name, value in known.items() if name not in ("arms", "seeds")}


def run(given: Given) -> Finding:
    """In full: all arms, both scenes, five seeds, about an hour; else recovery against two others, one seed.

    Options: `arms` and `scenes`, with commas between them, and `cells=there` to tell of finished cells alone.
    """
    rows, told = runs(given, ARMS, ("demos", "hg-dagger", "rac"))
    return rac_report.found(rows, told)


def runs(given: Given, full: Sequence[str], quick: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of an experiment on these runs, and their settings; all such experiments share what is kept.

    Args:
        given: as `run` is given it.
        full: the arms of the long setting, in both scenes.
        quick: those of the short one, in `looks`.
    """
    if unknown := set(given.options) - {"arms", "scenes", "cells"}:
        raise BadInput(f"expected only arms, scenes and cells to be set, got {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    arms, scenes = (tuple(full), tuple(SCENES)) if given.full else (tuple(quick), ("looks",))
    chosen = {name: tuple(text.split(",")) for name, text in given.options.items()}
    config = RacConfig(chosen.get("arms", arms), given.seeds or (SEEDS if given.full else SEEDS[:1]))
    there = given.options.get("cells") == "there"
    return compare(given.work, config, chosen.get("scenes", scenes), report=given.report, there=there), settings(config)


def compare(
    out: Path, config: RacConfig, scenes: Sequence[str] = ("looks",), *, report: Report = silent, there: bool = False
) -> list[dict[str, Any]]:
    """Run what is missing; every finished cell is kept in `out/cells`, its last policy in `out/checkpoints`.

    Args:
        out: the directory of this comparison alone.
        config: arms and seeds among the rest.
        scenes: among SCENES.
        report: told (what, how many, of how many).
        there: leave out what is missing instead.

    Returns:
        The rows of all cells asked for, one per round.

    Raises:
        BadInput: nothing is there, unknown scene, or `out` holds figures of other settings.
    """
    if unknown := set(scenes) - set(SCENES):
        raise BadInput(f"expected scenes among {', '.join(SCENES)}, got {', '.join(sorted(unknown))}")
    _claim(out, config)
    rows: list[dict[str, Any]] = []
    starts: dict[int, Start] = {}
    wanted = [(scene, seed, arm) for seed in config.seeds for scene in scenes for arm in config.arms]
    for done, (scene, seed, arm) in enumerate(wanted):
        report("cells", done, len(wanted))
        path = out / "cells" / f"{scene}-{arm}-{seed}.json"
        if not path.is_file() and there:
            continue
        if not path.is_file():
            begun, worked = time.perf_counter(), time.process_time()
            cell = Cell(scene, arm, seed, config, report)
            starts = {seed: starts.get(seed) or cell.start()}
            found = list(cell.rounds(starts[seed]))
            spent = time.perf_counter() - begun, time.process_time() - worked
            found[-1] |= {"wall_seconds": round(spent[0], 1), "cpu_seconds": round(spent[1], 1)}
            cell.learner.save(out / "checkpoints" / path.stem, {"scene": scene, "arm": arm, "seed": seed})
            write_json(path, found)
        rows += json.loads(path.read_text())
    if not rows:
        raise BadInput(f"expected finished cells in {out}, got none; leave cells=there away to run them")
    return rows


def _claim(out: Path, config: RacConfig) -> None:
    """One directory, one set of settings."""
    (out / "cells").mkdir(parents=True, exist_ok=True)
    path, mine = out / "settings.json", json.loads(json.dumps(settings(config)))
    if path.is_file() and (theirs := json.loads(path.read_text())) != mine:
        differ = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
        raise BadInput(
            f"expected {out} to hold figures of these settings, but {', '.join(differ)} differ; name another"
        )
    write_json(path, mine)
