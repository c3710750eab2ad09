"""The novice at the wheel: plans a chunk when the one before is used up, and says how unsure it is."""

from __future__ import annotations

import numpy as np

from robot_io.arm import Observation
from teaching.policies.base import CheckpointError
from teaching.policies.checkpoint import checkpoints
from teaching.policies.flow import STATE, FlowLearner, FlowPolicy
from teaching.replay import ReplayBuffer
from teaching.rollout_glimpse import AGE, GLIMPSE
from teaching.rollout_shape import flow_config
from teaching.rollout_states import sensed
from teaching.rollout_task import ROW, RolloutTask
from teaching.types import Array, Plan

SMALL = np.array([0.004, 0.004, 0.004, 0.01, 0.1])
"""What an untaught policy's moves are measured in: metres, radians, and the gripper, which stays open."""


def untaught(task: RolloutTask, steps: int, seed: int, observe: str = "state") -> FlowPolicy:
    """A policy that knows nothing: version 0, small wandering moves."""
    config = flow_config(task, steps, observe)
    learner = FlowLearner(config, seed=seed)
    rng = np.random.default_rng([abs(seed), 3])
    small = np.tile(SMALL, task.arms)
    learner.fit(rng.standard_normal((64, config.state)), rng.standard_normal((64, len(small))) * small)
    return learner.policy()


def load_pilot(
    buffer: ReplayBuffer, task: RolloutTask, steps: int, seed: int, observe: str = "state"
) -> tuple[FlowPolicy, list[str]]:
    """The policy of the newest whole checkpoint, or an untaught one; and what was wrong with newer checkpoints."""
    fresh, problems = untaught(task, steps, seed, observe), []
    for path in reversed(checkpoints(buffer.checkpoints)):
        policy = FlowPolicy(fresh.config)
        try:
            policy.load(path)
        except CheckpointError as error:
            problems.append(str(error))
            continue
        if policy.config.reads == fresh.config.reads:
            return policy, problems
        problems.append(
            f"expected a policy that reads {fresh.config.reads}, got {policy.config.reads} in {path}: it was trained "
            "before what it reads was changed; train again"
        )
    return fresh, problems


class Pilot:
    """Carries out a policy's chunks, `rows` at a time."""

    def __init__(
        self, policy: FlowPolicy, task: RolloutTask, rng: np.random.Generator, rows: int | None = None
    ) -> None:
        """Args: rows: how many are carried out between two beats; by default all that a plan is good for."""
        self.policy, self.task, self._rng = policy, task, rng
        self._rows = rows or policy.config.execute
        self.plan: Plan | None = None
        self._at = 0

    def forget(self) -> None:
        """A new episode or a hand-over: what it meant to do belongs to another state."""
        self.policy.reset()
        self.plan, self._at = None, 0

    def look(self, observation: Observation) -> Plan:
        """What it would do now, without carrying it out."""
        self.forget()
        return self._think(observation)

    def ready(self, observation: Observation) -> Plan:
        """The plan to go on with: the one under way, or a new one where that is used up."""
        if self.plan is None or self._at >= self.policy.config.execute:
            self.plan, self._at = self._think(observation), 0
        return self.plan

    @property
    def fresh(self) -> bool:
        """Whether nothing of the plan was carried out yet."""
        return self._at == 0

    def whole(self) -> tuple[Array, int]:
        """All rows of the plan, and how many of them are only carried out if the next plan is late."""
        assert self.plan is not None
        self._at = self.policy.config.execute
        return self._sent(self.plan.actions), len(self.plan.actions) - self._at

    def take(self) -> Array:
        """The next rows (N, 5) of the plan."""
        assert self.plan is not None
        rows = self.plan.actions[self._at : min(self._at + self._rows, self.policy.config.execute)]
        self._at += len(rows)
        return self._sent(rows)

    @staticmethod
    def _sent(rows: Array) -> Array:
        sent = np.array(rows)
        sent[:, ROW - 1 :: ROW] = np.clip(sent[:, ROW - 1 :: ROW], 0.0, 1.0)
        return sent

    def _think(self, observation: Observation) -> Plan:
        if self.policy.config.picture:
            felt = np.append(self.task.feel(observation), observation[AGE])
            given = {STATE: felt, GLIMPSE: observation[GLIMPSE]}
        else:
            given = {STATE: sensed(self.task, observation.arrays)[0]}
        return self.policy(Observation(observation.time, given), self.task.goal, self._rng)
