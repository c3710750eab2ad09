"""A lesson as processes, on the arm in memory: the socket, two people, crashes of each process, an orderly end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from robot_io.run_files import read_run_file
from teaching import supervisor
from teaching.channel import Channel
from teaching.replay import ReplayBuffer
from teaching.types import AskbackError, BadInput

pytestmark = pytest.mark.process

ORIGIN = "http://127.0.0.1:8501"


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, supervisor.Supervisor]]:
    home = tmp_path_factory.mktemp("home")
    path = supervisor.create_lesson(home, "Bowls", arm="fake:table", start="nothing")
    keeper = supervisor.Supervisor([ORIGIN])
    keeper.open(path)
    keeper.watch(0.2)
    started(path)
    yield path, keeper
    keeper.close(path)
    keeper.stop(lessons=False)


def started(path: Path, *, after: int | None = None, kind: str = "host", patience: float = 60.0) -> None:
    """Wait until a process (other than pid `after`) serves."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        run = read_run_file(path, kind)
        if run is not None and run.pid != after and supervisor._found(path, kind):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {kind}: {supervisor.last_words(path, kind)}")


def release(path: Path) -> None:
    """A person releases an arm that came back latched."""
    from robot_io.remote import RemoteArm

    arm = RemoteArm(path, session="person")
    arm.reconnect()
    arm.release()
    arm.disconnect()


def answer(page: Channel, verdict: str = "invalid", **more: object) -> str:
    question = page.question()
    assert page.intend("answer", query=question["id"], verdict=verdict, seconds=1.0, **more) is not None
    return str(question["id"])


def kill(path: Path, kind: str) -> int:
    run = read_run_file(path, kind)
    assert run is not None
    os.kill(run.pid, signal.SIGKILL)
    return run.pid


def test_answers_arrive_and_are_durable(lesson) -> None:
    path, _ = lesson
    with Channel(path, session="anna", teacher="Anna") as page:
        said = [answer(page)]
        page.question(after=said[0])
        said.append(answer(page))
    with ReplayBuffer(path, readonly=True) as reader:
        answers = reader.answers()
    assert set(said) <= set(answers) and answers[said[0]].teacher == "Anna"


def test_the_same_intent_twice_counts_once(lesson) -> None:
    path, _ = lesson
    with Channel(path, session="anna") as page:
        question = page.question()
        values = {"query": question["id"], "verdict": "invalid", "seconds": 1.0}
        first = page.intend("answer", id="once", **values)
        assert page.intend("answer", id="once", **values) == first
        with pytest.raises(AskbackError, match="no longer open"):
            page.intend("answer", id="twice", **values)


def test_a_refused_intent_may_be_sent_again(lesson) -> None:
    path, _ = lesson
    with Channel(path, session="anna") as page:
        question = page.question()
        values = {"query": question["id"], "seconds": 1.0}
        with pytest.raises(AskbackError, match="expected a verdict"):
            page.intend("answer", id="again", verdict="perhaps", **values)
        assert page.intend("answer", id="again", verdict="invalid", **values) is not None


def test_a_second_person_watches_until_the_turn_passes(lesson) -> None:
    path, _ = lesson
    with Channel(path, session="anna") as first, Channel(path, session="ben") as second:
        question = second.question()
        assert second.view["lease"]["you"] is False
        with pytest.raises(AskbackError, match="you are watching"):
            second.intend("answer", query=question["id"], verdict="invalid")
        second.intend("lease", lease="take")
        first.intend("lease", lease="give")
        assert second.intend("answer", query=question["id"], verdict="invalid") is not None
        second.intend("lease", lease="drop")
        first.intend("lease", lease="take")


def test_a_watcher_may_not_answer(lesson) -> None:
    path, _ = lesson
    with Channel(path, session="eve", role="watch") as page:
        question = page.question()
        with pytest.raises(AskbackError, match="watch"):
            page.intend("lease", lease="take")
        with pytest.raises(AskbackError, match="watching"):
            page.intend("answer", query=question["id"], verdict="valid")


def test_a_draft_survives_a_reload(lesson) -> None:
    path, _ = lesson
    with Channel(path, session="anna") as page:
        question = page.question()
        page.intend("draft", query=question["id"], draft={"pick": [0.5, 0.1]})
    with Channel(path, session="anna") as page:
        again = page.question()
        assert again["id"] == question["id"] and again["draft"] == {"pick": [0.5, 0.1]}
        with pytest.raises(AskbackError, match="a few clicks"):
            page.intend("draft", query=question["id"], draft={"x": "y" * 50_000})
        page.intend("draft", query=question["id"], draft=None)


def test_bad_intents_are_refused_with_a_sentence(lesson) -> None:
    path, _ = lesson
    with Channel(path, session="anna") as page:
        page.question()
        for do, values, words in (
            ("dance", {}, "expected an intent among"),
            ("gate", {"target": 7}, "cannot be"),
            ("goal", {"goal": "make me a sandwich"}, "expected"),
            ("goal", {"goal": "x" * 10_000}, "expected"),
            ("wrong", {"decision": "../../etc"}, "expected a plan of this lesson"),
        ):
            with pytest.raises(AskbackError, match=words):
                page.intend(do, **values)


def test_foreign_origins_hosts_and_tokens_are_refused(lesson) -> None:
    path, _ = lesson
    run = read_run_file(path, "host")
    assert run is not None
    url = f"ws://127.0.0.1:{run.port}/lesson"
    with pytest.raises(InvalidStatus):
        connect(url, origin="http://evil.example", proxy=None)
    with pytest.raises(InvalidStatus):
        connect(url, additional_headers={"Host": "evil.example"}, proxy=None)
    with connect(url, origin=ORIGIN, proxy=None) as socket:
        socket.send('{"token": "guess"}')
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)


@pytest.mark.parametrize("kind", ["host", "arm"])
def test_a_killed_process_comes_back_and_nothing_acknowledged_is_lost(lesson, kind: str) -> None:
    path, _ = lesson
    with Channel(path, session="anna") as page:
        said = answer(page)
        before = kill(path, kind)
    started(path, after=before, kind=kind)
    started(path)
    if kind == "arm":
        release(path)
    with Channel(path, session="anna") as page:
        question = page.question(timeout=60)
        assert question["id"] != said
        answer(page)
    with ReplayBuffer(path, readonly=True) as reader:
        assert said in reader.answers()


def test_a_question_outlives_its_host(lesson) -> None:
    path, _ = lesson
    started(path)
    with Channel(path, session="anna") as page:
        while not (question := page.question())["id"].endswith("-0"):
            answer(page)
        before = kill(path, "host")
    started(path, after=before, kind="host")
    started(path)
    with Channel(path, session="anna") as page:
        again = page.question(timeout=60)
        assert again["id"] == question["id"] and again["plan"] == question["plan"]
        answer(page)
    with ReplayBuffer(path, readonly=True) as reader:
        assert question["id"] in reader.answers()


def test_an_orderly_end_leaves_everything_committed(tmp_path: Path) -> None:
    path = supervisor.create_lesson(tmp_path, "End", arm="fake:table", start="nothing")
    keeper = supervisor.Supervisor([ORIGIN])
    keeper.open(path)
    started(path)
    with Channel(path, session="anna") as page:
        said = [answer(page)]
        page.question(after=said[0])
    keeper.close(path)
    assert not supervisor.running(path) and read_run_file(path, "arm") is None
    with ReplayBuffer(path) as buffer:
        assert buffer.verify().whole and buffer.pending() == [] and said[0] in buffer.answers()
    with pytest.raises(AskbackError, match="expected a running lesson"):
        Channel(path)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 61, "a\nb/"])
def test_lesson_names_cannot_leave_the_home(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        supervisor.create_lesson(tmp_path / "home", name, arm="fake:table", start="nothing")
    assert not (tmp_path / "home").exists()


def test_lessons_are_listed_also_damaged_ones(tmp_path: Path) -> None:
    supervisor.create_lesson(tmp_path, "One", arm="fake:table", start="nothing")
    with pytest.raises(BadInput, match="there is a lesson"):
        supervisor.create_lesson(tmp_path, "one")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "lesson.json").write_text("{")
    found = {s.name: s for s in supervisor.list_lessons(tmp_path)}
    assert found["One"].problem == "" and found["two"].problem
