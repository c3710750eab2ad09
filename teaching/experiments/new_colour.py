"""What are twenty answers worth? Starters that each lack one colour are taught it; before and after are compared.

For every colour and seed: a starter whose demonstrations never name the colour, then a lesson with the scripted teacher
on scenes whose goals do, by the same host code, trainer process and settings as any lesson, until so many answers were
given. Reward × 100 on fresh scenes, for goals that name the colour and for goals that do not, all on a table where
things of that colour lie about. `python -m teaching.experiments.new_colour --help`; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robot_io.arm import Scene, Unreachable
from teaching.experiments.starter import Pairs, StarterConfig, collect, names_one, scene_of, teach, write
from teaching.headless import Scripted
from teaching.learning import Learning
from teaching.lesson import LessonConfig
from teaching.novice import load_novice
from teaching.oracle import OracleTeacher
from teaching.plan_lesson import PlanLesson
from teaching.policies.base import Policy
from teaching.replay import ReplayBuffer
from teaching.task import Task, make_task
from teaching.trainer import Trainer
from teaching.types import Kind, explained

HELD_OUT, OTHERS = 300_001, 400_001
"""Evaluation scenes have odd seeds from here; lessons and starters have even ones."""


@dataclass(frozen=True)
class Settings:
    """What is tried."""

    colours: tuple[str, ...] = explained(("red", "cyan", "brown"), "Colours to leave out, one at a time")
    seeds: tuple[int, ...] = explained((0, 1, 2), "Each another starter and another lesson")
    answers: int = explained(20, "Answers given")
    scenes: int = explained(60, "Fresh scenes per figure")
    starter: StarterConfig = explained(StarterConfig(), "How much the starters are taught")


def reward(policy: Policy, arm: Scene, task: Task, colour: str, count: int, *, named: bool) -> tuple[float, float]:
    """Mean reward × 100 and its standard error on fresh scenes.

    Args:
        policy: acts alone.
        arm: simulated.
        task: rewards.
        colour: the one that was left out.
        count: scenes.
        named: with goals that name the colour, else with goals that do not.
    """
    rewards: list[float] = []
    seed = HELD_OUT if named else OTHERS
    while len(rewards) < count:
        split = f"only:{colour}" if named else ("seen", "unseen")[seed // 2 % 2]
        truth = arm.reset(seed, task.name, split)
        seed += 2
        if named or not names_one(str(truth["goal"]), (colour,)):
            rewards.append(_episode(policy, arm, task))
    return 100 * float(np.mean(rewards)), 100 * float(np.std(rewards) / np.sqrt(count))


def _episode(policy: Policy, arm: Scene, task: Task) -> float:
    before = arm.truth()
    goal, earned, rng = str(before["goal"]), 0.0, np.random.default_rng(0)
    policy.reset()
    for _ in range(int(before["max_steps"])):
        try:
            arm.perform(np.array(policy(arm.observe(pictures=True), goal, rng).actions))
        except Unreachable:
            break
        after = arm.truth()
        earned += task.reward(goal, before, after)
        before = after
        if task.progress(goal, after) >= 1.0 - 1e-9:
            break
    return earned


def lesson(directory: Path, begin: Path, colour: str, seed: int, answers: int, arm: Scene) -> dict[str, Any]:
    """One lesson of so many answers from a starter; its figures. The checkpoints are in the directory afterwards."""
    config = LessonConfig(name=f"{colour}-{seed}", teacher="oracle", split=f"only:{colour}", seed=seed)
    with ReplayBuffer.create(directory, config.to_json()) as buffer:
        shutil.copytree(begin, buffer.checkpoints / "000000")
        policy, _ = load_novice(buffer.checkpoints, arm.features.table, seed)
        learning = Learning(Trainer(directory, nice=0), config.training, seed, sync=True, version=policy.version)
        task = make_task(config.task)
        teacher = Scripted(OracleTeacher(task, np.random.default_rng([seed, 3])), arm)
        taught = PlanLesson(buffer, arm, policy, learning, teacher=teacher, ahead=False)
        try:
            taught.run(until=lambda: len(buffer.answers()) >= answers)
            if not taught.ended:
                taught.end()
        finally:
            learning.close()
        kinds = {kind.value: sum(d.kind is kind for d in buffer.demonstrations()) for kind in Kind}
        return {"answers": len(buffer.answers()), "updates": policy.version, **kinds}


def one(pairs: Pairs, colour: str, seed: int, settings: Settings, arm: Scene, work: Path) -> dict[str, Any]:
    """One colour and seed."""
    task, table = make_task(settings.starter.task), arm.features.table
    begun = time.perf_counter()
    learner = teach(pairs, settings.starter, table, seed, lambda what, done, of: None)
    start = work / f"starter-{colour}-{seed}"
    write(start, learner, pairs, settings.starter, (colour,), seed)
    directory = work / f"lesson-{colour}-{seed}"
    figures = lesson(directory, start, colour, seed, settings.answers, arm)
    found: dict[str, Any] = {"colour": colour, "seed": seed, **figures}
    for when, parent in (("before", start), ("after", directory / "checkpoints")):
        policy, _ = load_novice(parent if when == "after" else _only(start, work), table, seed)
        for what, named in (("held_out", True), ("others", False)):
            mean, error = reward(policy, arm, task, colour, settings.scenes, named=named)
            found |= {f"{what}_{when}": round(mean, 1), f"{what}_{when}_error": round(error, 1)}
    return found | {"seconds": round(time.perf_counter() - begun)}


def _only(start: Path, work: Path) -> Path:
    """A directory that holds one starter as its only checkpoint."""
    parent = work / f"only-{start.name}"
    shutil.copytree(start, parent / "000000")
    return parent


def summary(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The worst of each figure over colours (means over seeds) and the worst single run."""
    by_colour: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_colour.setdefault(row["colour"], []).append(row)

    def worst(key: str, pick: Any) -> float:
        return round(float(pick(np.mean([row[key] for row in rows]) for rows in by_colour.values())), 1)

    lost = [{**row, "lost": row["others_before"] - row["others_after"]} for row in found]
    losses = [np.mean([r["lost"] for r in lost if r["colour"] == colour]) for colour in by_colour]
    return {
        "held_out_before_worst": worst("held_out_before", max),
        "held_out_after_worst": worst("held_out_after", min),
        "others_lost_worst": round(float(max(losses)), 1),
        "held_out_after_worst_single": min(row["held_out_after"] for row in found),
        "others_lost_worst_single": round(max(row["lost"] for row in lost), 1),
    }


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    parser = argparse.ArgumentParser(prog="python -m teaching.experiments.new_colour", description=__doc__)
    parser.add_argument("--colours", nargs="+", default=list(default.colours))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(default.seeds))
    parser.add_argument("--answers", type=int, default=default.answers)
    parser.add_argument("--scenes", type=int, default=default.scenes)
    parser.add_argument("--pairs", type=int, default=default.starter.pairs)
    parser.add_argument("--steps", type=int, default=default.starter.steps)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run and print, one line per colour and seed, then one line of JSON."""
    given = _parser().parse_args(arguments)
    starter = replace(StarterConfig(), pairs=given.pairs, steps=given.steps)
    settings = Settings(tuple(given.colours), tuple(given.seeds), given.answers, given.scenes, starter)
    torch.set_num_threads(1)
    found = []
    arm = scene_of(starter.arm)
    try:
        with tempfile.TemporaryDirectory() as work:
            for colour in settings.colours:
                pairs = collect(arm, make_task(starter.task), (colour,), starter.pairs, lambda what, done, of: None)
                for seed in settings.seeds:
                    found.append(one(pairs, colour, seed, settings, arm, Path(work)))
                    sys.stdout.write(json.dumps(found[-1]) + "\n")
                    sys.stdout.flush()
    finally:
        arm.disconnect()
    sys.stdout.write(json.dumps({"runs": found, **summary(found)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
