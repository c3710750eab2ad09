"""Jobs beside a lesson: one at a time, told of by whoever looks, called off with all that they started."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from teaching import jobs
from teaching.types import BadInput


def until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def test_a_job_is_known_by_its_log_alone_and_ends_with_its_words(tmp_path: Path, monkeypatch) -> None:
    log = tmp_path / "jobs" / "a.log"
    jobs.start(log, ["evaluate", str(tmp_path), "--queued"])
    monkeypatch.setattr(jobs, "_CHILDREN", {})  # as a web process that was started anew
    until(lambda: not jobs.running(log))
    assert "expected a lesson in" in jobs.words(log).last
    with pytest.raises(BadInput, match="just ended"):
        jobs.cancel(log)


def test_jobs_take_turns_and_a_waiting_one_can_be_called_off(tmp_path: Path) -> None:
    log = tmp_path / "b.log"
    with jobs.turn(tmp_path):
        jobs.start(log, ["evaluate", str(tmp_path), "--queued"])
        until(lambda: jobs.words(log).last == jobs.WAITING)
        assert jobs.running(log)
        with pytest.raises(BadInput, match="under way"):
            jobs.start(log, ["evaluate", str(tmp_path), "--queued"])
        jobs.cancel(log)
        until(lambda: not jobs.running(log))
    assert jobs.words(log).last == jobs.CANCELLED


TAKE = "import sys, pathlib; from teaching import jobs; jobs.turn(pathlib.Path(sys.argv[1])).__enter__(); print('mine')"


def test_a_turn_ends_with_its_block(tmp_path: Path) -> None:
    with jobs.turn(tmp_path):
        other = subprocess.Popen([sys.executable, "-c", TAKE, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None and other.stdout.readline() == f"{jobs.WAITING}\n"
        assert other.poll() is None
    assert other.communicate(timeout=60)[0] == "mine\n"


def test_progress_is_read_from_the_last_line(tmp_path: Path) -> None:
    log = tmp_path / "c.log"
    log.write_text("scenes played 1 of 40\nscenes played 3 of 40\n")
    assert jobs.words(log) == jobs.Words("scenes played 3 of 40", 3, 40)
    log.write_text("something else\n")
    assert jobs.words(log) == jobs.Words("something else")
    assert jobs.words(tmp_path / "nothing.log") == jobs.Words() and not jobs.running(tmp_path / "nothing.log")
