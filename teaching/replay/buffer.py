"""ReplayBuffer: everything a lesson was shown and told, for good. One directory per lesson.

What was said lives in the event log, what was seen and done in one file per episode; both are on the medium before a
call returns. The owner (one process) writes; any number of read-only buffers follow what is committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robot_io.arm import Observation
from teaching.replay import recovery
from teaching.replay.bookkeeper import Bookkeeper
from teaching.replay.changes import Change, History
from teaching.replay.committer import Committer
from teaching.replay.disk import Disk, DiskFull
from teaching.replay.episode import Episode, Step
from teaching.replay.events import ANSWERS, OWN, Event, checked_body, event_bytes, event_of
from teaching.replay.file import light, record_of, summarise
from teaching.replay.fold import Folder
from teaching.replay.index import Index
from teaching.replay.log import EventLog, LogReader
from teaching.replay.nouns import to_bytes
from teaching.replay.questions import question_of
from teaching.replay.reading import Pending, Reading
from teaching.replay.shelf import Commit, Shelf
from teaching.types import Answer, AskbackError, BadInput, Decision

if TYPE_CHECKING:
    from teaching.replay.verify import VerifyReport

__all__ = ["Pending", "ReadOnly", "ReplayBuffer"]


class ReadOnly(AskbackError):
    """A reader was asked to write."""


class ReplayBuffer(Reading):
    """Append, read, fold, sample and verify."""

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
        self._folder = Folder(self._created_with)
        self._lock = threading.RLock()
        self._saying = threading.RLock()
        self._committing = threading.Lock()
        self.problems = []
        self._log = None if readonly else EventLog(self._shelf.log, self._shelf.disk)
        self._reader = LogReader(self._shelf.log) if readonly else None
        self._index = Index(self._shelf.index, readonly=readonly)
        self._books = Bookkeeper(self._index)
        self._committer = Committer(self.append)
        self._forget_everything()
        try:
            self._recover() if self._log else self.refresh()
        except BaseException:
            self.close()
            raise

    def _recover(self) -> None:
        assert self._log is not None
        with self._lock:
            found = recovery.recover(self._shelf, self._log, self._ledger, self._library, self._questions, self._say)
            self.problems += found
        self._books.open(self._history())

    @classmethod
    def create(cls, path: Path | str, lesson: Mapping[str, Any], **how: Any) -> ReplayBuffer:
        """Make a directory for a new lesson and open it; BadInput if one is there already.

        Args:
            path: the directory; made with its parents.
            lesson: plain values; the buffer reads `task`, `split`, `seed`, `gate`, `validation` and `relabelling`.
            how: `clock` and `disk` of the constructor.
        """
        Shelf.create(Path(path), lesson, how.get("disk") or Disk())
        return cls(path, **how)

    def close(self) -> None:
        """Finish the commits under way and let go of everything; twice is harmless."""
        self._committer.close()
        if self._log:
            self._books.catch_up(self._history, self._lock)
        self._index.close()
        if self._log:
            self._log.close()

    def everything(self) -> Change:
        """All decisions and demonstrations as they stand, for whoever writes columns of them."""
        with self._lock:
            return self._history().collect()

    def _history(self) -> History:
        return History(self._ledger, self._library, self._questions, self._folder, self.lesson)

    @property
    def checkpoints(self) -> Path:
        """Where models are published."""
        return self._shelf.checkpoints

    # -- saying ------------------------------------------------------------------------------------------------------

    def ask(self, decision: Decision, observation: Observation, extra: Mapping[str, Any] | None = None) -> None:
        """Commit a question before it is shown: its plan, what was seen, and plain values that resuming needs.

        `seed`, `split`, `started` and `truth` in `extra` find their way into the episode if a crash ends it here.
        """
        with self._writing(), self._lock:
            if decision.id in self._library.where or decision.id in self._questions.asked:
                raise BadInput(f"expected a new decision, but {decision.id} was asked or committed before")
        self._make_durable(Step(observation, decision, extra=extra or {}))

    def _make_durable(self, step: Step) -> None:
        question = question_of(step, self.lesson)
        self._shelf.publish_pending(question)
        with self._lock:
            committed = self._library.where.keys() & set(question.keys())  # by the committer, meanwhile
            if not committed:
                self._questions.take(question)
            self._folded = None
        self._shelf.remove_pending(committed)

    def note(self, decision: Decision, observation: Observation, extra: Mapping[str, Any] | None = None) -> None:
        """Remember a decision that was not asked until its episode is committed, in memory only.

        From here on it is in `decisions` and `rows`; a late verdict on it commits it like a question first.
        """
        self._check_writable()
        with self._lock:
            if decision.id not in self._library.where and decision.id not in self._questions.asked:
                self._questions.noted[decision.id] = Step(observation, decision, extra=extra or {})
                self._folded = None

    def say(self, kind: str, body: Mapping[str, Any] | Answer) -> int:
        """Put one event into the log; its number. It is on the medium when this returns.

        Raises:
            BadInput: the event could not be folded later, such as an answer to a decision that the buffer does not
                know (`ask` or `note` it first).
            DiskFull: nothing was saved; say it again once there is space.
        """
        if kind in OWN:
            raise BadInput(f"expected an event of a lesson, but {kind!r} events are the store's own")
        with self._writing():
            with self._lock:
                checked = checked_body(kind, body, self._ledger.events)
            subject = str(checked.get("decision"))
            if kind in ANSWERS:
                self._secure(subject)
            if kind == "withdraw" and subject in self.answers():
                raise BadInput(f"expected an unanswered question to withdraw, but {subject} is answered; undo it first")
            seq = self._say(kind, checked, body if isinstance(body, Answer) else None)
            if kind == "withdraw":
                with self._lock:
                    gone = self._questions.forget([subject])
                self._shelf.remove_pending(gone)
            if kind not in ANSWERS or subject in self._library.where:  # else its episode's commit will write it
                self._books.catch_up(self._history, self._lock)
            return seq

    def _secure(self, decision: str) -> None:
        """No answer without its subject: one that is in memory only is committed first."""
        with self._lock:
            if decision in self._library.where or decision in self._questions.asked:
                return
            step = self._questions.step(decision)
        if step is None:
            raise BadInput(f"expected a decision of this lesson to answer, got {decision!r}; ask or note it first")
        self._make_durable(step)

    def _say(self, kind: str, body: Mapping[str, Any], answer: Answer | None = None) -> int:
        with self._saying:
            assert self._log is not None
            now, seq = self._clock(), self._log.seq + 1
            payload = event_bytes(kind, body, now)  # what cannot be read back is refused; an Answer has checked itself
            event = Event(seq, kind, body, now, answer=answer) if answer else event_of(seq, payload)
            self._log.append(payload)
            with self._lock:
                self._ledger.add(event)
                self._folded = None
        return seq

    # -- committing --------------------------------------------------------------------------------------------------

    def append(self, episode: Episode) -> None:
        """Commit an episode; its questions are folded into it. It is on the medium when this returns.

        Raises:
            BadInput: the id is taken, or an answered question of this episode is missing from it.
            DiskFull: nothing changed; append it again once there is space.
        """
        self._check_writable()
        with self._committing:
            with self._lock:
                episode = self._with_answers(episode)
            record, summary = record_of(episode), summarise(episode)
            commit = self._shelf.publish_episode(episode, record)
            self._commit(commit)
            with self._lock:
                self._library.take(summary)
                gone = self._questions.forget_episode(episode.id)
                self._folded = None
            self._shelf.remove_pending(gone)
            self._index.put([(commit.episode, commit.sha256, to_bytes(light(record, summary.reward)))])
            self._books.catch_up(self._history, self._lock)

    def _commit(self, commit: Commit) -> None:
        try:
            self._say("commit", vars(commit))
        except DiskFull:
            self._shelf.disk.remove(self._shelf.episodes / commit.file)
            raise

    def append_soon(self, episode: Episode) -> Future[None]:
        """Commit on a thread of its own; the future holds what `append` would raise. At once it is in `rows`."""
        for step in episode.steps:
            if step.decision is not None:
                self.note(step.decision, step.observation, step.extra)
        return self._committer.put(episode)

    def _with_answers(self, episode: Episode) -> Episode:
        """With the answers and demonstrations that are in force now, unless it brings its own."""
        if episode.id in self._ledger.commits:
            raise BadInput(f"expected a new episode, but {episode.id} is committed; episodes are never overwritten")
        said, keys = self._ledger.said, episode.keys()
        lost = sorted(n for n in self._questions.of_episode(episode.id) - set(keys) if n in said.answers)
        if lost:
            raise BadInput(
                f"expected episode {episode.id} to hold its answered decisions, but it lacks {', '.join(lost)}"
            )
        known = tuple(a for k, a in said.answers.items() if k in keys)
        folded = self._folder.fold(episode.decisions, said)
        demonstrations = episode.demonstrations or folded.demonstrations
        return replace(episode, answers=episode.answers or known, demonstrations=demonstrations)

    def interrupted(self) -> list[Episode]:
        """What a crash left behind: its questions, as the episodes that `salvage` would commit."""
        with self._lock:
            return self._questions.interrupted()

    def salvage(self, but: Episode | None = None) -> list[Episode]:
        """Commit `interrupted`, so that what was said of them is kept, but for one that goes on."""
        self._check_writable()
        for episode in (left := [e for e in self.interrupted() if but is None or e.id != but.id]):
            self.append(episode)
        return left

    def _check_writable(self) -> None:
        if self._log is None:
            raise ReadOnly(f"expected {self.path} open for writing, got it read-only; say it to the lesson's host")

    def _writing(self) -> threading.RLock:
        """Hold this to say something. It is held while the disk works; `_lock`, for what is in memory, never is."""
        self._check_writable()
        return self._saying

    def rebuild_index(self) -> list[str]:
        """Make the index agree with the files; what was made anew since the buffer was opened."""
        if self._log is None:
            return []
        with self._committing:
            anew = self._library.reindex(self.commits())
            self._books.catch_up(self._history, self._lock, anew=True)
            return anew

    def verify(self, rebuild: bool = True) -> VerifyReport:
        """Compare every byte with what was acknowledged; the owner also rebuilds the index."""
        from teaching.replay.verify import verify

        self.refresh()
        return verify(self, rebuild=rebuild)
