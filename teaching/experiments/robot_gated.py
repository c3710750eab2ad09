"""The arm that calls for help before it fails, against a person who watches it all the time (kinematic assembly).

A policy that no longer learns works through fresh scenes. Either a person watches every tick and steps in, or nobody
watches: the gate of the question lesson weighs the doubt of every chunk, with the same promise, and the arm stops and
calls. Whoever comes recovers, corrects and leaves. Failures that a call forestalled are found by letting a copy of the
moment run on. The gate learns online, from what became of its stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from teaching.experiments import robot_gated_report
from teaching.experiments.experiment import Finding, Given, Report, silent
from teaching.experiments.gated_rollouts import GatedDriver, Regime, Stay, forked
from teaching.experiments.rac import PER_SEED, SCENES, SEEDS, Cell, RacConfig, write_json
from teaching.experiments.rac_expert import ExpertConfig
from teaching.policies.flow import FlowPolicy
from teaching.policies.flow_network import FlowConfig
from teaching.types import BadInput, explained

WORKED = 4_000_000
"""Where the seeds of the scenes worked through begin."""
POLICIES = ("demos", "rac")
"""From demonstrations alone, and after all rounds of recovery and correction."""
REGIMES: Mapping[str, Regime] = {
    "watching": Regime(watched=True),
    "detector": Regime(),
    "sensitivity": Regime("sensitivity", 0.9, detector=False),
    "sensitivity+detector": Regime("sensitivity", 0.9),
    "success+detector": Regime("success", 0.95),
}
PEOPLE: Mapping[str, ExpertConfig] = {"prompt": ExpertConfig(), "patient": ExpertConfig(stuck=1_000_000)}
"""Takes a jam for a failure; or only 90 ticks without a finished subtask, since the policy may back out by itself."""


@dataclass(frozen=True)
class GatedConfig:
    """What is compared, and how."""

    seeds: tuple[int, ...] = explained((0,), "Each a policy of its own, and scenes of its own")
    scenes: tuple[str, ...] = explained(("looks", "perfect"), "Looks that can be wrong; the control")
    policies: tuple[str, ...] = explained(POLICIES, "From demonstrations alone, after all rounds")
    people: tuple[str, ...] = explained(tuple(PEOPLE), "What counts as a failure, for person and detector alike")
    rollouts: int = explained(150, "Scenes worked through")
    beside: int = explained(25, "Rollouts side by side; the gate learns after each such lot")
    training: RacConfig = field(default_factory=lambda: RacConfig(("rac",), flow=FlowConfig(members=5), rollouts=1))

    def __post_init__(self) -> None:
        for name, known in (("scenes", SCENES), ("policies", POLICIES), ("people", PEOPLE)):
            if unknown := set(getattr(self, name)) - set(known):
                raise BadInput(f"expected {name} among {', '.join(known)}, got {', '.join(sorted(unknown))}")
        if not 0 < self.beside <= self.rollouts <= PER_SEED or not self.training.flow.members:
            raise BadInput(f"expected 0 < beside ≤ rollouts ≤ {PER_SEED} and an ensemble, got {self}")


def policies(out: Path, scene: str, seed: int, config: GatedConfig, report: Report) -> dict[str, FlowPolicy]:
    """Both policies of a seed, trained if they are not there yet."""
    paths = {name: out / "policies" / f"{scene}-{seed}-{name}" for name in POLICIES}
    if not all((path / "checkpoint.json").is_file() for path in paths.values()):
        cell = Cell(scene, "rac", seed, config.training, report)
        for figures in cell.rounds():
            if figures["round"] in (0, config.training.rounds):
                name = POLICIES[int(figures["round"] > 0)]
                cell.learner.save(paths[name], {"scene": scene, "seed": seed, "round": figures["round"]})
    found = {}
    for name, path in paths.items():
        found[name] = FlowPolicy()
        found[name].load(path)
    return found


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
        stays += driver.stays + forked(driver.calls, policy, SCENES[scene], person, rng)
        thresholds.append(threshold)
    failing, fine = [s for s in stays if s.outcome < 0], [s for s in stays if s.outcome > 0]
    return {
        "failing": len(failing), "forestalled": sum(s.called for s in failing),
        "fine": len(fine), "needless": sum(s.called for s in fine),
        "thresholds": [round(t, 4) if np.isfinite(t) else str(t) for t in thresholds],
        "rollouts": {name: [row[name] for row in rows] for name in rows[0]},
    }  # fmt: skip


def run(given: Given) -> Finding:
    """In full five seeds and both scenes, else one seed of the scene whose looks can be wrong."""
    if given.options:
        raise BadInput(f"expected nothing to be set, got {', '.join(sorted(given.options))}")
    torch.set_num_threads(1)
    seeds = given.seeds or (SEEDS if given.full else SEEDS[:1])
    config = GatedConfig(seeds, tuple(SCENES) if given.full else ("looks",))
    return robot_gated_report.found(compare(given.work, config, report=given.report))


def compare(out: Path, config: GatedConfig, *, report: Report = silent) -> list[dict[str, Any]]:
    """Run what is missing; every finished cell is kept in `out/cells`, the policies in `out/policies`.

    Returns:
        One row for each scene, seed, policy, person and regime.

    Raises:
        BadInput: `out` holds figures of other settings.
    """
    _claim(out / "settings.json", settings(config))
    rows: list[dict[str, Any]] = []
    for seed in config.seeds:
        for scene in config.scenes:
            path = out / "cells" / f"{scene}-{seed}.json"
            if not path.is_file():
                write_json(path, _cell(out, scene, seed, config, report))
            rows += json.loads(path.read_text())
    return rows


def _cell(out: Path, scene: str, seed: int, config: GatedConfig, report: Report) -> list[dict[str, Any]]:
    trained = policies(out, scene, seed, config, report)
    rows: list[dict[str, Any]] = []
    for name in config.policies:
        for person in config.people:
            for regime, chosen in REGIMES.items():
                report(f"{scene}, seed {seed}, {name}, {person}: {regime}", len(rows), 0)
                found = work(trained[name], scene, seed, chosen, PEOPLE[person], config)
                told = {"scene": scene, "seed": seed, "policy": name, "person": person, "regime": regime}
                rows.append(told | found)
    return rows


def settings(config: GatedConfig) -> dict[str, Any]:
    """What the figures depend on, apart from the seed."""
    known: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    known["training"] = {k: v for k, v in known["training"].items() if k not in ("arms", "seeds")}
    return {k: v for k, v in known.items() if k not in ("seeds", "scenes")}


def _claim(path: Path, mine: Mapping[str, Any]) -> None:
    if path.is_file() and json.loads(path.read_text()) != mine:
        raise BadInput(f"expected {path.parent} to hold figures of these settings, got others; name another")
    write_json(path, mine)
