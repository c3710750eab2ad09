"""Whatever call a crash comes after, everything that was acknowledged is there and right.

The lesson is played on a disk that records every call. Every state that a kill can leave, and seeded samples of those
that a power loss can leave, are laid out, opened and compared. `benchmarks/store_crash.py` does the same with the real
system calls, as strace saw them, and with more samples.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.teaching import crash_lesson, crash_rollout
from tests.teaching.crash_disk import Op, RecordingDisk, prefixes
from tests.teaching.crash_lesson import State, check

LOSSES = 40
LESSONS = {"plans": (crash_lesson, 1), "rollouts": (crash_rollout, 2)}
"""What is played, and how many episodes of it."""
Recorded = tuple[list[Op], list[str], State]


@pytest.fixture(scope="module", params=LESSONS)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """All calls, and the states that were acknowledged: acks in the calls are indices into them."""
    lesson, episodes = LESSONS[request.param]
    root = tmp_path_factory.mktemp("played") / "lesson"
    disk = RecordingDisk(root)
    states: list[str] = []

    def acknowledged(state: str) -> None:
        disk.ack(str(len(states)))
        states.append(state)

    lesson.play(root, acknowledged, disk, episodes=episodes)
    return disk.ops, states, lesson.state_of


def test_after_every_call_and_in_every_write(recorded: Recorded, tmp_path: Path) -> None:
    ops, states, told = recorded
    assert len([o for o in ops if o.kind == "ack"]) == len(states) > 10
    count = 0
    for count, prefix in enumerate(prefixes(ops), 1):
        check(prefix, states, tmp_path / str(count), told=told)
    assert count > 60


def test_after_power_losses(recorded: Recorded, tmp_path: Path) -> None:
    ops, states, told = recorded
    rng = np.random.default_rng(0)
    for sample in range(LOSSES):
        check(ops[: int(rng.integers(1, len(ops) + 1))], states, tmp_path / str(sample), rng, told)


def test_the_check_can_fail(recorded: Recorded, tmp_path: Path) -> None:
    """Without its syncs the same lesson does lose acknowledged things: the samples are able to tell."""
    ops, states, told = recorded
    loose = [op for op in ops if op.kind != "sync"]
    rng = np.random.default_rng(1)
    lost = 0
    for sample in range(12):
        try:
            check(loose, states, tmp_path / str(sample), rng, told)
        except Exception:  # whichever way the loss shows
            lost += 1
    assert lost > 5
