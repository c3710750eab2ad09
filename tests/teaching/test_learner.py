"""The trainer process, started for real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from teaching.learner import keep_memory, main
from teaching.policies import checkpoint
from teaching.replay import ReplayBuffer
from tests.teaching.replay_maker import LESSON, Maker

pytestmark = pytest.mark.process

ENDINGS = ("done", "failed", "cancelled")


class Child:
    """The trainer at the other end of two pipes."""

    def __init__(self, directory: Path) -> None:
        command = [sys.executable, "-m", "teaching.learner", str(directory), "--nice", "5"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def say(self, line: str | dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        self.process.stdin.flush()

    def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these kinds."""
        assert self.process.stdout
        for line in self.process.stdout:
            message: dict[str, Any] = json.loads(line)
            if message["type"] in kinds:
                return message
        raise AssertionError(f"it ended: {self.process.stderr.read() if self.process.stderr else ''}")

    def end(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(20)


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[ReplayBuffer]:
    with ReplayBuffer.create(tmp_path / "lesson", {**LESSON, "training": {"batch": 2}}) as made:
        Maker(shape=(80, 160)).taught(made, "000000", ("valid", "both"))
        yield made


@pytest.fixture
def child(buffer: ReplayBuffer) -> Iterator[Child]:
    started = Child(buffer.path)
    yield started
    if started.process.poll() is None:
        started.process.kill()
    for pipe in (started.process.stdin, started.process.stdout, started.process.stderr):
        if pipe and not pipe.closed:
            pipe.close()
    started.process.wait(20)


def test_it_trains_cancels_fails_and_ends(buffer: ReplayBuffer, child: Child) -> None:
    ready = child.hear("ready")
    assert ready["checkpoint"] is None and ready["problems"] == []
    child.say({"do": "train", "steps": 2, "seed": 3, "update": 1})
    assert [child.hear("progress")["step"] for _ in range(2)] == [1, 2]
    done = child.hear(*ENDINGS)
    assert done["type"] == "done" and done["update"] == 1 and Path(done["checkpoint"]).name == "000001"
    assert done["figures"]["demonstrations"] == 3
    Maker(seed=1, shape=(80, 160)).taught(buffer, "000001", ("valid",))
    child.say({"do": "train", "steps": 1, "seed": 3, "update": 2})
    assert child.hear(*ENDINGS)["figures"]["demonstrations"] == 4
    child.say({"do": "train", "steps": 10_000, "seed": 3, "update": 3})
    child.hear("progress")
    child.say({"do": "cancel"})
    assert child.hear(*ENDINGS)["type"] == "cancelled"
    child.say("nonsense")
    assert "nonsense" in child.hear(*ENDINGS)["message"]
    child.say({"do": "dance"})
    assert "dance" in child.hear(*ENDINGS)["message"]
    child.say({"do": "train", "steps": 1, "update": 3})
    assert "seed" in child.hear(*ENDINGS)["message"]
    child.say({"do": "train", "steps": 1, "seed": 3, "update": 3})
    assert child.hear(*ENDINGS)["type"] == "done"
    assert child.end() == 0
    assert [p.name for p in checkpoint.checkpoints(buffer.checkpoints)] == ["000001", "000002", "000003"]


def test_the_end_of_its_input_ends_a_training_too(buffer: ReplayBuffer, child: Child) -> None:
    child.say({"do": "train", "steps": 10_000, "seed": 3, "update": 1})
    child.hear("progress")
    assert child.end() == 0
    assert checkpoint.checkpoints(buffer.checkpoints) == []


def test_killed_in_mid_training_it_leaves_no_torn_checkpoint_and_goes_on(buffer: ReplayBuffer, child: Child) -> None:
    child.say({"do": "train", "steps": 1, "seed": 3, "update": 1})
    child.hear("done")
    child.say({"do": "train", "steps": 10_000, "seed": 3, "update": 2})
    child.hear("progress")
    child.process.kill()
    child.process.wait(20)
    (buffer.checkpoints / ".000002.1.tmp").mkdir()
    second = Child(buffer.path)
    assert Path(second.hear("ready")["checkpoint"]).name == "000001"
    assert second.end() == 0
    assert [p.name for p in buffer.checkpoints.iterdir()] == ["000001"]


def test_a_directory_that_is_no_lesson_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "expected" in capfd.readouterr().err


def test_keeping_memory_is_harmless_anywhere() -> None:
    assert keep_memory() in (True, False)
