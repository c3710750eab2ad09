"""Small, seeded lessons for the tests and benchmarks of the replay buffer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robot_io.arm import Observation
from teaching.replay import Episode, ReplayBuffer, Step
from teaching.types import Alternative, Answer, Decision, Feedback, Outcome, Plan

LESSON = {"name": "bowls", "task": "put-block-in-bowl", "split": "seen", "seed": 3}
GOAL = "put the red blocks in a green bowl"
OTHER = "put the blue blocks in a red bowl"


class Maker:
    """Makes nouns of one seed; pictures are (H, W)."""

    def __init__(self, seed: int = 0, shape: tuple[int, int] = (8, 16)) -> None:
        self.rng = np.random.default_rng(seed)
        self.shape = shape

    def observation(self, time: float = 0.0) -> Observation:
        """Smooth colours and flat heights with a few steps, so that they compress like a table does."""
        h, w = self.shape
        colour = np.cumsum(self.rng.integers(-1, 2, (h, w, 3)), axis=1) % 256
        height = np.round(self.rng.normal(0, 0.002, (h, w)), 3) + 0.04 * (self.rng.random((h, w)) < 0.05)
        return Observation(
            time,
            {
                "joints": self.rng.normal(size=7),
                "gripper": np.zeros(1),
                "colour": colour.astype(np.uint8),
                "height": height.astype(np.float32),
            },
        )

    def plan(self, goal: str = GOAL, maps: bool = False) -> Plan:
        """A pick-and-place plan with a ghost."""
        ghost = Alternative(self.rng.random((2, 4)), 0.25)
        pictures = {n: self.rng.random(self.shape).astype(np.float32) for n in ("pick", "place")} if maps else {}
        return Plan(
            self.rng.random((2, 4)),
            goal,
            (ghost,),
            float(self.rng.random()),
            self.rng.random(2),
            self.rng.random(2),
            pictures,
        )

    def decision(self, episode: str, step: int, *, asked: bool = True, maps: bool = False, update: int = 0) -> Decision:
        """An asked decision has an infinite threshold below it, as SAG's fallback has."""
        threshold = 0.0 if asked else float("inf")
        time = float(int("".join(c for c in episode if c.isdigit()) or 0) * 100 + step)
        return Decision(
            f"{episode}-{step}", episode, step, self.plan(maps=maps), threshold, asked, False, update, "why", time
        )

    def answer(self, decision: Decision, kind: str = "valid", **more: object) -> Answer:
        """`kind` is valid, demonstration, relabel, both, wrong or unknown."""
        shown = self.plan(decision.plan.goal) if kind in ("demonstration", "both") else None
        relabel = OTHER if kind in ("relabel", "both") else None
        outcome = {"valid": Outcome.SUCCESS, "unknown": Outcome.UNKNOWN}.get(kind, Outcome.FAILURE)
        return replace(Answer(decision.id, Feedback(outcome, relabel, shown), "Ada", 1.25, time=decision.time), **more)  # type: ignore[arg-type]

    def episode(self, name: str, pairs: list[tuple[Decision, Observation]], end: str = "terminated") -> Episode:
        """An episode that carried its plans out."""
        steps = tuple(Step(o, d, d.plan.actions, 0.5, {"objects": [d.step]}) for d, o in pairs)
        return Episode(name, LESSON["task"], GOAL, 6, "seen", steps, "Ada", end, "done", started=1.0, ended=2.0)  # type: ignore[arg-type]

    def taught(self, buffer: ReplayBuffer, name: str, kinds: tuple[str, ...]) -> Episode:
        """Ask one question per kind, answer it, commit the episode."""
        pairs = []
        for step, kind in enumerate(kinds):
            decision, seen = self.decision(name, step), self.observation()
            buffer.ask(decision, seen, {"seed": 6})
            buffer.say("answer", self.answer(decision, kind))
            pairs.append((decision, seen))
        episode = self.episode(name, pairs)
        buffer.append(episode)
        return episode
