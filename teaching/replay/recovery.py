"""Start-up of a buffer's owner: whatever state a crash left becomes a whole one, and what was done about it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from teaching.replay.file import EpisodeFileError
from teaching.replay.ledger import Ledger
from teaching.replay.library import Library
from teaching.replay.log import EventLog
from teaching.replay.questions import Questions
from teaching.replay.shelf import Shelf
from teaching.replay.vet import vet
from teaching.types import AskbackError

Say = Callable[[str, Mapping[str, Any]], int]


def recover(shelf: Shelf, log: EventLog, ledger: Ledger, library: Library, questions: Questions, say: Say) -> list[str]:
    """Drop temporaries, read the log, adopt or set aside loose files, load episodes and open questions.

    Returns:
        Sentences about everything that was not as an orderly end leaves it, half-written files excepted.
    """
    shelf.drop_temporaries()
    problems = []
    if log.set_aside:
        problems.append(
            f"the log ended in the middle of an event, before it was saved; that tail is in {log.set_aside.name}"
        )
    ledger.take(log.found.records)
    problems += [*log.found.damage, *ledger.damage]
    committed = {c.file for c in ledger.commits.values()}
    problems += [_adopt(shelf, ledger, orphan, say) for orphan in list(shelf.orphans(committed))]
    problems += library.load(ledger.commits.values())
    problems += _recover_questions(shelf, ledger, library, questions, say)
    return problems


def _adopt(shelf: Shelf, ledger: Ledger, path: Path, say: Say) -> str:
    """A whole episode without its commit line gets one; anything else goes to quarantine."""
    try:
        vet(path)
        commit = shelf.whole(path)
        if commit.episode in ledger.commits:
            raise EpisodeFileError(
                f"expected a new episode in {path.name}, but {commit.episode} is committed elsewhere"
            )
    except (AskbackError, OSError, KeyError, TypeError, ValueError) as error:
        return _set_aside(shelf, path, str(error), say)
    say("commit", {**vars(commit), "adopted": True})
    return f"{path.name} was whole but not yet committed; it is now"


def _set_aside(shelf: Shelf, path: Path, why: str, say: Say) -> str:
    where = shelf.set_aside(path)
    say("quarantine", {"file": str(path.relative_to(shelf.path)), "to": where.name, "why": why})
    return f"{path.name} was moved to quarantine/{where.name}: {why}"


def _recover_questions(shelf: Shelf, ledger: Ledger, library: Library, questions: Questions, say: Say) -> Iterator[str]:
    """Questions of committed episodes and withdrawn ones are dropped, unreadable ones set aside."""
    done = ledger.said.withdrawn
    for name, file in shelf.pending_files().items():
        if name in library.where or name in done:
            shelf.disk.remove(file)
    for name, why in questions.load(library.where, done):
        yield _set_aside(shelf, shelf.pending / f"{name}.h5", why, say)
    for other in sorted(p for p in shelf.pending.iterdir() if p.stem not in questions.asked):
        yield _set_aside(shelf, other, "expected only questions here, got something else", say)
