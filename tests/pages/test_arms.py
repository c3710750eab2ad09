"""The Arms page as a script, without a browser: what is listed, what may be kept, and what goes wrong."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pages import processes
from pages.arm_shape import figure
from pages.diagnosing import diagnostics, link
from robot_io import hand_eye
from robot_io.entries import LEADER
from robot_io.fleet import Fleet, ended_file
from robot_io.port import Found, find_ports
from robot_io.sighting import sight_file

SHELL = str(Path(__file__).parents[2] / "pages" / "shell.py")
PORT = Found("/dev/ttyACM9", "Bus servo adapter", "", "so101")


class StillFleet(Fleet):
    """Keeps entries and starts nothing: processes have their own tests."""

    def look_after(self) -> None:
        """Nothing is started."""


@pytest.fixture
def fleet(tmp_path, monkeypatch) -> Fleet:
    monkeypatch.setenv("ASKBACK_HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("robot_io.port.find_ports", lambda: [PORT])
    made = StillFleet(tmp_path / ".arms", ports=lambda: [PORT])
    monkeypatch.setattr(processes, "fleet", lambda: made)
    return made


def arms_page() -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    app.switch_page("arms.py").run()
    assert not app.exception, app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in [*app.markdown, *app.error, *app.info, *app.caption])


def test_what_is_plugged_in_is_listed_kept_and_wanted(fleet):
    app = arms_page()
    assert "Bus servo adapter" in texts(app)
    app.text_input("title-/dev/ttyACM9").set_value("Left arm")
    app.button("keep-/dev/ttyACM9").click().run()
    assert not app.exception
    [entry] = fleet.entries()
    assert (entry.title, entry.name) == ("Left arm", "feetech:/dev/ttyACM9")
    assert fleet.starting(entry)
    assert "connecting…" in texts(app)
    assert "Bus servo adapter" not in texts(app), "it is kept, so it is not new"


def test_a_port_that_went_away_meanwhile_is_refused_in_a_sentence(fleet):
    app = arms_page()
    fleet._ports = lambda: []
    app.button("keep-/dev/ttyACM9").click().run()
    assert "look again for ports" in texts(app)
    assert not fleet.entries()


def test_an_arm_that_cannot_be_taken_says_why_and_what_to_do(fleet):
    entry = fleet.add("Left arm", "feetech", PORT.path)
    ended_file(entry.path).parent.mkdir()
    ended_file(entry.path).write_text(json.dumps({"why": "NotCalibrated: expected a calibration, got none"}))
    app = arms_page()
    said = texts(app)
    assert "The arm is not calibrated" in said
    assert "Press Calibrate" in said
    app.button("calibrate-left-arm").click().run()
    assert fleet._wanted[entry.path] == "calibrate"
    app.button("disconnect-left-arm").click().run()
    assert not fleet.starting(entry)
    app.button("remove-left-arm").click().run()
    assert not fleet.entries()


def test_a_kept_arm_gets_another_name_port_and_cameras(fleet, tmp_path, monkeypatch):
    film = tmp_path / "film.avi"
    film.touch()
    monkeypatch.setenv("ASKBACK_CAMERAS", str(film))
    entry = fleet.add("Left arm", "feetech", PORT.path)
    other = Found("/dev/ttyACM8", "Another adapter", "", "so101")
    for there in ("robot_io.port.find_ports", "pages.arm_change.find_ports"):
        monkeypatch.setattr(there, lambda: [PORT, other])
    fleet._ports = lambda: [PORT, other]
    fleet.connect(entry)
    app = arms_page()
    app.session_state["arm"] = str(entry.path)
    app.run()
    app.text_input("change-title-left-arm").set_value("Right arm")
    app.selectbox("change-port-left-arm").set_value(other.path)
    app.multiselect("change-cameras-left-arm").set_value([str(film)])
    app.button("change-left-arm").click().run()
    assert not app.exception
    [kept] = fleet.entries()
    assert (kept.title, kept.name, kept.path) == ("Right arm", "feetech:/dev/ttyACM8", entry.path)
    assert kept.cameras == {"camera 1": str(film)}
    assert fleet.wanted(kept), "it is taken anew"
    app.text_input("change-title-left-arm").set_value("../up")
    app.button("change-left-arm").click().run()
    assert "expected a title" in texts(app)


def test_a_leader_has_a_walk_of_its_own(fleet):
    other = Found("/dev/ttyACM8", "Another adapter", "", "so101")
    fleet._ports = lambda: [PORT, other]
    plain = fleet.add("Plain", "feetech", PORT.path)
    entry = fleet.add("Led", "feetech", PORT.path, leader=other.path)
    app = arms_page()
    app.button("calibrate-leader-led").click().run()
    assert not app.exception
    assert fleet._wanted[entry.path] == LEADER
    assert "calibrate-leader-plain" not in {button.key for button in app.button}
    assert not fleet.wanted(plain)


def test_an_arm_whose_camera_is_calibrated_goes_into_a_lesson(fleet, tmp_path, monkeypatch):
    film = tmp_path / "film.avi"
    film.touch()
    monkeypatch.setenv("ASKBACK_CAMERAS", str(film))
    entry = fleet.add("Left arm", "feetech", PORT.path, {"camera 1": str(film)})
    app = arms_page()
    app.session_state["arm"] = str(entry.path)
    app.run()
    assert "teach-left-arm" not in [button.key for button in app.button]
    sight = sight_file(entry.path, str(film))
    hand_eye.save(hand_eye.Sight(np.diag([400.0, 300.0, 1.0]), (300, 400)), sight)
    app.run()
    app.button("teach-left-arm").click().run()
    assert not app.exception
    [arm] = [field for field in app.text_input if field.label == "Arm"]
    assert arm.value == f"feetech:{PORT.path},camera={film},sight={sight}"


def test_an_arm_without_lengths_is_not_drawn_and_one_with_them_is():
    told = {"points": [[0, 0, 0], [0, 0, 0.1], [0.2, 0, 0.1]], "reach": np.zeros((3, 3)).tolist(), "joints": [0.0]}
    box = {"workspace": [[-0.25, -0.46, -0.01], [0.48, 0.46, 0.5]]}
    drawn = figure({**told, **box})
    assert drawn is not None
    assert [trace.name for trace in drawn.data] == ["reached by the gripper", "workspace", "the arm now"]
    assert np.nanmax(drawn.data[1].z) == 500
    assert figure({**told, "workspace": [[-2] * 3, [2] * 3]}) is None
    assert figure({**told, **box, "points": []}) is None


def test_ports_that_the_system_does_not_list_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "tty").touch()
    monkeypatch.setenv("ASKBACK_PORTS", f"{tmp_path}/tty,/not/there")
    assert f"{tmp_path}/tty" in [found.path for found in find_ports()]
    assert "/not/there" not in [found.path for found in find_ports()]


def test_diagnostics_are_served_for_what_is_kept_and_for_nothing_else(fleet, tmp_path):
    entry = fleet.add("Left arm", "feetech", PORT.path)
    routes = [Route("/diagnostics/{kind}/{name}", diagnostics)]
    with TestClient(Starlette(routes=routes)) as client:
        got = client.get(f"/{link(entry.path)}")
        assert got.status_code == 200
        assert 'filename="left-arm-diagnostics.zip"' in got.headers["content-disposition"]
        assert "log.txt" in zipfile.ZipFile(io.BytesIO(got.content)).namelist()
        for other in ("arms/right-arm", "lessons/left-arm", "lessons/..%2f..", "arms/..", "arms/%2e%2e"):
            assert client.get(f"/diagnostics/{other}").status_code == 404
