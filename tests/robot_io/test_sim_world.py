"""The physics: going on from a snapshot is, bit for bit, never having stopped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pybullet
import pytest

from robot_io.arm import ArmError
from robot_io.motion import pick_and_place
from robot_io.sim.scene import Recipe
from robot_io.sim.snapshot import BadSnapshot, Snapshot
from robot_io.sim.stage import Stage
from robot_io.sim.world import HOME

pytestmark = pytest.mark.sim
TASKS = ("put-block-in-bowl", "packing-shapes", "stack-blocks")
LOOSE = {"block", "shape"}


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def state(stage: Stage) -> np.ndarray:
    world = stage.world
    speeds = [pybullet.getBaseVelocity(body, world.client) for body in world.bodies]
    return np.concatenate([world.joints(), world.poses().ravel(), np.ravel(speeds)])


def plan(stage: Stage, thing: int = 0, yaw: float = 0.7) -> np.ndarray:
    objects = stage.world.truth()["objects"]
    loose = [o for o in objects if o["kind"] in LOOSE]
    home = next((o for o in objects if o["kind"] not in LOOSE), loose[-1])
    return np.array([[*loose[thing]["grip"], 0.0], [*home["position"], yaw]])


def follow(stage: Stage, path, start: int, stop: int) -> np.ndarray:
    states = []
    for tick in range(start, stop):
        stage.world.tick(path.joints[tick], path.gripper[tick])
        states.append(state(stage))
    return np.array(states)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.55, 0.8])
def test_480_steps_from_a_snapshot_are_the_same_here_and_elsewhere(stage, task, share):
    """Before the pick, near it, with the thing held and in full swing, and after the release."""
    stage.world.build(Recipe(1, task))
    path = stage.path(plan(stage))
    start = int(share * len(path))
    follow(stage, path, 0, start)
    snapshot, stop = stage.world.snapshot(), min(start + 120, len(path))
    uninterrupted = follow(stage, path, start, stop)
    if share == 0.55:
        assert Snapshot.unpack(snapshot).held is not None
    stage.world.restore(snapshot)
    np.testing.assert_array_equal(follow(stage, path, start, stop), uninterrupted)
    other = Stage()
    try:
        other.world.restore(snapshot)
        np.testing.assert_array_equal(follow(other, path, start, stop), uninterrupted)
    finally:
        other.close()


def test_motor_targets_and_the_held_thing_come_back(stage):
    stage.world.build(Recipe(1, TASKS[0]))
    path = stage.path(plan(stage))
    half = len(path) // 2
    follow(stage, path, 0, half)
    snapshot, target, held = stage.world.snapshot(), stage.world.target.copy(), stage.world.held
    follow(stage, path, half, len(path))
    assert stage.world.held is None
    stage.world.restore(snapshot)
    np.testing.assert_array_equal(stage.world.target, target)
    assert stage.world.held == held is not None
    np.testing.assert_array_equal(Snapshot.unpack(stage.world.snapshot()).poses, Snapshot.unpack(snapshot).poses)


def test_paths_are_the_same_after_a_restore(stage):
    """Rays in the live client would still meet things where they were before."""
    stage.world.build(Recipe(1, TASKS[0]))
    actions, snapshot = plan(stage), stage.world.snapshot()
    path = stage.path(actions)
    follow(stage, path, 0, len(path))
    stage.world.restore(snapshot)
    np.testing.assert_array_equal(stage.path(actions).joints, path.joints)


def test_restoring_another_scene_builds_it(stage):
    stage.world.build(Recipe(1, TASKS[0]))
    truth, snapshot = stage.world.truth(), stage.world.snapshot()
    stage.world.build(Recipe(2, TASKS[1]))
    stage.world.restore(snapshot)
    assert stage.world.truth() == truth


@pytest.mark.parametrize("data", [b"", b"not a snapshot", b"\x80", b"\x93\x01\x02\x03"])
def test_what_is_no_snapshot_is_refused_and_changes_nothing(stage, data):
    stage.world.build(Recipe(1, TASKS[0]))
    before = state(stage)
    with pytest.raises(BadSnapshot, match="expected a snapshot"):
        stage.world.restore(data)
    np.testing.assert_array_equal(state(stage), before)


def test_without_a_scene_there_is_nothing_to_tell(stage):
    with pytest.raises(ArmError, match="reset"):
        stage.world.truth()
    with pytest.raises(ArmError, match="reset"):
        stage.world.snapshot()


@pytest.mark.parametrize("task", TASKS)
def test_a_fresh_scene_is_at_rest(stage, task):
    for seed in range(5):
        stage.world.build(Recipe(seed, task))
        assert stage.world.still()
        tops = [o["position"][2] - o["size"][2] / 2 for o in stage.world.truth()["objects"]]
        np.testing.assert_allclose(tops, 0, atol=2e-3)


def test_a_fresh_arm_is_at_home(stage):
    stage.world.build(Recipe(0, TASKS[0]))
    np.testing.assert_allclose(stage.world.joints(), HOME, atol=1e-3)


def test_the_arm_pushes_what_it_meets(stage):
    """A descent beside its plan, straight through a block's place, moves the block: nothing passes through."""
    world = stage.world
    world.build(Recipe(1, TASKS[0]))
    block = next(o for o in world.truth()["objects"] if o["kind"] == "block")
    x, y, _ = block["position"]
    low = pick_and_place(stage.chain, np.array([[x - 0.06, y, 0.01, 0], [x + 0.06, y, 0.01, 0]]), HOME, HOME)
    tips = stage.chain.tips(low.joints)
    down = int(np.argmin(np.abs(tips[:, 0] - (x - 0.06)) + tips[:, 2]))
    for joints in low.joints[: down + 1]:
        world.tick(joints, 0.0)
    sideways = stage.chain.pose(low.joints[down])
    for step in np.linspace(0, 0.08, 60):
        pose = sideways.copy()
        pose[0, 3] += step
        world.tick(stage.chain.solve(pose[None], low.joints[down])[0], 0.0)
    moved = np.subtract(world.truth()["objects"][block["id"]]["position"], block["position"])
    assert np.linalg.norm(moved[:2]) > 0.02
