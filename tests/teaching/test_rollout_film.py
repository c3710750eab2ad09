"""What cameras see of a motion is kept beside its ticks, never waited for, and found again at its moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from robot_io.arm import ArmError
from robot_io.pictures import jpeg
from teaching import rollout_task
from teaching.capsule.motion import motion
from teaching.replay.glance import Glance
from teaching.replay.pictures import Pictures
from teaching.replay.vet import vet
from teaching.rollout_film import RolloutFilm, of_ticks
from teaching.rollout_picture import seen
from teaching.types import BadInput
from tests.teaching.reach_task import MemoryArm
from tests.teaching.test_rollout_scripted import teach

SHORT: dict[str, Any] = {"wanted": 1, "training": {"steps": 2, "batch": 8}}


@pytest.fixture(autouse=True)
def reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rollout_task._TASKS, "reach", "tests.teaching.reach_task")
    monkeypatch.setitem(RolloutFilm.__init__.__kwdefaults__, "rate", 50.0)


def grey(level: int) -> bytes:
    return jpeg(np.full((12, 16, 3), level, np.uint8))


class FilmedArm(MemoryArm):
    """One camera; a picture is as bright as its tick."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def beat(self, since: int) -> Mapping[str, Any]:
        """A motion in memory would be over before a busy computer has looked."""
        time.sleep(0.02)
        return super().beat(since)

    def stills(self, cameras: Any, width: int, height: int) -> tuple[int, list[bytes]]:
        self.asked.set()
        assert self.open.wait(900)
        return self.tick, [grey(self.tick % 250) for _ in cameras]


def test_pictures_belong_to_the_nearest_tick_that_was_recorded():
    taken = [(3, [b"\xff\xd8old"]), (9, [b"\xff\xd8begin"]), (11, [b"\xff\xd8a"]), (30, [b"\xff\xd8b"]),
             (35, [b"\xff\xd8held"])]  # fmt: skip
    found = of_ticks(taken, np.array([10, 11, 12, 28, 29]))
    assert found.ticks.tolist() == [10, 11, 29], "while it is held, the first picture is the nearest"
    assert [j[2:] for j in found.jpegs] == [b"begin", b"a", b"b"]


def test_a_lesson_keeps_what_was_filmed_and_its_file_is_whole(tmp_path):
    _, buffer, _ = teach(tmp_path / "l", 0, FilmedArm(), **SHORT)
    names = [s.id for s in buffer.rollouts()]
    kept = [buffer.read(name).rollout for name in names]
    filmed = [r for r in kept if r is not None and r.pictures is not None]
    assert filmed and filmed[0].facts["film"]["cameras"] == ["side"]
    for rollout in filmed:
        assert rollout.pictures is not None
        assert set(rollout.pictures.ticks.tolist()) <= set(rollout.columns["tick"].tolist())
        assert all(picture.startswith(b"\xff\xd8") for picture in rollout.pictures.jpegs)
    assert buffer.verify().whole
    for file in sorted((tmp_path / "l" / "episodes").glob("*.h5")):
        vet(file)
    with Glance(tmp_path / "l") as glance:
        name = next(n for n, r in zip(names, kept, strict=True) if r is not None and r.pictures is not None)
        again = glance.pictures(name)
        assert again is not None and again.jpegs == buffer.read(name).rollout.pictures.jpegs
    pictures: list[str] = []
    told = motion(buffer.read(name), pictures)
    assert told["seen"][0]["camera"] == "side" and len(pictures) == len(told["seen"][0]["at"]) > 0
    buffer.close()


def test_an_arm_that_never_answers_about_pictures_delays_no_lesson(tmp_path):
    arm = FilmedArm()
    arm.open.clear()
    _, buffer, trainer = teach(tmp_path / "l", 0, arm, **SHORT)
    assert trainer.trained == [1] and arm.asked.is_set(), "the lesson went to its end while the picture was waited for"
    assert all(buffer.read(s.id).rollout.pictures is None for s in buffer.rollouts())
    assert all("film" not in s.rollout for s in buffer.rollouts()) and buffer.verify().whole
    buffer.close()
    arm.open.set()


def test_a_lesson_without_a_film_asks_for_no_picture(tmp_path):
    arm = FilmedArm()
    _, buffer, _ = teach(tmp_path / "l", 0, arm, film=False, **SHORT)
    assert not arm.asked.is_set() and all(buffer.read(s.id).rollout.pictures is None for s in buffer.rollouts())
    buffer.close()


def test_late_and_failed_pictures_are_counted_and_it_goes_on():
    moved, gate = [0], threading.Event()
    answers: list[Any] = [ArmError("no picture now"), (1, [grey(1)]), (2, [grey(2)])]

    class Arm:
        def stills(self, cameras: Any, width: int, height: int) -> tuple[int, list[bytes]]:
            moved[0] += 1  # it moves on, so that the next picture is wanted
            if not answers:
                gate.set()
                raise ArmError("that was all")
            found = answers.pop(0)
            if isinstance(found, Exception):
                raise found
            if found[0] == 2:
                threading.Event().wait(0.2)  # ten periods
            return found

    film = RolloutFilm(Arm(), ("side",), lambda: moved[0], rate=50.0)
    assert gate.wait(60)
    film.close()
    pictures, facts = film.take([1, 2])
    assert pictures is not None and pictures.ticks.tolist() == [1, 2]
    assert facts["film"]["dropped"] >= 2 and facts["film"]["rate"] == 50.0
    film.begin()
    assert film.take([1, 2]) == (None, {}), "another scene begins with nothing"


def test_only_what_the_last_branch_shows_is_shown_and_a_long_film_is_thinned():
    columns = {"tick": np.arange(1, 11), "live": np.array([True] * 4 + [False] * 3 + [True] * 3)}
    pictures = Pictures(np.array([1, 1, 6, 8, 8]), np.array([0, 1, 0, 0, 1]), tuple(grey(n) for n in range(5)))
    first, second = seen(pictures, columns, ("side", "close"), 10.0)
    assert first.camera == "side" and first.seconds == (0.1, 0.5) and first.jpegs == (grey(0), grey(3))
    assert second.jpegs == (grey(1), grey(4))
    assert [len(s.seconds) for s in seen(pictures, columns, ("side", "close"), 10.0, most=1)] == [1, 1]
    assert seen(None, columns, (), 10.0) == []


def test_pictures_that_do_not_fit_together_are_refused():
    with pytest.raises(BadInput, match="a tick, a camera and a JPEG"):
        Pictures(np.array([1]), np.array([0, 0]), (grey(1),))
    with pytest.raises(BadInput, match="expected JPEGs"):
        Pictures(np.array([1]), np.array([0]), (b"<html>",))
