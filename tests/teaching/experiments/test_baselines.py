"""The comparison at equal annotations, small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from teaching.experiments import baselines, table_courses, table_scenes
from teaching.experiments.experiment import Given
from teaching.experiments.short_table import TableWay
from teaching.sampling import Sampling
from teaching.types import BadInput


def test_equal_amounts_are_read_off_the_curve() -> None:
    row = {"annotated": [0, 10, 20], "seconds": [0, 100, 150], "seen": [0.0, 0.5, 0.7]}
    assert baselines.reached(row, "annotated", 15) == pytest.approx(0.6)
    assert baselines.reached(row, "annotated", 90) == 0.7
    assert baselines.reached(row, "seconds", 50) == pytest.approx(0.25)


def test_only_ours_confirms_and_relabels() -> None:
    ours, active = (baselines.config_of(name, 0.9) for name in ("ASkDAgger", "Active DAgger"))
    assert ours.fier.validation and ours.fier.relabelling and ours.sampling.prioritised
    assert not active.fier.validation and not active.fier.relabelling and not active.sampling.prioritised
    assert ours.asker == active.asker


def test_from_tuning_to_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "TUNING", (0,))
    monkeypatch.setattr(baselines, "SCENES", 20)
    few = {name: (knob, make, values[:2]) for name, (knob, make, values) in baselines.METHODS.items()}
    monkeypatch.setattr(baselines, "METHODS", few)
    short = baselines.curve
    monkeypatch.setattr(baselines, "curve", lambda *a, **k: short(*a, **{**k, "seconds": 150.0, "storing": 20}))
    monkeypatch.setattr(table_courses, "ARM", "fake:table")
    monkeypatch.setattr(table_courses, "FRESH", 2)
    monkeypatch.setattr(table_scenes, "BLOCK", 4)
    monkeypatch.setattr(baselines, "TABLE_STORING", 4)
    way = replace(TableWay(), steps=1, sampling=Sampling(batch=2))
    monkeypatch.setattr(baselines, "TableWay", lambda **how: replace(way, **{**how, "sampling": way.sampling}))
    found = baselines.run(Given(tmp_path / "baselines", (7, 8)))
    for where in ("numbers", "put-block-in-bowl"):
        own = [row for row in found.rows if row["where"] == where]
        assert len(own) == 2 * 5 and set(found.figures[where]["ahead"]) == set(baselines.METHODS) - {"ASkDAgger"}
        assert all(row["annotated"][0] == 0 and len(row["seen"]) == len(row["answers"]) > 1 for row in own)
    assert (
        "sign-flip" in found.markdown
        and "The simulated table" in found.markdown
        and "| ThriftyDAgger |" in found.markdown
    )
    json.dumps([found.rows, found.figures])
    with pytest.raises(BadInput):
        baselines.run(Given(tmp_path, options={"a": 1}))
