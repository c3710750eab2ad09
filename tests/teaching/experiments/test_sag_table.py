"""Recorded decisions go by again under other promises."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from teaching.experiments import promises_taught, sag_table, table_courses, table_scenes
from teaching.experiments.experiment import Given
from teaching.experiments.sag_table import Recorded, again, made_up, recorded, run, separation
from teaching.experiments.short_table import TableWay
from teaching.gating import Gate
from teaching.lesson import LessonConfig, TrainingConfig
from teaching.metrics import count
from teaching.sampling import Sampling
from teaching.types import BadInput

SAMPLE = Path(__file__).resolve().parents[3] / "datasets" / "sample"


def lessons() -> list[Path]:
    return sorted(path.parent for path in SAMPLE.rglob("events.log"))


def test_a_recorded_lesson_is_read_with_what_was_true() -> None:
    found = recorded(lessons()[0])
    assert len(found.uncertainty) > 10 and np.all(np.isfinite(found.uncertainty))
    assert np.all(found.outcome[found.asked] != 0) and set(found.outcome.tolist()) <= {-1, 0, 1}


def made(n: int = 400, known: float = 3.0) -> Recorded:
    rng = np.random.default_rng(0)
    z = rng.normal(size=n)
    outcome = np.where(rng.random(n) < 1 / (1 + np.exp(-known * z)), -1, 1)
    return Recorded("made", 1 / (1 + np.exp(-z)), outcome, np.ones(n, bool), np.arange(n) // 4, Gate())


def test_another_promise_is_kept_on_decisions_that_tell() -> None:
    lesson = made_up()
    asked = again(lesson, "sensitivity", 0.7, 0, n_min=30)
    assert np.isnan(asked[:5]).all()
    scored = ~np.isnan(asked)
    assert count(asked[scored] > 0, lesson.outcome[scored]).sensitivity.value == pytest.approx(0.7, abs=0.08)


def test_separation_is_half_where_nothing_tells() -> None:
    assert separation(made(known=0.0)) == pytest.approx(0.5, abs=0.06) and separation(made()) > 0.8


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sag_table, "FEW", (15,))


def test_from_lessons_to_finding(tmp_path: Path) -> None:
    found = run(Given(tmp_path, (0,), options={"lessons": str(lessons()[0]), "taught": "no"}))
    assert found.figures["lessons"] == 1 and "Wilson" in found.markdown and found.plots["kept"].startswith("<svg")
    json.dumps(found.rows)
    with pytest.raises(BadInput, match="lessons=DIR"):
        run(Given(tmp_path, options={"lesson": "x"}))


def test_without_lessons_two_are_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sag_table, "TABLE_ARM", "fake:table")
    monkeypatch.setattr(sag_table, "TABLE_STORING", 1)
    monkeypatch.setattr(sag_table, "LessonConfig", partial(LessonConfig, training=TrainingConfig(steps=1, batch=2)))
    monkeypatch.setattr(table_courses, "ARM", "fake:table")
    monkeypatch.setattr(table_courses, "FRESH", 1)
    monkeypatch.setattr(table_scenes, "BLOCK", 8)
    monkeypatch.setattr(promises_taught, "DECISIONS", 6)
    short = replace(TableWay(), steps=1, sampling=Sampling(batch=2))
    monkeypatch.setattr(promises_taught, "TableWay", lambda **how: replace(short, **how))
    found = run(Given(tmp_path / "work", (0,)))
    anew = [row for row in found.rows if row.get("arm") in promises_taught.GATES]
    assert len(anew) == 3 * len(promises_taught.GATES) and all(row["decisions"] == 6 for row in anew)
    assert (
        all(row["caught"] + row["failed"] <= 6 for row in anew) and "Lessons taught under a promise" in found.markdown
    )
    assert found.figures["lessons"] == 2 and found.figures["decisions"] >= 2
    assert "too little known" in found.markdown
