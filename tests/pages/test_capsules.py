"""Making a capsule from the Lessons page, and choosing what a new lesson's scenes are about."""

from __future__ import annotations

from pathlib import Path

from pages import capsules
from teaching import jobs
from teaching.capsule.file import read
from teaching.replay import ReplayBuffer
from teaching.supervisor import kind_of
from tests.pages.test_shell import home, opened, supervisor  # noqa: F401  fixtures
from tests.teaching.replay_maker import LESSON, Maker
from tests.teaching.test_jobs import until


def test_a_capsule_is_made_beside_everything_else_and_taken_along(home: Path, supervisor) -> None:  # noqa: F811
    path = home / "mine"
    with ReplayBuffer.create(path, LESSON) as buffer:
        Maker(shape=(80, 160)).taught(buffer, "e0", ("valid", "demonstration"))
    app = opened()
    app.button("capsule-mine").click().run()
    assert not app.exception
    until(lambda: not jobs.running(path / "capsules" / "making.log"), 120)
    made = capsules.newest(path)
    assert made is not None and len(read(made)["items"]) == 2
    app = opened()
    assert not app.exception and not app.error


def test_why_no_capsule_was_made_is_told(home: Path, supervisor) -> None:  # noqa: F811
    path = home / "mine"
    with ReplayBuffer.create(path, LESSON) as buffer:
        Maker(shape=(80, 160)).taught(buffer, "e0", ("valid",))
    (path / "capsules").mkdir()
    (path / "capsules" / "making.log").write_text("the disk is full\n")
    assert [e.value for e in opened().error] == ["No capsule was made: the disk is full"]


def test_a_lesson_is_made_whose_scenes_are_about_what_is_weak(home: Path, supervisor) -> None:  # noqa: F811
    app = opened()
    app.text_input("name").input("weak")
    app.selectbox[0].set_value("put-block-in-bowl")
    app.radio("scenes-of").set_value("weak").run()
    next(r for r in app.radio if r.label == "Start from").set_value("nothing").run()
    app.button("create").click().run()
    with ReplayBuffer(home / "weak", readonly=True) as buffer:
        assert buffer.lesson["scenes"] == "weak"
    assert kind_of(home / "weak") == "plans"
