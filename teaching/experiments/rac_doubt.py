"""Does the policy's doubt rise before it fails? (bench assembly, demonstrations only, unaided rollouts)

A failure is the first time that a person would have taken over, or that the peg is dropped. Each failing rollout is
compared, some ticks before, with rollouts that never fail, at the same subtask and as long into it: what is compared is
the largest value since that subtask began. So neither a subtask that is hard for all nor sheer time can pass for
foresight.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robot_io.sim.assembly import AssemblyTruth
from robot_io.sim.bench_assembly import BenchAssembly
from teaching.experiments.experiment import Finding, Given, silent, table, write_json
from teaching.experiments.intervals import mean
from teaching.experiments.rac import EVALUATED, PER_SEED, SCENES, SEEDS, Cell, RacConfig
from teaching.experiments.rac_expert import ExpertConfig, Watch
from teaching.experiments.rac_rollouts import Driver, Recording
from teaching.experiments.svg_plot import Line, Panel, svg
from teaching.policies.flow import FlowPolicy
from teaching.policies.flow_network import FlowConfig
from teaching.types import Array, BadInput

AHEAD = (0, 4, 8, 16, 32)
"""Ticks before the failure."""
SIGNALS = ("ensemble", "disagreement", "both", "contact")


@dataclass(frozen=True)
class Visit:
    """One stay in a subtask, up to its end or to the rollout's failure. T ticks."""

    stage: int
    signals: Mapping[str, Array]
    """(T,) each, as the largest value since the stay began."""
    failed: bool
    """It ended in the rollout's first failure."""

    def __len__(self) -> int:
        return len(next(iter(self.signals.values())))


def first_failure(recording: Recording, config: ExpertConfig | None = None) -> int | None:
    """The tick at which a person would have taken over or the peg was dropped, whichever came first."""
    stages = recording.stages[1:]
    dropped = np.flatnonzero(np.diff(recording.stages) < 0)
    end = int(dropped[0]) if len(dropped) else None
    watch, nothing = Watch(1, config or ExpertConfig()), np.zeros(1)
    for tick, (tool, jammed) in enumerate(zip(recording.states[:, :3], recording.contact, strict=True)):
        if end is not None and tick >= end:
            break
        stage = stages[tick : tick + 1]
        truth = AssemblyTruth(
            tool[None], nothing, stage, tool[None], np.array([jammed]), nothing, nothing, nothing, nothing
        )
        if watch(truth)[0]:
            return tick
    return end


def visits(recording: Recording, failure: int | None) -> list[Visit]:
    """The stays of a rollout up to its first failure."""
    stop = len(recording.states) if failure is None else failure + 1
    stages = recording.stages[:-1][:stop]
    edges = [0, *(np.flatnonzero(np.diff(stages)) + 1).tolist(), stop]
    spread, apart = recording.doubt[:, 0], recording.doubt[:, 1]
    traces = {
        "ensemble": spread,
        "disagreement": apart,
        "both": spread + apart,
        "contact": recording.contact.astype(float),
    }
    return [
        Visit(
            int(stages[a]), {name: np.maximum.accumulate(t[a:b]) for name, t in traces.items()},
            failure is not None and b == stop,
        )
        for a, b in pairwise(edges) if b > a
    ]  # fmt: skip


def matched_auroc(found: Sequence[Visit], calm: Sequence[Visit], signal: str, ahead: int) -> tuple[float, int]:
    """How often a failing rollout's value is above that of one that never fails, at the same subtask and time into it.

    Args:
        found: stays that ended in a failure.
        calm: stays of rollouts that never fail.
        signal: which trace.
        ahead: ticks before the failure.

    Returns:
        The share of such pairs, ties half, each failure counting the same; and the number of failures compared.
    """
    shares = []
    for visit in found:
        tick = len(visit) - 1 - ahead
        others = np.array([c.signals[signal][tick] for c in calm if c.stage == visit.stage and len(c) > tick >= 0])
        if tick >= 0 and len(others):
            value = visit.signals[signal][tick]
            shares.append(float(np.mean((others < value) + 0.5 * (others == value))))
    return (float(np.mean(shares)) if shares else float("nan")), len(shares)


def study(recordings: Sequence[Recording]) -> dict[str, Any]:
    """All signals, all leads."""
    failures = [first_failure(r) for r in recordings]
    stays = [visits(r, f) for r, f in zip(recordings, failures, strict=True)]
    found = [v for each in stays for v in each if v.failed]
    calm = [v for each, f in zip(stays, failures, strict=True) if f is None for v in each]
    if not found or not calm:
        raise BadInput(
            f"expected rollouts that fail and some that never do, got {len(found)} of {len(recordings)} failing"
        )
    auroc = {
        name: {str(ahead): [round(x, 3) for x in matched_auroc(found, calm, name, ahead)] for ahead in AHEAD}
        for name in SIGNALS
    }
    return {"rollouts": len(recordings), "failing": len(found), "auroc": auroc}


def run(given: Given) -> Finding:
    """In full five seeds and both scenes, else one seed; options: rollouts, steps."""
    if unknown := set(given.options) - {"rollouts", "steps"}:
        raise BadInput(f"expected only rollouts and steps to be set, got {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    rollouts, steps = int(given.options.get("rollouts", 200)), int(given.options.get("steps", FlowConfig().steps))
    seeds = given.seeds or (SEEDS if given.full else SEEDS[:1])
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        for scene in SCENES:
            given.report("scenes", len(rows), len(seeds) * len(SCENES))
            path = given.work / f"{scene}-{seed}-{rollouts}-{steps}.json"
            if not path.is_file():
                write_json(path, one(demonstrated(given.work, seed, steps), seed, scene, rollouts))
            rows.append(json.loads(path.read_text()))
    return found(rows)


def demonstrated(work: Path, seed: int, steps: int | None = None) -> FlowPolicy:
    """A policy with an ensemble, from demonstrations alone; trained if `work` does not hold it yet."""
    flow = FlowConfig(members=5, steps=steps or FlowConfig().steps)
    path = work / "policies" / f"{seed}-{flow.steps}"
    if not (path / "checkpoint.json").is_file():
        cell = Cell("perfect", "demos", seed, RacConfig(("demos",), (seed,), 0, flow=flow), silent)
        cell.start().learner.save(path, {"arm": "demos", "seed": seed})
    policy = FlowPolicy()
    policy.load(path)
    return policy


def one(policy: FlowPolicy, seed: int, scene: str, rollouts: int) -> dict[str, Any]:
    """Unaided rollouts of a policy, and what its doubt foretold."""
    begin, rng = EVALUATED + PER_SEED * seed, np.random.default_rng([seed, 8])
    done = Driver(BenchAssembly(SCENES[scene]), range(begin, begin + rollouts), policy, rng).run()
    return {"scene": scene, "seed": seed, **study(done)}


def found(rows: Sequence[Mapping[str, Any]]) -> Finding:
    """One table and one panel per scene."""
    figures: dict[str, float] = {}
    parts, panels = [" ".join(str(__doc__).split("\n\n")[1].split())], []
    parts.append("Area under the ROC curve: mean over seeds with Student's 95 % interval, and each seed.")
    for scene in dict.fromkeys(str(r["scene"]) for r in rows):
        own = [r for r in rows if r["scene"] == scene]
        failing = ", ".join(f"{r['failing']} of {r['rollouts']}" for r in own)
        body, lines = [], []
        for name in SIGNALS:
            means = [mean([r["auroc"][name][str(a)][0] for r in own]) for a in AHEAD]
            each = [", ".join(f"{r['auroc'][name][str(a)][0]:.2f}" for r in own) for a in AHEAD]
            body.append([name, *(f"{m.told(2)} ({e})" for m, e in zip(means, each, strict=True))])
            spans = ([m.low for m in means], [m.high for m in means]) if means[0].n > 1 else ((), ())
            lines.append(Line(name, AHEAD, [m.value for m in means], *spans))
            figures |= {f"{scene}/{name}/{a}": round(m.value, 3) for a, m in zip(AHEAD, means, strict=True)}
        compared = [", ".join(str(r["auroc"]["both"][str(a)][1]) for r in own) for a in AHEAD]
        head = ["signal", *(f"{a} ticks before" for a in AHEAD)]
        parts += [f"## Scene `{scene}`: failing rollouts {failing}"]
        parts += [table(head, [*body, ["failures compared", *compared]])]
        panels.append(Panel(scene, "ticks before the failure", "AUROC", lines, None, (0.3, 1.0), (0.5, 0.75)))
    return Finding("\n\n".join(parts), figures, rows, {"auroc": svg(panels, columns=2, width=460, height=320)})
