"""Changes by hand: each one an event that training goes by and that can be taken back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from teaching.amending import amend, amend_lesson
from teaching.replay import ReplayBuffer
from teaching.types import BadInput
from tests.teaching.replay_maker import LESSON, Maker


@pytest.fixture
def buffer(tmp_path: Path):  # type: ignore[no-untyped-def]
    with ReplayBuffer.create(tmp_path / "lesson", LESSON) as made:
        Maker().taught(made, "e0", ("valid", "valid", "demonstration"))
        yield made


def share(buffer: ReplayBuffer, name: str) -> float:
    mirror = buffer.mirror()
    names = [d.id for d in mirror.demonstrations]
    return float(mirror.distribution()[0][names.index(name)]) if name in names else 0.0


@pytest.mark.parametrize(("do", "more"), [("exclude", {}), ("pin", {}), ("weigh", {"weight": 4})])
def test_a_change_moves_what_is_drawn_and_is_taken_back(buffer: ReplayBuffer, do: str, more: dict[str, float]) -> None:
    name = "e0-0-validated"
    before = share(buffer, name)
    said = amend(buffer, do, {"demonstration": name, "teacher": "Ada", **more})
    assert (share(buffer, name) > before) == (do != "exclude")
    assert next(e for e in buffer.history() if e.seq == said).body["by"] == "Ada"
    amend(buffer, "take_back", {"event": said})
    assert share(buffer, name) == before


def test_restored_and_unpinned(buffer: ReplayBuffer) -> None:
    name, before = "e0-1-validated", share(buffer, "e0-1-validated")
    for do in ("exclude", "restore", "pin", "unpin"):
        amend(buffer, do, {"demonstration": name})
    assert share(buffer, name) == before


def test_the_next_training_draws_by_it(buffer: ReplayBuffer) -> None:
    amend(buffer, "exclude", {"demonstration": "e0-0-validated"})
    mirror = buffer.mirror()
    mirror.sample(200, np.random.default_rng(0))
    assert set(mirror.draws()) == {"e0-1-validated", "e0-2-annotated"} and sum(mirror.draws().values()) == 200


@pytest.mark.parametrize(
    ("do", "values", "expected"),
    [
        ("explode", {}, "a change among"),
        ("exclude", {"demonstration": "e9-0-validated"}, "in use"),
        ("restore", {"demonstration": "e0-0-validated"}, "excluded"),
        ("weigh", {"demonstration": "e0-0-validated", "weight": "much"}, "as a number"),
        ("weigh", {"demonstration": "e0-0-validated", "weight": -1}, "from 0 to 100"),
        ("weigh", {"demonstration": "e0-0-validated", "weight": float("nan")}, "from 0 to 100"),
        ("take_back", {"event": 1}, "made by hand"),
        ("take_back", {}, "the number of a change"),
    ],
)
def test_bad_input_says_what_was_expected_and_changes_nothing(
    buffer: ReplayBuffer, do: str, values: dict[str, object], expected: str
) -> None:
    before = buffer.last_sequence
    with pytest.raises(BadInput, match=expected):
        amend(buffer, do, values)
    assert buffer.last_sequence == before


def test_a_lesson_that_does_not_run_is_changed_in_its_store(buffer: ReplayBuffer) -> None:
    buffer.close()
    said = amend_lesson(buffer.path, "pin", {"demonstration": "e0-0-validated"}, session="s", teacher="Ada")
    with ReplayBuffer(buffer.path, readonly=True) as read:
        assert read.pins() == {"e0-0-validated"} and said == read.last_sequence
