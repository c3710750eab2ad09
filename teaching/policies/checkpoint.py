"""Checkpoints: safetensors and JSON in a directory that is whole or absent. No pickle.

`model.safetensors` holds weights, `optimiser.safetensors` the optimiser's state as flat contiguous tensors
(`state.<i>.<name>`), `checkpoint.json` everything else: method, sizes, words, parameter groups, lineage and the SHA-256
of both files, so that a damaged one is found before anything is taken over.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from teaching.policies.base import CheckpointError

SCHEMA = 1
INFO = "checkpoint.json"
MODEL = "model.safetensors"
OPTIMISER = "optimiser.safetensors"


def write(directory: Path, info: Mapping[str, Any], tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write a checkpoint: beside, synced, then renamed; an older one of that name is replaced.

    Args:
        directory: where it shall be.
        info: JSON-able values.
        tensors: file name → tensor name → tensor.
    """
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = directory.with_name(f".{directory.name}.{os.getpid()}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    digests = {}
    for name, values in tensors.items():
        data = save({key: value.detach().cpu().contiguous().clone() for key, value in values.items()})
        digests[name] = hashlib.sha256(data).hexdigest()
        _write_synced(beside / name, data)
    text = json.dumps({"schema": SCHEMA, **info, "files": digests}, indent=1, sort_keys=True)
    _write_synced(beside / INFO, text.encode())
    _sync(beside)
    _swap(beside, directory)


def read_info(directory: Path) -> dict[str, Any]:
    """The JSON of a checkpoint; CheckpointError if it is missing or damaged."""
    path = Path(directory) / INFO
    try:
        info = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"expected a checkpoint in {directory}, but {INFO} cannot be read: {error}; take another"
        ) from error
    if not isinstance(info, dict) or info.get("schema") != SCHEMA or not isinstance(info.get("files"), dict):
        raise CheckpointError(f"expected {path} to be of schema {SCHEMA}; take a checkpoint that this version wrote")
    return info


def read_tensors(directory: Path, name: str, info: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of one file; CheckpointError if it is missing or not the one that was written."""
    path = Path(directory) / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"expected {path}, which cannot be read: {error}; take another checkpoint") from error
    if hashlib.sha256(data).hexdigest() != info["files"].get(name):
        raise CheckpointError(f"{path} is damaged: its contents are not what was written; take another checkpoint")
    try:
        return load(data)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a safetensors file: {error}; take another checkpoint") from error


def checkpoints(parent: Path) -> list[Path]:
    """The checkpoints in a directory, oldest first."""
    parent = Path(parent)
    found = parent.iterdir() if parent.is_dir() else iter(())
    return sorted(path for path in found if not path.name.startswith(".") and (path / INFO).is_file())


def prune(parent: Path, keep: int) -> None:
    """Remove all but the last `keep` checkpoints, and what an interrupted writer left behind."""
    for path in checkpoints(parent)[: -max(keep, 1)]:
        shutil.rmtree(path, ignore_errors=True)


def drop_unfinished(parent: Path) -> None:
    """Remove what a writer left that was killed; call it only while nobody writes."""
    for path in Path(parent).glob(".*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def flat_state(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """An optimiser as flat tensors `state.<i>.<name>` and JSON-able parameter groups."""
    whole = optimiser.state_dict()
    flat = {f"state.{i}.{name}": torch.as_tensor(v) for i, state in whole["state"].items() for name, v in state.items()}
    return flat, whole["param_groups"]


def restore_state(optimiser: torch.optim.Optimizer, flat: Mapping[str, Tensor], groups: list[dict[str, Any]]) -> None:
    """Undo `flat_state`; CheckpointError if it belongs to another optimiser."""
    state: dict[int, dict[str, Tensor]] = {}
    try:
        for key, value in flat.items():
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
        optimiser.load_state_dict({"state": state, "param_groups": [{**g, "betas": tuple(g["betas"])} for g in groups]})
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"the optimiser's state does not fit: {error}; train from the weights alone") from error


def restore_weights(model: nn.Module, tensors: Mapping[str, Tensor], where: Path) -> None:
    """Load weights into a model; CheckpointError, with nothing changed, if they do not fit."""
    own = model.state_dict()
    wrong = sorted(
        n for n in own.keys() | tensors.keys() if n not in own or n not in tensors or own[n].shape != tensors[n].shape
    )
    if wrong:
        raise CheckpointError(
            f"the weights in {where} are of another network (first difference: {wrong[0]}); take another checkpoint"
        )
    model.load_state_dict({name: value.to(own[name].dtype) for name, value in tensors.items()})


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(beside: Path, directory: Path) -> None:
    """Rename into place; directories cannot be renamed over, so an older one first steps aside."""
    aside = directory.with_name(f".{directory.name}.{os.getpid()}.old.tmp")
    if directory.exists():
        directory.rename(aside)
    beside.rename(directory)
    _sync(directory.parent)
    shutil.rmtree(aside, ignore_errors=True)
