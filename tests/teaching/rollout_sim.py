"""A supervised rollout in the simulator, in this process: rows of 1/30 s through the safety layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from robot_io.arm import Action, Observation
from robot_io.safety import SafeArm
from robot_io.sim.pair import SimPair
from robot_io.sim.table import SimTable
from teaching.rollout_oracle import Mode, RolloutOracle, RolloutOracleConfig
from teaching.rollout_task import ROW, RolloutTask, Sensed, Sight, make_rollout_task
from teaching.tasks.hold_and_insert import opening
from teaching.types import Array

TICKS = 2


class Rows:
    """An arm, or two, that takes rows of moves of its tip."""

    def __init__(self, task: str = "peg-and-button") -> None:
        self.task = make_rollout_task(task)
        self.table = SimTable() if self.task.arms == 1 else SimPair()
        self.arm = SafeArm(self.table)
        self.arm.connect()

    def reset(self, seed: int, split: str) -> None:
        self.table.reset(seed, self.task.name, split)
        self.arm.moved()
        self._told = self.arm.observe()["joints"]

    def now(self) -> tuple[Mapping[str, Any], Observation]:
        return self.table.truth(), self.arm.observe()

    def send(self, row: Array) -> None:
        moves = np.where(np.arange(len(row)) % ROW < ROW - 1, row / TICKS, row)
        for _ in range(TICKS):
            joints = self.table.reach(self._told, moves[:-1])
            self._told = self.arm.send(Action(joints, float(row[-1]))).joints


class Believer:
    """The task as somebody sees it who believes what the arm perceives."""

    def __init__(self, task: RolloutTask) -> None:
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def sights(self, truth: Mapping[str, Any], observation: Sensed) -> tuple[Sight, ...]:
        if self._task.arms == 2:
            holds, inserts = self._task.sights(truth, observation)
            off = observation["opening"][:2] + observation["tip"][3:5] - opening(truth)[:2]
            wrong = np.asarray(inserts.target + np.append(off, 0.0))
            return holds, replace(inserts, target=wrong) if truth["stage"] == 2 else inserts
        objects = [dict(thing) for thing in truth["objects"]]
        for thing, name in zip(objects[1:], ("slot", "button"), strict=True):
            thing["position"] = [*(observation[name] + observation["tip"][:2]), thing["position"][2]]
        return self._task.sights({**truth, "objects": objects}, observation)


@dataclass
class Story:
    """What happened in one rollout."""

    success: bool = False
    rows: int = 0
    clean: bool = True
    drops: int = 0
    interventions: list[dict[str, Any]] = field(default_factory=list)
    """{"stage", "recover", "correct" (rows), "done": the subtask was}"""
    most: Array = field(default_factory=lambda: np.zeros(5))
    """(5,) for each arm: the largest absolute value of each number of a row."""


def demonstrated(arm: Rows, seed: int, split: str, config: RolloutOracleConfig | None = None) -> Story:
    """The scripted person does it all."""
    arm.reset(seed, split)
    oracle = RolloutOracle(arm.task, np.random.default_rng([seed, 1]), config)
    story = Story(most=np.zeros(ROW * arm.task.arms))
    truth, observation = arm.now()
    while not truth["over"]:
        row = oracle.drive(truth, observation, "demonstrate")
        story.most = np.maximum(story.most, np.abs(row))
        arm.send(row)
        story.rows += 1
        truth, observation = arm.now()
    story.success, story.drops, story.clean = bool(truth["success"]), int(truth["drops"]), oracle.clean
    return story


def supervised(arm: Rows, seed: int, split: str, *, backs_out: bool = True) -> Story:
    """Somebody who believes what the arm perceives drives; the scripted person helps, and hands back."""
    arm.reset(seed, split)
    oracle = RolloutOracle(arm.task, np.random.default_rng([seed, 2]))
    pilot = RolloutOracle(Believer(arm.task), np.random.default_rng([seed, 3]))
    story, mode, goal = Story(), "policy", 0
    truth, observation = arm.now()
    while not truth["over"]:
        stage = int(truth["stage"])
        if mode == "policy" and oracle.watch(truth, observation):
            mode, goal = ("recover" if backs_out else "correct"), stage
            story.interventions.append({"stage": stage, "recover": 0, "correct": 0, "done": False})
        elif mode == "recover" and oracle.recovered(truth, observation):
            mode, goal = "correct", stage
        elif mode == "correct" and stage > goal:
            story.interventions[-1]["done"] = True
            pilot.reset()
            mode = "policy"
        if mode == "policy":
            row = pilot.drive(truth, observation, "demonstrate")
        else:
            as_mode: Mode = "recover" if mode == "recover" else "correct"
            row = oracle.drive(truth, observation, as_mode)
            story.interventions[-1][mode] += 1
        arm.send(row)
        story.rows += 1
        truth, observation = arm.now()
    if truth["success"] and mode == "correct":
        story.interventions[-1]["done"] = True
    story.success, story.drops = bool(truth["success"]), int(truth["drops"])
    return story
