"""The Replay and Progress pages over a lesson on disk: what is drawn, what a change by hand leads to."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from tests.pages.test_shell import home, opened, supervisor  # noqa: F401  fixtures
from tests.teaching.replay_maker import Maker


@pytest.fixture
def lesson(home: Path, supervisor) -> Path:  # noqa: F811
    path = home / "mine"
    with ReplayBuffer.create(path, LessonConfig(name="mine", start="nothing").to_json()) as buffer:
        maker = Maker(shape=(20, 40))
        for i in range(3):
            maker.taught(buffer, f"e{i}", ("valid", "demonstration", "both", "unknown"))
    return path


def texts(app: AppTest) -> str:
    return "\n".join([m.value for m in app.markdown] + [c.value for c in app.caption])


def test_replay_shows_the_latest_example_and_why(lesson):
    app = opened("replay", lesson="mine")
    said = texts(app)
    assert "### 12 stored examples" in said and "priority **" in said and "never drawn yet" in said
    assert app.selectbox[0].options[0].startswith("12: ")


def test_an_address_names_an_example(lesson):
    app = AppTest.from_file(str(Path(__file__).parents[2] / "pages" / "shell.py"), default_timeout=30)
    app.session_state["lesson"] = "mine"
    app.query_params["example"] = "e1-0-validated"
    app.run()
    app.switch_page("replay.py").run()
    assert not app.exception
    assert "decision e1-0 " in texts(app)


def test_excluding_is_recorded_and_taken_back(lesson):
    app = opened("replay", lesson="mine")
    app.button("exclude").click().run()
    assert not app.exception, app.exception
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert len(buffer.deleted()) == 1 and len(buffer.demonstrations()) == 11
        (event,) = [e for e in buffer.history() if e.kind == "delete"]
    assert "11 stored examples, 1 excluded" in texts(app) and "excluded" in texts(app)
    app.button(f"back {event.seq}").click().run()
    assert "### 12 stored examples" in texts(app)
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert not buffer.deleted()


def test_a_weight_by_hand_changes_the_priority(lesson):
    app = opened("replay", lesson="mine")
    weight = next(n for n in app.number_input if n.label.startswith("Weight"))
    weight.set_value(4.0).run()
    with ReplayBuffer(lesson, readonly=True) as buffer:
        assert list(buffer.weights().values()) == [4.0]


def test_sliders_change_the_batch_and_nothing_else(lesson):
    app = opened("replay", lesson="mine")
    before = (lesson / "events.log").read_bytes()
    app.slider("lam").set_value(0.0).run()
    app.slider("alpha").set_value(4.0).run()
    assert not app.exception, app.exception
    assert (lesson / "events.log").read_bytes() == before


def test_progress_says_when_it_does_not_know(lesson):
    app = opened("progress", lesson="mine")
    said = texts(app)
    assert "too few cases to know" in said and "more random questions" in said
    assert [m.label for m in app.metric][3] == "Success gained per minute"
