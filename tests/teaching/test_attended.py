"""A lesson started by a command and answered over its socket, on the arm in memory."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from robot_io.run_files import read_run_file
from teaching.attended import attend
from teaching.channel import Channel
from teaching.lesson import LessonConfig
from teaching.types import AskbackError, BadInput
from tests.teaching.test_lesson_processes import started

pytestmark = pytest.mark.process


def test_it_ends_when_a_person_has_taught_enough(tmp_path: Path) -> None:
    path, told, found = tmp_path / "bowls", [], []
    config = LessonConfig(name="bowls", arm="fake:table", start="nothing", seed=1)

    def command() -> None:
        found.append(attend(path, config, 1, tell=told.append))

    waiting = threading.Thread(target=command)
    waiting.start()
    started(path)
    with Channel(path, session="anna", teacher="Anna") as page:
        answered = None
        while waiting.is_alive():
            try:
                question = page.question(after=answered, timeout=5.0)
                answered = str(question["id"])
                page.intend("answer", query=answered, verdict="valid", seconds=1.0)
            except AskbackError:
                break  # the lesson has ended
    waiting.join(60)
    figures: dict[str, Any] = found[0]
    assert figures["storing_episodes"] >= 1 and figures["validated"] >= 1 and figures["human_seconds"] >= 1.0
    assert str(tmp_path) in told[0] and "bowls" in told[0]
    assert read_run_file(path, "host") is None and read_run_file(path, "arm") is None


def test_a_task_without_a_starter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--start nothing"):
        attend(tmp_path / "shapes", LessonConfig(task="packing-shapes"), 1)
    assert not (tmp_path / "shapes").exists()
