"""Cells of experiments on the arm in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from teaching.experiments.starter import scene_of
from teaching.experiments.table_lessons import Cell, run_cell
from teaching.lesson import LessonConfig, TrainingConfig
from teaching.oracle import OracleConfig
from teaching.replay import ReplayBuffer
from teaching.types import BadInput

CONFIG = LessonConfig(arm="fake:table", start="nothing", training=TrainingConfig(steps=1, batch=2))


def test_a_cell_is_run_once_and_goes_on_from_another(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    arm = scene_of("fake:table")
    try:
        cell = Cell("one", CONFIG, 3, (2,), ("seen",), 1)
        rows = run_cell(cell, tmp_path, arm)
        assert [row["storing"] for row in rows] == [2, 3] and rows[1]["answers"] >= 3
        assert rows[1]["validated"] + rows[1]["annotated"] + rows[1]["relabelled"] >= 3 and 0 <= rows[1]["seen"] <= 100
        before = (tmp_path / "one" / "events.log").stat().st_size
        assert run_cell(cell, tmp_path, arm) == rows and (tmp_path / "one" / "events.log").stat().st_size == before
        with pytest.raises(BadInput, match="these settings"):
            run_cell(replace(cell, storing=4), tmp_path, arm)
        unseen = replace(CONFIG, split="unseen")
        after = run_cell(Cell("two", unseen, 4, begin=tmp_path / "one", scenes=1), tmp_path, arm)
        assert after[0]["storing"] == 4 and after[0]["answers"] > rows[1]["answers"]
        for name, split in (("one", "seen"), ("two", "unseen")):
            with ReplayBuffer(tmp_path / name, readonly=True) as buffer:
                assert buffer.lesson["split"] == split
    finally:
        arm.disconnect()


def test_active_dagger_shows_every_answer(tmp_path: Path) -> None:
    arm = scene_of("fake:table")
    try:
        config = replace(CONFIG, validation=False, relabelling=False)
        oracle = OracleConfig(relabels=False, always_demonstrates=True)
        row = run_cell(Cell("active", config, 2, scenes=1, oracle=oracle), tmp_path, arm)[0]
        assert row["annotated"] == row["answers"] >= 2 and row["validated"] == row["relabelled"] == 0
        assert row["seconds"] == 10.0 * row["answers"]
    finally:
        arm.disconnect()
