"""Arms that are kept: nothing unchecked is opened, crashes and swaps are noticed, calibration and back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot_io import entries
from robot_io.errors import ArmError, ArmNotFound, CameraError
from robot_io.fleet import Entry, Fleet, ended_file, running
from robot_io.glance import diary, glance, shape
from robot_io.port import Found, find_emulated
from tests.robot_io.emulator import Emulator

PATIENCE = 60.0
PORT = Found("/dev/ttyACM9", "an adapter", "", "so101")


@pytest.fixture
def fleet(tmp_path) -> Fleet:
    return Fleet(tmp_path / "arms", ports=lambda: [PORT])


def test_an_arm_is_kept_under_its_title_and_found_again(fleet):
    kept = fleet.add("Left  arm", "feetech", PORT.path)
    assert (kept.title, kept.name, kept.path.name) == ("Left arm", "feetech:/dev/ttyACM9", "left-arm")
    assert Fleet(fleet.home).entries() == [kept] == [fleet.entry("left-arm")]
    assert kept.can_be_calibrated
    assert (kept.kind, kept.port) == ("feetech", PORT.path)
    assert fleet.entry("right-arm") is None
    fleet.forget(kept)
    assert fleet.entries() == []
    assert list((fleet.home / ".trash").iterdir()), "it can be taken back"


@pytest.mark.parametrize(
    ("kind", "port"),
    [("feetech", "/etc/passwd"), ("feetech", ""), ("lerobot", PORT.path), ("sim:other", ""), ("calibrate", PORT.path)],
)
def test_only_ports_that_were_listed_and_known_kinds_are_taken(fleet, kind, port):
    with pytest.raises(ArmNotFound, match="look again for ports"):
        fleet.add("arm", kind, port)
    assert not fleet.entries()


@pytest.mark.parametrize("title", ["", "../x", ".hidden", "a/b", "x" * 41, "left arm"])
def test_titles_are_plain_and_new(fleet, title):
    fleet.add("Left arm", "sim:panda")
    with pytest.raises(ArmError, match="title"):
        fleet.add(title, "sim:panda")


def test_cameras_have_to_be_there_and_a_new_port_too(fleet):
    with pytest.raises(CameraError, match="look again"):
        fleet.add("arm", "feetech", PORT.path, {"over": "/etc/passwd"})
    kept = fleet.add("arm", "feetech", PORT.path)
    with pytest.raises(ArmNotFound):
        fleet.change(kept, port="/dev/null")
    assert fleet.change(kept, title="other").title == "other"


def test_a_leader_has_a_port_of_its_own_that_is_there(tmp_path):
    other = Found("/dev/ttyACM8", "an adapter", "", "so101")
    fleet = Fleet(tmp_path / "arms", ports=lambda: [PORT, other])
    kept = fleet.add("Led", "so101", PORT.path, leader=other.path)
    assert Fleet(fleet.home).entries() == [kept]
    assert kept.leader == other.path
    for kind, leader in [("so101", PORT.path), ("so101", "/dev/nowhere"), ("line", other.path)]:
        with pytest.raises(ArmNotFound, match="leader"):
            fleet.add("Not led", kind, PORT.path, leader=leader)


def test_a_damaged_entry_is_left_out_and_a_line_arm_has_no_walk(fleet):
    kept = fleet.add("arm", "line", PORT.path)
    (fleet.home / "bad").mkdir()
    (fleet.home / "bad" / "entry.json").write_text("{")
    assert fleet.entries() == [kept]
    with pytest.raises(ArmError, match="arm of servos"):
        fleet.connect(kept, calibrate=True)
    with pytest.raises(ArmError, match="with a leader"):
        fleet.connect(kept, leader=True)
    assert glance(kept.path) is None
    assert diary(kept.path) is None


@pytest.mark.parametrize(
    ("kind", "mode", "named"),
    [
        ("dynamixel", entries.RUN, "dynamixel:/dev/a"),
        ("dynamixel", entries.CALIBRATE, "calibrate:/dev/a,servos=dynamixel"),
        ("feetech", entries.RUN, "feetech:/dev/a,leader=/dev/b"),
        ("feetech", entries.CALIBRATE, "calibrate:/dev/a,id=arm"),
        ("feetech", entries.LEADER, "calibrate:/dev/b"),
    ],
)
def test_what_a_process_is_for_is_told_by_its_name(kind, mode, named, tmp_path):
    leader = "/dev/b" if kind == "feetech" else ""
    entry = Entry(tmp_path / "arm", f"{kind}:/dev/a", "Arm", leader=leader)
    assert entries.named(entry, mode) == named
    assert entries.mode_of(entry, named) == mode


@pytest.mark.process
def test_a_leader_is_calibrated_and_then_the_arm_is_taken_with_it(tmp_path):
    """Cancelled, the walk is done as well; the arm's own identity is left alone."""
    with Emulator("so101", more=["--leader"]) as emulator:
        port, leader = emulator.name.removeprefix("so101:").split(",leader=")
        found = [Found(path, "emulated", "") for path in (port, leader)]
        fleet = Fleet(tmp_path / "arms", ports=lambda: found)
        entry = fleet.add("Arm", "feetech", port, leader=leader)
        fleet.connect(entry, leader=True)
        try:
            until(lambda: (g := glance(entry.path)) is not None and "calibrate" in g.capabilities, fleet)
            run = running(entry.path)
            assert run is not None and run.name == f"calibrate:{leader}"
            fleet.connect(entry, leader=True)
            fleet.look_after()
            assert running(entry.path) == run, "it goes on"
            assert not (entry.path / "identity").exists()
        finally:
            fleet.stop()


def until(true: Callable[[], Any], fleet: Fleet) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end
        fleet.look_after()
        time.sleep(0.1)
    return found


def phase(entry: Entry) -> str:
    told = glance(entry.path)
    return told.phase if told is not None else ""


@pytest.fixture
def emulated(tmp_path, monkeypatch) -> Iterator[tuple[Fleet, Entry, Emulator]]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with Emulator("so101") as emulator:
        assert [found.path for found in find_emulated()] == [emulator.port]
        fleet = Fleet(tmp_path / "arms", ports=find_emulated)
        entry = fleet.add("arm", "feetech", emulator.port)
        yield fleet, entry, emulator
        fleet.stop()
        assert running(entry.path) is None
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.mark.process
def test_connected_crashed_calibrated_swapped_and_let_go(emulated):
    fleet, entry, _ = emulated
    fleet.connect(entry)
    assert fleet.starting(entry)
    until(lambda: phase(entry) == "idle", fleet)
    told = shape(entry.path)
    assert told is not None
    assert len(told["points"]) == 7
    assert until(lambda: diary(entry.path), fleet)[-1]["phase"] == "idle"

    run = running(entry.path)
    assert run is not None
    os.kill(run.pid, signal.SIGKILL)
    until(lambda: phase(entry) == "stopped", fleet)
    again = glance(entry.path)
    assert again is not None
    assert "crash" in again.why

    fleet.connect(entry, calibrate=True)
    until(lambda: (g := glance(entry.path)) is not None and "calibrate" in g.capabilities, fleet)
    fleet.disconnect(entry)
    assert (entry.path / "run" / "last-minute.jsonl").is_file()

    (entry.path / "identity").write_text("0123456789abcdef\n")
    fleet.connect(entry)
    trouble = until(lambda: fleet.trouble(entry), fleet)
    assert trouble["fault"] == "WrongArm"
    assert ended_file(entry.path).is_file()
    until(lambda: not fleet.starting(entry), fleet)


def test_a_strangers_link_is_no_emulator(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "askback-x"
    folder.mkdir(mode=0o755)
    (folder / "so101").symlink_to("/dev/null")
    (folder / "line").write_text("no link")
    assert [Path(found.path).name for found in find_emulated()] == ["so101"]
    folder.chmod(0o777)
    assert find_emulated() == []
