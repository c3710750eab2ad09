"""Cameras: a real video file through OpenCV, and sources that stall, freeze, drop and vanish."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from robot_io.cameras import FROZEN, STALLED, Camera, CameraError, open_camera

RATE = 100.0
BUSY = 1.0
"""Seconds that a loaded machine may keep this test's threads waiting; the thresholds themselves are checked exactly."""


class Lens:
    """A source that does as it is told."""

    rate, live, depth = RATE, True, None

    def __init__(self) -> None:
        self.go, self.frozen, self.gone, self.closed = threading.Event(), False, False, 0
        self.go.set()
        self.number = 0

    def read(self):
        time.sleep(1 / RATE)
        self.go.wait()
        if self.gone:
            return None
        self.number += not self.frozen
        return np.full((4, 6, 3), self.number % 251, dtype=np.uint8)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def lens():
    lens = Lens()
    yield lens
    lens.go.set()


@pytest.fixture
def camera(lens):
    def opened():
        if lens.gone:
            raise CameraError("expected a lens, got none; plug it in")
        return lens

    camera = Camera("top", opened, retry=0.05)
    camera.start()
    yield camera
    lens.go.set()
    camera.close()


def noticed(camera: Camera, words: str) -> float:
    """Seconds until the camera's trouble says so."""
    start = time.monotonic()
    while words not in camera.state().trouble:
        assert time.monotonic() - start < 5, camera.state()
        time.sleep(0.005)
    return time.monotonic() - start


def recovers(camera: Camera) -> None:
    end = time.monotonic() + 5
    while camera.state().trouble:
        assert time.monotonic() < end
        time.sleep(0.005)
    camera.latest()


def test_frames_are_new_and_stamped(camera):
    first = camera.latest()
    time.sleep(0.2)
    second = camera.latest()
    assert second.number > first.number
    assert 0 < second.time - first.time < 2
    assert not second.colour.flags.writeable
    assert camera.state().rate > 0


def test_a_stalled_camera_is_noticed_within_half_a_second_and_comes_back(camera, lens):
    lens.go.clear()
    assert STALLED < 0.5
    assert noticed(camera, "no picture") < 0.5 + BUSY
    with pytest.raises(CameraError, match="check its cable"):
        camera.latest()
    before = camera.state().dropped
    lens.go.set()
    recovers(camera)
    assert camera.state().dropped - before > 20


def test_a_frozen_camera_is_noticed_within_half_a_second_and_comes_back(camera, lens):
    lens.frozen = True
    assert FROZEN < 0.5
    assert noticed(camera, "same picture") < 0.5 + BUSY
    lens.frozen = False
    recovers(camera)


def test_a_camera_that_vanishes_is_noticed_and_comes_back(camera, lens):
    lens.gone = True
    assert noticed(camera, "plug it in") < 0.5 + BUSY
    lens.gone = False
    recovers(camera)
    assert lens.closed >= 1


def test_a_camera_that_never_gives_a_frame_says_so(lens):
    lens.go.clear()
    camera = Camera("top", lambda: lens)
    with pytest.raises(CameraError, match="first frame"):
        camera.start(patience=0.1)


def test_what_is_no_camera_says_so(tmp_path):
    with pytest.raises(CameraError, match="video file"):
        open_camera(str(tmp_path / "nothing.mp4"))
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(CameraError, match="nothing that opens"):
        open_camera(str(tmp_path / "text.mp4")).start()


def test_a_video_file_is_a_camera(tmp_path):
    import cv2

    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 50, (64, 48))
    for number in range(10):
        picture = np.zeros((48, 64, 3), dtype=np.uint8)
        picture[..., 2] = 20 * number + 20
        writer.write(picture)
    writer.release()
    camera = open_camera(path)
    camera.start()
    try:
        frame = camera.latest()
        assert frame.colour.shape == (48, 64, 3)
        assert frame.colour[..., 0].mean() > 10 > frame.colour[..., 2].mean(), "red comes first"
        time.sleep(0.5)
        state = camera.state()
        assert state.frames > 10, "it begins again at its end"
        assert state.rate < 60, "it comes at its own pace"
        assert not state.trouble
    finally:
        camera.close()
