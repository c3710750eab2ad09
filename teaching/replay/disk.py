"""The store's only way to the disk: few verbs, each one system call, so that tests can fail or record any of them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from teaching.types import AskbackError

TEMPORARY = ".tmp"
"""Suffix of a file that is being written; whatever bears it on start is left over from a crash and is dropped."""


class DiskFull(AskbackError):
    """No space left (or the quota is reached). Nothing acknowledged was lost; make space and do it again."""


class Disk:
    """The real disk. Every verb raises OSError, except `append` and `publish`: they turn a full disk into DiskFull."""

    def open(self, path: Path, flags: int) -> int:
        """A file descriptor."""
        return os.open(path, flags | os.O_CLOEXEC, 0o644)

    def close(self, descriptor: int) -> None:
        """Let go of it."""
        os.close(descriptor)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """How many bytes were taken; may be fewer than given."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """The file's bytes and size are on the medium when this returns."""
        os.fsync(descriptor)

    def sync_data(self, descriptor: int) -> None:
        """Like sync, without the time stamps."""
        getattr(os, "fdatasync", os.fsync)(descriptor)

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut a file."""
        os.ftruncate(descriptor, length)

    def rename(self, old: Path, new: Path) -> None:
        """Atomically; `new` is replaced."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Unlink."""
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """The names in a directory are on the medium when this returns."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def write_all(self, descriptor: int, data: bytes) -> None:
        """Every byte, however many calls it takes."""
        view = memoryview(data)
        while view:
            view = view[self.write(descriptor, view) :]

    def publish(self, path: Path, data: bytes) -> None:
        """A whole new file under its name, or nothing: written beside, fsynced, renamed, directory fsynced.

        Raises:
            DiskFull: nothing changed.
        """
        beside = path.with_name(path.name + TEMPORARY)
        try:
            descriptor = self.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                self.write_all(descriptor, data)
                self.sync(descriptor)
            finally:
                self.close(descriptor)
            self.rename(beside, path)
            self.sync_directory(path.parent)
        except OSError as error:
            self.remove(beside)
            self.remove(path)
            raise _explained(error, path) from error


def _explained(error: OSError, path: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"expected room on the disk for {path.name}, got none; make space, then do it again")
    return error
