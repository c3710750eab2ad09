"""The starter, taught on the simulated Panda, knows an SO arm's bench: by its camera, without heights, at a third."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from robot_io.arm import Observation
from robot_io.emulation.bench import TASKS, Bench, packed, view
from robot_io.sim.scene import Recipe
from robot_io.sim.so_camera import LENS, Set, sight_of
from robot_io.so_table import ASIDE
from teaching.lesson import starter
from teaching.policies.methods import make_policy
from teaching.tasks.put_block_in_bowl import read

pytestmark = pytest.mark.sim
SCENES = 4


def near(truth: dict, place: np.ndarray, kind: str, colour: str) -> bool:
    """Whether a place is on a thing of that kind and colour: within what jaws take, or what a bowl catches."""
    things = [o for o in truth["objects"] if (o["kind"], o["colour"]) == (kind, colour)]
    return any(np.linalg.norm(np.subtract(o["position"][:2], place)) < 0.45 * o["size"][0] + 0.002 for o in things)


def test_its_first_plan_is_right_on_fresh_scenes() -> None:
    torch.set_num_threads(1)
    policy, source = make_policy(table=view(), seed=0), starter(TASKS[0])
    assert source is not None
    policy.load(source)
    bench, stage, sight = Bench(), Set(), sight_of(LENS)
    right = 0
    for seed in range(SCENES):
        bench.lay(Recipe(10_001 + 2 * seed, TASKS[0]))
        truth = bench.truth()
        picture = stage.show(packed(bench, np.array([*ASIDE, 0.8])))
        arrays = {"colour": sight.top_down(picture, view()), "height": np.zeros(view().shape, np.float32)}
        plan = policy(Observation(0.0, arrays), truth["goal"], np.random.default_rng(0))
        block, bowl = read(truth["goal"])
        right += near(truth, plan.actions[0, :2], "block", block) and near(truth, plan.actions[1, :2], "bowl", bowl)
    stage.close()
    assert right == SCENES
