"""What is felt of an arm, the last minute of it, its cameras, and the file for whoever looks for a fault."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from robot_io.cameras import Camera
from robot_io.diagnostics import bundle
from robot_io.diary import Diary
from robot_io.errors import CameraError
from robot_io.heartbeat import Heartbeat
from robot_io.lenses import Lenses
from robot_io.loop import Loop
from robot_io.phase import Phase
from robot_io.safety import SafeArm
from robot_io.senses import Senses
from robot_io.telling import shape
from tests.robot_io.loopback import Bench, arm_on


class Lens:
    """A camera whose pictures are told: each is a number, the same one twice is a frozen picture."""

    rate, live, depth = 30.0, True, None

    def __init__(self, clock: list[float]) -> None:
        self.clock, self.pictures, self.closed = clock, iter(()), False

    def read(self) -> np.ndarray[Any, Any] | None:
        number = next(self.pictures, None)
        return None if number is None else np.full((4, 4, 3), number, np.uint8)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def felt(tmp_path, monkeypatch) -> tuple[Loop, Senses, Diary, Bench]:
    (tmp_path / "port").touch()
    bench, diary = Bench("feetech"), Diary()
    safe = SafeArm(arm_on(bench, str(tmp_path / "port"), monkeypatch))
    loop = Loop(safe, Heartbeat(bench.clock), bench.clock)
    return loop, Senses(loop, diary, bench.clock, bench.clock, Lenses({})), diary, bench


def test_where_it_is_and_how_it_feels(felt):
    loop, senses, _, bench = felt
    told = senses.feel()
    assert set(told) == {"pose", "health"}
    pose, health = told["pose"], told["health"]
    assert len(pose["joints"]) == 5
    np.testing.assert_allclose(pose["points"][-1], pose["tip"], atol=1e-4)
    assert health["temperature"] == [30.0] * 6
    assert len(health["load"]) == len(health["amperes"]) == len(health["volts"]) == 6
    bench.time += 0.1
    assert set(senses.feel()) == {"pose"}, "temperatures change slowly"
    assert json.dumps(told)
    assert loop.state.phase is Phase.IDLE


def test_the_diary_keeps_a_minute_and_every_change_of_it(felt, tmp_path):
    _, senses, diary, bench = felt
    for _ in range(700):
        bench.time += 0.1
        senses.feel()
    entries = diary.entries()
    assert 290 <= len(entries) <= 310
    assert entries[-1]["time"] - entries[0]["time"] <= 60
    bench.there = False
    senses.feel()
    assert diary.entries()[-1]["phase"] == "fault"
    diary.save(tmp_path / "minute")
    lines = (tmp_path / "minute").read_text().splitlines()
    assert len(lines) == len(diary.entries())
    assert "Unplugged" in json.loads(lines[-1])["why"]


def test_what_an_arm_reaches_lies_in_its_workspace(felt):
    loop, *_ = felt
    points, reach = shape(loop.arm, loop.arm.observe()["joints"])
    low, high = loop.arm.features.limits.workspace
    assert points.shape == (7, 3)
    assert len(reach) > 200
    assert np.all((reach >= low) & (reach <= high))


def test_a_camera_that_stalls_freezes_or_vanishes_is_told_within_half_a_second():
    clock = [10.0]
    lens = Lens(clock)
    camera = Camera("c", lambda: lens, lambda: clock[0])
    lenses = Lenses({"over": "c"}, opened=lambda _: camera)

    def seconds(count: int, pictures: Any) -> list[str]:
        told = []
        for n in range(count):
            clock[0] += 1 / 30
            picture = pictures(n)
            if picture is not None:
                camera._take(np.full((4, 4, 3), picture, np.uint8))
            told.append(lenses.trouble())
        return told

    assert lenses.names == ("over",)
    assert set(seconds(30, lambda n: n)) == {""}
    stalled = seconds(15, lambda n: None)
    assert stalled[3] == ""
    assert "no picture" in stalled[-1], "within half a second"
    assert seconds(2, lambda n: 100 + n)[-1] == "", "it goes on by itself"
    frozen = seconds(15, lambda n: 7)
    assert "same picture" in frozen[-1]
    assert seconds(2, lambda n: 200 + n)[-1] == ""
    camera._lose("camera c is gone; plug it in again")
    assert "gone" in lenses.trouble()
    with pytest.raises(CameraError, match="gone"):
        lenses.need()
    [state] = lenses.states()
    assert state["name"] == "over"
    assert state["dropped"] >= 13
    lenses.close()


def test_what_moves_by_itself_is_held_while_a_camera_fails(felt):
    loop, *_ = felt
    loop.follow([])  # nothing to do, but a motion
    loop._jobs.do_one(0.0)
    loop.watched_at = loop._clock()
    loop.blind = "camera over is gone; plug it in again"
    loop._watch()
    assert loop.state.phase is Phase.HELD
    assert "gone" in loop.state.why
    loop.blind = ""
    loop._watch()
    assert loop.state.phase is not Phase.HELD


def test_diagnostics_hold_what_is_needed_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("ASKBACK_PORTS", "/dev/one")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "entry.json").write_text('{"name": "feetech:/dev/ttyACM0"}')
    (tmp_path / "run" / "arm.json").write_text('{"secret": "do-not-tell"}')
    (tmp_path / "run" / "arm.log").write_text(f"the arm failed in {tmp_path}/x\n")
    (tmp_path / "run" / "last-minute.jsonl").write_text('{"phase": "fault"}\n')
    saved = zipfile.ZipFile(io.BytesIO(bundle(tmp_path, {"state": "fault"})))
    texts = {name: saved.read(name).decode() for name in saved.namelist()}
    assert set(texts) == {"README.txt", "log.txt", "last-minute.jsonl", "versions.json", "settings.json", "told.json"}
    assert texts["log.txt"] == "the arm failed in ~/x\n"
    assert json.loads(texts["settings.json"])["variables"]["ASKBACK_PORTS"] == "/dev/one"
    assert json.loads(texts["versions.json"])["numpy"]
    assert json.loads(texts["last-minute.jsonl"]) == {"phase": "fault"}
    assert not any("do-not-tell" in text for text in texts.values())
    asked = zipfile.ZipFile(io.BytesIO(bundle(tmp_path, {}, [{"phase": "idle"}])))
    assert json.loads(asked.read("last-minute.jsonl")) == {"phase": "idle"}
