"""Replay and Episodes of a lesson in motion: segments weighed, cut, joined and taken back by their buttons."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages import exporting
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.rollout_facts import timeline_of
from tests.pages.test_shell import SHELL, home, opened, supervisor  # noqa: F401  fixtures
from tests.teaching.moving_maker import C, D, P, R, recorded


@pytest.fixture
def lesson(home: Path, supervisor) -> Path:  # noqa: F811
    path = home / "moves"
    with ReplayBuffer.create(path, LessonConfig.from_json({"kind": "rollout", "name": "moves"}).to_json()) as buffer:
        buffer.append(recorded("e0", [D] * 120, "demonstrated", round=0))
        buffer.append(recorded("e1", [P] * 120 + [R] * 30 + [C] * 60, "intervened"))
        buffer.append(recorded("e2", [P] * 60, "failed"))
    return path


def texts(app: AppTest) -> str:
    return "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])


def segments(path: Path, name: str) -> list[tuple[str, int, int, float]]:
    with ReplayBuffer(path, readonly=True) as buffer:
        (facts,) = [s.rollout for s in buffer.rollouts() if s.id == name]
    return [(s.kind.name, s.start, s.stop, s.factor) for s in timeline_of(facts).segments]


def at(name: str, second: float) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=90)
    app.session_state["lesson"] = "moves"
    app.run()
    app.query_params["episode"], app.query_params["t"] = name, str(second)
    app.switch_page("episodes.py").run()
    assert not app.exception, app.exception
    return app


def test_replay_weighs_segments_and_leaves_one_out(lesson):
    app = opened("replay", lesson="moves")
    said = texts(app)
    assert "### 5 recorded segments, 3 are trained on" in said and "weighed by uniform (RaC)" in said
    assert "episode e2" in said and "weight **0.00**" in said, "the latest one ended badly"
    picker = next(s for s in app.selectbox if s.label.startswith("Segment"))
    picker.set_value(3).run()
    assert "weight **1.00** (even: 1)" in texts(app) and "never drawn" in texts(app)
    app.button("exclude segment").click().run()
    assert not app.exception, app.exception
    assert segments(lesson, "e1")[2] == ("CORRECTION", 150, 210, 0.0)
    assert "5 recorded segments, 2 are trained on" in texts(app)
    next(b for b in app.button if b.label == "Take back").click().run()
    assert segments(lesson, "e1")[2][3] == 1.0


def test_a_segment_is_cut_where_the_film_stands_joined_and_renamed(lesson):
    app = at("e1", 3.0)
    assert "▶ **2.5 s** correction, 1.0 s" in texts(app)
    app.button("split ").click().run()
    assert segments(lesson, "e1")[2:] == [("CORRECTION", 150, 180, 1.0), ("CORRECTION", 180, 210, 1.0)]
    app.button("rename ").click().run()
    assert segments(lesson, "e1")[3] == ("RECOVERY", 180, 210, 1.0)
    assert "changed by hand" in texts(app)
    back = [b for b in app.button if b.label == "Take back"]
    assert [b.disabled for b in back] == [False, True], "the latest change of an episode comes first"
    back[0].click().run()
    next(b for b in app.button if b.label == "Take back").click().run()
    assert len(segments(lesson, "e1")) == 3


def test_success_is_marked_and_an_episode_compared_with_another(lesson):
    app = at("e2", 0.0)
    app.button("end auto_success").click().run()
    assert not app.exception, app.exception
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert {s.id: s.rollout["end"] for s in buffer.rollouts()}["e2"] == "auto_success"
    app.selectbox("compare").set_value("e1").run()
    assert not app.exception, app.exception
    assert "episode e2 · " in texts(app) and "episode e1 · " in texts(app)
    app.selectbox("wanted").set_value("a person took over").run()
    assert next(s for s in app.selectbox if s.key == "compare").label.startswith("1 episode;")


def test_progress_tells_rounds_and_that_there_are_too_few(lesson):
    app = opened("progress", lesson="moves")
    values = {m.label: m.value for m in app.metric}
    assert values["Unaided, in the latest round"] == "0 of 2" and values["Success gained per minute driven"] == "–"
    assert "too few cases to know: 2 episodes" in texts(app) and "more episodes of one policy" in texts(app)


def test_a_lesson_is_exported_beside_the_page(lesson):
    app = at("e1", 0.0)
    app.segmented_control("export form").set_value("robomimic").run()
    app.button("export now").click().run()
    assert not app.exception, app.exception
    out = Path(app.session_state["export"])
    assert out == lesson.parent / ".exports" / "moves-robomimic.hdf5"
    exporting._running()[out].exception(timeout=300)
    app.run()
    assert out.is_file(), [e.value for e in app.error]
    assert any(str(out) in s.value for s in app.success)
    assert exporting.target(lesson, "robomimic").name == "moves-robomimic-1.hdf5", "nothing is written over"
