"""Datasets from elsewhere are looked at in a limited child; each fault is one sentence, and nothing is taken in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest

from teaching.export import vet
from teaching.export.foreign import read_dataset
from teaching.types import BadInput

INFO = {
    "codebase_version": "v3.0", "fps": 30, "robot_type": "x",
    "features": {"action": {"dtype": "float32", "shape": [2], "names": ["a", "b"]}},
}  # fmt: skip


def make(root: Path, table: Any = None, info: Any = None) -> Path:
    """A tiny dataset, as LeRobot lays it out."""
    (root / "data" / "chunk-000").mkdir(parents=True)
    (root / "meta").mkdir()
    (root / "meta" / "info.json").write_text(json.dumps(INFO if info is None else info))
    words = {"task_index": [0], "__index_level_0__": ["do it"]}
    parquet.write_table(pyarrow.table(words), root / "meta" / "tasks.parquet")
    rows = {"action": [[0.5, 1.0], [2.0, 3.0]], "episode_index": [0, 1], "task_index": [0, 0]}
    parquet.write_table(
        pyarrow.table(rows) if table is None else table, root / "data" / "chunk-000" / "file-000.parquet"
    )
    return root


def test_hands_over_columns(tmp_path: Path) -> None:
    found = read_dataset(make(tmp_path / "set"))
    assert found.columns["action"].tolist() == [[0.5, 1.0], [2.0, 3.0]] and found.tasks == {0: "do it"}
    assert len(found.episodes()) == 2 and found.names("action") == ["a", "b"] and found.told(0) == {}
    again = read_dataset(Path(shutil.copytree(tmp_path / "set", tmp_path / "copy")))
    assert again.fingerprint == found.fingerprint


def _link(root: Path) -> None:
    (root / "data" / "more.parquet").symlink_to("/etc/passwd")


def _torn(root: Path) -> None:
    path = root / "data" / "chunk-000" / "file-000.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def _old(root: Path) -> None:
    (root / "meta" / "info.json").write_text(json.dumps({**INFO, "codebase_version": "v2.1"}))


def _no_json(root: Path) -> None:
    (root / "meta" / "info.json").write_text("{")


def _no_tasks(root: Path) -> None:
    (root / "meta" / "tasks.parquet").unlink()


def _missing(root: Path) -> None:
    table = pyarrow.table({"action": [[0.5, 1.0], None], "episode_index": [0, 0], "task_index": [0, 0]})
    parquet.write_table(table, root / "data" / "chunk-000" / "file-000.parquet")


def _ragged(root: Path) -> None:
    table = pyarrow.table({"action": [[0.5, 1.0], [1.0]], "episode_index": [0, 0], "task_index": [0, 0]})
    parquet.write_table(table, root / "data" / "chunk-000" / "file-000.parquet")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_link, "link or a device"), (_torn, "refused"), (_old, "version 3, got v2.1"), (_no_json, "refused"),
        (_no_tasks, "tasks.parquet"), (_missing, "some are missing"), (_ragged, "shape"),
        (lambda root: shutil.rmtree(root / "data"), "expected frames"),
        (lambda root: shutil.rmtree(root / "meta"), "info.json"),
    ],
    ids=["link", "torn", "old", "json", "tasks", "missing", "ragged", "empty", "none"],
)  # fmt: skip
def test_says_what_is_wrong(spoil: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    root = make(tmp_path / "set")
    spoil(root)
    with pytest.raises(BadInput, match=told) as caught:
        read_dataset(root)
    assert "Traceback" not in str(caught.value)


def test_a_declared_size_is_believed_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = 300_000
    zeros = pyarrow.array([0.0] * 2 * many, pyarrow.float32())
    rows = {
        "action": pyarrow.FixedSizeListArray.from_arrays(zeros, 2),
        "episode_index": [0] * many, "task_index": [0] * many,
    }  # fmt: skip
    root = make(tmp_path / "set", pyarrow.table(rows))
    monkeypatch.setattr(vet, "MAX_FRAMES", many - 1)
    with pytest.raises(BadInput, match="at most"):
        vet.read(root)


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a directory"):
        read_dataset(tmp_path / "nothing")
