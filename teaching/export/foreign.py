"""A LeRobot dataset from elsewhere, as columns. It is looked at, and read, in a child process with limits only.

Parquet files can declare sizes that no memory holds, and crash the library that reads them; a directory can hold links
to anywhere. So the child checks the directory, reads the columns of numbers, and hands them over as plain arrays.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from teaching.types import Array, BadInput

SECONDS = 60
"""Processor time of the child."""
_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Foreign:
    """N frames of some episodes, one after the other."""

    info: Mapping[str, Any]
    """`fps`, `features` and `robot_type` as the dataset tells them."""
    columns: Mapping[str, Array]
    """Name → (N,) or (N, n); numbers and bools, and `segment` as text."""
    tasks: Mapping[int, str]
    side: Mapping[str, Any]
    """What our own export tells beside; empty for others."""
    fingerprint: str
    """Of its contents: twice the same dataset has it twice."""

    def episodes(self) -> list[slice]:
        """Which frames belong together, in order."""
        which = self.columns["episode_index"]
        edges = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(which)]
        return [slice(a, b) for a, b in itertools.pairwise(edges)]

    def told(self, episode: int) -> Mapping[str, Any]:
        """What our own export tells of an episode beside its frames; nothing for others."""
        every = self.side.get("episodes") if isinstance(self.side, dict) else None
        one = every.get(str(episode)) if isinstance(every, dict) else None
        return one if isinstance(one, dict) else {}

    def names(self, feature: str) -> list[str]:
        """What the numbers of a feature are called; empty if it does not say so."""
        told = self.info["features"].get(feature, {}).get("names")
        return [str(name) for name in told] if isinstance(told, list) else []


def read_dataset(source: Path) -> Foreign:
    """The columns of a LeRobotDataset v3.0 in a directory; BadInput says what is wrong with it."""
    if not source.is_dir():
        raise BadInput(f"expected a directory with a LeRobot dataset at {source}, found none")
    command = [sys.executable, "-m", "teaching.export.vet", str(source.resolve())]
    plain = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    try:
        child = subprocess.run(
            command, capture_output=True, timeout=10 * SECONDS, check=False, cwd=_PROJECT, env=os.environ | plain
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BadInput(f"{source} is refused: reading it took more than {10 * SECONDS} s") from error
    if child.returncode:
        lines = child.stderr.decode("utf-8", "replace").strip().splitlines()
        why = lines[-1] if child.returncode == 1 and lines else f"reading it ended the reader ({child.returncode})"
        raise BadInput(f"{source} is refused: {why}")
    return _unpacked(child.stdout)


def _unpacked(data: bytes) -> Foreign:
    with np.load(io.BytesIO(data), allow_pickle=False) as packed:
        told = json.loads(packed["told"].tobytes())
        columns = {name: packed[f"column_{i}"] for i, name in enumerate(told["columns"])}
    tasks = {int(number): text for number, text in told["tasks"].items()}
    return Foreign(told["info"], columns, tasks, told["side"], told["fingerprint"])
