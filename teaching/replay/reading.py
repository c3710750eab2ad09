"""What can be asked of a replay buffer: the verbs that the owner and readers share."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from robot_io.arm import Observation
from teaching.replay.episode import Episode, Step, Summary, as_told
from teaching.replay.events import Event, Said
from teaching.replay.file import read_episode, read_step
from teaching.replay.fold import Folded, Folder
from teaching.replay.frames import read_frames
from teaching.replay.index import Index
from teaching.replay.ledger import Ledger
from teaching.replay.library import Library
from teaching.replay.log import EventLog, LogReader
from teaching.replay.questions import Questions
from teaching.replay.shelf import Commit, Shelf
from teaching.types import Answer, Array, BadInput, Decision, Demonstration, Rows

if TYPE_CHECKING:
    from teaching.replay.mirror import Mirror


_LOOKS = 3
"""How often a reader looks again for a question that moves while it looks."""


@dataclass(frozen=True)
class Pending:
    """A question of an episode that is not committed yet: what resuming after a crash needs."""

    decision: Decision
    observation: Observation
    extra: Mapping[str, Any]
    answer: Answer | None
    """The answer in force, if it was given."""


class Reading:
    """History, episodes and what follows from them. Every verb is safe from any thread."""

    path: Path
    problems: list[str]
    """What opening found wrong, in sentences; nothing is mended silently."""
    _shelf: Shelf
    _index: Index
    _log: EventLog | None
    _reader: LogReader | None
    _ledger: Ledger
    _library: Library
    _questions: Questions
    _folder: Folder
    _created_with: dict[str, Any]
    _lock: threading.RLock
    _folded: Folded | None = None
    _mirror: Mirror | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        raise NotImplementedError

    # -- what was said -----------------------------------------------------------------------------------------------

    @property
    def lesson(self) -> dict[str, Any]:
        """What it was created with, with the fields of later `config` events put over it."""
        with self._lock:
            return {**self._created_with, **self._ledger.config}

    def answers(self) -> dict[str, Answer]:
        """Decision id → the answer in force, after undo and late verdicts, in the order in which they were given."""
        return dict(self._said().answers)

    def _said(self) -> Said:
        with self._lock:
            return self._ledger.said

    def spoken(self) -> list[tuple[int, Answer]]:
        """Answers in force with their event's number, in the order in which they were given: what undo takes back."""
        return [(e.seq, e.answer) for e in self.history() if e.answer is not None and not e.undone]

    def history(self) -> list[Event]:
        """Everything that was said, newest last; each knows whether it is undone."""
        with self._lock:
            return self._ledger.history()

    @property
    def last_sequence(self) -> int:
        """The number of the last durable event; 0 before the first."""
        with self._lock:
            return next(reversed(self._ledger.events), 0)

    def deleted(self) -> set[str]:
        """Ids of demonstrations that were deleted and not restored."""
        return set(self._said().deleted)

    def pins(self) -> set[str]:
        """Ids of pinned demonstrations."""
        return set(self._said().pinned)

    def weights(self) -> dict[str, float]:
        """Demonstration id → factor on its priority that a person set."""
        return dict(self._said().weights)

    def dropped(self) -> set[str]:
        """Ids of episodes that were left out and not taken in again."""
        return set(self._said().dropped)

    def rollouts(self) -> list[Summary]:
        """Supervised episodes that count, in the order of their commits; their `rollout` holds the facts as amended."""
        said = self._said()
        return [as_told(s, said.told) for s in self.episodes() if s.rollout is not None and s.id not in said.dropped]

    def frames(self, episode: str, names: Iterable[str] | None = None) -> dict[str, Array]:
        """Columns (T, …) of a supervised episode, by default all; BadInput if there is none of that id or name."""
        return read_frames(self._file(episode), names)

    def _file(self, episode: str) -> Path:
        with self._lock:
            commit = self._ledger.commits.get(episode)
        if commit is None:
            raise BadInput(f"expected the id of a committed episode, got {episode!r}")
        return self.file_of(commit)

    # -- what was seen and done --------------------------------------------------------------------------------------

    def commits(self) -> list[Commit]:
        """What the log says of every committed file, in order."""
        with self._lock:
            return list(self._ledger.commits.values())

    def file_of(self, commit: Commit) -> Path:
        """A committed file, after its bytes were compared with its commit; EpisodeFileError if they differ."""
        return self._shelf.path_of(commit)

    def episodes(self) -> list[Summary]:
        """Committed episodes in the order of their commits."""
        with self._lock:
            return list(self._library.summaries.values())

    def read(self, episode: str) -> Episode:
        """A committed episode with its arrays, as it was when it ended; later amendments are in `answers`."""
        return read_episode(self._file(episode))

    def pending(self) -> list[Pending]:
        """Questions whose episode is not committed, in the order in which they were asked."""
        with self._lock:
            said, asked = self._ledger.said.answers, self._questions.asked
            return [
                Pending(q.decisions[0], q.steps[0].observation, q.steps[0].extra, said.get(n)) for n, q in asked.items()
            ]

    def find(self, decision: str) -> tuple[Commit, int] | Step:
        """Where what was seen at a decision lies: a committed file and the step in it, or the open step itself."""
        with self._lock:
            if decision in self._library.where:
                episode, index = self._library.where[decision]
                return self._ledger.commits[episode], index
            step = self._questions.step(decision)
        if step is None:
            raise BadInput(f"expected the id of a decision of this lesson, got {decision!r}")
        return step

    def observation(self, decision: str) -> Observation:
        """What was seen at a decision; a committed one is read from its file."""
        found = self.find(decision)
        return found.observation if isinstance(found, Step) else self._read_step(*found).observation

    def _read_step(self, commit: Commit, index: int) -> Step:
        return read_step(self.file_of(commit), index)

    def decisions(self) -> list[Decision]:
        """All in order: committed ones, without maps, then those of the episode under way."""
        with self._lock:
            return [d for s in self._library.summaries.values() for d in s.decisions] + self._questions.decisions()

    def next_episode(self) -> str:
        """An id that is free: six digits, counting episodes."""
        with self._lock:
            used = {*self._ledger.commits, *(d.episode for d in self._questions.decisions())}
        number = len(used)
        while f"{number:06d}" in used:
            number += 1
        return f"{number:06d}"

    # -- what follows ------------------------------------------------------------------------------------------------

    def _fold(self) -> Folded:
        with self._lock:
            if self._folded is None:
                gone = self._ledger.said.dropped
                offline = [d for s in self._library.summaries.values() if s.id not in gone for d in s.demonstrations]
                self._folded = self._folder.fold(self.decisions(), self._ledger.said, offline)
            return self._folded

    def rows(self) -> Rows:
        """The history as the gate and PIER read it, after every amendment."""
        return self._fold().rows

    def demonstrations(self) -> list[Demonstration]:
        """Those in force: after undo, late verdicts and deletions."""
        return list(self._fold().demonstrations)

    def mirror(self) -> Mirror:
        """The training mirror, refreshed: pictures of every demonstration in force, in memory."""
        from teaching.replay.mirror import Mirror

        if self._mirror is None:
            self._mirror = Mirror(self)
        self._mirror.refresh()
        return self._mirror

    # -- following the owner -----------------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """For readers: take in what was committed since; whether anything was. The owner has nothing to take in."""
        if self._reader is None:
            return False
        with self._lock:
            changed = self._follow(self._reader)
            for _ in range(_LOOKS):
                if self._questions.has_all(self._ledger.said.answers, self._library.where):
                    break
                changed |= self._follow(self._reader)  # a question was folded into its episode while we looked
        return changed

    def _follow(self, reader: LogReader) -> bool:
        rewound, records = reader.more()
        if rewound:
            self._forget_everything()
        self._ledger.take(records)
        self.problems = [*reader.damage, *self._ledger.damage]
        self.problems += self._library.load(self._ledger.commits.values())
        before = list(self._questions.asked)
        list(self._questions.load(self._library.where, self._ledger.said.withdrawn))
        changed = bool(records or rewound or before != list(self._questions.asked))
        self._folded = None if changed else self._folded
        return changed

    def log_damage(self) -> list[str]:
        """Sentences about what cannot be read in the log."""
        found = self._log.found.damage if self._log else self._reader.damage if self._reader else ()
        return [*found, *self._ledger.damage]

    def _forget_everything(self) -> None:
        self._ledger = Ledger()
        self._library = Library(self._shelf, self._index)
        self._questions = Questions(self._shelf)
