"""Decisions of episodes that are not committed yet: asked ones lie in `pending/`, the others in memory only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from robot_io.arm import Observation
from teaching.replay.episode import Episode, Step
from teaching.replay.shelf import Shelf
from teaching.types import AskbackError, BadInput, Decision


class Questions:
    """Decision id → what was seen and planned, in the order in which they were made."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.asked: dict[str, Episode] = {}
        """Durable, as episodes of one step."""
        self.noted: dict[str, Step] = {}
        """In memory only."""

    def ask(
        self, decision: Decision, observation: Observation, extra: Mapping[str, Any], lesson: Mapping[str, Any]
    ) -> None:
        """Commit one; it is on the medium when this returns."""
        question = Episode(
            id=decision.episode,
            task=str(lesson.get("task", "")),
            goal=decision.plan.goal,
            seed=int(extra.get("seed", lesson.get("seed", 0))),
            split=str(extra.get("split", lesson.get("split", ""))),
            steps=(Step(observation, decision, truth=extra.get("truth"), extra=extra),),
            end="interrupted",
            started=float(extra.get("started", decision.time)),
        )
        self._shelf.publish_pending(question)
        self.noted.pop(decision.id, None)
        self.asked[decision.id] = question

    def make_durable(self, decision: str, lesson: Mapping[str, Any]) -> None:
        """Commit one that is in memory only; BadInput if there is none."""
        step = self.noted.get(decision)
        if step is None or step.decision is None:
            raise BadInput(
                f"expected an answer to a decision of this lesson, got one to {decision!r}; ask or note it first"
            )
        self.ask(step.decision, step.observation, step.extra, lesson)

    def step(self, decision: str) -> Step | None:
        """One by its id."""
        question = self.asked.get(decision)
        return question.steps[0] if question else self.noted.get(decision)

    def decisions(self) -> list[Decision]:
        """All, in the order in which they were made."""
        asked = (q.decisions[0] for q in self.asked.values())
        noted = (s.decision for s in self.noted.values() if s.decision)
        return sorted((*asked, *noted), key=lambda d: (d.time, d.episode, d.step))

    def of_episode(self, episode: str) -> set[str]:
        """Ids of the asked ones of an episode."""
        return {name for name, question in self.asked.items() if question.id == episode}

    def forget(self, decision: str) -> None:
        """Drop one: it was withdrawn, or its episode is committed."""
        if self.asked.pop(decision, None) is not None:
            self._shelf.disk.remove(self._shelf.pending / f"{decision}.h5")
        self.noted.pop(decision, None)

    def forget_episode(self, episode: str) -> None:
        """Drop all of an episode."""
        noted = {n for n, s in self.noted.items() if s.decision and s.decision.episode == episode}
        for name in self.of_episode(episode) | noted:
            self.forget(name)

    def load(self, known: Mapping[str, object], gone: set[str]) -> Iterator[tuple[str, str]]:
        """Take in what lies in `pending/`, save for ids in `known` or `gone`; yields (id, why) of unreadable ones."""
        files = self._shelf.pending_files()
        for name in [n for n in self.asked if n not in files]:
            del self.asked[name]
        for name, file in files.items():
            if name in self.asked or name in known or name in gone:
                continue
            try:
                question = self._shelf.read_pending(file)
                if question.keys() != (name,):
                    raise BadInput(f"expected the question {name} in {file.name}, got {question.keys()}")
            except (AskbackError, OSError, KeyError, TypeError, ValueError) as error:
                yield name, str(error)
                continue
            self.asked[name] = question

    def interrupted(self) -> list[Episode]:
        """The asked ones as one episode per interrupted episode."""
        groups: dict[str, list[Episode]] = {}
        for question in self.asked.values():
            groups.setdefault(question.id, []).append(question)
        return [
            replace(parts[0], steps=tuple(p.steps[0] for p in parts), reason="interrupted by a crash")
            for parts in groups.values()
        ]
