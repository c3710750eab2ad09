"""Summaries of the committed episodes, from the index where it agrees with the log, else from the files."""

from __future__ import annotations

from collections.abc import Iterable

from teaching.replay import nouns
from teaching.replay.episode import Summary
from teaching.replay.file import read_record, summary_of
from teaching.replay.index import Index
from teaching.replay.shelf import Commit, Shelf
from teaching.types import AskbackError


class Library:
    """Episode id → Summary, in the order of the commits."""

    def __init__(self, shelf: Shelf, index: Index) -> None:
        self._shelf, self._index = shelf, index
        self.summaries: dict[str, Summary] = {}
        self.where: dict[str, tuple[str, int]] = {}
        """Step's key (its decision's id) → episode and index of the step in it."""
        self.damaged: dict[str, str] = {}
        """Episode id → why it cannot be read."""
        self.anew: list[str] = []
        """Episodes whose summary had to be read from their files, for the index lacked it."""

    def load(self, commits: Iterable[Commit]) -> list[str]:
        """Take in commits that are new; sentences about those that cannot be read."""
        new = [c for c in commits if c.episode not in self.summaries]
        if not new:
            return []
        cached = self._index.records() if len(new) > 1 else {}
        rows, problems = [], []
        for commit in new:
            digest, data = cached.get(commit.episode, ("", b""))
            try:
                self._check_size(commit)
                fresh = digest != commit.sha256
                record = read_record(self._shelf.path_of(commit)) if fresh else nouns.from_bytes(data)
                self.take(summary_of(record))
                if fresh:
                    rows.append((commit.episode, commit.sha256, nouns.to_bytes(record)))
            except (AskbackError, OSError, KeyError, ValueError) as error:
                self.damaged[commit.episode] = str(error)
                problems.append(f"episode {commit.episode} cannot be read: {error}")
        if rows and self._index.put(rows):
            self.anew += [row[0] for row in rows]
        return problems

    def _check_size(self, commit: Commit) -> None:
        """Cheap, at every start; `verify` compares every byte."""
        path = self._shelf.episodes / commit.file
        size = path.stat().st_size if path.exists() else None
        if size != commit.bytes:
            raise AskbackError(
                f"expected {commit.bytes} bytes in {commit.file}, got {size if size is not None else 'no file'}"
            )

    def reindex(self, commits: Iterable[Commit]) -> list[str]:
        """Rebuild the index where it disagrees with the log; what was made anew since the buffer was opened."""
        wanted = {c.episode: c for c in commits if c.episode not in self.damaged}
        cached = self._index.records()
        if set(cached) - set(wanted):
            self._index.clear()
            cached = {}
        stale = [c for c in wanted.values() if cached.get(c.episode, ("",))[0] != c.sha256]
        records = [(c, read_record(self._shelf.path_of(c))) for c in stale]
        self._index.put([(c.episode, c.sha256, nouns.to_bytes(r)) for c, r in records])
        anew, self.anew = [*self.anew, *(c.episode for c in stale)], []
        return [f"the index of {len(anew)} episodes"] if anew else []

    def take(self, summary: Summary) -> None:
        """One episode more."""
        self.summaries[summary.id] = summary
        self.damaged.pop(summary.id, None)
        self.where |= {key: (summary.id, index) for index, key in enumerate(summary.keys)}
