"""A real film as a camera of a real arm process: seen in a page, taken away, told, and back."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from robot_io.cameras import find_cameras
from robot_io.process import parse
from tests.robot_io.side_port import Page, arm_process


def film(path: Path, seconds: float = 2.0) -> Path:
    """A short film of noise, at 25 pictures a second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(round(25 * seconds)):
        writer.write(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    writer.release()
    return path


@pytest.mark.process
def test_a_page_sees_a_camera_hears_how_it_does_and_that_another_is_not_there(tmp_path):
    made, missing = film(tmp_path / "film.avi"), tmp_path / "missing.avi"
    more = ("--camera", f"over={made}", "--camera", f"side={missing}")
    with arm_process(tmp_path, more=more), Page(tmp_path) as page:
        names = page.hello["features"]["cameras"]
        assert names[-2:] == ["over", "side"]
        page.tell(type="feel", on=True)
        page.tell(type="view", cameras=["over"], fps=20)
        data = page.frame(20.0)
        index, time = struct.unpack(">Bd", data[:9])
        assert names[index] == "over"
        assert abs(page.state()["time"] - time) < 5
        assert cv2.imdecode(np.frombuffer(data[9:], np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
        told = {camera["name"]: camera for camera in page.hear("cameras")["cameras"]}
        assert told["over"]["frames"] > 0
        assert "expected a camera or a video" in told["side"]["trouble"]


def test_a_camera_needs_a_name_and_a_device(tmp_path, capsys):
    options = parse(["--arm", "fake:table", "--dir", str(tmp_path), "--camera", "over=/dev/video0"])
    assert options.cameras == {"over": "/dev/video0"}
    with pytest.raises(SystemExit):
        parse(["--arm", "fake:table", "--dir", str(tmp_path), "--camera", "over"])
    assert "name=device" in capsys.readouterr().err


def test_films_that_were_named_are_offered_as_cameras(tmp_path, monkeypatch):
    made = film(tmp_path / "film.avi", 0.1)
    monkeypatch.setenv("ASKBACK_CAMERAS", f"{made},/not/there.avi")
    assert str(made) in find_cameras()
    assert "/not/there.avi" not in find_cameras()
