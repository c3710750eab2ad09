"""The arm that calls for help before it fails, against a person who watches it all the time (kinematic assembly).

A policy that no longer learns works through fresh scenes. Either a person watches every tick and steps in, or nobody
watches: the gate of the question lesson weighs the doubt of every chunk, with the same promise, and the arm stops and
calls. Whoever comes recovers, corrects and leaves. Failures that a call forestalled are found by letting a copy of the
moment run on. The gate learns online, from what became of its stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from teaching.experiments import robot_gated_report
from teaching.experiments.experiment import Finding, Given, Report, silent, write_json
from teaching.experiments.gated_rollouts import GatedDriver, Regime, Stay, forked
from teaching.experiments.rac import PER_SEED, SCENES, SEEDS, RacConfig
from teaching.experiments.rac import compare as compare_all
from teaching.experiments.rac_doubt import demonstrated
from teaching.experiments.rac_expert import ExpertConfig
from teaching.policies.flow import FlowPolicy
from teaching.types import BadInput, explained

WORKED = 4_000_000
"""Where the seeds of the scenes worked through begin."""
LEARNERS: Mapping[str, str] = {"demos": "prompt", "rac": "patient"}
"""From demonstrations alone, and after all rounds of recovery and correction; each with the person who suits it."""
REGIMES: Mapping[str, Regime] = {
    "watching": Regime(watched=True),
    "detector": Regime(),
    "sensitivity": Regime("sensitivity", 0.9),
    "sensitivity, contact": Regime("sensitivity", 0.9, contact=True),
    "success, contact": Regime("success", 0.95, contact=True, n_min=5),
}
PEOPLE: Mapping[str, ExpertConfig] = {"prompt": ExpertConfig(), "patient": ExpertConfig(stuck=1_000_000)}
"""Takes a jam for a failure; or only 90 ticks without a finished subtask, since the policy may back out by itself."""


Trained = Callable[[str, str, int], FlowPolicy]
"""Scene, learner, seed → policy."""


@dataclass(frozen=True)
class GatedConfig:
    """What is compared, and how."""

    seeds: tuple[int, ...] = explained((0,), "Each a policy of its own, and scenes of its own")
    scenes: tuple[str, ...] = explained(("looks", "perfect"), "Looks that can be wrong; the control")
    learners: tuple[str, ...] = explained(tuple(LEARNERS), "From demonstrations alone, after all rounds")
    rollouts: int = explained(120, "Scenes worked through")
    beside: int = explained(20, "Rollouts side by side; the gate learns after each such lot")

    def __post_init__(self) -> None:
        for name, known in (("scenes", SCENES), ("learners", LEARNERS)):
            if unknown := set(getattr(self, name)) - set(known):
                raise BadInput(f"expected {name} among {', '.join(known)}, got {', '.join(sorted(unknown))}")
        if not 0 < self.beside <= self.rollouts <= PER_SEED:
            raise BadInput(f"expected 0 < beside ≤ rollouts ≤ {PER_SEED}, got {self}")


def trained(work: Path, report: Report) -> Trained:
    """Policies as `rac-doubt` (with an ensemble) and `rac` (without) leave them beside this work; made if missing."""

    def policy(scene: str, learner: str, seed: int) -> FlowPolicy:
        if learner == "demos":
            return demonstrated(work.parent / "rac-doubt", seed)
        compare_all(work.parent / "rac", RacConfig(("rac",), (seed,)), (scene,), report=report)
        found = FlowPolicy()
        found.load(work.parent / "rac" / "checkpoints" / f"{scene}-rac-{seed}")
        return found

    return policy


def work(policy: FlowPolicy, scene: str, seed: int, regime: Regime, person: ExpertConfig,
         config: GatedConfig) -> dict[str, Any]:  # fmt: skip
    """One regime, from a gate that knows nothing; rollout by rollout what it took, and what became of the stays."""
    begin, rng = WORKED + PER_SEED * seed, np.random.default_rng([seed, 9])
    stays: list[Stay] = []
    rows: list[dict[str, int]] = []
    thresholds: list[float] = []
    for start in range(0, config.rollouts, config.beside):
        scenes = range(begin + start, begin + min(start + config.beside, config.rollouts))
        threshold = regime.threshold(np.array([s.doubt for s in stays]), np.array([s.outcome for s in stays]), rng)
        driver = GatedDriver(SCENES[scene], scenes, policy, rng, regime, threshold, person)
        for i, recording in enumerate(driver.run()):
            doubt, late = (int(x) for x in driver.called[i])
            timeline = recording.timeline
            rows.append({"success": int(recording.success), "ticks": timeline.frames, "driven": timeline.human_frames,
                         "doubt": doubt, "late": late})  # fmt: skip
        stays += driver.stays + forked(driver.calls, policy, SCENES[scene], person, rng, contact=regime.contact)
        thresholds.append(threshold)
    failing, fine = [s for s in stays if s.outcome < 0], [s for s in stays if s.outcome > 0]
    return {
        "failing": len(failing), "forestalled": sum(s.called for s in failing),
        "fine": len(fine), "needless": sum(s.called for s in fine),
        "thresholds": [round(t, 4) if np.isfinite(t) else str(t) for t in thresholds],
        "rollouts": {name: [row[name] for row in rows] for name in rows[0]},
    }  # fmt: skip


def run(given: Given) -> Finding:
    """In full five seeds and both scenes, else one seed of the scene whose looks can be wrong.

    Option: `cells=there` tells of finished cells alone.
    """
    if set(given.options) - {"cells"}:
        raise BadInput(f"expected only cells to be set, got {', '.join(sorted(given.options))}")
    torch.set_num_threads(1)
    seeds = given.seeds or (SEEDS if given.full else SEEDS[:1])
    config = GatedConfig(seeds, tuple(SCENES) if given.full else ("looks",))
    policy = trained(given.work, given.report) if given.options.get("cells") != "there" else None
    return robot_gated_report.found(compare(given.work, config, policy, given.report))


def compare(out: Path, config: GatedConfig, policy: Trained | None, report: Report = silent) -> list[dict[str, Any]]:
    """Run what is missing, or, without policies, leave it out; every finished cell is kept in `out/cells`.

    Returns:
        One row for each seed, scene, learner and regime.

    Raises:
        BadInput: nothing is there, or `out` holds figures of other settings.
    """
    _claim(out / "settings.json", settings(config))
    rows: list[dict[str, Any]] = []
    wanted = [(seed, scene, name) for seed in config.seeds for scene in config.scenes for name in config.learners]
    for done, (seed, scene, name) in enumerate(wanted):
        report("cells", done, len(wanted))
        path = out / "cells" / f"{scene}-{name}-{seed}.json"
        if not path.is_file() and policy is None:
            continue
        if policy is not None and not path.is_file():
            write_json(path, _cell(policy(scene, name, seed), scene, name, seed, config))
        rows += json.loads(path.read_text())
    if not rows:
        raise BadInput(f"expected finished cells in {out}, got none; leave cells=there away to run them")
    return rows


def _cell(policy: FlowPolicy, scene: str, name: str, seed: int, config: GatedConfig) -> list[dict[str, Any]]:
    told = {"scene": scene, "seed": seed, "policy": name, "person": LEARNERS[name]}
    person = PEOPLE[LEARNERS[name]]
    return [
        told | {"regime": regime} | work(policy, scene, seed, chosen, person, config)
        for regime, chosen in REGIMES.items()
    ]


def settings(config: GatedConfig) -> dict[str, Any]:
    """What the figures depend on, apart from the seed."""
    known: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    regimes = {name: asdict(regime) for name, regime in REGIMES.items()}
    return {"rollouts": known["rollouts"], "beside": known["beside"], "regimes": regimes}


def _claim(path: Path, mine: Mapping[str, Any]) -> None:
    if path.is_file() and json.loads(path.read_text()) != mine:
        raise BadInput(f"expected {path.parent} to hold figures of these settings, got others; name another")
    write_json(path, mine)
