"""The directory of one replay buffer: which file lies where, and how a file gets there and leaves."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teaching.replay import nouns
from teaching.replay.disk import TEMPORARY, Disk
from teaching.replay.episode import Episode, checked_name
from teaching.replay.file import SCHEMA, EpisodeFileError, check_whole, pack_episode, read_episode
from teaching.types import BadInput

_FOLDERS = ("episodes", "pending", "checkpoints", "quarantine")


class NotABuffer(BadInput):
    """No replay buffer of this schema lies there."""


@dataclass(frozen=True)
class Commit:
    """What the log says of an episode's file."""

    episode: str
    file: str
    """Name inside `episodes/`."""
    bytes: int
    sha256: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Commit:
        """From the body of a commit event."""
        return cls(str(body["episode"]), str(body["file"]), int(body["bytes"]), str(body["sha256"]))


def _make_folder(folder: Path, disk: Disk) -> None:
    """Make a folder and its parents, durably."""
    if not folder.is_dir():
        _make_folder(folder.parent, disk)
        folder.mkdir(exist_ok=True)
        disk.sync_directory(folder.parent)


class Shelf:
    """Paths and whole-file verbs. Nothing here knows the log."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path, self.disk = path, disk
        self.log = path / "events.log"
        self.index = path / "index.sqlite"
        self.episodes, self.pending, self.checkpoints, self.quarantine = (path / name for name in _FOLDERS)

    @staticmethod
    def create(path: Path, lesson: Mapping[str, Any], disk: Disk) -> Shelf:
        """A new directory; `lesson.json` is written last, so what has one is complete."""
        shelf = Shelf(path, disk)
        if (path / "lesson.json").exists():
            raise BadInput(
                f"expected a new place for a lesson, but {path} already holds one; open it, or choose another name"
            )
        for folder in (path, *(path / name for name in _FOLDERS)):
            _make_folder(folder, disk)
        disk.publish(path / "lesson.json", nouns.to_bytes({"schema": SCHEMA, "lesson": lesson}))
        return shelf

    def lesson(self) -> dict[str, Any]:
        """What it was created with; NotABuffer for another schema or another directory."""
        file = self.path / "lesson.json"
        if not file.is_file():
            raise NotABuffer(f"expected a lesson in {self.path}, found no lesson.json there; create one first")
        value = nouns.from_bytes(file.read_bytes())
        if not isinstance(value, dict) or not isinstance(value.get("lesson"), dict):
            raise NotABuffer(f"expected lesson.json in {self.path} to hold a schema and a lesson, got something else")
        if value.get("schema") != SCHEMA:
            raise NotABuffer(
                f"expected a lesson of schema {SCHEMA} in {self.path}, got {value.get('schema')!r}; "
                "open it with the version that wrote it"
            )
        lesson: dict[str, Any] = value["lesson"]
        return lesson

    def drop_temporaries(self) -> list[str]:
        """Remove what a crash left half-written; none of it was ever acknowledged."""
        dropped = []
        for name in _FOLDERS:
            (self.path / name).mkdir(exist_ok=True)  # a copy may have lost its empty ones
        for folder in (self.path, self.episodes, self.pending, self.quarantine):
            for item in sorted(folder.glob(f"*{TEMPORARY}")):
                if item.is_dir():
                    shutil.rmtree(item)
                else:
                    self.disk.remove(item)
                dropped.append(str(item.relative_to(self.path)))
        return dropped

    def publish_episode(self, episode: Episode, record: Mapping[str, Any] | None = None) -> Commit:
        """Write an episode's file; its commit line is still to come."""
        path = self.episodes / f"{episode.id}.h5"
        if path.exists():
            raise BadInput(f"expected a new episode, but {episode.id} already exists; episodes are never overwritten")
        data = pack_episode(episode, record=record)
        self.disk.publish(path, data)
        return Commit(episode.id, path.name, len(data), hashlib.sha256(data).hexdigest())

    def path_of(self, commit: Commit) -> Path:
        """The committed file, after its bytes were compared with the commit; EpisodeFileError if they differ."""
        path = self.episodes / checked_name(commit.file, "a file name")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise EpisodeFileError(
                f"expected episode {commit.episode} in {path.name}, got: {error.strerror}"
            ) from error
        if hashlib.sha256(data).hexdigest() != commit.sha256:
            raise EpisodeFileError(
                f"expected episode {commit.episode} as it was committed, but {path.name} has changed "
                f"({len(data)} bytes, committed {commit.bytes}); bring it back from a backup"
            )
        return path

    def orphans(self, committed: set[str]) -> Iterator[Path]:
        """Things in `episodes/` that no commit names."""
        for item in sorted(self.episodes.iterdir()):
            if item.name not in committed and not item.name.endswith(TEMPORARY):
                yield item

    def whole(self, path: Path) -> Commit:
        """The commit that a whole, uncommitted file would have; EpisodeFileError or BadInput says what is wrong."""
        if path.is_symlink() or not path.is_file():
            raise EpisodeFileError(f"expected a plain file at {path.name}, got something else")
        digest = check_whole(path.read_bytes(), path.name)
        episode = read_episode(path)
        if path.name != f"{episode.id}.h5":
            raise EpisodeFileError(f"expected episode {episode.id} in {episode.id}.h5, got it in {path.name}")
        return Commit(episode.id, path.name, path.stat().st_size, digest)

    def set_aside(self, path: Path) -> Path:
        """Move something to `quarantine/`; nothing there is ever replaced."""
        target = self.quarantine / path.name
        number = 1
        while target.exists() or target.is_symlink():
            target = self.quarantine / f"{path.name}.{number}"
            number += 1
        self.quarantine.mkdir(exist_ok=True)
        self.disk.rename(path, target)
        self.disk.sync_directory(self.quarantine)
        self.disk.sync_directory(path.parent)
        return target

    def publish_pending(self, episode: Episode) -> None:
        """Commit a question as an episode of one step, before it is shown."""
        name = checked_name(episode.keys()[0], "a decision id")
        self.disk.publish(self.pending / f"{name}.h5", pack_episode(episode, compress=False))

    def remove_pending(self, decisions: Iterable[str]) -> None:
        """Drop questions whose episode is committed, or that were withdrawn; a power loss may bring them back."""
        for name in decisions:
            self.disk.remove(self.pending / f"{name}.h5")

    def pending_files(self) -> dict[str, Path]:
        """Decision id → file, in the order in which they were asked."""
        files = [f for f in self.pending.glob("*.h5") if f.is_file()]
        return {f.stem: f for f in sorted(files, key=lambda f: (f.stat().st_mtime_ns, f.name))}

    def read_pending(self, path: Path) -> Episode:
        """A question as it was asked; EpisodeFileError if the file is damaged."""
        check_whole(path.read_bytes(), path.name)
        return read_episode(path)
