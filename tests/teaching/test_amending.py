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


def test_an_episode_is_deleted_and_comes_back(buffer: ReplayBuffer) -> None:
    Maker(1).taught(buffer, "e1", ("valid", "both"))
    stored, rows = buffer.demonstrations(), buffer.rows()
    said = amend(buffer, "drop_episode", {"episode": "e1", "teacher": "Ada"})
    assert {d.decision.split("-")[0] for d in buffer.demonstrations()} == {"e0"}
    assert not any(d.startswith("e1") for d in buffer.rows().decision) and len(buffer.mirror()) == 3
    with pytest.raises(BadInput, match="not deleted"):
        amend(buffer, "drop_episode", {"episode": "e1"})
    amend(buffer, "take_back", {"event": said})
    assert [d.id for d in buffer.demonstrations()] == [d.id for d in stored]
    assert buffer.rows().decision == rows.decision


def test_a_late_verdict(buffer: ReplayBuffer) -> None:
    said = amend(buffer, "judge", {"decision": "e0-0", "right": False, "teacher": "Ada"}, clock=lambda: 7.0)
    late = buffer.answers()["e0-0"]
    assert (int(late.feedback.outcome), late.late, late.teacher, late.time) == (-1, True, "Ada", 7.0)
    amend(buffer, "take_back", {"event": said})
    assert int(buffer.answers()["e0-0"].feedback.outcome) == 1


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
        ("drop_episode", {"episode": "../e0"}, "not deleted"),
        ("judge", {"decision": "e9-9", "right": True}, "a plan of this lesson"),
        ("judge", {"decision": "e0-0", "right": "yes"}, "whether it was right"),
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
