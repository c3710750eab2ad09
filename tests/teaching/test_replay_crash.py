"""Whatever call a crash comes after, everything that was acknowledged is there and right.

The lesson is played on a disk that records every call. Every state that a kill can leave, and seeded samples of those
that a power loss can leave, are laid out, opened and compared. `benchmarks/store_crash.py` does the same with the real
system calls, as strace saw them, and with more samples.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.teaching.crash_disk import Op, RecordingDisk, prefixes
from tests.teaching.crash_lesson import check, play

LOSSES = 40


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Op], list[str]]:
    """All calls, and the states that were acknowledged: acks in the calls are indices into them."""
    root = tmp_path_factory.mktemp("played") / "lesson"
    disk = RecordingDisk(root)
    states: list[str] = []

    def acknowledged(state: str) -> None:
        disk.ack(str(len(states)))
        states.append(state)

    play(root, acknowledged, disk, episodes=1)
    return disk.ops, states


def test_after_every_call_and_in_every_write(recorded: tuple[list[Op], list[str]], tmp_path: Path) -> None:
    ops, states = recorded
    assert len([o for o in ops if o.kind == "ack"]) == len(states) > 10
    count = 0
    for count, prefix in enumerate(prefixes(ops), 1):
        check(prefix, states, tmp_path / str(count))
    assert count > 60


def test_after_power_losses(recorded: tuple[list[Op], list[str]], tmp_path: Path) -> None:
    ops, states = recorded
    rng = np.random.default_rng(0)
    for sample in range(LOSSES):
        check(ops[: int(rng.integers(1, len(ops) + 1))], states, tmp_path / str(sample), rng)


def test_the_check_can_fail(recorded: tuple[list[Op], list[str]], tmp_path: Path) -> None:
    """Without its syncs the same lesson does lose acknowledged things: the samples are able to tell."""
    ops, states = recorded
    loose = [op for op in ops if op.kind != "sync"]
    rng = np.random.default_rng(1)
    lost = 0
    for sample in range(12):
        try:
            check(loose, states, tmp_path / str(sample), rng)
        except Exception:  # whichever way the loss shows
            lost += 1
    assert lost > 5
