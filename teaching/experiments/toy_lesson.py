"""A lesson on the table of numbers, by the real gate, feedback (FIER) and priorities (PIER).

One decision is one episode. After every episode that stored something the novice takes eight steps on batches of 16.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from teaching.experiments.baseline_gates import Asker, SagAsker
from teaching.experiments.short_lesson import Look, ShortLesson
from teaching.experiments.toy_table import COLOURS, SEEN, Pair, Scene, ToyNovice, ToyNoviceConfig, ToyScenes
from teaching.feedback import Fier
from teaching.metrics import Costs, Rate
from teaching.sampling import Sampling
from teaching.skills import RECENT, Scenes, choose
from teaching.types import Array, BadInput, Feedback, Outcome, Plan
from teaching.uncertainty import entropy, one_minus_max


@dataclass(frozen=True)
class Phase:
    """One domain of a lesson."""

    named: tuple[int, ...] = SEEN
    hue: float = 0.0
    storing: int = 300
    """Episodes that store something before the next domain."""


@dataclass(frozen=True)
class ToyConfig:
    """One way of teaching."""

    asker: Asker = field(default_factory=SagAsker)
    fier: Fier = field(default_factory=Fier)
    sampling: Sampling = field(default_factory=Sampling)
    phases: tuple[Phase, ...] = (Phase(),)
    steps: int = 8
    novice: ToyNoviceConfig = field(default_factory=ToyNoviceConfig)
    scenes: ToyScenes = field(default_factory=ToyScenes)
    costs: Costs = field(default_factory=Costs)
    about: Scenes = "random"
    """What every second scene is about; see `teaching.skills.choose`."""
    most: int = 1200
    """Decisions at most: a gate that stops asking stores nothing more."""

    def __post_init__(self) -> None:
        if not self.phases or min(p.storing for p in self.phases) < 1 or self.most < 1:
            raise BadInput(f"expected phases that store at least one episode each, got {self.phases}")


class ToyLesson(ShortLesson):
    """The same for the table of numbers."""

    config: ToyConfig

    def __init__(self, config: ToyConfig, seed: int) -> None:
        super().__init__(config, seed)
        self.novice = ToyNovice(config.novice, np.random.default_rng([seed, 1]))
        self.pairs: list[Pair] = []
        self._fresh: dict[tuple[Phase, int], list[Scene]] = {}
        self._known: list[deque[bool]] = [deque(maxlen=RECENT) for _ in COLOURS]

    def score(self, phase: Phase, scenes: int) -> float:
        """Share of right plans on fresh scenes that no lesson meets."""
        drawn = self._fresh.get((phase, scenes))
        if drawn is None:
            rng = np.random.default_rng([self.seed, 3])
            drawn = self._fresh[phase, scenes] = [
                self.config.scenes.draw(phase.named, rng, phase.hue) for _ in range(scenes)
            ]
        plans = self.novice.plans(drawn)
        return float(np.mean([scene.valid(plan) for scene, plan in zip(drawn, plans, strict=True)]))

    def score_by_colour(self, phase: Phase, scenes: int) -> dict[int, float]:
        """The same for goals about each colour."""
        found = {}
        for colour in phase.named:
            rng = np.random.default_rng([self.seed, 4, colour])
            drawn = [self.config.scenes.draw(phase.named, rng, phase.hue, colour) for _ in range(scenes)]
            right = [s.valid(p) for s, p in zip(drawn, self.novice.plans(drawn), strict=True)]
            found[colour] = float(np.mean(right))
        return found

    def _scene(self, phase: Phase) -> Scene:
        shown = np.random.default_rng([self.seed, 0, self.tally.decisions])
        return self.config.scenes.draw(phase.named, shown, phase.hue, self._about(phase, shown))

    def _about(self, phase: Phase, rng: np.random.Generator) -> int | None:
        """The colour that the next goal names, if the lesson chooses; every second scene comes as it comes."""
        if self.config.about == "random" or rng.random() < 0.5:
            return None
        rates = {str(colour): Rate(sum(self._known[colour]), len(self._known[colour])) for colour in phase.named}
        return int(choose(rates, rng, self.config.about))

    def _look(self, scene: Scene) -> Look:
        take, put = self.novice.look(scene)
        means = [side.mean(axis=0) for side in (take, put)]
        plan = _plan(scene.goal, (int(means[0].argmax()), int(means[1].argmax())))
        spread = sum(float(side.var(axis=0).sum()) for side in (take, put))
        nats, doubt = (np.array([of(mean) for mean in means]) for of in (entropy, one_minus_max))
        return Look(plan, nats, doubt, spread)

    def _judged(self, scene: Scene, outcome: Outcome) -> None:
        for colour in scene.goal:
            self._known[colour].append(outcome == Outcome.SUCCESS)

    def _feedback(self, scene: Scene, plan: Plan) -> Feedback:
        act, chosen = _plan(scene.goal, scene.shown()), _chosen(plan.actions)
        if scene.valid(chosen):
            return Feedback(Outcome.SUCCESS, demonstration=None if self.config.fier.validation else act)
        reached = scene.reached(chosen) if self.config.fier.relabelling else None
        if reached is not None and reached[0] == reached[1]:
            reached = None
        return Feedback(Outcome.FAILURE, _text(reached) if reached else None, act)

    def _store(self, scene: Scene, goal: str, actions: Array) -> None:
        block, bowl = (int(word) for word in goal.split(" into "))
        self.pairs.append(Pair((block, bowl), scene.seen, _chosen(actions)))

    def _learn(self, drawn: Array, weight: Array) -> None:
        self.novice.learn([self.pairs[i] for i in drawn], weight, self.luck)


def _text(goal: tuple[int, int]) -> str:
    return f"{goal[0]} into {goal[1]}"


def _plan(goal: tuple[int, int], plan: tuple[int, int]) -> Plan:
    return Plan(np.array([[float(plan[0])], [float(plan[1])]]), _text(goal))


def _chosen(actions: Array) -> tuple[int, int]:
    return int(actions[0, 0]), int(actions[1, 0])
