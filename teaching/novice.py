"""The novice of a lesson: its newest whole checkpoint, or what the lesson starts from."""

from __future__ import annotations

import shutil
from pathlib import Path

from robot_io.arm import TableView
from teaching.lesson import LessonConfig, starter
from teaching.policies import checkpoint
from teaching.policies.base import CheckpointError, Policy
from teaching.policies.methods import make_policy
from teaching.replay import ReplayBuffer
from teaching.types import AskbackError


def prepare(buffer: ReplayBuffer, config: LessonConfig) -> None:
    """Put the starter where a new lesson looks for its checkpoints; AskbackError if there is none for the task."""
    if config.start == "nothing" or checkpoint.checkpoints(buffer.checkpoints):
        return
    source = starter(config.task)
    if source is None:
        raise AskbackError(
            f"there is no starter for {config.task}; start from nothing, or build one: python -m teaching starter"
        )
    checkpoint.drop_unfinished(buffer.checkpoints)
    beside = buffer.checkpoints / ".starter.tmp"
    shutil.copytree(source, beside)
    beside.rename(buffer.checkpoints / "000000")


def load_novice(directory: Path, table: TableView, seed: int, text_encoder: str = "") -> tuple[Policy, list[str]]:
    """A policy with the newest whole checkpoint of a directory, and what was wrong with newer ones."""
    policy = make_policy(table=table, seed=seed, text_encoder=text_encoder)
    problems: list[str] = []
    for path in reversed(checkpoint.checkpoints(directory)):
        try:
            policy.load(path)
            break
        except CheckpointError as error:
            problems.append(str(error))
    return policy, problems
