"""A state without shapes: smaller, and going on from it is bit for bit going on from the whole one."""

from __future__ import annotations

import numpy as np
import pybullet
import pytest

from robot_io.sim.bullet_file import HEADER, lean
from robot_io.sim.scene import Recipe
from robot_io.sim.world import World

pytestmark = pytest.mark.sim


@pytest.fixture
def world():
    world = World()
    world.build(Recipe(0, "peg-and-button"))
    yield world
    world.close()


def moved(world: World, ticks: int = 60) -> np.ndarray:
    """Everything that moves, tick by tick, while the arm comes down in its scene."""
    home, rows = world.joints(), []
    for tick in range(ticks):
        world.tick(home + 0.01 * tick * np.array([0, 1, 0, 1, 0, 0, 0]), 1.0)
        speeds = [pybullet.getBaseVelocity(body, world.client) for body in world.bodies]
        rows.append(np.concatenate([world.joints(), world.poses().ravel(), np.ravel(speeds)]))
    return np.array(rows)


def saved(world: World, path) -> bytes:
    pybullet.saveBullet(str(path), world.client)
    return path.read_bytes()


def test_it_goes_on_as_from_the_whole_file(world, tmp_path):
    moved(world, 30)
    path, kept = tmp_path / "state", [arm.keep() for arm in world.arms]
    whole = saved(world, path)
    less = lean(whole)
    assert less.startswith(HEADER) and len(less) < len(whole) / 2
    went = []
    for file in (whole, less, whole):
        path.write_bytes(file)
        pybullet.restoreState(fileName=str(path), physicsClientId=world.client)
        for arm, left in zip(world.arms, kept, strict=True):
            arm.resume(left, world.bodies)
        went.append(moved(world))
    assert np.array_equal(went[0], went[2])
    assert np.array_equal(went[0], went[1])


def test_contacts_stay(world, tmp_path):
    """What lies on the table touches it in the smaller file, too."""
    whole = saved(world, tmp_path / "state")
    assert whole.count(b"CONT") == lean(whole).count(b"CONT") > 0


def test_the_reader_finds_at_once_what_it_looks_for_from_the_start(world, tmp_path):
    less = lean(saved(world, tmp_path / "state"))
    assert 12 < less.index(b"REND") < less.index(b"DNA1") < 60


def test_leaving_out_twice_is_leaving_out_once(world, tmp_path):
    less = lean(saved(world, tmp_path / "state"))
    assert lean(less) == less


@pytest.mark.parametrize("file", [b"", b"no state", b"BULLETf-v326 of single precision", HEADER + b"326" + b"x" * 40])
def test_another_file_stays_as_it_is(file):
    assert lean(file) == file
