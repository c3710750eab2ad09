"""Clicks on a picture land on the table: solved from a rendered camera of known pose, refused where nothing fits."""

from __future__ import annotations

import numpy as np
import pytest

from robot_io import hand_eye
from robot_io.emulation.bench import view
from robot_io.errors import NotCalibrated
from robot_io.hand_eye import Sight, calibrate
from robot_io.table_view import TableView

PICTURE = (300, 400)
CORNERS = np.array([[x, y, 0.0] for x in (0.12, 0.28) for y in (-0.15, 0.15)])
ABOVE = np.concatenate([CORNERS, [[0.2, 0.0, 0.06], [0.16, 0.08, 0.06], [0.24, -0.08, 0.09], [0.2, -0.1, 0.03]]])


def pinhole(eye=(0.42, 0.10, 0.5), target=(0.2, 0.0, 0.0), focal=420.0) -> np.ndarray:
    """(3, 4): the projection of a camera that looks from a point at a point."""
    forward = np.subtract(target, eye)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    inner = np.array([[focal, 0, 200], [0, focal, 150], [0, 0, 1]])
    return inner @ np.column_stack([rotation, -rotation @ eye])


def seen(points: np.ndarray) -> np.ndarray:
    rows = np.column_stack([points, np.ones(len(points))]) @ pinhole().T
    return rows[:, :2] / rows[:, 2:]


@pytest.mark.parametrize("tips", [CORNERS, ABOVE], ids=["four points", "hand and eye"])
def test_exact_clicks_give_the_camera_back(tips):
    sight = calibrate(seen(tips), tips, PICTURE)
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.uniform(0.12, 0.29, 50), rng.uniform(-0.16, 0.16, 50)])
    pixels = seen(np.column_stack([table, np.zeros(50)]))
    np.testing.assert_allclose(sight.table_of(pixels), table, atol=1e-9)
    np.testing.assert_allclose(sight.pixel_of(table), pixels, atol=1e-6)
    assert sight.error < 1e-9


@pytest.mark.parametrize("tips", [CORNERS, ABOVE], ids=["four points", "hand and eye"])
def test_clicks_to_the_nearest_pixel_are_good_to_five_millimetres(tips):
    rng, worst = np.random.default_rng(1), 0.0
    table = np.column_stack([rng.uniform(0.12, 0.29, 200), rng.uniform(-0.16, 0.16, 200)])
    for _ in range(20):
        clicks = np.round(seen(tips) + rng.uniform(-1, 1, (len(tips), 2)))
        sight = calibrate(clicks, tips, PICTURE)
        away = sight.table_of(seen(np.column_stack([table, np.zeros(200)]))) - table
        worst = max(worst, float(np.max(np.linalg.norm(away, axis=1))))
    assert worst < 0.005


def test_the_whole_camera_tells_points_above_the_table():
    sight = calibrate(seen(ABOVE), ABOVE, PICTURE)
    points = np.array([[0.2, 0.05, 0.04], [0.15, -0.1, 0.1]])
    np.testing.assert_allclose(sight.pixel_of(points), seen(points), atol=1e-5)


@pytest.mark.sim
def test_clicks_on_a_rendered_camera_land_within_five_millimetres():
    """Balls where the tip would be are found in the picture by their colour, as an eye finds them."""
    import pybullet

    from robot_io.sim import bodies
    from robot_io.sim.so_camera import LENS

    client = bodies.connect()
    try:
        bodies.add_table(client, solid=False)
        look = pybullet.createVisualShape(
            pybullet.GEOM_SPHERE, radius=0.004, rgbaColor=[1, 0, 0, 1], physicsClientId=client
        )
        ball = pybullet.createMultiBody(0, -1, look, physicsClientId=client)

        def clicked(point: np.ndarray) -> np.ndarray:
            pybullet.resetBasePositionAndOrientation(ball, point.tolist(), (0, 0, 0, 1), client)
            colour = LENS.shoot(client)[0].astype(int)
            rows, columns = np.nonzero((colour[..., 0] > 90) & (colour[..., 1] < 60))
            assert len(rows), "the ball is in the picture"
            return np.round([columns.mean(), rows.mean()]) + 0.5

        heights = np.array([0.005, 0.005, 0.005, 0.005, 0.06, 0.06, 0.09, 0.03])
        tips = np.column_stack([ABOVE[:, :2], heights])
        sight = calibrate(np.array([clicked(tip) for tip in tips]), tips, (LENS.height, LENS.width))
        rng = np.random.default_rng(3)
        table = np.column_stack([rng.uniform(0.13, 0.28, 12), rng.uniform(-0.15, 0.15, 12)])
        landed = np.array([sight.table_of(clicked(np.array([*point, 0.0])))[0] for point in table])
        assert np.max(np.linalg.norm(landed - table, axis=1)) < 0.005
    finally:
        pybullet.disconnect(client)


def test_one_bad_click_is_named():
    clicks = seen(ABOVE)
    clicks[6] += [40, -30]
    with pytest.raises(NotCalibrated, match="number 7 does not fit"):
        calibrate(clicks, ABOVE, PICTURE)


@pytest.mark.parametrize(
    ("tips", "words"),
    [
        (CORNERS[:3], "at least 4 clicks, got 3"),
        (ABOVE[3:], "at least 6 clicks, got 5"),
        (np.array([[x, 0.0, 0.0] for x in (0.1, 0.15, 0.2, 0.25)]), "along one line"),
        (ABOVE[:, :] * [1, 1, 0] + [0, 0, 0.05], "several heights"),
    ],
)
def test_clicks_that_fix_nothing_are_refused(tips, words):
    with pytest.raises(NotCalibrated, match=words):
        calibrate(seen(tips), tips, PICTURE)


def test_misshapen_clicks_are_refused():
    with pytest.raises(NotCalibrated, match="pixels"):
        calibrate(np.zeros((4, 3)), CORNERS, PICTURE)


def test_a_picture_is_seen_from_above():
    sight, table = calibrate(seen(CORNERS), CORNERS, PICTURE), view()
    rows, columns = np.mgrid[0:300, 0:400]
    picture = np.stack([rows, columns // 2, np.zeros_like(rows)], -1).astype(np.uint8)
    above = sight.top_down(picture, table)
    assert above.shape == (*table.shape, 3)
    for row, column in ((40, 80), (20, 30), (70, 140)):
        pixel = sight.pixel_of(np.array([table.point_of(row, column)]))[0] - 0.5
        if 1 < pixel[1] < 255 and 1 < pixel[0] < 398:
            np.testing.assert_allclose(above[row, column, :2], [pixel[1], pixel[0] / 2], atol=1.01)
    assert sight.top_down(picture, TableView((3, 4), (3, 4), 0.1)).max() == 0, "black where it does not reach"


def test_pictures_of_another_size_are_refused():
    sight = calibrate(seen(CORNERS), CORNERS, PICTURE)
    with pytest.raises(NotCalibrated, match="calibrate it anew"):
        sight.top_down(np.zeros((480, 640, 3), np.uint8), view())


def test_it_is_kept_in_a_file(tmp_path):
    path = tmp_path / "new" / "arm.camera.json"
    for tips in (CORNERS, ABOVE):
        sight = calibrate(seen(tips), tips, PICTURE)
        hand_eye.save(sight, path)
        again = hand_eye.load(path)
        np.testing.assert_array_equal(again.plane, sight.plane)
        assert (again.picture, again.error) == (sight.picture, sight.error)
        assert (again.camera is None) == (sight.camera is None)
    path.write_text("{}")
    with pytest.raises(NotCalibrated, match="something else"):
        hand_eye.load(path)
    with pytest.raises(NotCalibrated, match="no such file"):
        hand_eye.load(tmp_path / "none.json")


def test_a_camera_that_looks_along_the_table_is_refused():
    with pytest.raises(NotCalibrated, match="from above"):
        Sight(np.ones((3, 3)), PICTURE)
