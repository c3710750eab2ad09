"""Pictures: the map agrees with the truth, fusing takes the mean colour and the greatest height."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pybullet
import pytest

from robot_io.arm import TableView
from robot_io.sim import bodies
from robot_io.sim.bodies import quaternion
from robot_io.sim.cameras import Studio, fuse
from robot_io.sim.put_block_in_bowl import COLOURS
from robot_io.sim.scene import Recipe, lay_out
from robot_io.sim.world import HOME

pytestmark = pytest.mark.sim
VIEW = TableView()


@pytest.fixture(scope="module")
def shown() -> Iterator[tuple]:
    studio, things = Studio(), lay_out(Recipe(3, "put-block-in-bowl")).things
    studio.load(things)
    poses = np.array([[*t.position, *quaternion(t.yaw)] for t in things])
    yield studio, things, poses, studio.pictures(poses)
    studio.close()


def test_pictures_have_the_shapes_of_the_table(shown):
    pictures = shown[3]
    rows, columns = VIEW.shape
    assert pictures["colour"].shape == (rows, columns, 3)
    assert pictures["height"].dtype == np.float32
    assert pictures["picture"].shape == (4 * rows, 4 * columns, 3)
    assert {p.dtype for n, p in pictures.items() if n != "height"} == {np.dtype(np.uint8)}


def test_blocks_are_where_the_map_shows_them(shown):
    _, things, _, pictures = shown
    for block in (t for t in things if t.kind == "block"):
        cell = VIEW.pixel_of(*block.position[:2])
        assert pictures["height"][cell] == pytest.approx(0.04, abs=3e-3)
        colour, wanted = pictures["colour"][cell].astype(float), np.array(COLOURS[block.colour], dtype=float)
        shade = colour.sum() / wanted.sum()
        assert 0.6 < shade < 1.2
        np.testing.assert_allclose(colour, wanted * shade, atol=30)


def test_bowls_are_hollow(shown):
    _, things, _, pictures = shown
    for bowl in (t for t in things if t.kind == "bowl"):
        x, y, _ = bowl.position
        assert pictures["height"][VIEW.pixel_of(x, y)] < 0.01
        rim = [pictures["height"][VIEW.pixel_of(x + 0.057 * np.cos(a), y + 0.057 * np.sin(a))] for a in range(7)]
        assert min(rim) > 0.03


def test_the_bare_table_is_flat(shown):
    assert np.percentile(shown[3]["height"], 30) < 2e-3


def test_the_larger_picture_shows_the_same_as_the_map(shown):
    pictures = shown[3]
    rows, columns = VIEW.shape
    small = pictures["picture"].reshape(rows, 4, columns, 4, 3).mean((1, 3))
    assert np.median(np.abs(small - pictures["colour"])) < 3


def test_pictures_are_the_same_bit_for_bit(shown):
    _, things, poses, pictures = shown
    other = Studio()
    try:
        other.load(things)
        again = other.pictures(poses)
    finally:
        other.close()
    for name, picture in pictures.items():
        np.testing.assert_array_equal(again[name], picture)


def test_an_arm_at_home_hides_nothing(shown):
    """So the client that draws the map need not hold one."""
    _, things, poses, pictures = shown
    other = Studio()
    try:
        other.load(things)
        robot = bodies.add_panda(other._top, solid=False)
        for joint, angle in enumerate(HOME):
            pybullet.resetJointState(robot, joint, angle, physicsClientId=other._top)
        for name, picture in other.pictures(poses).items():
            np.testing.assert_array_equal(picture, pictures[name])
    finally:
        other.close()


def test_the_side_view_shows_the_arm_move(shown):
    studio, _, poses, _ = shown
    still = studio.side(poses, HOME, 160, 120)
    assert still.shape == (120, 160, 3)
    np.testing.assert_array_equal(studio.side(poses, HOME, 160, 120), still)
    moved = studio.side(poses, HOME + 0.3, 160, 120)
    assert np.mean(np.any(moved != still, axis=-1)) > 0.01


def test_fusing_takes_the_mean_colour_and_the_greatest_height():
    view = TableView((0.0, 0.02), (0.0, 0.01), 0.01)
    grey, light, dark = [10, 20, 30], [30, 40, 50], [1, 1, 1]
    low = np.array([[[0.005, 0.005, 0.01], [0.005, 0.005, 0.03]]])
    high = np.array([[[0.005, 0.005, 0.02], [5.0, 0.005, 0.02]]])
    first, second = np.array([[[9, 9, 9], grey]], np.uint8), np.array([[light, dark]], np.uint8)
    colour, height = fuse(view, [(first, low), (second, high)])
    np.testing.assert_array_equal(colour[:, 0], [[20, 30, 40], [0, 0, 0]])
    np.testing.assert_allclose(height[:, 0], [0.03, 0.0])


def test_people_see_the_arm_from_two_sides():
    """A right angle apart, so that what is beside in one is in front in the other."""
    from robot_io.arm import Unsupported
    from robot_io.sim.cameras import EYES
    from robot_io.sim.scene import Recipe
    from robot_io.sim.stage import CAMERAS, Stage

    side, front = (np.subtract(EYES[name][1], EYES[name][0])[:2] for name in CAMERAS[:2])
    cosine = side @ front / np.linalg.norm(side) / np.linalg.norm(front)
    assert abs(cosine) < 0.5
    stage = Stage()
    try:
        stage.world.build(Recipe(2, "peg-and-button"))
        pictures = [stage.frame(name, stage.world.snapshot()) for name in CAMERAS]
        assert all(picture[:2] == b"\xff\xd8" for picture in pictures)
        assert len(set(pictures)) == len(CAMERAS)
        with pytest.raises(Unsupported, match="side, front"):
            stage.frame("roof", stage.world.snapshot())
    finally:
        stage.close()


@pytest.mark.parametrize("camera", ["side", "front", "close"])
def test_a_view_tells_where_a_point_is_in_the_picture(camera):
    """A bright block is seen where the camera's matrix says; "close" measures from the tip."""
    from robot_io.sim.cameras import views
    from robot_io.sim.scene import Thing
    from robot_io.sim.world import panda_chain

    tip = panda_chain().tip(HOME)
    place = np.array([0.45, 0.1, 0.05]) if camera != "close" else np.add(tip, (0.05, 0.03, -0.15))
    studio = Studio()
    try:
        bare = Thing("block", (0.03, 0.03, 0.03), (0.0, 0.0, -1.0), 0.0, "red", (1.0, 0.0, 0.0))
        studio.load([bare])
        picture = studio.side(np.array([[*place, 0, 0, 0, 1.0]]), HOME, camera=camera).astype(float)
    finally:
        studio.close()
    red = picture[..., 0] - picture[..., 1:].max(-1) > 60
    rows, columns = np.nonzero(red)
    view = views()[camera]
    x, y, w = np.array(view.matrix) @ [*(place - tip if view.follows else place), 1.0]
    assert columns.mean() / 320 == pytest.approx(x / w, abs=0.02)
    assert rows.mean() / 240 == pytest.approx(y / w, abs=0.02)
