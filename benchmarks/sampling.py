"""How long it takes to draw from a million demonstrations: one full recompute of PIER, then eight batches of 64.

It measures what a training does (`teaching.sampling`, which the mirror calls), from arrays in memory. Beside it, in the
same run, cpprb (a compiled sum tree) where an interpreter that has it is given: it updates every priority once, then
draws eight batches. Neither reads pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from typing import Any

import numpy as np

from teaching.sampling import Drawer, Sampling, Stock
from teaching.types import Rows

BATCHES, SIZE = 8, 64
RIVAL = """
import json, sys, time
import numpy as np
from cpprb import PrioritizedReplayBuffer
n, repeats = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
buffer = PrioritizedReplayBuffer(n, {"row": {"dtype": np.int32}}, alpha=1.5)
buffer.add(row=np.arange(n, dtype=np.int32), priorities=rng.random(n).astype(np.float32) + 0.01)
where, times = np.arange(n), []
for _ in range(repeats):
    priority = rng.random(n).astype(np.float32) + 0.01
    wall, cpu = time.perf_counter(), time.process_time()
    buffer.update_priorities(where, priority)
    for _ in range(8):
        buffer.sample(64, beta=1.0)
    times.append([time.perf_counter() - wall, time.process_time() - cpu])
print(json.dumps(times))
"""


def stock(n: int, seed: int = 0) -> Stock:
    """A history of n judged decisions that each own a demonstration."""
    rng = np.random.default_rng(seed)
    rows = Rows(rng.random(n), rng.choice([-1, 1], n), np.sort(rng.integers(0, max(n // 20, 1), n)))
    return Stock(rows, np.arange(n), np.ones(n), np.zeros(n, bool))


def measure(n: int, repeats: int) -> list[tuple[float, float]]:
    """Wall and processor seconds of a recompute and eight batches, per repeat."""
    there, how, rng, times = stock(n), Sampling(), np.random.default_rng(1), []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        probability, weight = there.distribution(how)
        drawer = Drawer(probability)
        drawn = [drawer.draw(SIZE, rng) for _ in range(BATCHES)]
        counted = [weight[rows] for rows in drawn]
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
        assert len(counted) == BATCHES
    return times


def told(times: list[Any]) -> dict[str, float]:
    """Medians and the best, in milliseconds."""
    wall, cpu = (1000 * np.array(column) for column in zip(*times, strict=True))
    return {
        "median_ms": round(float(np.median(wall)), 1),
        "best_ms": round(float(wall.min()), 1),
        "processor_median_ms": round(float(np.median(cpu)), 1),
    }


def rival(python: str, n: int, repeats: int) -> dict[str, float]:
    """The same of cpprb, in an interpreter of its own."""
    done = subprocess.run([python, "-c", RIVAL, str(n), str(repeats)], capture_output=True, text=True, check=True)
    return told(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--cpprb", metavar="PYTHON", help="an interpreter that has cpprb, to compare with")
    given = parser.parse_args()
    found: dict[str, Any] = {"rows": given.rows, "load": round(os.getloadavg()[0], 1)}
    found["ours"] = told(measure(given.rows, given.repeats))
    if given.cpprb:
        found["cpprb"] = rival(given.cpprb, given.rows, given.repeats)
        for name in ("median_ms", "processor_median_ms"):
            found[f"ratio_{name.removesuffix('_ms')}"] = round(found["ours"][name] / found["cpprb"][name], 2)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
