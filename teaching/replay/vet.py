"""Is an HDF5 file from outside safe to read? Asked in a child process with limits, before anything else opens it.

HDF5 files can name other files (external links, external storage, virtual datasets), declare sizes that no memory
holds, hold references and variable-length objects, or crash the parser. Only what an episode is made of passes.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from teaching.replay.file import SCHEMA, EpisodeFileError, read_episode
from teaching.types import AskbackError

MAX_BYTES = 512 * 2**20
"""Largest file, and largest sum of declared array sizes."""
MAX_ITEMS = 200
"""Most arrays in one file."""
_MEMORY = 2 * 2**30
_SECONDS = 20
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}
_GROUPS = ("observations", "maps", "actions")
_MORE = ("frames", "pictures")
"""Groups that only some episodes have."""
_ARRAYS = ("record", "reward")
_ATTRIBUTES = {"/": {"format", "schema"}, "array": {"steps"}}
_PROJECT = Path(__file__).resolve().parents[2]


def vet(path: Path) -> None:
    """Refuse a file that is not plainly an episode; EpisodeFileError says why in a sentence."""
    if path.is_symlink() or not path.is_file():
        raise EpisodeFileError(f"expected a plain file at {path.name}, got something else")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise EpisodeFileError(f"expected at most {MAX_BYTES // 2**20} MB in {path.name}, got {size // 2**20} MB")
    command = [sys.executable, "-m", "teaching.replay.vet", str(path.resolve())]
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=2 * _SECONDS, check=False, cwd=_PROJECT
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EpisodeFileError(f"{path.name} is refused: reading it took more than {2 * _SECONDS} s") from error
    if child.returncode:
        lines = child.stdout.strip().splitlines()
        why = lines[-1] if child.returncode == 1 and lines else f"reading it ended the reader ({child.returncode})"
        raise EpisodeFileError(f"{path.name} is refused: {why}")


def fault(path: Path) -> str | None:
    """What is wrong with a file, in a sentence. To be asked in a limited process only."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            found = next(_faults(file), None)
        if found is None:
            read_episode(path)
    except (AskbackError, OSError, LookupError, TypeError, ValueError, RuntimeError, MemoryError) as error:
        return f"expected a whole episode, got one that cannot be read ({str(error)[:200]})"
    return found


def _faults(file: h5py.File) -> Iterator[str]:
    if file.attrs.get("format") != "askback-episode":
        yield "expected an Askback episode, got an HDF5 file of another kind"
    elif file.attrs.get("schema") != SCHEMA:
        yield f"expected schema {SCHEMA}, got {str(file.attrs.get('schema'))[:20]}"
    yield from _attribute_faults("/", file, _ATTRIBUTES["/"])
    total = 0
    for count, (name, array) in enumerate(_arrays(file)):
        problem = array if isinstance(array, str) else _array_fault(name, array)
        if problem or count >= MAX_ITEMS:
            yield problem or f"expected at most {MAX_ITEMS} arrays, got more"
            return
        yield from _attribute_faults(name, array, _ATTRIBUTES["array"])
        total += int(array.size) * int(array.dtype.itemsize)
        if total > MAX_BYTES:
            yield f"expected arrays of at most {MAX_BYTES // 2**20} MB, but up to {name} they take {total // 2**20} MB"
            return
    missing = [n for n in (*_ARRAYS, *_GROUPS) if n not in file]
    if missing:
        yield f"expected {', '.join(missing)} in it, found none"


def _arrays(group: h5py.Group, parent: str = "") -> Iterator[tuple[str, Any]]:
    """Every array with its name; what no episode has comes with a sentence in place of the array."""
    for name in group:
        full = f"{parent}{name[:60]}"
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):  # before anything else: even to ask its kind would follow it
            yield full, f"expected no links in it, but {full} is one ({type(link).__name__})"
            continue
        kind = group.get(name, getclass=True)
        if kind is h5py.Dataset and (parent or name in _ARRAYS):
            yield full, group[name]
        elif kind is h5py.Group and not parent and name in (*_GROUPS, *_MORE):
            yield from _arrays(group[name], f"{name}/")
        else:
            yield full, f"expected only {', '.join((*_ARRAYS, *_GROUPS, *_MORE))} in it, got {full!r}"


def _array_fault(name: str, array: h5py.Dataset) -> str | None:
    plist = array.id.get_create_plist()
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    if array.is_virtual:
        return f"expected {name} to hold its own data, but it is a virtual dataset"
    if plist.get_external_count():
        return f"expected {name} to hold its own data, but it reads another file"
    if array.dtype.kind not in "biuf" or array.shape is None:
        return f"expected numbers in {name}, got {array.dtype}"
    if not filters <= _FILTERS:
        return f"expected gzip and shuffle or nothing in {name}, got filters {sorted(filters)}"
    return None


def _attribute_faults(name: str, item: Any, known: set[str]) -> Iterator[str]:
    extra = sorted(set(item.attrs) - known)
    if extra:
        yield f"expected the attributes {', '.join(sorted(known))} at {name}, got {extra[0][:60]!r}"


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main(arguments: list[str] | None = None) -> int:
    """The child: prints the first fault and returns 1, or returns 0."""
    parser = argparse.ArgumentParser(prog="python -m teaching.replay.vet", description="Is an episode safe to read?")
    parser.add_argument("path", type=Path)
    path = parser.parse_args(arguments).path
    _limit()
    found = fault(path)
    if found:
        sys.stdout.write(found + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
