"""Scenes chosen by weakness, small; the skills of a recorded lesson."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from teaching.experiments import profile
from teaching.experiments.experiment import Given
from teaching.experiments.toy_lesson import Phase, ToyConfig, ToyLesson
from teaching.experiments.toy_table import SEEN, ToyScenes
from teaching.types import BadInput

SAMPLE = Path(__file__).resolve().parents[3] / "datasets" / "sample"


def test_a_scene_is_about_what_was_wished() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        scene = ToyScenes().draw(SEEN, rng, about=3)
        assert 3 in scene.goal and scene.goal[0] != scene.goal[1] and scene.valid(scene.shown())


def test_a_lesson_asks_more_about_what_goes_wrong() -> None:
    lesson = ToyLesson(ToyConfig(about="weak", phases=(Phase(storing=60),)), 0)
    lesson._known[5].extend([False] * 20)
    for colour in (0, 1, 2, 3, 4, 6):
        lesson._known[colour].extend([True] * 20)
    rng = np.random.default_rng(0)
    drawn = [lesson._about(Phase(), rng) for _ in range(200)]
    assert drawn.count(5) > 0.4 * 200 and drawn.count(None) > 0.4 * 200
    even = ToyLesson(replace(lesson.config, about="random"), 0)
    assert even._about(Phase(), rng) is None
    assert set(lesson.score_by_colour(Phase(), 5)) == set(SEEN)


def test_from_seeds_to_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "MARKS", (6, 12))
    monkeypatch.setattr(profile, "FRESH", 10)
    lesson = min(path.parent for path in SAMPLE.rglob("events.log"))
    found = profile.run(Given(tmp_path, (1, 2), options={"lessons": str(lesson)}))
    assert len(found.rows) == 2 * 3 * 2 and "weak less random" in found.markdown
    assert "purple" in found.markdown and "Wilson" in found.markdown
    json.dumps([found.rows, found.figures])
    with pytest.raises(BadInput, match="lessons"):
        profile.run(Given(tmp_path, options={"x": 1}))
