"""Does the policy's doubt rise before it fails? (bench assembly, demonstrations only, unaided rollouts)

A failure is the first time that a person would have taken over, or that the peg is dropped. Each failing rollout is
compared, some ticks before, with rollouts that never fail, at the same subtask and as long into it: what is compared is
the largest value since that subtask began. So neither a subtask that is hard for all nor sheer time can pass for
foresight.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robot_io.sim.assembly import AssemblyTruth
from robot_io.sim.bench_assembly import BenchAssembly
from teaching.experiments.rac import EVALUATED, PER_SEED, SCENES, Cell, RacConfig, silent
from teaching.experiments.rac_expert import ExpertConfig, Watch
from teaching.experiments.rac_rollouts import Driver, Recording
from teaching.experiments.results_page import publish
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


def run(seeds: Sequence[int], scenes: Sequence[str], config: RacConfig, rollouts: int) -> list[dict[str, Any]]:
    """One policy from demonstrations per scene and seed, then unaided rollouts of it."""
    rows = []
    for scene in scenes:
        for seed in seeds:
            cell = Cell(scene, "demos", seed, config, silent)
            figures = next(cell.rounds())
            begin = EVALUATED + PER_SEED * seed
            rng = np.random.default_rng([seed, 8])
            found = Driver(BenchAssembly(SCENES[scene]), range(begin, begin + rollouts), cell.policy, rng).run()
            rows.append({"scene": scene, "seed": seed, "human_frames": figures["human_frames"], **study(found)})
    return rows


def page(rows: Sequence[Mapping[str, Any]], command: str) -> str:
    """The page, in Markdown: one table per scene."""
    lines = ["```sh", command, "```", "", " ".join(str(__doc__).split("\n\n")[1].split()), ""]
    lines += ["Area under the ROC curve by seed, and the failures compared; ticks before the failure in the head.", ""]
    for scene in dict.fromkeys(r["scene"] for r in rows):
        own = [r for r in rows if r["scene"] == scene]
        failing = ", ".join(f"{r['failing']} of {r['rollouts']}" for r in own)
        lines += [f"## Scene `{scene}`: failing rollouts {failing}", ""]
        lines += ["| signal | " + " | ".join(map(str, AHEAD)) + " |", "|" + " --- |" * (len(AHEAD) + 1)]
        for name in SIGNALS:
            cells = [", ".join(f"{r['auroc'][name][str(a)][0]:.2f}" for r in own) for a in AHEAD]
            lines.append("| " + " | ".join([name, *cells]) + " |")
        compared = [", ".join(str(r["auroc"]["both"][str(a)][1]) for r in own) for a in AHEAD]
        lines += ["| " + " | ".join(["failures compared", *compared]) + " |", ""]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all of it and write the page."""
    parser = argparse.ArgumentParser(prog="python -m teaching.experiments.rac_doubt", description=__doc__)
    parser.add_argument("--docs", type=Path, default=Path("docs/results"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--scenes", nargs="+", default=list(SCENES))
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--steps", type=int, default=FlowConfig().steps)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    words = " ".join(sys.argv[1:] if arguments is None else arguments)
    config = RacConfig(("demos",), tuple(given.seeds), 0, rollouts=1, flow=FlowConfig(members=5, steps=given.steps))
    rows = run(given.seeds, given.scenes, config, given.rollouts)
    command = f"python -m teaching.experiments.rac_doubt {words}".strip()
    text = publish(given.docs / "rac-doubt.md", "Doubt before failure", page(rows, command))
    sys.stdout.write(json.dumps({"page": str(text), "rows": rows}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
