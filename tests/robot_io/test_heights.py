"""Heights of what lies on a table, from the depth of one camera whose pose is known."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from robot_io.arm import make_arm
from robot_io.cameras import Camera, CameraError, Frame
from robot_io.emulated_camera import EmulatedSource, write_frame
from robot_io.emulation.bench import TASKS, Bench, packed, view
from robot_io.errors import NotCalibrated
from robot_io.hand_eye import Sight
from robot_io.heights import heights_of, points_of
from robot_io.lerobot_camera import RealSense
from robot_io.sighted import Laid, Sighted
from robot_io.sim.scene import Recipe
from robot_io.sim.so_camera import LENS, Set, sight_of
from robot_io.so_table import ASIDE
from robot_io.table_view import TableView
from tests.robot_io.emulator import Emulator

NEAR = 0.002
"""Metres by which a height may be off."""
VIEW = TableView((0.0, 0.4), (0.0, 0.4), 0.1)


def rendered(seed: int) -> tuple[dict, np.ndarray, np.ndarray]:
    """A scene, its picture (H, W, 3), and its depth (H, W) in metres, in whole millimetres as depth cameras give it."""
    bench, stage = Bench(), Set()
    bench.lay(Recipe(seed, TASKS[0]))
    picture, depth = stage.measure(packed(bench, np.array([*ASIDE, 0.8])))
    stage.close()
    return bench.truth(), picture, np.round(1000 * depth) / 1000


def blocks(truth: dict) -> list[dict]:
    return [thing for thing in truth["objects"] if thing["kind"] == "block"]


def top(thing: dict) -> float:
    return float(thing["position"][2] + thing["size"][2] / 2)


@pytest.mark.sim
@pytest.mark.parametrize("seed", [3, 8, 21])
def test_blocks_are_as_high_as_they_are_and_where_they_are(seed: int):
    truth, _, depth = rendered(seed)
    height = heights_of(view(), points_of(sight_of(LENS), depth))
    for block in blocks(truth):
        row, column = view().pixel_of(*block["position"][:2])
        assert height[row - 1 : row + 2, column - 1 : column + 2] == pytest.approx(top(block), abs=NEAR)
    far = np.ones(view().shape, dtype=bool)
    for thing in truth["objects"]:
        row, column = view().pixel_of(*thing["position"][:2])
        reach = round(thing["size"][0] / view().pixel) + 2
        far[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = False
    assert far.sum() > 1000
    assert np.max(height[far]) < NEAR, "the bare table is bare"


@pytest.mark.sim
def test_the_calibrated_camera_s_points_are_the_renderer_s_own():
    _, _, depth = rendered(3)
    bench, stage = Bench(), Set()
    bench.lay(Recipe(3, TASKS[0]))
    stage.show(packed(bench, np.array([*ASIDE, 0.8])))
    own = LENS.points(LENS.shoot(stage._client)[1])
    stage.close()
    assert np.max(np.abs(points_of(sight_of(LENS), depth) - own)) < 0.001


def test_where_no_depth_was_found_the_neighbours_tell_or_it_is_bare_table():
    middles = [0.05, 0.15, 0.25, 0.35]
    grid = np.stack([*np.meshgrid(middles, middles, indexing="ij"), np.full((4, 4), 0.03)], -1)
    grid[1, 1] = np.nan
    grid[0, 3, 2] = -0.02
    height = heights_of(VIEW, grid)
    assert height[1, 1] == pytest.approx(0.03)
    assert height[0, 3] == 0.0
    assert np.all(heights_of(VIEW, np.full((4, 4, 3), np.nan)) == 0)


def test_depth_of_a_camera_that_knows_only_the_plane_is_refused():
    whole = sight_of(LENS)
    with pytest.raises(NotCalibrated, match="a plane"):
        points_of(Sight(whole.plane, whole.picture), np.ones(whole.picture))
    with pytest.raises(NotCalibrated, match="320 × 240"):
        points_of(whole, np.ones((240, 320)))


def test_an_emulated_lens_gives_its_depth_with_its_picture(tmp_path: Path):
    colour, depth = np.zeros((3, 4, 3), np.uint8), np.linspace(0.0, 1.1, 12).reshape(3, 4)
    write_frame(tmp_path, colour, 1)
    source = EmulatedSource(tmp_path)
    write_frame(tmp_path, colour, 2, depth)
    assert source.read() is not None
    assert source.depth == pytest.approx(depth, abs=0.0006)
    write_frame(tmp_path, colour, 3)
    assert source.read() is not None
    assert source.depth is None


class Wired:
    """Answers as LeRobot's RealSenseCamera does: colours, and depth in whole millimetres."""

    def __init__(self) -> None:
        self.connected, self.number, self.gone = False, 0, False

    def connect(self) -> None:
        self.connected = True

    def disconnect(self) -> None:
        if not self.connected:
            raise ConnectionError("not connected")
        self.connected = False

    def async_read(self, timeout_ms: float = 200) -> np.ndarray:
        time.sleep(0.01)
        if self.gone:
            raise TimeoutError("no frame")
        self.number += 1
        return np.full((4, 6, 3), self.number % 251, dtype=np.uint8)

    def read_depth(self) -> np.ndarray:
        return np.full((4, 6), 600, dtype=np.uint16)


def test_a_depth_camera_through_lerobot_gives_metres_and_is_told_when_it_goes():
    wired = Wired()
    camera = Camera("realsense:1", lambda: RealSense("1", make=lambda *_: wired), retry=0.05)
    camera.start()
    try:
        frame: Frame = camera.latest()
        assert frame.depth is not None
        assert frame.depth == pytest.approx(np.full((4, 6), 0.6))
        wired.gone = True
        end = time.monotonic() + 10
        while "gone" not in camera.state().trouble:
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        camera.close()
    assert not wired.connected


def test_a_depth_camera_that_does_not_open_says_what_to_do():
    class Refusing(Wired):
        def connect(self) -> None:
            raise ConnectionError("no device connected")

    with pytest.raises(CameraError, match="serial number 7, LeRobot says: no device"):
        RealSense("7", make=lambda *_: Refusing())


@pytest.mark.sim
@pytest.mark.process
def test_an_arm_at_a_bench_with_depth_tells_heights(tmp_path: Path):
    folder = tmp_path / "bench"
    with Emulator("so101", more=["--bench", str(folder), "--depth"]) as emulator:
        end = time.monotonic() + 60
        while not (folder / "frame").exists():
            assert time.monotonic() < end, "the camera gives no picture"
            time.sleep(0.1)
        arm = make_arm(f"feetech:{emulator.name.partition(':')[2]}")
        arm.connect()
        try:
            assert isinstance(arm, Sighted) and isinstance(arm, Laid)
            seen = arm.observe()
            path = arm.aside(seen["joints"], float(seen["gripper"][0]))
            for tick in range(len(path)):
                arm.send(path[tick])
                time.sleep(1 / arm.features.rate)
            truth = arm.reset(3, TASKS[0], "seen")
            time.sleep(1.0)
            height = arm.observe(pictures=True)["height"]
            assert height.dtype == np.float32
            for block in blocks(dict(truth)):
                assert height[view().pixel_of(*block["position"][:2])] == pytest.approx(top(block), abs=0.003)
        finally:
            arm.disconnect()
