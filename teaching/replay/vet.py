"""Is an HDF5 file from outside safe to read? Asked in a child process with limits, before anything else opens it.

HDF5 files can name other files (external links, external storage, virtual datasets), declare sizes that no memory holds,
hold references and variable-length objects, or crash the parser. Only what an episode is made of is let through.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from teaching.replay.file import SCHEMA, EpisodeFileError

MAX_BYTES = 512 * 2**20
"""Largest file, and largest sum of declared array sizes."""
MAX_ITEMS = 200
_MEMORY = 2 * 2**30
_SECONDS = 20
_FILTERS = {"gzip", None}
_GROUPS = ("observations", "maps", "actions")
_ROOTS = ("record", "reward")


def vet(path: Path) -> None:
    """Refuse a file that is not plainly an episode; EpisodeFileError says why in a sentence."""
    size = path.stat().st_size
    if path.is_symlink() or not path.is_file():
        raise EpisodeFileError(f"expected a plain file at {path.name}, got something else")
    if size > MAX_BYTES:
        raise EpisodeFileError(f"expected at most {MAX_BYTES // 2**20} MB in {path.name}, got {size // 2**20} MB")
    command = [sys.executable, "-m", "teaching.replay.vet", str(path.resolve())]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=2 * _SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise EpisodeFileError(
            f"expected to read {path.name} within {2 * _SECONDS} s, gave up; it is not used"
        ) from error
    if child.returncode:
        lines = child.stdout.strip().splitlines()
        why = (
            lines[-1] if child.returncode == 1 and lines else f"reading it ended the reader (status {child.returncode})"
        )
        raise EpisodeFileError(f"{path.name} is refused: {why}")


def faults(path: Path) -> Iterator[str]:
    """What is wrong with a file, in sentences. Run this in a limited process only."""
    import h5py

    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        yield f"expected an HDF5 file, got another one or a damaged one ({error})"
        return
    with file:
        if file.attrs.get("format") != "askback-episode":
            yield "expected an Askback episode, got an HDF5 file of another kind"
            return
        if file.attrs.get("schema") != SCHEMA:
            yield f"expected schema {SCHEMA}, got {file.attrs.get('schema')!r}"
            return
        yield from _tree_faults(file)


def _tree_faults(file: object) -> Iterator[str]:
    total, count = 0, 0
    for name, dataset, fault in _walk(file):
        count += 1
        if fault or count > MAX_ITEMS:
            yield fault or f"expected at most {MAX_ITEMS} datasets, got more"
            return
        yield from _dataset_faults(name, dataset)
        total += int(dataset.size) * int(dataset.dtype.itemsize)
        if total > MAX_BYTES:
            yield f"expected arrays of at most {MAX_BYTES // 2**20} MB, but {name} declares {total / 2**20:.0f} MB"
            return
    missing = [n for n in (*_ROOTS, *_GROUPS) if n not in file]  # type: ignore[operator]
    if missing:
        yield f"expected {', '.join(missing)} in it, found none"


def _walk(file: object) -> Iterator[tuple[str, object, str]]:
    """Every dataset with its name; a link that leaves the file, or a name that no episode has, comes as a fault."""
    import h5py

    for name in file:  # type: ignore[attr-defined]
        link = file.get(name, getlink=True)  # type: ignore[attr-defined]
        if not isinstance(link, h5py.HardLink):
            yield name, None, f"expected no links in it, but {name} is a {type(link).__name__}"
        elif name in _ROOTS and file.get(name, getclass=True) is h5py.Dataset:  # type: ignore[attr-defined]
            yield name, file[name], ""  # type: ignore[index]
        elif name in _GROUPS and file.get(name, getclass=True) is h5py.Group:  # type: ignore[attr-defined]
            yield from _walk_group(name, file[name])  # type: ignore[index]
        else:
            yield name, None, f"expected only {', '.join((*_ROOTS, *_GROUPS))} in it, got {name[:60]!r}"


def _walk_group(parent: str, group: object) -> Iterator[tuple[str, object, str]]:
    import h5py

    for name in group:  # type: ignore[attr-defined]
        full = f"{parent}/{name[:60]}"
        link = group.get(name, getlink=True)  # type: ignore[attr-defined]
        if not isinstance(link, h5py.HardLink):
            yield full, None, f"expected no links in it, but {full} is a {type(link).__name__}"
        elif group.get(name, getclass=True) is not h5py.Dataset:  # type: ignore[attr-defined]
            yield full, None, f"expected an array at {full}, got something else"
        else:
            yield full, group[name], ""  # type: ignore[index]


def _dataset_faults(name: str, dataset: object) -> Iterator[str]:
    if dataset.is_virtual:  # type: ignore[attr-defined]
        yield f"expected {name} to hold its own data, but it is a virtual dataset"
    elif dataset.external:  # type: ignore[attr-defined]
        yield f"expected {name} to hold its own data, but it reads another file"
    elif dataset.dtype.kind not in "biuf":  # type: ignore[attr-defined]
        yield f"expected numbers in {name}, got {dataset.dtype}"  # type: ignore[attr-defined]
    elif dataset.compression not in _FILTERS:  # type: ignore[attr-defined]
        yield f"expected gzip or no compression in {name}, got {dataset.compression!r}"  # type: ignore[attr-defined]


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str] | None = None) -> int:
    """The child: prints the first fault and exits 1, or exits 0."""
    parser = argparse.ArgumentParser(
        prog="python -m teaching.replay.vet", description="Is an episode file safe to read?"
    )
    parser.add_argument("path", type=Path)
    path = parser.parse_args(arguments).path
    _limit()
    fault = next(faults(path), None)
    if fault:
        sys.stdout.write(fault + "\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
