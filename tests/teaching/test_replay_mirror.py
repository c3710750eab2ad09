"""The training mirror: the same pixels as the files, grows with the buffer, drawn by PIER."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from teaching.priority import pier_priority, sampling_distribution
from teaching.replay import ReplayBuffer
from teaching.types import BadInput
from tests.teaching.replay_maker import LESSON, Maker


@pytest.fixture
def buffer(tmp_path: Path):  # type: ignore[no-untyped-def]
    with ReplayBuffer.create(tmp_path / "lesson", LESSON) as made:
        yield made


def test_same_pixels_as_the_files(buffer: ReplayBuffer) -> None:
    maker = Maker()
    episodes = {f"e{i}": maker.taught(buffer, f"e{i}", ("valid", "demonstration", "both")) for i in range(30)}
    mirror = buffer.mirror()
    names = [d.id for d in buffer.demonstrations()]
    assert len(mirror) == len(names) == 120
    colour, height, goals, actions = mirror.batch(names)
    assert colour.shape == (120, 8, 16, 3) and colour.dtype == np.uint8 and height.dtype == np.float32
    for row, demonstration in enumerate(buffer.demonstrations()):
        episode, step = demonstration.decision.split("-")
        seen = episodes[episode].steps[int(step)].observation
        assert np.array_equal(colour[row], seen["colour"]) and np.array_equal(height[row], seen["height"])
        assert goals[row] == demonstration.goal and np.array_equal(actions[row], demonstration.actions)
    assert mirror.bytes == 90 * 8 * 16 * 7


def test_a_refresh_reads_only_what_is_new(buffer: ReplayBuffer, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker()
    maker.taught(buffer, "e0", ("valid",))
    buffer.mirror()
    read: list[str] = []
    original = buffer.file_of
    monkeypatch.setattr(buffer, "file_of", lambda commit: read.append(commit.episode) or original(commit))
    maker.taught(buffer, "e1", ("valid",))
    assert len(buffer.mirror()) == 2 and read == ["e1"]
    buffer.say("delete", {"demonstration": "e0-0-validated"})
    assert [d.id for d in buffer.mirror().demonstrations] == ["e1-0-validated"] and read == ["e1"]


def test_drawn_by_priority(buffer: ReplayBuffer) -> None:
    maker = Maker()
    for i in range(6):
        maker.taught(buffer, f"e{i}", ("valid", "both"))
    rows, mirror = buffer.rows(), buffer.mirror()
    priority = pier_priority(rows.uncertainty, rows.outcome, rows.update)
    owned = np.array([priority[i] for i, d in enumerate(rows.demonstration) if d is not None])
    probability, weight = sampling_distribution(owned)
    order = [d for d in rows.demonstration if d is not None]
    assert order == [d.id for d in mirror.demonstrations]
    assert np.allclose(mirror.distribution()[0], probability) and np.allclose(mirror.distribution()[1], weight)
    batch = mirror.sample(4000, np.random.default_rng(0))
    counts = np.array([np.all(batch.actions == d.actions, axis=(1, 2)).sum() for d in mirror.demonstrations])
    # annotated and relabelled pairs have actions of their own, so every demonstration can be told apart
    expected = 4000 * probability
    assert ((counts - expected) ** 2 / expected).sum() < 45  # chi-square, 17 degrees of freedom, p < 0.0003
    assert batch.weight.shape == (4000,) and batch.weight.max() <= 1.0


def test_the_same_generator_draws_the_same(buffer: ReplayBuffer) -> None:
    Maker().taught(buffer, "e0", ("valid", "both", "relabel"))
    one, other = (buffer.mirror().sample(16, np.random.default_rng(5)) for _ in range(2))
    assert one.goal == other.goal and np.array_equal(one.actions, other.actions)


def test_pins_and_weights_move_priorities(buffer: ReplayBuffer) -> None:
    Maker().taught(buffer, "e0", ("valid", "valid", "valid"))
    before = buffer.mirror().distribution()[0]
    buffer.say("weight", {"demonstration": "e0-0-validated", "weight": 5.0})
    buffer.say("pin", {"demonstration": "e0-1-validated"})
    after = buffer.mirror().distribution()[0]
    assert after[0] > before[0] and after[1] / after[2] > before[1] / before[2]
    even, weight = buffer.mirror().distribution(prioritised=False)
    assert np.allclose(even, 1 / 3) and np.allclose(weight, 1.0)


def test_nothing_to_draw_and_unknown_ids(buffer: ReplayBuffer) -> None:
    with pytest.raises(BadInput, match="answer a question first"):
        buffer.mirror().sample(4, np.random.default_rng(0))
    with pytest.raises(BadInput, match="demonstrations in force"):
        buffer.mirror().batch(["x"])


def test_other_picture_sizes_are_refused(buffer: ReplayBuffer) -> None:
    Maker().taught(buffer, "e0", ("valid",))
    Maker(shape=(4, 4)).taught(buffer, "e1", ("valid",))
    with pytest.raises(BadInput, match="pictures of shape"):
        buffer.mirror()
