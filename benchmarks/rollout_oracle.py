"""How good is the scripted person at a long task? `python -m benchmarks.rollout_oracle [--task NAME] [--scenes 50]`.

Prints JSON, per split: how often it does the task alone, and how long it takes; and how often, when somebody who
believes whatever the arm perceives drives, it has to help and its help does what it should, backing out first or
correcting as little as needed. Shares with 95 % Wilson intervals; rows are 1/30 s.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from teaching.metrics import Rate
from teaching.rollout_task import rollout_tasks
from tests.teaching.rollout_sim import Rows, Story, demonstrated, supervised

SPLITS = ("seen", "without:errors")


def share(hits: int, n: int) -> dict[str, Any]:
    """k of n with its interval."""
    rate = Rate(hits, n)
    return {"k": hits, "n": n, "low": round(rate.interval.low, 3), "high": round(rate.interval.high, 3)}


def alone(stories: Sequence[Story]) -> dict[str, Any]:
    """It drives by itself."""
    return {
        "success": share(sum(s.success for s in stories), len(stories)),
        "without a drop": share(sum(s.success and not s.drops for s in stories), len(stories)),
        "under right looks only": share(sum(s.clean for s in stories), len(stories)),
        "rows": {"median": float(np.median([s.rows for s in stories])), "most": max(s.rows for s in stories)},
    }


def helping(stories: Sequence[Story]) -> dict[str, Any]:
    """It helps."""
    every = [i for s in stories for i in s.interventions]
    found: dict[str, Any] = {
        "success": share(sum(s.success for s in stories), len(stories)),
        "needed no help": share(sum(not s.interventions for s in stories), len(stories)),
        "helped": share(sum(i["done"] for i in every), len(every)),
    }
    if every:
        found["rows of recovery"] = float(np.median([i["recover"] for i in every]))
        found["rows of correction"] = float(np.median([i["correct"] for i in every]))
        found["at stage"] = {str(s): sum(i["stage"] == s for i in every) for s in range(4)}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="peg-and-button", choices=[*rollout_tasks(), *rollout_tasks(arms=2)])
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1000)
    given = parser.parse_args()
    arm, seeds = Rows(given.task), range(given.seed, given.seed + given.scenes)
    found: dict[str, Any] = {}
    for split in SPLITS:
        found[split] = {
            "alone": alone([demonstrated(arm, s, split) for s in tqdm(seeds, "alone")]),
            "backing out": helping([supervised(arm, s, split) for s in tqdm(seeds, "backing out")]),
            "correcting only": helping([supervised(arm, s, split, backs_out=False) for s in tqdm(seeds, "correcting")]),
        }
    arm.table.disconnect()
    print(json.dumps({"task": given.task, "scenes": given.scenes, **found}, indent=1))


if __name__ == "__main__":
    main()
