"""The child that looks at a LeRobot dataset from elsewhere, with limits on its memory, its time and what it writes.

`python -m teaching.export.vet DIR` writes the columns to its standard output (an `.npz`), or says on standard error
what is wrong and returns 1. Pictures and films are never opened.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet

from teaching.export.foreign import SECONDS
from teaching.types import Array, BadInput

MAX_FILES = 20_000
MAX_BYTES = 512 * 2**20
"""Of the columns that are read, as the files declare them."""
MAX_TEXT = 16 * 2**20
"""Of one JSON file."""
MAX_FRAMES = 2_000_000
_MEMORY = 4 * 2**30
_WORDS = ("segment",)
_SIDE = "meta/askback.json"


def read(root: Path) -> dict[str, Any]:
    """Everything that is handed over; BadInput says what is wrong. To be called in a limited process only."""
    files = list(_files(root))
    info = _info(root)
    columns: dict[str, list[Array]] = {}
    taken, frames = 0, 0
    for path in [p for p in files if p.suffix == ".parquet" and p.relative_to(root).parts[0] == "data"]:
        file = parquet.ParquetFile(path, memory_map=False)
        wanted = _wanted(file, info)
        frames += file.metadata.num_rows
        taken += _declared(file, wanted)
        if taken > MAX_BYTES or frames > MAX_FRAMES:
            raise BadInput(f"expected at most {MAX_FRAMES} frames and {MAX_BYTES >> 20} MB of numbers, got more")
        for name, column in zip(wanted, file.read(columns=wanted, use_threads=False).columns, strict=True):
            columns.setdefault(name, []).append(_array(name, column, info))
    if not columns or not frames:
        raise BadInput("expected frames in data/, found none")
    whole = {name: np.concatenate(parts) for name, parts in columns.items() if sum(map(len, parts)) == frames}
    if "episode_index" not in whole or "task_index" not in whole:
        raise BadInput(f"expected the columns episode_index and task_index, got {', '.join(sorted(columns))}")
    return {"info": info, "columns": whole, "tasks": _tasks(root), "side": _json(root / _SIDE, {})}


def _files(root: Path) -> Iterator[Path]:
    for number, path in enumerate(sorted(root.rglob("*"))):
        if number >= MAX_FILES:
            raise BadInput(f"expected at most {MAX_FILES} files, got more")
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BadInput(f"expected plain files only, but {path.relative_to(root)} is a link or a device")
        if path.is_file():
            yield path


def _json(path: Path, default: Any = None) -> Any:
    if not path.is_file():
        if default is None:
            raise BadInput(f"expected {path.name} in meta/, found none: is it a LeRobot dataset?")
        return default
    if path.stat().st_size > MAX_TEXT:
        raise BadInput(f"expected at most {MAX_TEXT >> 20} MB in {path.name}, got more")
    return json.loads(path.read_text(encoding="utf-8"))


def _info(root: Path) -> dict[str, Any]:
    info = _json(root / "meta" / "info.json")
    told = {key: info.get(key) for key in ("fps", "features", "robot_type")} if isinstance(info, dict) else {}
    version = str(info.get("codebase_version")) if told else "nothing"
    if not version.startswith("v3."):
        raise BadInput(
            f"expected a LeRobotDataset of version 3, got {version[:20]}; LeRobot's convert_dataset_v21_to_v30 "
            "makes one"
        )
    if not isinstance(told["features"], dict) or not isinstance(told["fps"], (int, float)) or told["fps"] <= 0:
        raise BadInput("expected fps and features in info.json, got something else")
    if not all(isinstance(feature, dict) for feature in told["features"].values()):
        raise BadInput("expected a description of each feature in info.json, got something else")
    return told


def _wanted(file: Any, info: dict[str, Any]) -> list[str]:
    """Names of the columns that hold numbers, or the words that we know."""
    found = []
    for field in file.schema_arrow:
        inner = field.type.value_type if pyarrow.types.is_fixed_size_list(field.type) else field.type
        inner = field.type.value_type if pyarrow.types.is_list(field.type) else inner
        number = any(is_kind(inner) for is_kind in _NUMBERS)
        if number or (field.name in _WORDS and pyarrow.types.is_string(field.type)):
            found.append(field.name)
    known = {*info["features"], "episode_index", "task_index"}
    return [name for name in found if name in known]


_NUMBERS = (pyarrow.types.is_floating, pyarrow.types.is_integer, pyarrow.types.is_boolean)


def _declared(file: Any, wanted: list[str]) -> int:
    """Bytes of the columns when unpacked, as the file says."""
    total = 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        for at in range(group.num_columns):
            column = group.column(at)
            if column.path_in_schema.split(".")[0] in wanted or column.path_in_schema in wanted:
                total += max(column.total_uncompressed_size, 0)
    return total


def _array(name: str, column: Any, info: dict[str, Any]) -> Array:
    """(N,) or (N, n), as the dataset says; text is of at most 20 characters."""
    if column.null_count:
        raise BadInput(f"expected a value in every frame of {name}, some are missing")
    if name in _WORDS:
        return np.array([str(word)[:20] for word in column.to_pylist()])
    flat = column.combine_chunks()
    nested = pyarrow.types.is_list(flat.type) or pyarrow.types.is_fixed_size_list(flat.type)
    values = np.asarray(flat.flatten() if nested else flat)
    if values.dtype.kind not in "biuf":
        raise BadInput(f"expected numbers in {name}, got {values.dtype}")
    if not nested:
        return values
    shape = info["features"].get(name, {}).get("shape")
    if not isinstance(shape, list) or len(shape) != 1 or len(values) != len(column) * int(shape[0]):
        raise BadInput(f"expected {name} of the shape that info.json tells, {str(shape)[:40]}, got another")
    return values.reshape(len(column), -1)


def _tasks(root: Path) -> dict[int, str]:
    path = root / "meta" / "tasks.parquet"
    if not path.is_file() or path.stat().st_size > MAX_TEXT:
        raise BadInput("expected meta/tasks.parquet, found none of a sensible size")
    table = parquet.ParquetFile(path, memory_map=False).read(use_threads=False)
    words = [field.name for field in table.schema if pyarrow.types.is_string(field.type)]
    words += [field.name for field in table.schema if pyarrow.types.is_large_string(field.type)]
    if "task_index" not in table.column_names or not words:
        raise BadInput(f"expected task_index and its text in tasks.parquet, got {', '.join(table.column_names)}")
    pairs = zip(table["task_index"].to_pylist(), table[words[0]].to_pylist(), strict=True)
    return {int(number): str(text)[:1000] for number, text in pairs}


def _packed(found: dict[str, Any]) -> bytes:
    digest = hashlib.sha256(json.dumps([found["info"], found["tasks"]], sort_keys=True).encode())
    for name in sorted(found["columns"]):
        digest.update(np.ascontiguousarray(found["columns"][name]).tobytes())
    told = {**found, "columns": list(found["columns"]), "fingerprint": digest.hexdigest()[:32]}
    arrays = {f"column_{i}": array for i, array in enumerate(found["columns"].values())}
    out = io.BytesIO()
    np.savez(out, told=np.frombuffer(json.dumps(told).encode(), np.uint8), **arrays)
    return out.getvalue()


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main(arguments: list[str] | None = None) -> int:
    """The child: the columns on standard output, or the first fault on standard error and 1."""
    parser = argparse.ArgumentParser(prog="python -m teaching.export.vet", description="Read a dataset from elsewhere.")
    parser.add_argument("directory", type=Path)
    root = parser.parse_args(arguments).directory
    pyarrow.set_cpu_count(1)
    _limit()
    try:
        data = _packed(read(root))
    except (
        BadInput,
        OSError,
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
        MemoryError,
        pyarrow.ArrowException,
    ) as error:
        sys.stderr.write(" ".join(str(error).split())[:400] + "\n")
        return 1
    sys.stdout.buffer.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
