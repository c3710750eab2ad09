"""Compare every byte with what was acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from teaching.types import AskbackError

if TYPE_CHECKING:
    from teaching.replay.buffer import ReplayBuffer


@dataclass(frozen=True)
class VerifyReport:
    """What was found. `whole`: everything that was ever acknowledged is there and right."""

    whole: bool
    events: int
    episodes: int
    answers: int
    demonstrations: int
    rebuilt: tuple[str, ...] = ()
    """What was made anew from the log and the files."""
    damaged: tuple[str, ...] = ()
    """Acknowledged things that cannot be read, in sentences."""
    missing: tuple[str, ...] = ()
    """Acknowledged things that are gone, in sentences."""
    quarantined: tuple[str, ...] = ()
    """Files that were set aside, now or earlier."""
    notes: tuple[str, ...] = ()
    """What opening found and mended."""

    def sentences(self) -> list[str]:
        """The report for a person, worst first."""
        head = "whole" if self.whole else "NOT whole"
        counts = f"{self.events} events, {self.episodes} episodes, {self.answers} answers"
        counts += f", {self.demonstrations} demonstrations"
        return [f"{head}: {counts}", *self.damaged, *self.missing, *self.notes, *(f"rebuilt {r}" for r in self.rebuilt)]


def verify(buffer: ReplayBuffer, *, rebuild: bool) -> VerifyReport:
    """Read every committed file and compare it with its SHA-256 in the log; rebuild the index if asked to."""
    damaged = list(buffer.log_damage())
    missing: list[str] = []
    for commit in buffer.commits():
        try:
            buffer.file_of(commit)
        except AskbackError as error:
            gone = not (buffer.path / "episodes" / commit.file).exists()
            (missing if gone else damaged).append(str(error))
    missing += _subjectless(buffer)
    rebuilt = buffer.rebuild_index() if rebuild else ()
    aside = buffer.path / "quarantine"
    return VerifyReport(
        whole=not damaged and not missing,
        events=len(buffer.history()),
        episodes=len(buffer.commits()),
        answers=len(buffer.answers()),
        demonstrations=len(buffer.demonstrations()),
        rebuilt=tuple(rebuilt),
        damaged=tuple(damaged),
        missing=tuple(missing),
        quarantined=tuple(sorted(p.name for p in aside.iterdir())) if aside.is_dir() else (),
        notes=tuple(buffer.problems),
    )


def _subjectless(buffer: ReplayBuffer) -> list[str]:
    """Answers whose plan and picture are nowhere."""
    known = {d.id for d in buffer.decisions()}
    return [
        f"expected the plan that answer to {a} is about, found it nowhere" for a in buffer.answers() if a not in known
    ]
