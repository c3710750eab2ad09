"""The transporter novice on a small table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from robot_io.arm import Observation
from teaching.policies.augment import AugmentConfig
from teaching.policies.base import Batch, Learner, Policy
from teaching.policies.methods import make_learner, make_policy
from teaching.policies.network import NetworkConfig
from teaching.policies.transporter import TransporterLearner, TransporterPolicy
from teaching.policies.transporter_config import TransporterConfig
from teaching.types import Array, BadInput
from tests.contracts.policy_contract import GOAL, TABLE, LearnerContract, PolicyContract, batch, observation, scene


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


class TestTransporterPolicy(PolicyContract):
    def make_policy(self) -> Policy:
        return make_policy("transporter", TABLE)

    def make_learner(self) -> Learner:
        return make_learner("transporter", TABLE)


class TestTransporterLearner(LearnerContract):
    def make_policy(self) -> Policy:
        return make_policy("transporter", TABLE)

    def make_learner(self) -> Learner:
        return make_learner("transporter", TABLE)


def taught(learner: TransporterLearner, steps: int, make=batch) -> TransporterPolicy:  # type: ignore[no-untyped-def]
    for i in range(steps):
        learner.update(make(np.random.default_rng([5, i])), np.random.default_rng([6, i]))
    policy = TransporterPolicy(learner.table, learner.config)
    policy.take(learner.network.state_dict(), learner.vocabulary.known, 1)
    return policy


def test_it_learns_to_put_the_block_on_the_disc() -> None:
    policy = taught(TransporterLearner(TABLE), 60)
    away, unsure = [], []
    for seed in range(20):
        colour, height, actions = scene(np.random.default_rng([9, seed]))
        plan = policy(Observation(0.0, {"colour": colour, "height": height}), GOAL, np.random.default_rng(0))
        away.append(np.linalg.norm(plan.actions[:, :2] - actions[:, :2], axis=1))
        unsure.append(plan.uncertainty)
        assert plan.actions[0, 2] == pytest.approx(float(height[TABLE.pixel_of(*plan.actions[0, :2])]))
    assert np.mean(np.array(away) < 0.03) > 0.9
    assert np.mean(unsure) < 0.6


def test_a_fresh_novice_is_as_unsure_as_can_be() -> None:
    plan = TransporterPolicy(TABLE)(observation(np.random.default_rng(0)), GOAL, np.random.default_rng(0))
    assert plan.uncertainty > 0.99
    np.testing.assert_allclose(plan.entropy, np.log(TABLE.shape[0] * TABLE.shape[1]), rtol=0.01)


def test_pictures_of_another_table_are_refused() -> None:
    wrong = Observation(0.0, {"colour": np.zeros((80, 160, 3), np.uint8), "height": np.zeros((80, 160), np.float32)})
    with pytest.raises(BadInput, match="expected colour"):
        TransporterPolicy(TABLE)(wrong, GOAL, np.random.default_rng(0))
    samples = batch(np.random.default_rng(0), 2)
    with pytest.raises(BadInput, match="actions"):
        TransporterLearner(TABLE).update(replace(samples, actions=samples.actions[:, :1]), np.random.default_rng(0))


def test_fresh_halves_of_one_seed_are_alike() -> None:
    learner, policy = TransporterLearner(TABLE, seed=4), TransporterPolicy(TABLE, seed=4)
    samples = observation(np.random.default_rng(0))
    same = TransporterPolicy(TABLE, seed=5)
    same.take(learner.network.state_dict(), (), 0)
    first, second = (p(samples, GOAL, np.random.default_rng(0)) for p in (policy, same))
    np.testing.assert_array_equal(first.entropy, second.entropy)


def turned_batch(rng: np.random.Generator) -> Batch:
    """A bar and a slot; how far the bar must be turned can be seen."""
    size = 12
    samples = [turned_scene(rng) for _ in range(size)]
    colour, height, actions = (np.stack(x) for x in zip(*samples, strict=True))
    return Batch(colour, height, ("put the bar in the slot",) * size, actions, np.ones(size))


def turned_scene(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """A red wedge at the left and a green one at the right, turned against each other by a multiple of 90°."""
    rows, columns = TABLE.shape
    colour = np.zeros((rows, columns, 3), np.uint8)
    centre = np.array([16, 12]), np.array([16, 36])
    turns = rng.integers(0, 4, 2)
    wedge = np.zeros((9, 9), bool)
    wedge[:, 3:6] = True
    wedge[6:, :] = True
    for (r, c), turn, rgb in zip(centre, turns, ((220, 40, 40), (40, 220, 40)), strict=True):
        colour[r - 4 : r + 5, c - 4 : c + 5][np.rot90(wedge, turn)] = rgb
    # np.rot90 turns rows (x) towards columns (y): positive yaw.
    yaw = (turns[1] - turns[0]) * np.pi / 2
    points = [TABLE.point_of(*c) for c in centre]
    height = (colour.max(axis=2) > 0).astype(np.float32) * 0.02
    return colour, height, np.array([[*points[0], 0.02, 0.0], [*points[1], 0.02, yaw]])


def test_it_learns_how_far_to_turn() -> None:
    config = TransporterConfig(
        network=NetworkConfig(rotations=4), augment=AugmentConfig(angle=5.0, shift=0.05), learning_rate=4e-3
    )
    policy = taught(TransporterLearner(TABLE, config), 80, turned_batch)
    right = []
    for seed in range(24):
        colour, height, actions = turned_scene(np.random.default_rng([8, seed]))
        goal = "put the bar in the slot"
        plan = policy(Observation(0.0, {"colour": colour, "height": height}), goal, np.random.default_rng(0))
        off = (plan.actions[1, 3] - actions[1, 3] + np.pi) % (2 * np.pi) - np.pi
        right.append(abs(off) < 0.1)
    assert np.mean(right) > 0.8
