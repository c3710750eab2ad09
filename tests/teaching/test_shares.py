"""What a page tells of replay is what training does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from teaching.replay import ReplayBuffer
from teaching.replay.glance import Glance
from teaching.sampling import Sampling
from teaching.shares import batch, binned, groups, setting_of, shares, waterfall
from tests.teaching.replay_maker import LESSON, Maker

KINDS = ("valid", "demonstration", "relabel", "both", "wrong", "unknown")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shares") / "lesson"
    with ReplayBuffer.create(path, {**LESSON, "training": {"alpha": 1.2}}) as buffer:
        maker = Maker()
        for i in range(8):
            pairs = [(maker.decision(f"e{i}", s, update=i), maker.observation()) for s in range(len(KINDS))]
            for (decision, seen), kind in zip(pairs, KINDS, strict=True):
                buffer.ask(decision, seen)
                buffer.say("answer", maker.answer(decision, kind))
            buffer.append(maker.episode(f"e{i}", pairs))
        buffer.say("pin", {"demonstration": "e0-0-validated"})
        buffer.say("weight", {"demonstration": "e1-1-annotated", "weight": 3.0})
        buffer.say("delete", {"demonstration": "e2-0-validated"})
    return path


def test_the_same_distribution_as_training(taught: Path) -> None:
    how = Sampling(alpha=1.2, b=4.0, lam=0.3)
    with ReplayBuffer(taught, readonly=True) as buffer, Glance(taught) as glance:
        mirror = buffer.mirror()
        probability, weight = mirror.distribution(alpha=1.2, b=4.0, lam=0.3)
        trained = {d.id: (p, w) for d, p, w in zip(mirror.demonstrations, probability, weight, strict=True)}
        found = shares(glance.columns, how)
        ids = glance.ids("demonstrations", glance.columns.demonstrations["number"][found.rows])
        shown = {i: (p, w) for i, p, w in zip(ids, found.probability, found.weight, strict=True)}
        assert setting_of(glance.columns).alpha == 1.2
    assert shown.keys() == trained.keys()
    assert all(np.allclose(shown[i], trained[i]) for i in trained)


def test_the_steps_add_up_to_the_priority(taught: Path) -> None:
    with Glance(taught) as glance:
        found = shares(glance.columns, Sampling())
        stored = glance.columns.demonstrations[found.rows]
        for n, row in enumerate(stored):
            steps = waterfall(found, n, float(row["weight"]), bool(row["pinned"]))
            assert 1.0 + sum(part.change for part in steps) == pytest.approx(found.priority[n])
        weighed = int(np.flatnonzero(stored["weight"] == 3.0)[0])
        assert [p.label for p in waterfall(found, weighed, 3.0, False)][-1] == "by hand × 3"


def test_other_settings_draw_otherwise_with_the_same_luck(taught: Path) -> None:
    with Glance(taught) as glance:
        now, same = (shares(glance.columns, Sampling()) for _ in range(2))
        other = shares(glance.columns, replace(Sampling(), lam=0.0, alpha=3.0))
        assert np.array_equal(batch(now, 64, 1), batch(same, 64, 1))
        assert not np.array_equal(batch(now, 64, 1), batch(other, 64, 1))


@pytest.mark.parametrize("by", ["kind", "goal", "teacher", "age"])
def test_groups_are_all_of_it(taught: Path, by: str) -> None:
    with Glance(taught) as glance:
        found = shares(glance.columns, Sampling())
        parts = groups(glance.columns, found, by, most=3)
        assert sum(g.stored for g in parts) == pytest.approx(1) and sum(g.drawn for g in parts) == pytest.approx(1)
        assert sum(g.size for g in parts) == len(found)


def test_a_grid_loses_nobody() -> None:
    rng = np.random.default_rng(0)
    x, y, mass, which = rng.random(500), rng.random(500), np.full(500, 1 / 500), rng.random(500) < 0.5
    bins = binned(x, y, mass, which)
    assert bins.size.sum() == which.sum() and bins.mass.sum() == pytest.approx(which.sum() / 500)
    assert np.array_equal(bins.member >= 0, which)
    for cell in (0, len(bins.x) - 1):
        assert np.all(np.abs(x[bins.member == cell] - bins.x[cell]) <= 1.15 / 56)
