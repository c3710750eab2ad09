from __future__ import annotations

from pathlib import Path

import pytest

from teaching.lesson import LessonConfig
from teaching.replay import ReplayBuffer
from teaching.replay.branch import branch
from teaching.types import BadInput


def begun(path: Path) -> Path:
    config = LessonConfig.from_json({"name": "start", "kind": "rollout", "protocol": "rac"})
    with ReplayBuffer.create(path, config.to_json()) as buffer:
        (buffer.checkpoints / "note").write_text("kept")
    (path / "run").mkdir(exist_ok=True)
    (path / "run" / "arm.json").write_text("{}")
    return path


def test_a_branch_has_everything_but_what_was_changed(tmp_path: Path) -> None:
    start = begun(tmp_path / "start")
    branch(start, tmp_path / "other", {"protocol": "hg-dagger"})
    with ReplayBuffer(start) as before, ReplayBuffer(tmp_path / "other") as after:
        assert after.lesson == {**before.lesson, "protocol": "hg-dagger"} and before.lesson["protocol"] == "rac"
        assert (after.checkpoints / "note").read_text() == "kept"
    assert not (tmp_path / "other" / "run" / "arm.json").exists()


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    start = begun(tmp_path / "start")
    with pytest.raises(BadInput, match="new place"):
        branch(start, start, {})
    with pytest.raises(BadInput, match="luck"):
        branch(start, tmp_path / "other", {"luck": 1})
    assert not (tmp_path / "other").exists()
