"""A person at a lesson on the simulated arm: answer → acknowledged (durable), and answer → next question, in seconds.

`python -m benchmarks.lesson [--answers 60] [--think 3]`. The whole house runs: arm, host, trainer; the person answers
over the lesson's socket as the page does, `think` seconds after a question is there. Acknowledgements while a training
runs are told apart. Prints JSON with medians and 95th percentiles.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from teaching import supervisor
from teaching.channel import Channel


def percentiles(values: list[float]) -> dict[str, Any]:
    """Median and 95th percentile, seconds."""
    if not values:
        return {"n": 0}
    return {
        "n": len(values),
        "p50": round(float(np.median(values)), 4),
        "p95": round(float(np.quantile(values, 0.95)), 4),
    }


def answer_of(question: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Half confirmed, a quarter shown, an eighth relabelled, an eighth wrong."""
    draw = rng.random()
    if draw < 0.5:
        return {"verdict": "valid"}
    if draw < 0.75:
        spot = [rng.uniform(0.35, 0.65), rng.uniform(-0.35, 0.35), 0.0]
        return {"verdict": "invalid", "demonstration": {"pick": spot, "place": [0.5, -spot[1], 0.0]}}
    if draw < 0.875 and question["relabels"]:
        return {"verdict": "invalid", "relabel": question["relabels"][0]}
    return {"verdict": "invalid"}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--think", type=float, default=3.0, help="seconds between question and answer")
    parser.add_argument("--start", default="starter", choices=("starter", "nothing"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    home = Path(tempfile.mkdtemp(prefix="askback-lesson-"))
    path = supervisor.create_lesson(home, "latency", start=given.start, seed=given.seed)
    keeper = supervisor.Supervisor()
    keeper.open(path)
    keeper.watch()
    begun = time.perf_counter()
    while not supervisor.running(path):
        time.sleep(0.05)
    acks: dict[bool, list[float]] = {True: [], False: []}
    nexts: list[float] = []
    with Channel(path, session="person") as page:
        question = dict(page.question())
        opened = time.perf_counter() - begun
        for _ in range(given.answers):
            listen(page, given.think)
            training = page.view["training"]["state"] == "running"
            said = time.perf_counter()
            page.intend("answer", query=question["id"], seconds=given.think, **answer_of(question, rng))
            acks[training].append(time.perf_counter() - said)
            question = dict(page.question(after=question["id"]))
            nexts.append(time.perf_counter() - said)
    keeper.close(path)
    print(
        json.dumps(
            {
                "first_question_seconds": round(opened, 2),
                "acknowledged": percentiles(acks[True] + acks[False]),
                "acknowledged_while_training": percentiles(acks[True]),
                "next_question": percentiles(nexts),
                "think_seconds": given.think,
            }
        )
    )


def listen(page: Channel, seconds: float) -> None:
    """Take in views for a while, as a page does."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        page.hear(min(left, 0.5))


if __name__ == "__main__":
    main()
