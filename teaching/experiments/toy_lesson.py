"""A lesson on the table of numbers, by the real gate, feedback (FIER) and priorities (PIER).

One decision is one episode. After every episode that stored something the novice takes eight steps on batches of 16.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from teaching.experiments.baseline_gates import Asker, Past, SagAsker
from teaching.experiments.toy_table import COLOURS, SEEN, Pair, Scene, ToyNovice, ToyNoviceConfig, ToyScenes
from teaching.feedback import Fier, consequence
from teaching.metrics import Costs, Rate
from teaching.priority import pier_priority, sampling_distribution
from teaching.sampling import Sampling
from teaching.skills import RECENT, Scenes, choose
from teaching.types import Array, BadInput, Decision, Feedback, Kind, Outcome, Plan
from teaching.uncertainty import EntropyScale, entropy


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


@dataclass
class Tally:
    """What was said so far."""

    storing: int = 0
    answers: int = 0
    seconds: float = 0.0
    decisions: int = 0
    failed: int = 0
    """Wrong plans that nobody was asked about."""
    stored: dict[str, int] = field(default_factory=lambda: {kind.value: 0 for kind in Kind})

    @property
    def annotated(self) -> int:
        """Demonstrations that the teacher showed."""
        return self.stored[Kind.ANNOTATED.value]


class ToyLesson:
    """State of one lesson. The scenes of a seed are the same whatever the rules, as long as as many were shown."""

    def __init__(self, config: ToyConfig, seed: int) -> None:
        self.config, self.seed = config, seed
        weights, self.luck = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
        self.novice, self.tally = ToyNovice(config.novice, weights), Tally()
        self.pairs: list[Pair] = []
        self._fresh: dict[tuple[Phase, int], list[Scene]] = {}
        self.own: list[int] = []
        """Which row each pair belongs to."""
        self._judged: list[deque[bool]] = [deque(maxlen=RECENT) for _ in COLOURS]
        self._scale, self._updates, self._n = EntropyScale(), 0, 0
        self._rows: Array = np.zeros((256, 8))
        """u, r, k, spread, four features."""

    def run(self) -> Iterator[tuple[int, Tally]]:
        """Teach; yields (phase, tally) after every storing episode, once its training is over."""
        for number, phase in enumerate(self.config.phases):
            until = self.tally.storing + phase.storing
            while self.tally.storing < until and self.tally.decisions < self.config.most:
                if self._episode(phase):
                    yield number, self.tally

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

    def _episode(self, phase: Phase) -> bool:
        shown = np.random.default_rng([self.seed, 0, self.tally.decisions])
        scene = self.config.scenes.draw(phase.named, shown, phase.hue, self._about(phase, shown))
        take, put = self.novice.look(scene)
        plan = (int(take.mean(axis=0).argmax()), int(put.mean(axis=0).argmax()))
        u = self._note(take, put)
        asked = bool(self.config.asker(self._past(), self.luck)[0])
        self.tally.decisions += 1
        if not asked:
            self.tally.failed += not scene.valid(plan)
            return False
        return self._answer(scene, plan, u)

    def _about(self, phase: Phase, rng: np.random.Generator) -> int | None:
        """The colour that the next goal names, if the lesson chooses; every second scene comes as it comes."""
        if self.config.about == "random" or rng.random() < 0.5:
            return None
        rates = {str(colour): Rate(sum(self._judged[colour]), len(self._judged[colour])) for colour in phase.named}
        return int(choose(rates, rng, self.config.about))

    def _note(self, take: Array, put: Array) -> float:
        """Append the row of a decision; its uncertainty."""
        means = [side.mean(axis=0) for side in (take, put)]
        nats = np.array([entropy(mean) for mean in means])
        self._scale, _, u = self._scale.update(nats)
        spread = sum(float(side.var(axis=0).sum()) for side in (take, put))
        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._n] = [u, 0, self._updates, spread, *nats, *(1 - mean.max() for mean in means)]
        self._n += 1
        return u

    def _past(self) -> Past:
        rows = self._rows[: self._n]
        decided = ~np.isnan(rows[:, 0])
        rows = rows[decided]
        k = np.unique(rows[:, 2], return_inverse=True)[1]
        return Past(rows[:, 0], rows[:, 1].astype(int), k, rows[:, 4:], rows[:, 3])

    def _answer(self, scene: Scene, plan: tuple[int, int], u: float) -> bool:
        feedback = self._feedback(scene, plan)
        decision = Decision("0-0", "0", 0, _plan(scene.goal, plan, u), 0.0, True, False, self._updates)
        result = consequence(decision, feedback, self.config.fier)
        row = self._n - 1
        self._rows[row, 1] = int(result.outcome)
        for colour in scene.goal:
            self._judged[colour].append(result.outcome == Outcome.SUCCESS)
        self.tally.answers += 1
        self.tally.seconds += self.config.costs.of(feedback)
        for one in result.demonstrations:
            self._store(scene, one.goal, one.actions, row if one.kind != Kind.RELABELLED else self._relabelled())
            self.tally.stored[one.kind.value] += 1
        if not result.demonstrations:
            return False
        self.tally.storing += 1
        self._train()
        return True

    def _feedback(self, scene: Scene, plan: tuple[int, int]) -> Feedback:
        act = _plan(scene.goal, scene.shown(), 0.0)
        if scene.valid(plan):
            return Feedback(Outcome.SUCCESS, demonstration=None if self.config.fier.validation else act)
        reached = scene.reached(plan) if self.config.fier.relabelling else None
        if reached is not None and reached[0] == reached[1]:
            reached = None
        return Feedback(Outcome.FAILURE, _text(reached) if reached else None, act)

    def _relabelled(self) -> int:
        """A row of its own, which is no decision."""
        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._n] = [np.nan, 0, self._updates, 0, 0, 0, 0, 0]
        self._n += 1
        return self._n - 1

    def _store(self, scene: Scene, goal: str, actions: Array, row: int) -> None:
        block, bowl = (int(word) for word in goal.split(" into "))
        self.pairs.append(Pair((block, bowl), scene.seen, (int(actions[0, 0]), int(actions[1, 0]))))
        self.own.append(row)

    def _train(self) -> None:
        how, n = self.config.sampling, len(self.pairs)
        probability: Array = np.full(n, 1 / n)
        weight: Array = np.ones(n)
        if how.prioritised:
            rows = self._rows[: self._n]
            priority = pier_priority(rows[:, 0], rows[:, 1].astype(int), rows[:, 2].astype(int), b=how.b, lam=how.lam)
            probability, weight = sampling_distribution(priority[self.own], alpha=how.alpha, beta=how.beta)
        for _ in range(self.config.steps):
            drawn = self.luck.choice(n, size=how.batch, p=probability)
            self.novice.learn([self.pairs[i] for i in drawn], weight[drawn], self.luck)
        self._updates += 1


def _text(goal: tuple[int, int]) -> str:
    return f"{goal[0]} into {goal[1]}"


def _plan(goal: tuple[int, int], plan: tuple[int, int], u: float) -> Plan:
    return Plan(np.array([[float(plan[0])], [float(plan[1])]]), _text(goal), uncertainty=min(u, 1.0))


def at(curve: Sequence[tuple[float, float]], x: float) -> float:
    """The value of a curve of (x, y) points at x, linear between points; NaN beyond its end."""
    xs, ys = (np.array(v, dtype=np.float64) for v in zip(*curve, strict=True))
    return float(np.interp(x, xs, ys)) if xs[0] <= x <= xs[-1] else float("nan")
