"""A backup opens as a whole lesson, also one that was taken while somebody taught."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from teaching.replay import ReplayBuffer
from teaching.replay import backup as backup_module
from teaching.replay.backup import backup
from teaching.types import BadInput
from tests.teaching.replay_maker import LESSON, Maker


def restored(out: Path, into: Path) -> ReplayBuffer:
    with tarfile.open(out) as tar:
        tar.extractall(into, filter="data")
    return ReplayBuffer(into / "lesson")


def test_a_backup_of_an_open_lesson(tmp_path: Path) -> None:
    maker = Maker()
    with ReplayBuffer.create(tmp_path / "lesson", LESSON) as buffer:
        maker.taught(buffer, "e0", ("valid", "both"))
        buffer.ask(decision := maker.decision("e1", 0), maker.observation())
        buffer.say("answer", maker.answer(decision))
        assert backup(buffer.path, tmp_path / "b.tar") == (tmp_path / "b.tar").stat().st_size
        with restored(tmp_path / "b.tar", tmp_path / "r") as again:
            assert again.verify().whole and not again.problems
            assert sorted(again.answers()) == ["e0-0", "e0-1", "e1-0"] and len(again.demonstrations()) == 4


def test_a_backup_while_an_episode_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker()
    with ReplayBuffer.create(tmp_path / "lesson", LESSON) as buffer:
        buffer.ask(decision := maker.decision("e0", 0), seen := maker.observation())
        buffer.say("answer", maker.answer(decision))
        add = backup_module._add

        def slowly(tar: tarfile.TarFile, item: Path, name: str) -> None:
            if item.name == "e0-0.h5" and not buffer.episodes():
                buffer.append(maker.episode("e0", [(decision, seen)]))  # it goes while it is listed
            add(tar, item, name)

        monkeypatch.setattr(backup_module, "_add", slowly)
        backup(buffer.path, tmp_path / "b.tar")
    with restored(tmp_path / "b.tar", tmp_path / "r") as again:
        assert again.verify().whole and [e.id for e in again.episodes()] == ["e0"]
        assert any("it is now" in p for p in again.problems)


def test_where_nothing_is_and_where_something_is(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="found none"):
        backup(tmp_path, tmp_path / "b.tar")
    ReplayBuffer.create(tmp_path / "lesson", LESSON).close()
    (tmp_path / "b.tar").write_bytes(b"mine")
    with pytest.raises(BadInput, match="give another name"):
        backup(tmp_path / "lesson", tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == b"mine"
