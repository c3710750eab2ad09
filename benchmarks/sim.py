"""How quick is the simulated table, and does the scripted teacher master it? `python -m benchmarks.sim [--scenes 200]`.

Prints JSON. Per verb the median of several calls as wall time and as this process's own CPU time (they part when the
machine is busy), in milliseconds; how many times faster than real time the physics steps; side views per second; and
how the scripted teacher fares on fresh scenes of each task and split: mean reward × 100, and scenes wholly solved.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

from robot_io.arm import Array
from robot_io.sim.table import SimTable
from teaching.task import make_task

TASKS = ("put-block-in-bowl", "packing-shapes", "stack-blocks")


def timed(call: Callable[[], Any], times: int) -> dict[str, float]:
    """Median wall and CPU milliseconds of a call."""
    wall, cpu = [], []
    for _ in range(times):
        start, busy = time.perf_counter(), time.process_time()
        call()
        wall.append(1e3 * (time.perf_counter() - start))
        cpu.append(1e3 * (time.process_time() - busy))
    return {"wall_ms": round(statistics.median(wall), 2), "cpu_ms": round(statistics.median(cpu), 2)}


def shown(arm: SimTable, task: str, seed: int) -> Array:
    """Reset a scene; the first plan (2, 4) that the scripted teacher shows there."""
    truth = arm.reset(seed, task, "seen")
    plan = make_task(task).demonstrate(str(truth["goal"]), truth, np.random.default_rng(seed))
    if plan is None:
        raise RuntimeError(f"the scripted teacher has nothing to show in scene {seed} of {task}")
    return plan.actions


def verbs(arm: SimTable, task: str, times: int) -> dict[str, dict[str, float]]:
    """How long each verb takes in one scene."""
    actions = shown(arm, task, 3)
    start = arm.snapshot()
    path = arm.path(actions)
    twin = arm.twin()

    def perform() -> None:
        arm.restore(start)
        arm.perform(actions)

    try:
        twin.observe(start)
        found = {
            "reset": timed(lambda: arm.reset(3, task, "seen"), times),
            "path": timed(lambda: arm.path(actions), times),
            "observe with pictures": timed(lambda: arm.observe(pictures=True), times),
            "side view": timed(arm.side, times),
            "snapshot": timed(arm.snapshot, times),
            "restore": timed(lambda: arm.restore(start), times),
            "perform": timed(perform, times),
            "rehearse here": timed(lambda: arm.rehearse(actions, start), times),
            "rehearse in the twin": timed(lambda: twin.rehearse(actions, start), times),
            "frame from the twin": timed(lambda: twin.frame("side", start), times),
        }
    finally:
        twin.close()
    seconds = len(path) / arm.features.rate
    found["perform"] |= {
        "simulated_s": round(seconds, 2),
        "times_real_time": round(1e3 * seconds / found["perform"]["cpu_ms"], 1),
    }
    found["side view"]["per_second"] = round(1e3 / found["side view"]["cpu_ms"], 1)
    return found


def mastery(arm: SimTable, task: str, split: str, scenes: int, first_seed: int) -> dict[str, float]:
    """The scripted teacher on fresh scenes."""
    rules, rewards, rng = make_task(task), [], np.random.default_rng(first_seed)
    for seed in tqdm(range(first_seed, first_seed + scenes), desc=f"{task}, {split}", disable=None):
        truth, reward = arm.reset(seed, task, split), 0.0
        goal = str(truth["goal"])
        for _ in range(truth["max_steps"]):
            plan = rules.demonstrate(goal, truth, rng)
            if plan is None:
                break
            arm.perform(plan.actions)
            after = arm.truth()
            reward, truth = reward + rules.reward(goal, truth, after), after
        rewards.append(reward)
    solved = sum(reward > 0.99 for reward in rewards)
    return {"reward_x100": round(100 * float(np.mean(rewards)), 2), "solved": solved, "scenes": scenes}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=15, help="calls of each verb")
    parser.add_argument("--scenes", type=int, default=200, help="scenes per task and split; 0 leaves this out")
    parser.add_argument("--seed", type=int, default=10_001, help="of the first scene")
    given = parser.parse_args()
    arm = SimTable()
    arm.connect()
    try:
        found: dict[str, Any] = {"verbs": {task: verbs(arm, task, given.times) for task in TASKS}}
        found["teacher"] = {
            f"{task}, {split}": mastery(arm, task, split, given.scenes, given.seed)
            for task in TASKS
            for split in ("seen", "unseen")
            if given.scenes
        }
    finally:
        arm.disconnect()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
