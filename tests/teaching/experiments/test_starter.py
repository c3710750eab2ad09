"""Building a starter, thinly, on the arm in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from robot_io.arm import ArmNotFound
from teaching.experiments.starter import StarterConfig, build
from teaching.policies.transporter import TransporterLearner, TransporterPolicy

SMALL = StarterConfig(arm="fake:table", pairs=6, steps=2, batch=2, rehearsed=4)


def test_a_starter_does_not_know_what_was_left_out(tmp_path: Path) -> None:
    told: list[str] = []
    figures = build(
        tmp_path / "starter", ("purple", "red"), config=SMALL, report=lambda what, done, of: told.append(what)
    )
    assert figures["demonstrations"] == 6 and figures["bytes"] < 3e6
    assert not {"purple", "red"} & set(figures["words"]) and "bowl" in figures["words"]
    assert told[0] == "demonstrations" and "optimiser" in told[-1]
    policy, learner = TransporterPolicy(), TransporterLearner()
    policy.load(tmp_path / "starter")
    lineage = learner.load(tmp_path / "starter")
    assert policy.version == 0 and policy.unknown_words("put the purple blocks in a red bowl") == ("purple", "red")
    assert lineage["starter"]["without"] == ["purple", "red"]
    assert learner.rehearsal is not None and len(learner.rehearsal.goal) == 4
    assert learner.config.learning_rate == SMALL.rate_after


def test_the_same_seed_builds_the_same_starter(tmp_path: Path) -> None:
    for name in ("one", "two"):
        build(tmp_path / name, ("red",), seed=3, config=SMALL)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_another_task_has_one_too(tmp_path: Path) -> None:
    figures = build(tmp_path / "starter", ("star",), config=replace(SMALL, task="packing-shapes"))
    assert "pack" in figures["words"] and "star" not in figures["words"]


def test_an_arm_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArmNotFound, match="expected"):
        build(tmp_path / "starter", config=StarterConfig(arm="nothing:here"))
