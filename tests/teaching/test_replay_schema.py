"""`datasets/README.md` names every field that is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest

from teaching.replay import ReplayBuffer
from teaching.replay.events import KINDS
from teaching.replay.file import SCHEMA
from teaching.replay.nouns import from_bytes
from tests.teaching.replay_maker import LESSON, Maker

PAGE = (Path(__file__).parents[2] / "datasets" / "README.md").read_text()


def told(name: str) -> bool:
    return f"`{name}`" in PAGE or f"`{name}/…`" in PAGE or f'"{name}"' in PAGE


def test_the_version() -> None:
    assert f"version **{SCHEMA}**" in PAGE


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event(kind: str) -> None:
    assert told(kind)


def names(value: Any) -> set[str]:
    """All keys in nested plain values, except what a lesson or a scene puts in."""
    if isinstance(value, list):
        return {n for item in value for n in names(item)}
    if not isinstance(value, dict):
        return set()
    inner = {n for k, v in value.items() if k not in ("truth", "extra") for n in names(v)}
    return set(value) | inner


def test_every_field_of_a_lesson(tmp_path: Path) -> None:
    with ReplayBuffer.create(tmp_path / "x", LESSON) as buffer:
        episode = Maker().taught(buffer, "e0", ("both", "valid"))
        bodies = {n for e in buffer.history() for n in names(dict(e.body))}
    with h5py.File(tmp_path / "x" / "episodes" / f"{episode.id}.h5", "r") as file:
        written: list[str] = []
        file.visititems(lambda name, item: written.append(name) if isinstance(item, h5py.Dataset) else None)
        record = names(from_bytes(file["record"][()].tobytes()))
        attributes = set(file.attrs)
    missing = {n for n in {*bodies, *record, *attributes, *written} if not told(n)}
    assert not missing, f"expected datasets/README.md to name {sorted(missing)}"
    top = {p.name for p in (tmp_path / "x").iterdir()}
    assert {n for n in top if n.split(".")[0] not in PAGE} == set()
