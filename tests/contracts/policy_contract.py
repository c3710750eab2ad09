"""What every Policy and every Learner promises, as test classes to inherit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import Observation, TableView
from teaching.policies.base import Batch, CheckpointError, Learner, Policy
from teaching.types import Array, Plan

GOAL = "put the red blocks in a green bowl"
TABLE = TableView(x=(0.0, 0.4), y=(0.0, 0.6), pixel=0.0125)
"""A small table, (32, 48) pixels, so that tests are quick."""


def scene(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """A red block and a green disc on black: colour, height, and the actions that put the one on the other."""
    rows, columns = TABLE.shape
    colour = rng.integers(0, 12, (rows, columns, 3)).astype(np.uint8)
    height = np.zeros((rows, columns), dtype=np.float32)
    block = rng.integers(3, [rows - 3, columns // 2 - 3])
    bowl = rng.integers([6, columns // 2 + 6], [rows - 6, columns - 6])
    r, c = np.ogrid[:rows, :columns]
    disc = (r - bowl[0]) ** 2 + (c - bowl[1]) ** 2 < 25
    colour[disc], height[disc] = (60, 200, 60), 0.02
    square = (abs(r - block[0]) < 2) & (abs(c - block[1]) < 2)
    colour[square], height[square] = (220, 60, 60), 0.04
    points = [TABLE.point_of(*block), TABLE.point_of(*bowl)]
    return colour, height, np.array([[*points[0], 0.04, 0.0], [*points[1], 0.05, 0.0]])


def batch(rng: np.random.Generator, size: int = 8) -> Batch:
    """Some scenes of one goal."""
    colour, height, actions = (np.stack(x) for x in zip(*(scene(rng) for _ in range(size)), strict=True))
    return Batch(colour, height, (GOAL,) * size, actions, np.ones(size))


def observation(rng: np.random.Generator) -> Observation:
    """One scene as an arm sees it."""
    colour, height, _ = scene(rng)
    return Observation(0.0, {"colour": colour, "height": height})


class PolicyContract:
    """Plans for any goal and any picture; takes over checkpoints whole or not at all."""

    def make_policy(self) -> Policy:
        raise NotImplementedError

    def make_learner(self) -> Learner:
        raise NotImplementedError

    @pytest.fixture
    def policy(self) -> Policy:
        policy = self.make_policy()
        policy.reset()
        return policy

    @pytest.fixture
    def checkpoint(self, tmp_path: Path) -> Path:
        learner = self.make_learner()
        learner.update(batch(np.random.default_rng(0)), np.random.default_rng(1))
        learner.save(tmp_path / "000003", {"update": 3})
        return tmp_path / "000003"

    def plan(self, policy: Policy, seed: int = 0, goal: str = GOAL) -> Plan:
        return policy(observation(np.random.default_rng(seed)), goal, np.random.default_rng(0))

    def test_is_a_policy(self, policy: Policy) -> None:
        assert isinstance(policy, Policy)

    def test_a_plan_is_complete(self, policy: Policy) -> None:
        plan = self.plan(policy)
        assert plan.goal == GOAL and plan.policy_version == policy.version
        assert len(plan.per_step) == len(plan.entropy) == len(plan.actions)
        assert np.all(plan.entropy >= 0) and np.all((plan.per_step >= 0) & (plan.per_step <= 1))
        for alternative in plan.alternatives:
            assert alternative.actions.shape == plan.actions.shape and 0 <= alternative.weight <= 1
        for picture in plan.maps.values():
            assert picture.shape == TABLE.shape and picture.dtype == np.float32
            assert picture.max() == pytest.approx(1) and picture.min() >= 0

    def test_the_same_question_gets_the_same_plan(self, policy: Policy) -> None:
        first, second = self.plan(policy), self.plan(policy)
        np.testing.assert_array_equal(first.actions, second.actions)
        assert first.uncertainty == second.uncertainty

    def test_unknown_words_are_told_and_do_no_harm(self, policy: Policy) -> None:
        assert "mauve" in policy.unknown_words("put the mauve blocks in a bowl")
        self.plan(policy, goal="fribble the mauve frobs into 7 çà blocks")

    def test_a_checkpoint_brings_weights_words_and_version(self, policy: Policy, checkpoint: Path) -> None:
        before = self.plan(policy)
        policy.load(checkpoint)
        assert policy.version == 3
        assert "red" not in policy.unknown_words(GOAL)
        assert not np.array_equal(self.plan(policy).entropy, before.entropy)

    @pytest.mark.parametrize("name", ["checkpoint.json", "model.safetensors"])
    @pytest.mark.parametrize("harm", ["missing", "short", "changed"])
    def test_a_damaged_checkpoint_changes_nothing(self, policy: Policy, checkpoint: Path, name: str, harm: str) -> None:
        path = checkpoint / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.unlink()
        if harm != "missing":
            path.write_bytes(data if harm == "changed" else data[: len(data) // 2])
        before = self.plan(policy)
        with pytest.raises(CheckpointError):
            policy.load(checkpoint)
        after = self.plan(policy)
        np.testing.assert_array_equal(before.entropy, after.entropy)
        assert policy.version == before.policy_version


class LearnerContract:
    """Improves; resumes bit for bit."""

    def make_learner(self) -> Learner:
        raise NotImplementedError

    def make_policy(self) -> Policy:
        raise NotImplementedError

    def steps(self, learner: Learner, numbers: range) -> list[float]:
        return [
            learner.update(batch(np.random.default_rng([0, i])), np.random.default_rng([1, i]))["loss"] for i in numbers
        ]

    def test_is_a_learner(self) -> None:
        assert isinstance(self.make_learner(), Learner)

    def test_counts_its_steps(self) -> None:
        learner = self.make_learner()
        self.steps(learner, range(2))
        assert learner.updates == 2

    def test_the_loss_falls(self) -> None:
        losses = self.steps(self.make_learner(), range(25))
        assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])

    def test_five_and_five_steps_equal_ten(self, tmp_path: Path) -> None:
        straight, first, second = self.make_learner(), self.make_learner(), self.make_learner()
        losses = self.steps(straight, range(10))
        early = self.steps(first, range(5))
        first.save(tmp_path / "000001", {"update": 1})
        second.load(tmp_path / "000001")
        assert second.updates == 5
        assert early + self.steps(second, range(5, 10)) == losses
        straight.save(tmp_path / "a", {})
        second.save(tmp_path / "b", {})
        for name in ("model.safetensors", "optimiser.safetensors"):
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name

    def test_lineage_comes_back(self, tmp_path: Path) -> None:
        learner = self.make_learner()
        self.steps(learner, range(1))
        learner.save(tmp_path / "1", {"update": 1, "demonstrations": ["000000-0-validated"], "parent": None})
        lineage = self.make_learner().load(tmp_path / "1")
        assert lineage["demonstrations"] == ["000000-0-validated"] and lineage["parent"] is None

    def test_weights_of_zero_teach_nothing(self) -> None:
        learner = self.make_learner()
        samples = batch(np.random.default_rng(0))
        figures = learner.update(replace(samples, weight=np.zeros(len(samples.weight))), np.random.default_rng(0))
        assert figures["loss"] == 0
