"""Decisions of episodes that are not committed yet: asked ones lie in `pending/`, the others in memory only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from teaching.replay.episode import Episode, Step
from teaching.replay.shelf import Shelf
from teaching.types import AskbackError, BadInput, Decision


def question_of(step: Step, lesson: Mapping[str, Any]) -> Episode:
    """A question as it lies in `pending/`: an episode of one step."""
    decision, extra = step.decision, step.extra
    assert decision is not None
    return Episode(
        id=decision.episode,
        task=str(lesson.get("task", "")),
        goal=decision.plan.goal,
        seed=int(extra.get("seed", lesson.get("seed", 0))),
        split=str(extra.get("split", lesson.get("split", ""))),
        steps=(replace(step, truth=step.truth or extra.get("truth")),),
        end="interrupted",
        started=float(extra.get("started", decision.time)),
    )


class Questions:
    """Decision id → what was seen and planned, in the order in which they were made."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.asked: dict[str, Episode] = {}
        """Durable, as episodes of one step."""
        self.noted: dict[str, Step] = {}
        """In memory only."""

    def take(self, question: Episode) -> None:
        """One is durable now."""
        name = question.keys()[0]
        self.noted.pop(name, None)
        self.asked[name] = question

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

    def has_all(self, answered: Iterable[str], committed: Mapping[str, object]) -> bool:
        """Whether every answered decision is here or committed."""
        return all(name in committed or name in self.asked for name in answered)

    def forget(self, decisions: Iterable[str]) -> list[str]:
        """Drop some: they were withdrawn, or their episode is committed; ids of those that lie in `pending/`."""
        gone = list(decisions)
        for name in gone:
            self.noted.pop(name, None)
        return [name for name in gone if self.asked.pop(name, None) is not None]

    def forget_episode(self, episode: str) -> list[str]:
        """Drop all of an episode."""
        noted = {n for n, s in self.noted.items() if s.decision and s.decision.episode == episode}
        return self.forget(self.of_episode(episode) | noted)

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
