"""Scenes of the simulated table, each looked at once: their truth and their picture, for all lessons that meet them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from robot_io.arm import Scene, TableView
from teaching.types import Array, BadInput

BLOCK = 25
"""Scenes of one file."""


class Seen(NamedTuple):
    """One scene before anything moved."""

    seed: int
    truth: dict[str, Any]
    colour: Array
    """(H, W, 3) uint8."""
    height: Array
    """(H, W) float32, metres."""

    @property
    def goal(self) -> str:
        """What is wanted."""
        return str(self.truth["goal"])


def coarser(table: TableView, coarse: int) -> TableView:
    """The same table in fewer pixels."""
    if coarse < 1 or any(side % (8 * coarse) for side in table.shape):
        raise BadInput(f"expected pixels to grow so that {table.shape} stays a multiple of 8, got {coarse} times")
    return TableView(table.x, table.y, table.pixel * coarse)


class TableScenes:
    """Looks at scenes when they are first asked for, a block at a time, and keeps them on disk."""

    def __init__(self, arm: Scene, task: str, directory: Path, coarse: int = 2) -> None:
        """Args: coarse: every so many-th pixel of rows and columns is kept."""
        self.arm, self.task, self.directory, self.coarse = arm, task, directory, coarse
        self.table = coarser(arm.features.table, coarse)
        self._blocks: dict[tuple[str, int], list[Seen]] = {}

    def __call__(self, split: str, seed: int) -> Seen:
        """The scene of a split and a seed."""
        first = seed - seed % BLOCK
        if (split, first) not in self._blocks:
            self._blocks[split, first] = self._block(split, first)
        return self._blocks[split, first][seed - first]

    def _block(self, split: str, first: int) -> list[Seen]:
        name = f"{self.arm.features.name}-{self.task}-{split}-{self.coarse}-{first}.npz".replace(":", "-")
        path = self.directory / name
        if not path.is_file():
            self._look(path, split, first)
        with np.load(path, allow_pickle=False) as there:
            truths = [json.loads(text) for text in there["truth"].tolist()]
            colours, heights = there["colour"], there["height"]
        return [Seen(first + i, *each) for i, each in enumerate(zip(truths, colours, heights, strict=True))]

    def _look(self, path: Path, split: str, first: int) -> None:
        truths, colours, heights = [], [], []
        for seed in range(first, first + BLOCK):
            truths.append(json.dumps(self.arm.reset(seed, self.task, split)))
            seen = self.arm.observe(pictures=True)
            colours.append(np.asarray(seen["colour"])[:: self.coarse, :: self.coarse])
            heights.append(np.asarray(seen["height"], dtype=np.float32)[:: self.coarse, :: self.coarse])
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")  # another experiment may look at the same scenes
        with beside.open("wb") as file:
            np.savez_compressed(file, truth=np.array(truths), colour=np.stack(colours), height=np.stack(heights))
        beside.replace(path)
