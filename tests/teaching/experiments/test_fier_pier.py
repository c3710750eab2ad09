"""With and without FIER and PIER, small; the tables on the arm in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from teaching.experiments import fier, pier
from teaching.experiments.experiment import Given
from teaching.experiments.toy_lesson import Phase
from teaching.experiments.toy_table import UNSEEN
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


def test_both_on_a_table_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    for module in (fier, pier):
        monkeypatch.setattr(module, "TABLE_ARM", "fake:table")
    for name, value in {"TABLE_STORING": 2, "TABLE_SCENES": 1}.items():
        monkeypatch.setattr(fier, name, value)
    for name, value in {"TABLE_FIRST": 1, "TABLE_AFTER": 2, "TABLE_STEP": 1, "TABLE_SCENES": 1}.items():
        monkeypatch.setattr(pier, name, value)
    for module in (fier, pier):
        monkeypatch.setattr(module, "TrainingConfig", lambda **how: replace(TINY, **how))
    found = fier.run(Given(tmp_path / "fier", (3,), options={"where": "table"}))
    assert {row["arm"] for row in found.rows} == {"ASkDAgger", "Active DAgger"} and len(found.rows) == 4
    moved = pier.run(Given(tmp_path / "pier", (3,), options={"where": "table"}))
    assert len(moved.rows) == 2 and len(moved.rows[0]["curves"][1]) == 2


TINY = fier.TrainingConfig(steps=1, batch=2)
