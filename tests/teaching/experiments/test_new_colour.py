"""Teaching a starter one new colour, thinly, on the arm in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from teaching.experiments.new_colour import Settings, one, reward, summary
from teaching.experiments.starter import StarterConfig, collect, scene_of
from teaching.policies.transporter import TransporterPolicy
from teaching.task import make_task


def test_one_colour_from_starter_to_figures(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    starter = StarterConfig(arm="fake:table", pairs=4, steps=1, batch=2, rehearsed=2)
    settings = replace(Settings(), answers=2, scenes=2, starter=starter)
    arm = scene_of(starter.arm)
    try:
        pairs = collect(arm, make_task(starter.task), ("red",), starter.pairs, lambda what, done, of: None)
        found = one(pairs, "red", 0, settings, arm, tmp_path)
    finally:
        arm.disconnect()
    assert found["answers"] >= 2 and found["updates"] >= 1
    assert all(0 <= found[f"{what}_{when}"] <= 100 for what in ("held_out", "others") for when in ("before", "after"))
    json.dumps(found)


@pytest.mark.parametrize("named", [True, False])
def test_scenes_name_the_colour_or_do_not(named: bool) -> None:
    goals: list[str] = []
    arm = scene_of("fake:table")
    try:

        class Listening(TransporterPolicy):
            def __call__(self, observation, goal, rng):  # type: ignore[no-untyped-def]
                goals.append(goal)
                return super().__call__(observation, goal, rng)

        reward(Listening(), arm, make_task("put-block-in-bowl"), "red", 4, named=named)
    finally:
        arm.disconnect()
    assert goals and all(("red" in goal.split()) is named for goal in goals)


def test_the_worst_is_told() -> None:
    def row(colour: str, before: float, after: float, others: float) -> dict[str, object]:
        return {
            "colour": colour, "held_out_before": before, "held_out_after": after,
            "others_before": 100.0, "others_after": others,
        }  # fmt: skip

    found = summary([row("red", 10, 90, 99), row("red", 30, 80, 97), row("brown", 5, 95, 91), row("brown", 5, 93, 95)])
    assert found == {
        "held_out_before_worst": 20.0,
        "held_out_after_worst": 85.0,
        "others_lost_worst": 7.0,
        "held_out_after_worst_single": 80,
        "others_lost_worst_single": 9.0,
    }
