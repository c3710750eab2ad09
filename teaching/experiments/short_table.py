"""A lesson of one plan per scene on the simulated table, quick enough to be repeated over seeds and ways of teaching.

Real are the scenes and their pictures, the novice (the transporter, smaller), its uncertainty, the gate, FIER and PIER,
the scripted teacher. Shortened: every scene is looked at once for all lessons, in coarser pixels; what a plan leads to
is worked out by geometry (`lifting`); an episode is one plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from robot_io.arm import TableView
from teaching.experiments.baseline_gates import Asker, SagAsker
from teaching.experiments.lifting import lifted
from teaching.experiments.short_lesson import Look, ShortLesson
from teaching.experiments.table_scenes import Seen, TableScenes
from teaching.feedback import Fier
from teaching.metrics import Costs
from teaching.oracle import OracleConfig, OracleTeacher
from teaching.policies.base import Batch
from teaching.policies.modes import entropy, modes
from teaching.policies.network import NetworkConfig
from teaching.policies.transporter import TransporterLearner
from teaching.policies.transporter_config import TransporterConfig, as_tensor
from teaching.sampling import Sampling
from teaching.task import is_valid, make_task
from teaching.types import Array, Decision, Feedback, Plan, explained

TRYING = 5_000_000
"""Seed of the first fresh scene, on which all novices are tried; lessons' own are far below."""
RUN = 10_000
"""Seeds of one run."""
SMALL = NetworkConfig(widths=(8, 16, 32))


@dataclass(frozen=True)
class Stretch:
    """One domain: a split of the table."""

    split: str = "seen"
    storing: int = 100


@dataclass(frozen=True)
class TableWay:
    """One way of teaching on the simulated table."""

    asker: Asker = field(default_factory=SagAsker)
    fier: Fier = field(default_factory=Fier)
    sampling: Sampling = field(default_factory=lambda: Sampling(batch=8))
    phases: tuple[Stretch, ...] = (Stretch(),)
    steps: int = 8
    costs: Costs = field(default_factory=Costs)
    most: int = 1200
    network: NetworkConfig = SMALL
    views: int = explained(1, "Mirrored views of one picture that it plans from; what they disagree about is new.")


class Novice:
    """The transporter on coarse pictures, many scenes at a time."""

    def __init__(self, table: TableView, network: NetworkConfig, seed: int) -> None:
        self.table = table
        self.learner = TransporterLearner(table, TransporterConfig(network=network), seed=seed)
        self._rng = np.random.default_rng([seed, 5])

    def look(self, scenes: Sequence[Seen], goals: Sequence[str], views: int = 1) -> list[Look]:
        """What it intends in each scene for each goal."""
        found: list[Look] = []
        for start in range(0, len(scenes), 16):
            part = slice(start, start + 16)
            found += self._look(scenes[part], goals[part], views)
        return found

    @torch.inference_mode()
    def _look(self, scenes: Sequence[Seen], goals: Sequence[str], views: int) -> list[Look]:
        pictures = as_tensor(np.stack([s.colour for s in scenes]), np.stack([s.height for s in scenes]))
        rows = torch.from_numpy(self.learner.vocabulary.encode(goals))
        sides: list[list[Array]] = [[], []]
        for flips in ((), (3,), (2,), (2, 3))[:views]:
            seen = torch.flip(pictures, flips)
            logits = self.learner.network(seen[:, :3], seen[:, 3], rows)
            for side, one in zip(sides, (logits[0], logits[1][:, 0]), strict=True):
                p = functional.softmax(one.double().flatten(1), 1).view(one.shape)
                side.append(torch.flip(p, [axis - 1 for axis in flips]).numpy())
        pick, place = (np.stack(side) for side in sides)
        return [self._plan(scenes[i], goals[i], pick[:, i], place[:, i]) for i in range(len(scenes))]

    def _plan(self, scene: Seen, goal: str, pick: Array, place: Array) -> Look:
        means = [side.mean(axis=0) for side in (pick, place)]
        best = [modes(mean, radius=4, core=1, limit=1)[0] for mean in means]
        points = [(*self.table.point_of(m.row, m.column), float(scene.height[m.row, m.column]), 0.0) for m in best]
        nats, doubt = np.array([entropy(m) for m in means]), np.array([1 - m.max() for m in means])
        spread = sum(float(side.var(axis=0).sum()) for side in (pick, place))
        return Look(Plan(np.array(points), goal), nats, doubt, spread)

    def learn(self, batch: Batch) -> None:
        """One step."""
        self.learner.update(batch, self._rng)


class TableLesson(ShortLesson):
    """The same for the simulated table."""

    config: TableWay

    def __init__(self, config: TableWay, seed: int, scenes: TableScenes) -> None:
        super().__init__(config, seed)
        self.scenes, self.task = scenes, make_task(scenes.task)
        self.novice = Novice(scenes.table, config.network, seed)
        self.pairs: list[tuple[Seen, str, Array]] = []
        shows = OracleConfig(relabels=config.fier.relabelling, always_demonstrates=not config.fier.validation)
        self._teacher = OracleTeacher(self.task, np.random.default_rng([seed, 3]), shows)
        self.fresh = lru_cache(None)(self._fresh)

    def _scene(self, phase: Stretch) -> Seen:
        return self.scenes(phase.split, self.seed * RUN + self.tally.decisions)

    def _fresh(self, split: str, count: int) -> list[Seen]:
        return [self.scenes(split, TRYING + i) for i in range(count)]

    def score(self, split: str, count: int) -> float:
        """Share of right plans on fresh scenes that no lesson meets."""
        return float(np.mean([self._right(scene, plan) for scene, plan in self.tried(split, count)]))

    def tried(self, split: str, count: int) -> list[tuple[Seen, Plan]]:
        """Fresh scenes, and what it would do there."""
        drawn = self.fresh(split, count)
        looks = self.novice.look(drawn, [scene.goal for scene in drawn])
        return [(scene, look.plan) for scene, look in zip(drawn, looks, strict=True)]

    def _right(self, scene: Seen, plan: Plan) -> bool:
        return is_valid(self.task, plan.goal, scene.truth, lifted(scene.truth, plan.actions))

    def _look(self, scene: Seen) -> Look:
        return self.novice.look([scene], [scene.goal], self.config.views)[0]

    def _feedback(self, scene: Seen, plan: Plan) -> Feedback:
        decision = Decision("0-0", "0", 0, plan, 0.0, True, False, 0)
        after = lifted(scene.truth, plan.actions)
        return self._teacher.answer(decision, scene.truth, after, lambda act: lifted(scene.truth, act)).feedback

    def _store(self, scene: Seen, goal: str, actions: Array) -> None:
        self.pairs.append((scene, goal, np.array(actions)))

    def _learn(self, drawn: Array, weight: Array) -> None:
        taken: list[tuple[Seen, str, Any]] = [self.pairs[i] for i in drawn]
        self.novice.learn(
            Batch(
                np.stack([scene.colour for scene, _, _ in taken]), np.stack([scene.height for scene, _, _ in taken]),
                tuple(goal for _, goal, _ in taken), np.stack([actions for _, _, actions in taken]), weight,
            )
        )  # fmt: skip
