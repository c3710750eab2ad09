"""Checkpoints on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from teaching.policies import checkpoint
from teaching.policies.base import CheckpointError

INFO = {"method": "test", "updates": 3}


def write(path: Path, value: float = 1.0) -> Path:
    checkpoint.write(path, INFO, {"model.safetensors": {"w": torch.full((2, 3), value)}})
    return path


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    path = write(tmp_path / "deep" / "000001")
    info = checkpoint.read_info(path)
    assert info["updates"] == 3 and info["schema"] == checkpoint.SCHEMA
    assert torch.equal(checkpoint.read_tensors(path, "model.safetensors", info)["w"], torch.ones(2, 3))
    assert sorted(p.name for p in path.parent.iterdir()) == ["000001"]


def test_channels_last_tensors_are_taken(tmp_path: Path) -> None:
    kernel = torch.arange(144.0).reshape(2, 8, 3, 3).contiguous(memory_format=torch.channels_last)
    checkpoint.write(tmp_path / "1", INFO, {"model.safetensors": {"w": kernel}})
    info = checkpoint.read_info(tmp_path / "1")
    assert torch.equal(checkpoint.read_tensors(tmp_path / "1", "model.safetensors", info)["w"], kernel)


def test_writing_again_replaces(tmp_path: Path) -> None:
    write(tmp_path / "1")
    info = checkpoint.read_info(write(tmp_path / "1", 2.0))
    assert checkpoint.read_tensors(tmp_path / "1", "model.safetensors", info)["w"][0, 0] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["1"]


def test_a_writer_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "1")

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_write_synced", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "1", 2.0)
    info = checkpoint.read_info(tmp_path / "1")
    assert checkpoint.read_tensors(tmp_path / "1", "model.safetensors", info)["w"][0, 0] == 1
    assert checkpoint.checkpoints(tmp_path) == [tmp_path / "1"]
    checkpoint.drop_unfinished(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize("text", ["", "[]", "{", json.dumps({"schema": 99, "files": {}}), json.dumps({"schema": 1})])
def test_json_that_is_none_of_ours_is_told(tmp_path: Path, text: str) -> None:
    write(tmp_path / "1")
    (tmp_path / "1" / checkpoint.INFO).write_text(text)
    with pytest.raises(CheckpointError):
        checkpoint.read_info(tmp_path / "1")


def test_weights_of_another_network_change_nothing() -> None:
    model = torch.nn.Linear(2, 3)
    before = model.weight.clone()
    with pytest.raises(CheckpointError, match="another network"):
        checkpoint.restore_weights(model, {"weight": torch.zeros(4, 4), "bias": torch.zeros(3)}, Path("x"))
    assert torch.equal(model.weight, before)


def test_half_precision_weights_fit(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 3)
    checkpoint.restore_weights(model, {k: v.half() for k, v in model.state_dict().items()}, tmp_path)
    assert model.weight.dtype == torch.float32


def test_an_optimiser_of_another_network_is_told() -> None:
    optimiser = torch.optim.AdamW(torch.nn.Linear(2, 3).parameters())
    with pytest.raises(CheckpointError):
        checkpoint.restore_state(optimiser, {}, [{"params": [0], "betas": [0.9, 0.999]}] * 2)


def test_the_last_are_kept(tmp_path: Path) -> None:
    for i in range(5):
        write(tmp_path / f"{i:06d}")
    (tmp_path / "notes").mkdir()
    checkpoint.prune(tmp_path, 2)
    assert [p.name for p in checkpoint.checkpoints(tmp_path)] == ["000003", "000004"]
    assert (tmp_path / "notes").is_dir()
    assert checkpoint.checkpoints(tmp_path / "none") == []
