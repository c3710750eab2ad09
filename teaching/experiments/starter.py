"""The starter: a small novice that knows some colours, and what twenty answers about another one are worth.

`build` trains one on the scripted teacher's demonstrations, with colours left out of all goals, as `python -m teaching
starter` does. What lessons make of it is measured in `new_colour`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robot_io.arm import Scene, TableView, Unreachable, make_arm
from teaching.policies.base import Batch
from teaching.policies.goals import words
from teaching.policies.rehearsal import Rehearsal
from teaching.policies.transporter import TransporterLearner
from teaching.task import Task, Truth, make_task
from teaching.types import Array, BadInput

Report = Callable[[str, int, int], None]
FIRST_SEED = 500_000
"""Scenes of the starter have even seeds from here: lessons (10,000 to a run) and evaluations (odd) never meet them."""


@dataclass(frozen=True)
class StarterConfig:
    """How much a starter is taught."""

    task: str = "put-block-in-bowl"
    arm: str = "sim:panda"
    pairs: int = 320
    """Demonstrations."""
    steps: int = 1200
    """Optimiser steps."""
    batch: int = 16
    rehearsed: int = 40
    """Demonstrations that travel with it, so that lessons do not make it forget."""
    rate_after: float = 1e-3
    """The step of the network's weights when a lesson goes on from it."""
    word_rate_after: float = 2e-2
    """The same of words, larger so that a new one is learned from few answers."""


@dataclass(frozen=True)
class Pairs:
    """Demonstrations in memory."""

    colour: Array
    """(N, H, W, 3) uint8."""
    height: Array
    """(N, H, W) float32, metres."""
    goal: tuple[str, ...]
    actions: Array
    """(N, 2, 4)."""

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Some of them, evenly, with replacement."""
        rows = rng.integers(len(self.goal), size=count)
        goals = tuple(self.goal[i] for i in rows)
        return Batch(self.colour[rows], self.height[rows], goals, self.actions[rows], np.ones(count))

    def some(self, count: int) -> Rehearsal:
        """Every so many-th of them."""
        rows = np.unique(np.linspace(0, len(self.goal) - 1, count).round().astype(int))
        goals = [self.goal[i] for i in rows]
        return Rehearsal.of(self.colour[rows], self.height[rows], goals, self.actions[rows])


def collect(arm: Scene, task: Task, without: tuple[str, ...], count: int, report: Report) -> Pairs:
    """Demonstrations by the scripted teacher for goals that do not name some colours.

    Goals name all other colours, of the seen and of the unseen set. Things of the colours left out may lie about: the
    starter has seen them, has never been asked for them, and leaves them alone.
    Kept off the table altogether they would stand out as the only thing unknown, and be guessed for the unknown word.

    Args:
        arm: a connected Scene.
        task: whose teacher shows.
        without: words (colours) that no goal names.
        count: how many demonstrations.
        report: told (what, how many, of how many).
    """
    rng = np.random.default_rng(FIRST_SEED)
    rows: list[tuple[Array, Array, str, Array]] = []
    seed = FIRST_SEED
    while len(rows) < count:
        truth = arm.reset(seed, task.name, ("seen", "unseen")[seed // 2 % 2])
        seed += 2
        if not names_one(str(truth["goal"]), without):
            rows += _shown(arm, task, truth, rng)
            report("demonstrations", min(len(rows), count), count)
    colour, height, goals, actions = zip(*rows[:count], strict=True)
    return Pairs(np.stack(colour), np.stack(height), tuple(goals), np.stack(actions))


def names_one(goal: str, colours: tuple[str, ...]) -> bool:
    """Whether a goal names one of these colours."""
    return not set(words(goal)).isdisjoint(colours)


def _shown(arm: Scene, task: Task, truth: Truth, rng: np.random.Generator) -> list[tuple[Array, Array, str, Array]]:
    """One episode of the teacher's."""
    goal, rows = str(truth["goal"]), []
    for _ in range(int(truth["max_steps"])):
        plan = task.demonstrate(goal, arm.truth(), rng)
        if plan is None:
            break
        seen = arm.observe(pictures=True)
        try:
            arm.perform(np.array(plan.actions))
        except Unreachable:
            break
        rows.append((seen["colour"], seen["height"], goal, np.array(plan.actions)))
    return rows


def teach(pairs: Pairs, config: StarterConfig, table: TableView, seed: int, report: Report) -> TransporterLearner:
    """A learner after `config.steps` steps on them; its steps shrink to nothing along a half cosine."""
    learner = TransporterLearner(table, seed=seed)
    rng = np.random.default_rng([seed, 1])
    for step in range(config.steps):
        learner.scale_rates((1 + math.cos(math.pi * step / config.steps)) / 2)
        figures = learner.update(pairs.draw(config.batch, rng), rng)
        report(f"optimiser steps, loss {figures['loss']:.2f}", step + 1, config.steps)
    return learner


def build(
    out: Path,
    colours_left_out: tuple[str, ...] = ("purple",),
    *,
    seed: int = 0,
    config: StarterConfig | None = None,
    report: Report = lambda what, done, of: None,
) -> dict[str, Any]:
    """Train a starter and write it as a checkpoint of half-precision weights without an optimiser.

    Args:
        out: the directory to write.
        colours_left_out: colours that it shall not know.
        seed: of its first weights and of the batches.
        config: how much it is taught.
        report: told (what, how many, of how many).

    Returns:
        Figures: bytes, demonstrations, steps, the colours, the words that it knows.
    """
    config = config or StarterConfig()
    torch.set_num_threads(1)
    task, arm = make_task(config.task), scene_of(config.arm)
    try:
        pairs = collect(arm, task, colours_left_out, config.pairs, report)
        learner = teach(pairs, config, arm.features.table, seed, report)
    finally:
        arm.disconnect()
    write(Path(out), learner, pairs, config, colours_left_out, seed)
    return {
        "checkpoint": str(out),
        "bytes": sum(path.stat().st_size for path in Path(out).iterdir()),
        "demonstrations": len(pairs.goal),
        "steps": config.steps,
        "without": list(colours_left_out),
        "words": list(learner.vocabulary.known),
    }


def write(
    out: Path, learner: TransporterLearner, pairs: Pairs, config: StarterConfig, without: tuple[str, ...], seed: int
) -> None:
    """Write a taught learner as a starter, with some of what it was taught and the rates that lessons go on with."""
    after = replace(learner.config, learning_rate=config.rate_after, word_rate=config.word_rate_after)
    lineage = {"update": 0, "parent": None, "seed": seed, "starter": {**vars(config), "without": without}}
    learner.rehearsal = pairs.some(config.rehearsed)
    learner.save_starter(out, after, lineage)


def scene_of(name: str) -> Scene:
    """A connected simulated arm; BadInput if it is none."""
    arm = make_arm(name)
    if "scene" not in arm.features.capabilities:
        raise BadInput(f"expected a simulated arm such as sim:panda, got {name!r}")
    arm.connect()
    assert isinstance(arm, Scene)
    return arm
