from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from robot_io.arm import Observation
from teaching.policies import checkpoint
from teaching.policies.base import CheckpointError, Learner, Policy
from teaching.policies.chunks import ChunkBatch, ChunkPlan, bounded, disagreement
from teaching.policies.flow import FlowLearner, FlowPolicy, one_cycle
from teaching.policies.flow_network import FlowConfig
from teaching.types import Array, BadInput

SMALL = FlowConfig(
    state=2, action=2, horizon=4, execute=2, width=32, steps=300, average=0.97, members=3, member_width=16
)


def data(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Go half way to a point that bends with the state, over four ticks: (n, 2) and (n, 4, 2)."""
    states = rng.uniform(-1, 1, (n, 2))
    goal = np.stack([np.sin(2 * states[:, 1]), np.zeros(n)], axis=1)
    actions = np.repeat((goal - states)[:, None] / 4, 4, axis=1)
    return states, actions


def batch(rng: np.random.Generator, n: int = 64) -> ChunkBatch:
    states, actions = data(n, rng)
    return ChunkBatch(states, actions, np.zeros((n, 4), bool), np.ones(n))


def learner(steps: int, seed: int = 0, config: FlowConfig = SMALL) -> FlowLearner:
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    found = FlowLearner(config, seed=seed)
    states, actions = data(500, rng)
    found.fit(states, actions.reshape(-1, 2))
    for _ in range(steps):
        found.update(batch(rng), rng)
    return found


@pytest.fixture(scope="module")
def taught() -> FlowLearner:
    return learner(300)


def test_both_halves_keep_the_protocols() -> None:
    assert isinstance(FlowPolicy(SMALL), Policy) and isinstance(FlowLearner(SMALL), Learner)


def test_it_learns(taught: FlowLearner) -> None:
    rng = np.random.default_rng(9)
    states, actions = data(300, rng)
    found = taught.policy().plan(states, rng).actions
    apart = np.sqrt(np.mean((found - actions) ** 2))
    assert found.shape == (300, 4, 2) and apart < 0.25 * np.sqrt(np.mean(actions**2))


def test_a_plan_is_a_chunk_with_its_doubt(taught: FlowLearner) -> None:
    policy = taught.policy()
    see = Observation(0.0, {"state": np.array([0.5, 0.5])})
    first = policy(see, "go", np.random.default_rng(0))
    assert isinstance(first, ChunkPlan) and first.actions.shape == (4, 2) and first.policy_version == 300
    assert first.disagreement == 0.0 and 0.0 < first.uncertainty < 1.0 and first.per_step.shape == (4,)
    assert policy(see, "go", np.random.default_rng(1)).disagreement > 0.0
    policy.reset()
    again = policy(see, "go", np.random.default_rng(0))
    assert np.array_equal(again.actions, first.actions) and again.disagreement == 0.0


def test_an_ensemble_is_unsure_of_what_it_never_saw(taught: FlowLearner) -> None:
    rng = np.random.default_rng(0)
    known = taught.policy().plan(rng.uniform(-1, 1, (200, 2)), rng).spread.mean()
    strange = taught.policy().plan(rng.uniform(3, 5, (200, 2)), rng).spread.mean()
    assert strange > 3 * known
    alone = FlowPolicy(FlowConfig(state=2, action=2)).plan(np.zeros((1, 2)), rng)
    assert np.all(alone.spread == 0)


def test_fresh_is_unsure_of_everything() -> None:
    plan = FlowPolicy(SMALL)(Observation(0.0, {"state": np.zeros(2)}), "go", np.random.default_rng(0))
    assert plan.uncertainty == 1.0 and plan.policy_version == 0


def test_what_is_padded_counts_for_nothing() -> None:
    states, actions = data(8, np.random.default_rng(0))
    padded = np.zeros((8, 4), bool)
    padded[:, 2:] = True
    spoilt = np.where(padded[..., None], 1e3, actions)
    given = (ChunkBatch(states, a, padded, np.ones(8)) for a in (actions, spoilt))
    losses = [FlowLearner(SMALL, seed=1).update(b, np.random.default_rng(2)) for b in given]
    assert losses[0]["member_loss"] == losses[1]["member_loss"]


def test_a_sample_without_weight_counts_for_nothing() -> None:
    states, actions = data(8, np.random.default_rng(0))
    spoilt, weight = actions.copy(), np.array([1.0] * 6 + [0.0] * 2)
    spoilt[6:] = -1e3
    learners = [FlowLearner(SMALL, seed=1) for _ in range(2)]
    for found, shown in zip(learners, (actions, spoilt), strict=True):
        found.update(ChunkBatch(states, shown, np.zeros((8, 4), bool), weight), np.random.default_rng(2))
    for a, b in zip(*(x.network.parameters() for x in learners), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_five_and_five_steps_are_ten_bit_for_bit(tmp_path: Path) -> None:
    config = FlowConfig(**{**vars(SMALL), "steps": 10})
    whole, halves = learner(0, config=config), learner(0, config=config)
    rng = np.random.default_rng(5)
    for _ in range(10):
        whole.update(batch(rng), rng)
    rng = np.random.default_rng(5)
    for _ in range(5):
        halves.update(batch(rng), rng)
    halves.save(tmp_path / "five", {"round": 1})
    resumed = FlowLearner(seed=77)
    assert resumed.load(tmp_path / "five") == {"round": 1}
    for _ in range(5):
        resumed.update(batch(rng), rng)
    for mine, theirs in ((whole.network, resumed.network), (whole.averaged, resumed.averaged)):
        for name, value in mine.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[name]), name
    assert resumed.updates == 10


def test_another_training_starts_the_rate_anew(tmp_path: Path) -> None:
    found = learner(10, config=FlowConfig(**{**vars(SMALL), "steps": 10}))
    rng = np.random.default_rng(0)
    assert found.update(batch(rng), rng)["rate"] < 1e-5
    found.begin()
    assert found.update(batch(rng), rng)["rate"] == pytest.approx(SMALL.rate / 25)
    found.save(tmp_path / "c", {})
    again = FlowLearner()
    again.load(tmp_path / "c")
    assert again.update(batch(rng), rng)["rate"] > SMALL.rate / 25


def test_policy_takes_over_a_checkpoint(taught: FlowLearner, tmp_path: Path) -> None:
    taught.save(tmp_path / "c", {"update": 7})
    policy = FlowPolicy()
    policy.load(tmp_path / "c")
    states = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    found = policy.plan(states, np.random.default_rng(1))
    assert np.array_equal(found.actions, taught.policy().plan(states, np.random.default_rng(1)).actions)
    assert policy.version == 7 and policy.config == SMALL


def test_a_damaged_checkpoint_changes_nothing(taught: FlowLearner, tmp_path: Path) -> None:
    taught.save(tmp_path / "c", {})
    model = tmp_path / "c" / checkpoint.MODEL
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    policy, other = FlowPolicy(SMALL), FlowLearner(SMALL)
    before = policy.plan(np.zeros((1, 2)), np.random.default_rng(0)).actions
    for half in (policy, other):
        with pytest.raises(CheckpointError, match="damaged"):
            half.load(tmp_path / "c")
    assert np.array_equal(policy.plan(np.zeros((1, 2)), np.random.default_rng(0)).actions, before)
    with pytest.raises(CheckpointError, match="cannot be read"):
        policy.load(tmp_path / "none")


def test_rate_rises_once_and_falls() -> None:
    rates = np.array([one_cycle(s) for s in np.linspace(0, 1, 101)])
    assert rates.argmax() == 30 and rates[0] == pytest.approx(0.04) and rates[-1] < 1e-3
    assert np.all(np.diff(rates[:31]) > 0) and np.all(np.diff(rates[30:]) < 0)


def test_disagreement_is_over_what_both_chunks_hold() -> None:
    before = np.arange(16.0).reshape(1, 8, 2)
    now = np.zeros((1, 8, 2))
    now[:, :4] = before[:, 4:]
    assert disagreement(before, now, 4)[0] == 0.0
    assert disagreement(before, now + 2.0, 4)[0] == pytest.approx(2.0)
    with pytest.raises(BadInput, match="overlap"):
        disagreement(before, now, 8)
    assert np.array_equal(bounded(np.array([0.0, 1.0, 3.0])), [0.0, 0.5, 0.75])


def test_bad_input() -> None:
    with pytest.raises(BadInput, match=r"\(N, 2\)"):
        FlowPolicy(SMALL).plan(np.zeros((3, 5)), np.random.default_rng(0))
    with pytest.raises(BadInput, match="padded"):
        ChunkBatch(np.zeros((3, 2)), np.zeros((3, 4, 2)), np.zeros((3, 5), bool), np.ones(3))
    with pytest.raises(BadInput, match="execute"):
        FlowConfig(execute=9)
    with pytest.raises(BadInput, match="at least two"):
        FlowConfig(members=1)
    with pytest.raises(CheckpointError, match="depth"):
        FlowConfig.of({"depth": 3})


SEES = FlowConfig(**{**vars(SMALL), "state": 1, "picture": (16, 20, 3), "points": 4, "steps": 250, "members": 2})


def spot(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A red spot somewhere on grey noise; go where it is: (n, 16, 20, 3) uint8 and (n, 4, 2)."""
    pictures = rng.integers(60, 90, (n, 16, 20, 3)).astype(np.uint8)
    rows, columns = rng.integers(2, 14, n), rng.integers(2, 18, n)
    for i, (r, c) in enumerate(zip(rows, columns, strict=True)):
        pictures[i, r - 1 : r + 2, c - 1 : c + 2] = (220, 40, 40)
    goal = np.stack([rows / 8 - 1, columns / 10 - 1], axis=1)
    return pictures, np.repeat(goal[:, None], 4, axis=1)


def seeing(rng: np.random.Generator, n: int = 64) -> ChunkBatch:
    pictures, actions = spot(n, rng)
    return ChunkBatch(np.zeros((n, 1)), actions, np.zeros((n, 4), bool), np.ones(n), pictures)


@pytest.fixture(scope="module")
def shown() -> FlowLearner:
    torch.set_num_threads(1)
    rng, found = np.random.default_rng(2), FlowLearner(SEES, seed=0)
    found.fit(np.zeros((64, 1)), spot(64, rng)[1].reshape(-1, 2))
    for _ in range(SEES.steps):
        found.update(seeing(rng), rng)
    return found


def test_from_pictures_it_learns_where_to_go(shown: FlowLearner) -> None:
    rng = np.random.default_rng(3)
    pictures, actions = spot(200, rng)
    found = shown.policy().plan(np.zeros((200, 1)), rng, pictures).actions
    assert np.sqrt(np.mean((found - actions) ** 2)) < 0.5 * np.std(actions)
    one = Observation(0.0, {"state": np.zeros(1), "glimpse": pictures[0]})
    plan = shown.policy()(one, "go", np.random.default_rng(0))
    assert isinstance(plan, ChunkPlan) and plan.actions.shape == (4, 2) and 0.0 < plan.uncertainty < 1.0


def test_pictures_of_another_shape_are_refused(shown: FlowLearner) -> None:
    rng = np.random.default_rng(0)
    for wrong in (None, np.zeros((1, 16, 16, 3), np.uint8), np.zeros((1, 16, 20, 3))):
        with pytest.raises(BadInput, match="expected pictures uint8"):
            shown.policy().plan(np.zeros((1, 1)), rng, wrong)
    with pytest.raises(BadInput, match="16 × 16"):
        FlowConfig(picture=(8, 8, 3))


def test_a_policy_that_sees_goes_on_from_its_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    config = FlowConfig(**{**vars(SEES), "steps": 10})
    whole, half = FlowLearner(config, seed=1), FlowLearner(config, seed=1)
    for part, steps in ((whole, 4), (half, 2)):
        for step in range(steps):
            part.update(seeing(np.random.default_rng(step), 8), np.random.default_rng(step))
    half.save(tmp_path / "000002", {"update": 2})
    resumed = FlowLearner(config, seed=7)
    resumed.load(tmp_path / "000002")
    for step in (2, 3):
        resumed.update(seeing(np.random.default_rng(step), 8), np.random.default_rng(step))
    policy = FlowPolicy(config)
    resumed.save(tmp_path / "000004", {"update": 4})
    policy.load(tmp_path / "000004")
    pictures = spot(3, np.random.default_rng(0))[0]
    wanted = whole.policy().plan(np.zeros((3, 1)), np.random.default_rng(0), pictures).actions
    got = policy.plan(np.zeros((3, 1)), np.random.default_rng(0), pictures).actions
    np.testing.assert_array_equal(wanted, got)
