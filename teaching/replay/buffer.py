"""ReplayBuffer: everything a lesson was shown and told, for good. One directory per lesson.

What was said lives in the event log, what was seen and done in one file per episode; both are on the medium before a call
returns. The owner (one process) writes; any number of read-only buffers follow what is committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from robot_io.arm import Observation
from teaching.replay import events as said_events
from teaching.replay.committer import Committer
from teaching.replay.disk import Disk
from teaching.replay.episode import Episode, Step, Summary
from teaching.replay.events import Event, Said
from teaching.replay.file import EpisodeFileError, read_episode
from teaching.replay.fold import Folded, Rules, fold_history
from teaching.replay.index import Index
from teaching.replay.ledger import Ledger
from teaching.replay.library import Library
from teaching.replay.log import EventLog, LogReader
from teaching.replay.nouns import answer_of
from teaching.replay.shelf import Commit, Shelf
from teaching.types import Answer, AskbackError, BadInput, Decision, Demonstration, Rows

if TYPE_CHECKING:
    from teaching.replay.mirror import Mirror
    from teaching.replay.verify import VerifyReport


class ReadOnly(AskbackError):
    """A reader was asked to write."""


@dataclass(frozen=True)
class Pending:
    """A question of an episode that is not committed yet: what resuming after a crash needs."""

    decision: Decision
    observation: Observation
    extra: Mapping[str, Any]
    answer: Answer | None
    """The answer in force, if it was given."""


class ReplayBuffer:
    """Append, read, fold and verify. Thread-safe: one lock, held for no longer than one sync of the log."""

    def __init__(
        self,
        path: Path | str,
        readonly: bool = False,
        *,
        clock: Callable[[], float] = time.time,
        disk: Disk | None = None,
    ) -> None:
        """Open what `create` made.

        Args:
            path: the directory.
            readonly: follow another process's buffer; takes no lock, changes nothing.
            clock: Unix seconds, for the events' time stamps.
            disk: how bytes reach the medium; tests pass one that fails.

        Raises:
            NotABuffer: nothing there, or another schema.
            LogError: another process is its writer.
        """
        self.path, self.readonly, self._clock = Path(path), readonly, clock
        self._shelf = Shelf(self.path, disk or Disk())
        self._created_with = self._shelf.lesson()
        self._rules = Rules.of(self._created_with)
        self._lock = threading.RLock()
        self._ledger = Ledger()
        self.problems: list[str] = []
        """What was found wrong when it was opened, in sentences; nothing is mended silently."""
        self._log = None if readonly else EventLog(self._shelf.log, self._shelf.disk)
        self._reader = LogReader(self._shelf.log) if readonly else None
        self._index = Index(self._shelf.index, readonly=readonly)
        self._library = Library(self._shelf, self._index)
        self._asked: dict[str, Episode] = {}
        self._noted: dict[str, Step] = {}
        self._folded: Folded | None = None
        self._mirror: Mirror | None = None
        self._committer = Committer(self.append)
        try:
            self._recover() if self._log else self.refresh()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path | str, lesson: Mapping[str, Any], **how: Any) -> ReplayBuffer:
        """Make a directory for a new lesson and open it; BadInput if one is there already."""
        Shelf.create(Path(path), lesson, how.get("disk") or Disk())
        return cls(path, **how)

    def __enter__(self) -> ReplayBuffer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the commits under way and let go of everything; twice is harmless."""
        self._committer.close()
        self._index.close()
        if self._log:
            self._log.close()

    @property
    def lesson(self) -> dict[str, Any]:
        """What it was created with, with the fields of later `config` events put over it."""
        changes = [e.body for e in self._ledger.events.values() if e.kind == "config"]
        return {k: v for layer in (self._created_with, *changes) for k, v in layer.items()}

    @property
    def checkpoints(self) -> Path:
        """Where models are published."""
        return self._shelf.checkpoints

    # -- opening -----------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Start-up: drop temporaries, read the log, adopt or set aside loose files, drop folded questions."""
        assert self._log is not None
        self._shelf.drop_temporaries()
        if self._log.set_aside:
            self.problems.append(f"the log ended in the middle of an event; that tail is in {self._log.set_aside.name}")
        self._ledger.take(self._log.found.records)
        self.problems += [*self._log.found.damage, *self._ledger.damage]
        for orphan in list(self._shelf.orphans({c.file for c in self._ledger.commits.values()})):
            self._adopt(orphan)
        self.problems += self._library.load(self._ledger.commits.values())
        for name, file in self._shelf.pending_files().items():
            self._recover_question(name, file)

    def _adopt(self, path: Path) -> None:
        """A whole episode without its commit line gets one; anything else goes to quarantine."""
        from teaching.replay.vet import vet

        try:
            vet(path)
            commit = self._shelf.whole(path)
            if commit.episode in self._ledger.commits:
                raise EpisodeFileError(
                    f"expected {path.name} to be a new episode, but {commit.episode} is committed elsewhere"
                )
        except (AskbackError, OSError) as error:
            self._set_aside(path, str(error))
            return
        self._say("commit", {**vars(commit), "adopted": True})
        self.problems.append(f"{path.name} was whole but not yet committed; it is now")

    def _set_aside(self, path: Path, why: str) -> None:
        where = self._shelf.set_aside(path)
        self._say("quarantine", {"file": str(path.relative_to(self.path)), "to": where.name, "why": why})
        self.problems.append(f"{path.name} was moved to quarantine/{where.name}: {why}")

    def _recover_question(self, name: str, file: Path) -> None:
        try:
            question = self._shelf.read_pending(file)
        except (AskbackError, OSError, KeyError) as error:
            self._set_aside(file, str(error))
            return
        if question.decisions[0].id in self._library.where or name in self._ledger.said.withdrawn:
            self._shelf.disk.remove(file)
        else:
            self._asked[name] = question

    # -- writing -----------------------------------------------------------------------------------------------------

    def ask(self, decision: Decision, observation: Observation, extra: Mapping[str, Any] | None = None) -> None:
        """Commit a question before it is shown: its plan, what was seen, and plain values that resuming needs."""
        self._check_writable()
        step = Step(observation, decision, extra=extra or {})
        lesson = self.lesson
        question = Episode(
            decision.episode, str(lesson.get("task", "")), decision.plan.goal, int(lesson.get("seed", 0)),
            str(lesson.get("split", "")), (step,), end="interrupted",
        )  # fmt: skip
        with self._lock:
            if decision.id in self._library.where or decision.id in self._asked:
                raise BadInput(f"expected a new decision, but {decision.id} was asked or committed before")
        self._shelf.publish_pending(question)
        with self._lock:
            self._noted.pop(decision.id, None)
            self._asked[decision.id] = question
            self._folded = None

    def note(self, decision: Decision, observation: Observation, extra: Mapping[str, Any] | None = None) -> None:
        """Remember a decision that was not asked until its episode is committed, in memory only.

        From here on it is in `decisions` and `rows`; a late verdict on it commits it like a question first.
        """
        self._check_writable()
        with self._lock:
            if decision.id not in self._library.where and decision.id not in self._asked:
                self._noted[decision.id] = Step(observation, decision, extra=extra or {})
                self._folded = None

    def say(self, kind: str, body: Mapping[str, Any] | Answer) -> int:
        """Put one event into the log; its number. It is on the medium when this returns.

        Raises:
            BadInput: the event could not be folded later, such as an answer to a decision that the buffer does not
                know (`ask` or `note` it first).
            DiskFull: nothing was saved; say it again once there is space.
        """
        self._check_writable()
        with self._lock:
            checked = said_events.checked_body(kind, body, self._ledger.events)
            if kind in said_events.OWN:
                raise BadInput(f"expected an event of a lesson, but {kind!r} events are the store's own")
            if kind in said_events.ANSWERS:
                self._check_subject(str(checked["decision"]))
            seq = self._say(kind, checked)
            if kind == "withdraw":
                self._withdraw(str(checked["decision"]))
            return seq

    def _say(self, kind: str, body: Mapping[str, Any]) -> int:
        assert self._log is not None
        now = self._clock()
        seq = self._log.append(said_events.event_bytes(kind, body, now))
        self._ledger.add(Event(seq, kind, body, now))
        self._folded = None
        return seq

    def _check_subject(self, decision: str) -> None:
        """No answer without its subject: one that is in memory only is committed first."""
        if decision in self._library.where or decision in self._asked:
            return
        step = self._noted.get(decision)
        if step is None or step.decision is None:
            raise BadInput(
                f"expected an answer to a decision of this lesson, got one to {decision!r}; ask or note it first"
            )
        self.ask(step.decision, step.observation, step.extra)

    def _withdraw(self, decision: str) -> None:
        if self._asked.pop(decision, None) is not None:
            self._shelf.disk.remove(self._shelf.pending / f"{decision}.h5")
        self._noted.pop(decision, None)

    def append(self, episode: Episode) -> None:
        """Commit an episode; its questions are folded into it. It is on the medium when this returns.

        Raises:
            BadInput: the id is taken, or an answered question of this episode is missing from it.
            DiskFull: nothing changed; append it again once there is space.
        """
        self._check_writable()
        episode = self._with_answers(episode)
        commit = self._shelf.publish_episode(episode)
        with self._lock:
            self._say("commit", vars(commit))
            self._library.add(commit, episode)
            self._forget_questions(episode.id)

    def append_soon(self, episode: Episode) -> Future[None]:
        """Commit on a thread of its own; the future raises what `append` would. At once its decisions are in `rows`."""
        self._check_writable()
        for step in episode.steps:
            if step.decision is not None:
                self.note(step.decision, step.observation, step.extra)
        return self._committer.put(episode)

    def _with_answers(self, episode: Episode) -> Episode:
        """With the answers and demonstrations that are in force now, unless it brings its own."""
        with self._lock:
            if episode.id in self._ledger.commits:
                raise BadInput(f"expected a new episode, but {episode.id} is committed; episodes are never overwritten")
            said = self._ledger.said
            open_questions = {n for n, q in self._asked.items() if q.id == episode.id}
        keys = episode.keys()
        lost = sorted(n for n in open_questions - set(keys) if n in said.answers)
        if lost:
            raise BadInput(
                f"expected episode {episode.id} to hold its answered decisions, but {', '.join(lost)} are missing"
            )
        known = tuple(a for k, a in said.answers.items() if k in keys)
        folded = fold_history(episode.decisions, said, self._rules)
        return replace(
            episode,
            answers=episode.answers or known,
            demonstrations=episode.demonstrations or folded.demonstrations,
        )

    def _forget_questions(self, episode: str) -> None:
        for name in [n for n, q in self._asked.items() if q.id == episode]:
            self._shelf.disk.remove(self._shelf.pending / f"{name}.h5")
            del self._asked[name]
        for name in [n for n, s in self._noted.items() if s.decision and s.decision.episode == episode]:
            del self._noted[name]

    def salvage(self) -> list[Episode]:
        """Commit questions that a crash left behind as interrupted episodes, so that what was said of them is learnt from."""
        with self._lock:
            groups: dict[str, list[Episode]] = {}
            for question in self._asked.values():
                groups.setdefault(question.id, []).append(question)
        saved = []
        for parts in groups.values():
            steps = tuple(s for p in parts for s in p.steps)
            first = steps[0].extra
            episode = replace(
                parts[0], steps=steps, seed=int(first.get("seed", parts[0].seed)), reason="interrupted by a crash",
                split=str(first.get("split", parts[0].split)), started=float(first.get("started", 0.0)),
            )  # fmt: skip
            self.append(episode)
            saved.append(episode)
        return saved

    # -- reading -----------------------------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """For readers: take in what was committed since; whether anything was. For the owner there is nothing to do."""
        if self._reader is None:
            return False
        with self._lock:
            rewound, records = self._reader.more()
            if rewound:
                self._ledger = Ledger()
            self._ledger.take(records)
            self.problems = [*self._reader.damage, *self._ledger.damage]
            self.problems += self._library.load(self._ledger.commits.values())
            self._refresh_questions()
            self._folded = None if records or rewound else self._folded
        return bool(records or rewound)

    def _refresh_questions(self) -> None:
        files = self._shelf.pending_files()
        for name in [n for n in self._asked if n not in files]:
            del self._asked[name]
        for name, file in files.items():
            if name in self._asked or name in self._library.where:
                continue
            try:
                self._asked[name] = self._shelf.read_pending(file)
                self._folded = None
            except (OSError, AskbackError, KeyError):
                continue  # the owner folded it into its episode while we looked; the next refresh sees that

    def answers(self) -> dict[str, Answer]:
        """Decision id → the answer in force, after undo and late verdicts."""
        return dict(self._said().answers)

    def _said(self) -> Said:
        with self._lock:
            return self._ledger.said

    def history(self) -> list[Event]:
        """Everything that was said, newest last; each knows whether it is undone."""
        with self._lock:
            return self._ledger.history()

    def spoken(self) -> list[tuple[int, Answer]]:
        """Answers in force with their event's number, in the order in which they were given: what undo takes back."""
        return [(e.seq, answer_of(e.body)) for e in self.history() if e.kind in said_events.ANSWERS and not e.undone]

    @property
    def last_sequence(self) -> int:
        """The number of the last durable event."""
        with self._lock:
            return max(self._ledger.events, default=0)

    def episodes(self) -> list[Summary]:
        """Committed episodes in the order of their commits."""
        with self._lock:
            return list(self._library.summaries.values())

    def read(self, episode: str) -> Episode:
        """A committed episode with its arrays, as it was when it ended; later amendments are in `answers`."""
        with self._lock:
            commit = self._ledger.commits.get(episode)
        if commit is None:
            raise BadInput(f"expected the id of a committed episode, got {episode!r}")
        return read_episode(self._shelf.path_of(commit))

    def pending(self) -> list[Pending]:
        """Questions whose episode is not committed, in the order in which they were asked."""
        with self._lock:
            answers = self._ledger.said.answers
            return [
                Pending(q.decisions[0], q.steps[0].observation, q.steps[0].extra, answers.get(n))
                for n, q in self._asked.items()
            ]

    def decisions(self) -> list[Decision]:
        """All in order; committed ones without maps. Then those of the episode under way."""
        with self._lock:
            done = [d for s in self._library.summaries.values() for d in s.decisions]
            return done + sorted(self._open_decisions(), key=lambda d: (d.time, d.episode, d.step))

    def _open_decisions(self) -> Iterator[Decision]:
        yield from (q.decisions[0] for q in self._asked.values())
        yield from (s.decision for s in self._noted.values() if s.decision)

    def _fold(self) -> Folded:
        with self._lock:
            if self._folded is None:
                said = self._ledger.said
                offline = [d for s in self._library.summaries.values() for d in s.demonstrations]
                self._folded = fold_history(self.decisions(), said, self._rules, offline)
            return self._folded

    def rows(self) -> Rows:
        """The history as the gate and PIER read it, after every amendment."""
        return self._fold().rows

    def demonstrations(self) -> list[Demonstration]:
        """Those in force: after undo, late verdicts and deletions."""
        return list(self._fold().demonstrations)

    def deleted(self) -> set[str]:
        """Ids of demonstrations that were deleted and not restored."""
        return set(self._said().deleted)

    def pins(self) -> set[str]:
        """Ids of pinned demonstrations."""
        return set(self._said().pinned)

    def weights(self) -> dict[str, float]:
        """Demonstration id → factor on its priority that a person set."""
        return dict(self._said().weights)

    def next_episode(self) -> str:
        """An id that is free: the number of episodes ever begun, six digits."""
        with self._lock:
            used = {*self._ledger.commits, *(d.episode for d in self._open_decisions())}
        number = len(self._ledger.commits)
        while f"{number:06d}" in used:
            number += 1
        return f"{number:06d}"

    def find(self, decision: str) -> tuple[Commit, int] | Step:
        """Where what was seen at a decision lies: a committed file and the step in it, or the open step itself."""
        with self._lock:
            if decision in self._library.where:
                episode, step = self._library.where[decision]
                return self._ledger.commits[episode], step
            if decision in self._asked:
                return self._asked[decision].steps[0]
            if decision in self._noted:
                return self._noted[decision]
        raise BadInput(f"expected the id of a decision of this lesson, got {decision!r}")

    def observation(self, decision: str) -> Observation:
        """What was seen at a decision."""
        found = self.find(decision)
        if isinstance(found, Step):
            return found.observation
        commit, step = found
        return read_episode(self._shelf.path_of(commit)).steps[step].observation

    def file_of(self, commit: Commit) -> Path:
        """A committed file, after its bytes were compared with its commit."""
        return self._shelf.path_of(commit)

    def commits(self) -> list[Commit]:
        """What the log says of every committed file, in order."""
        with self._lock:
            return list(self._ledger.commits.values())

    def log_damage(self) -> list[str]:
        """Sentences about what cannot be read in the log."""
        found = self._log.found.damage if self._log else self._reader.damage if self._reader else ()
        return [*found, *self._ledger.damage]

    def rebuild_index(self) -> list[str]:
        """Make the index agree with the files; what was wrong with it."""
        with self._lock:
            whole = ["the index, which was damaged"] if self._index.rebuilt else []
            return whole + [f"the index of episode {e}" for e in self._library.reindex(self.commits())]

    def mirror(self) -> Mirror:
        """The training mirror, refreshed: pictures of every demonstration in force, in memory."""
        from teaching.replay.mirror import Mirror

        if self._mirror is None:
            self._mirror = Mirror(self)
        self._mirror.refresh()
        return self._mirror

    def verify(self, rebuild: bool = True) -> VerifyReport:
        """Compare every byte with what was acknowledged; the owner also rebuilds the index."""
        from teaching.replay.verify import verify

        return verify(self, rebuild=rebuild and not self.readonly)

    def _check_writable(self) -> None:
        if self._log is None:
            raise ReadOnly(
                "expected a buffer open for writing, got a read-only one; what you want to say belongs to the lesson's host"
            )


__all__: Sequence[str] = ("Pending", "ReadOnly", "ReplayBuffer")
