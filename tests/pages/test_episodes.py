"""The Episodes page: found by goal, opened by its address, judged late, deleted and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.replay.glance import Glance
from tests.pages.test_shell import SHELL, home, opened, supervisor  # noqa: F401  fixtures
from tests.teaching.replay_maker import Maker


@pytest.fixture
def lesson(home: Path, supervisor) -> Path:  # noqa: F811
    path = home / "mine"
    with ReplayBuffer.create(path, LessonConfig(name="mine", start="nothing").to_json()) as buffer:
        maker = Maker(shape=(20, 40))
        for i, kinds in enumerate((("valid", "valid"), ("wrong", "valid"), ("unknown",))):
            maker.taught(buffer, f"e{i}", kinds)
    return path


def texts(app: AppTest) -> str:
    return "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])


def test_an_address_opens_an_episode_at_a_second(lesson):
    app = AppTest.from_file(SHELL, default_timeout=60)
    app.session_state["lesson"] = "mine"
    app.run()
    app.query_params["episode"] = "e1"
    app.query_params["t"] = "0.7"
    app.switch_page("episodes.py").run()
    assert not app.exception, app.exception
    assert "episode e1 · " in texts(app) and "**1** wrong: wrong" in texts(app)
    assert "episode=e1&t=0.7" in texts(app)


def test_a_late_verdict_and_a_deletion_are_recorded_and_taken_back(lesson):
    app = opened("episodes", lesson="mine")
    assert "episode e2 · " in texts(app)
    app.button("Right e2-0").click().run()
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert int(buffer.answers()["e2-0"].feedback.outcome) == 1 and buffer.answers()["e2-0"].late
    app.button("delete").click().run()
    assert not app.exception, app.exception
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert buffer.dropped() == {"e2"}
        (event,) = [e for e in buffer.history() if e.kind == "drop"]
    assert app.button("delete").disabled
    app.button(f"back {event.seq}").click().run()
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert not buffer.dropped()


def test_the_library_is_searched_and_filtered(lesson):
    with Glance(lesson) as found:
        assert [s.id for s in found.episodes()] == ["e2", "e1", "e0"]
        assert [s.id for s in found.episodes("RED blocks", most=2)] == ["e2", "e1"]
        assert found.episodes("no such goal") == []
    app = opened("episodes", lesson="mine")
    app.selectbox("wanted").set_value("some wrong").run()
    assert app.selectbox("compare").label == "1 episode; compare with"
    app.text_input("goal").input("purple").run()
    assert "No episode is like that." in texts(app)


def test_an_episode_that_is_not_there_is_told(lesson):
    app = AppTest.from_file(SHELL, default_timeout=60)
    app.session_state["lesson"] = "mine"
    app.run()
    app.query_params["episode"] = "../../x"
    app.switch_page("episodes.py").run()
    assert "cannot be shown" in app.warning[0].value
