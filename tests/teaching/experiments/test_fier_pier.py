"""With and without FIER and PIER, small; the tables on the arm in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from teaching.experiments import fier, pier, table_courses, table_scenes
from teaching.experiments.experiment import Given
from teaching.experiments.short_table import TableWay
from teaching.experiments.toy_lesson import Phase
from teaching.experiments.toy_table import UNSEEN
from teaching.sampling import Sampling
from teaching.types import BadInput


def test_fier_on_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STORING": 24, "MARKS": (12, 24), "SCENES": 20}.items():
        monkeypatch.setattr(fier, name, value)
    found = fier.run(Given(tmp_path, (1, 2), options={"where": "numbers"}))
    assert len(found.rows) == 2 * len(fier.ARMS) * 2 and found.figures["numbers"]["seeds"] == 2
    active = [row for row in found.rows if row["arm"] == "Active DAgger" and row["storing"] == 24]
    assert all(row["annotated"] == row["answers"] == 24 for row in active)
    assert "Annotations saved after 24" in found.markdown and "sign-flip" in found.markdown
    json.dumps([found.rows, found.figures])
    with pytest.raises(BadInput, match="where"):
        fier.run(Given(tmp_path, options={"where": "here"}))


def test_pier_on_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = (Phase(storing=8), Phase(UNSEEN, storing=8), Phase(hue=1.2, storing=8))
    for name, value in {"PHASES": short, "EACH": 8, "SCENES": 20}.items():
        monkeypatch.setattr(pier, name, value)
    found = pier.run(Given(tmp_path, (1, 2), options={"where": "numbers"}))
    assert [len(curve) for curve in found.rows[0]["curves"]] == [2, 2, 2]
    assert "summed over changes" in found.markdown and found.figures["numbers"]["seeds"] == 2
    json.dumps([found.rows, found.figures])


def test_when_eighty_is_regained() -> None:
    assert pier.needed([10, 85, 70, 81, 90, 20], 4, 99) == 16
    assert pier.needed([10, 20], 4, 99) == 99


def on_the_arm_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_courses, "ARM", "fake:table")
    monkeypatch.setattr(table_courses, "FRESH", 2)
    monkeypatch.setattr(table_scenes, "BLOCK", 4)
    short = replace(TableWay(), steps=1, sampling=Sampling(batch=2))
    for module in (fier, pier):
        monkeypatch.setattr(module, "TableWay", lambda **how: replace(short, **{**how, "sampling": short.sampling}))


def test_both_on_a_table_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_the_arm_in_memory(monkeypatch)
    monkeypatch.setattr(fier, "TABLE_STORING", 12)
    monkeypatch.setattr(fier, "TASKS", ("put-block-in-bowl",))
    for name, value in {"TABLE_FIRST": 2, "TABLE_AFTER": 4, "TABLE_STEP": 2}.items():
        monkeypatch.setattr(pier, name, value)
    found = fier.run(Given(tmp_path / "fier", (3, 4), options={"where": "table"}))
    ends = [row for row in found.rows if row["storing"] == 12]
    assert {row["arm"] for row in ends} == {"ASkDAgger", "Active DAgger"} and len(ends) == 4
    assert "The simulated table: put-block-in-bowl" in found.markdown and "worked out by geometry" in found.markdown
    moved = pier.run(Given(tmp_path / "pier", (3, 4), options={"where": "table"}))
    assert {row["arm"] for row in moved.rows} == {"whole", "without PIER", "PIER, weights off"}
    assert all(len(row["curves"][1]) == 2 and row["needed"][0] in (2, 4) for row in moved.rows)
    json.dumps([found.rows, found.figures, moved.rows, moved.figures])


def test_the_mean_over_tasks_is_told() -> None:
    end = {"storing": 75, "answers": 75, "relabelled": 0, "validated": 0, "seconds": 9.0}
    rows = [
        {"where": task, "arm": arm, "seed": seed, "annotated": shown, "seen": 50.0 + seed, "unseen": 20.0, **end}
        for task in fier.TASKS for seed in (1, 2) for arm, shown in (("ASkDAgger", 20 + seed), ("Active DAgger", 75))
    ]  # fmt: skip
    found = fier.found(rows)
    assert "mean over its tasks" in found.markdown and found.figures["packing-shapes"]["annotations_saved"] == 0.713


def test_both_by_a_lessons_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    for module in (fier, pier):
        monkeypatch.setattr(module, "TABLE_ARM", "fake:table")
        monkeypatch.setattr(module, "TrainingConfig", lambda **how: replace(TINY, **how))
    for name, value in {"STORING": 2, "TABLE_SCENES": 1, "TASKS": ("put-block-in-bowl",)}.items():
        monkeypatch.setattr(fier, name, value)
    for name, value in {"WHOLE_EACH": 2, "TABLE_STEP": 1, "WHOLE_SCENES": 1}.items():
        monkeypatch.setattr(pier, name, value)
    found = fier.run(Given(tmp_path / "fier", (3,), full=True, options={"where": "table"}))
    assert {row["arm"] for row in found.rows} == {"ASkDAgger", "Active DAgger"} and len(found.rows) == 4
    moved = pier.run(Given(tmp_path / "pier", (3,), full=True, options={"where": "table"}))
    assert len(moved.rows) == 2 and len(moved.rows[0]["curves"][1]) == 2


TINY = fier.TrainingConfig(steps=1, batch=2)
