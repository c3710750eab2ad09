"""The pages as scripts, without a browser: what is drawn, and what a press leads to."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages import processes
from teaching.blinding import Blinding
from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.supervisor import create_lesson, kind_of

SHELL = str(Path(__file__).parents[2] / "pages" / "shell.py")


class StillSupervisor:
    """Remembers what was asked of it and starts nothing: processes have their own tests."""

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.closed: list[Path] = []

    def open(self, path: Path) -> None:
        self.opened.append(path)

    def close(self, path: Path) -> None:
        self.closed.append(path)

    def trouble(self, path: Path) -> str:
        return ""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ASKBACK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def supervisor(monkeypatch) -> StillSupervisor:
    made = StillSupervisor()
    monkeypatch.setattr(processes, "supervisor", lambda: made)
    return made


def opened(page: str = "lessons", **state) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=90)
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    if page != "lessons":
        app.switch_page(f"{page}.py").run()
    assert not app.exception, app.exception
    return app


def test_a_first_visit_offers_one_button_and_it_makes_a_lesson(home, supervisor, monkeypatch):
    monkeypatch.setattr("teaching.supervisor.starter", lambda task: home)
    app = opened()
    assert app.title[0].value == "Teach a robot arm by answering its questions"
    app.button("start").click().run()
    (made,) = home.iterdir()
    assert (made / "lesson.json").is_file()
    assert supervisor.opened[0] == made


def test_lessons_are_listed_and_gone_on_with(home, supervisor):
    create_lesson(home, "Reds and greens", start="nothing")
    app = opened()
    assert "Reds and greens" in app.markdown[0].value
    app.button("go-reds-and-greens").click().run()
    assert supervisor.opened[0] == home / "reds-and-greens"
    assert app.session_state["lesson"] == "reds-and-greens"


@pytest.mark.parametrize("name", ["", "../outside", "/etc/passwd", "a" * 100, "x\x00y"])
def test_a_bad_name_is_refused_in_words_and_makes_nothing(home, supervisor, name):
    app = opened()
    app.text_input("name").input(name)
    app.button("create").click().run()
    assert "expected" in app.error[0].value
    assert list(home.iterdir()) == [] and supervisor.opened == []


def test_a_name_that_is_taken_is_refused(home, supervisor):
    create_lesson(home, "mine", start="nothing")
    app = opened()
    app.text_input("name").input("mine")
    app.button("create").click().run()
    assert "new name" in app.error[0].value


@pytest.mark.parametrize("name", ["../..", "nowhere", "%2e%2e"])
def test_a_lesson_that_the_browser_made_up_opens_nothing(home, supervisor, name):
    app = opened("teach", lesson=name)
    assert app.title[0].value == "Teach"
    assert supervisor.opened == []


def test_a_made_lesson_keeps_its_promise_settings(home, supervisor):
    app = opened()
    app.text_input("name").input("strict")
    next(r for r in app.radio if r.label == "Start from").set_value("nothing")
    next(s for s in app.slider if s.label == "Promised share").set_value(0.97)
    app.slider("hidden").set_value(30)
    app.slider("repeated").set_value(10)
    app.button("create").click().run()
    with ReplayBuffer(home / "strict", readonly=True) as buffer:
        assert buffer.lesson["gate"]["target"] == 0.97
        assert Blinding.of(buffer.lesson) == Blinding(hidden=0.3, repeated=0.1)


@pytest.mark.parametrize("task", ["stack-blocks", "sequence"])
def test_other_tasks_are_made_here_too(home, supervisor, task):
    app = opened()
    app.text_input("name").input("other")
    next(s for s in app.selectbox if s.label == "Task").set_value(task)
    app.button("create").click().run()
    assert "starter" in app.error[0].value and not (home / "other").exists()  # there is none for it, and it says so
    next(r for r in app.radio if r.label == "Start from").set_value("nothing").run()
    app.button("create").click().run()
    with ReplayBuffer(home / "other", readonly=True) as buffer:
        assert (buffer.lesson["task"], buffer.lesson["stage_episodes"]) == (task, 150)


def test_a_lesson_in_motion_is_made_and_opens_its_own_page(home, supervisor):
    app = opened()
    app.text_input("name").input("in motion")
    app.radio("kind").set_value("rollout").run()
    next(n for n in app.number_input if n.label == "Trained after").set_value(4)
    app.button("create").click().run()
    with ReplayBuffer(home / "in-motion", readonly=True) as buffer:
        lesson = buffer.lesson
    assert (lesson["kind"], lesson["task"], lesson["protocol"], lesson["wanted"]) == (
        "rollout",
        "peg-and-button",
        "rac",
        4,
    )
    assert (kind_of(home / "in-motion"), supervisor.opened[0]) == ("rollout", home / "in-motion")
    assert not app.exception and not app.title  # the page is one component, as Teach is


def test_what_a_lesson_in_motion_learns_from_and_how_long_is_chosen(home, supervisor):
    app = opened()
    app.text_input("name").input("weighed")
    app.radio("kind").set_value("rollout").run()
    next(n for n in app.number_input if n.label == "Rounds planned").set_value(4)
    weights = next(s for s in app.selectbox if s.label == "Weights")
    assert len(weights.options) == 3 and weights.value == "rac"
    weights.set_value("sirius")
    next(c for c in app.checkbox if c.label.startswith("Also ways back")).check()
    app.button("create").click().run()
    with ReplayBuffer(home / "weighed", readonly=True) as buffer:
        made = LessonConfig.from_json(buffer.lesson)
    assert (made.rounds, made.weighting, made.recovery_auto) == (4, "sirius", True)


def test_a_first_visit_can_supervise(home, supervisor):
    app = opened()
    app.button("start-rollout").click().run()
    assert kind_of(home / "peg-and-button") == "rollout"


def test_a_config_that_cannot_be_read_is_of_questions(tmp_path):
    assert kind_of(tmp_path) == "plans"
    (tmp_path / "lesson.json").write_text("[")
    assert kind_of(tmp_path) == "plans"


@pytest.mark.parametrize("page", ["teach", "rollout", "replay", "progress", "episodes", "training", "keys"])
def test_every_page_draws_without_a_lesson(home, supervisor, page):
    assert opened(page).title[0].value.lower() == page


@pytest.mark.parametrize("page", ["replay", "progress", "episodes", "training"])
def test_reading_pages_draw_an_empty_lesson(home, supervisor, page):
    create_lesson(home, "empty", start="nothing")
    assert opened(page, lesson="empty").title[0].value.lower() == page


def test_a_key_is_moved_and_a_clash_refused(home, supervisor):
    app = opened("keys")
    app.text_input("key-valid").input("y")
    app.button[0].click().run()
    assert '"valid": "y"' in (home / "keys.json").read_text()
    app.text_input("key-valid").input("x")
    app.button[0].click().run()
    assert "one meaning per key" in app.error[0].value


def test_running_lessons_can_be_closed(home, supervisor, monkeypatch):
    path = create_lesson(home, "busy", start="nothing")
    monkeypatch.setattr("teaching.supervisor.running", lambda p: True)
    app = opened()
    app.button("close-busy").click().run()
    assert supervisor.closed == [path]


def test_a_lesson_that_an_address_names_stays_open_on_other_pages(home, supervisor):
    create_lesson(home, "linked", start="nothing")
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.query_params["lesson"] = "linked"
    app.run()
    del app.query_params["lesson"]
    app.switch_page("replay.py").run()
    assert "Nothing is stored yet" in app.markdown[-1].value
