"""How quick is the novice, alone and while it is being trained? `python -m benchmarks.novice [--plans 100]`.

One configuration, one run, one torch thread each: the time of a plan, of eight optimiser steps at the lesson's batch,
and of a plan while the trainer process trains beside it at nice 19. About a minute on two cores that do nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from robot_io.arm import Observation, Scene
from teaching.experiments.starter import Pairs, StarterConfig, collect, scene_of
from teaching.learner import keep_memory
from teaching.lesson import TrainingConfig
from teaching.policies.transporter import TransporterLearner, TransporterPolicy
from teaching.replay import Episode, ReplayBuffer, Step
from teaching.task import make_task
from teaching.trainer import Trainer
from teaching.types import Demonstration, Kind, Outcome

STEPS = 8
PAUSE = 0.02
"""Seconds between two plans: a lesson does other things in between."""


def plans(
    policy: TransporterPolicy, seen: list[Observation], goals: tuple[str, ...], count: int
) -> np.ndarray[Any, Any]:
    """Milliseconds of so many plans."""
    taken = []
    rng = np.random.default_rng(0)
    for i in range(count):
        begun = time.perf_counter()
        policy(seen[i % len(seen)], goals[i % len(goals)], rng)
        taken.append(1000 * (time.perf_counter() - begun))
        time.sleep(PAUSE)
    return np.array(taken)


def spread(times: np.ndarray[Any, Any]) -> dict[str, float]:
    """Median and tails."""
    return {f"p{q}": round(float(np.percentile(times, q)), 1) for q in (50, 95, 99)}


def steps(pairs: Pairs, size: int, repeats: int = 3) -> dict[str, float]:
    """Seconds of eight optimiser steps, on the clock and of the processor."""
    learner, rng = TransporterLearner(), np.random.default_rng(0)
    walls, cpus = [], []
    for _ in range(repeats + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(STEPS):
            learner.update(pairs.draw(size, rng), rng)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "batch": size,
        "wall_s": round(float(np.median(walls[1:])), 2),
        "cpu_s": round(float(np.median(cpus[1:])), 2),
    }


def stored(pairs: Pairs, directory: Path) -> None:
    """A replay buffer of offline demonstrations."""
    with ReplayBuffer.create(directory, {"task": "put-block-in-bowl", "seed": 0}) as buffer:
        for i, goal in enumerate(pairs.goal):
            seen = Observation(0.0, {"colour": pairs.colour[i], "height": pairs.height[i], "joints": np.zeros(7)})
            name = f"{i:06d}"
            shown = Demonstration(
                f"{name}-0-offline", f"{name}-0", Kind.OFFLINE, goal, pairs.actions[i], float("nan"), Outcome.UNKNOWN, 0
            )
            step = Step(seen, None, pairs.actions[i])
            buffer.append(Episode(name, "put-block-in-bowl", goal, i, "seen", (step,), demonstrations=(shown,)))


def beside_training(policy: TransporterPolicy, seen: list[Observation], goals: tuple[str, ...], count: int,
                    directory: Path) -> np.ndarray[Any, Any]:  # fmt: skip
    """Milliseconds of plans while the trainer process trains."""
    trainer = Trainer(directory, threads=1, nice=19)
    said: list[str] = []
    trainer.post = lambda message: said.append(str(message.get("type")))
    trainer.train(100_000, 0, 1)
    try:
        while said.count("progress") < 3:
            if "failed" in said:
                raise RuntimeError("the training failed; run python -m teaching.learner by hand to see why")
            time.sleep(0.1)
        times = plans(policy, seen, goals, count)
        if "failed" in said:
            raise RuntimeError("the training ended early")
        return times
    finally:
        trainer.cancel()
        trainer.close()


def measure(arm: Scene, count: int) -> dict[str, Any]:
    """All figures."""
    pairs = collect(arm, make_task("put-block-in-bowl"), (), 16, lambda what, done, of: None)
    seen = [Observation(0.0, {"colour": c, "height": h}) for c, h in zip(pairs.colour, pairs.height, strict=True)]
    policy = TransporterPolicy(arm.features.table)
    plans(policy, seen, pairs.goal, 5)
    alone = plans(policy, seen, pairs.goal, count)
    with tempfile.TemporaryDirectory() as directory:
        stored(pairs, Path(directory) / "lesson")
        beside = beside_training(policy, seen, pairs.goal, count, Path(directory) / "lesson")
    eight = [steps(pairs, size) for size in (8, TrainingConfig().batch)]
    ratio = float(np.percentile(beside, 99) / np.percentile(alone, 99))
    return {
        "plan_ms": spread(alone),
        "plan_ms_while_training": spread(beside),
        "p99_ratio": round(ratio, 2),
        "eight_steps": eight,
        "weights": sum(p.numel() for p in TransporterLearner().network.parameters()),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "load": [round(x, 1) for x in os.getloadavg()],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.novice", description=__doc__)
    parser.add_argument("--plans", type=int, default=200)
    given = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    arm = scene_of(StarterConfig().arm)
    try:
        figures = measure(arm, given.plans)
    finally:
        arm.disconnect()
    print(f"a plan on one thread           p50/p95/p99 {figures['plan_ms']} ms     (bar: 100 ms)")
    print(f"a plan while training beside   p50/p95/p99 {figures['plan_ms_while_training']} ms")
    print(f"  p99 against without training {figures['p99_ratio']} ×     (bar: 1.2 ×)")
    for one in figures["eight_steps"]:
        took = f"{one['wall_s']} s on the clock, {one['cpu_s']} s of one core"
        print(f"8 steps at batch {one['batch']:2}             {took} (bar: 4 s)")
    print(f"load of the machine at the end {figures['load']}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
