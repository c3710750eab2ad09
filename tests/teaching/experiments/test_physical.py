from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from teaching.experiments import physical, rac_report
from teaching.experiments.experiment import Given
from teaching.experiments.physical import QUICK, PhysicalConfig, compare
from teaching.replay import ReplayBuffer
from teaching.tasks.peg_and_button import TASK
from teaching.types import BadInput

TINY = replace(QUICK, first=2, frames=60, rounds=1, wanted=1, steps=20, rollouts=1)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict]]:
    out = tmp_path_factory.mktemp("physical")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TASK, "limit", 150)
        return out, list(compare(out, TINY, (7,), ("demos", "rac")))


def test_protocols_begin_alike_and_go_their_own_way(done: tuple[Path, list[dict]]) -> None:
    out, rows = done
    demos, rac = rows[::2], rows[1::2]
    assert [r["arm"] for r in rows] == ["demos", "demos", "rac", "rac"] and [r["round"] for r in rows] == [0, 1, 0, 1]
    assert rows[0]["human_frames"] == rows[2]["human_frames"] > 0
    assert rows[0]["rewards"] == rows[2]["rewards"] and demos and rac
    for arm, row in (("demos", rows[1]), ("rac", rows[3])):
        with ReplayBuffer(out / "lessons" / f"looks-{arm}-7", readonly=True) as buffer:
            assert buffer.lesson["protocol"] == arm and buffer.lesson["split"] == "seen"
        assert row["by_round"][0] == rows[0]["by_round"][0] and row["human_frames"] > rows[0]["human_frames"]
    assert rows[1]["collected"]["interventions"] == 0 and rows[1]["collected"]["human_frames"] >= TINY.frames


def test_what_is_there_is_not_run_again(done: tuple[Path, list[dict]]) -> None:
    out, rows = done
    cells = {path: path.stat().st_mtime_ns for path in (out / "cells").iterdir()}
    assert list(compare(out, TINY, (7,), ("demos", "rac"), there=True)) == rows
    assert list(compare(out, TINY, (7, 8), ("demos", "rac", "hg-dagger"), there=True)) == rows
    assert {path: path.stat().st_mtime_ns for path in (out / "cells").iterdir()} == cells
    with pytest.raises(BadInput, match="these settings"):
        list(compare(out, replace(TINY, steps=21), (7,), ("demos",)))


def test_the_page_shows_every_seed(done: tuple[Path, list[dict]]) -> None:
    out, rows = done
    options = {name: str(getattr(TINY, name)) for name in ("first", "frames", "wanted", "steps", "rollouts")}
    given = Given(out, (7,), options={**options, "arms": "demos,rac", "cells": "there"})
    found = physical.run(given)
    assert "each seed" in found.markdown and "without a retry" in found.markdown.lower()
    assert set(found.figures) == {"looks/demos", "looks/rac"} and found.plots["success"].startswith("<svg")
    json.dumps(found.rows)
    assert rac_report.pooled(rows, "rac", 1)[1] == 1


def test_settings_that_cannot_be() -> None:
    with pytest.raises(BadInput, match="at least 1"):
        PhysicalConfig(rollouts=0)
    with pytest.raises(BadInput, match="luck"):
        physical.changed(QUICK, {"luck": "1"})
    with pytest.raises(BadInput, match="whole numbers"):
        physical.changed(QUICK, {"first": "many"})
    with pytest.raises(BadInput, match="perfect"):
        list(compare(Path(), QUICK, (7,), scenes=("fog",)))
