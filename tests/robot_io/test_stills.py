"""Small pictures for a recording: of drawn cameras and of lenses, by their names."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from robot_io.arm import BadAction, Unsupported
from robot_io.eyes import Eye
from robot_io.fake import FakeArm
from robot_io.heartbeat import Heartbeat
from robot_io.lenses import Lenses
from robot_io.loop import Loop
from robot_io.pictures import jpeg, smaller
from robot_io.safety import SafeArm
from robot_io.sim.table import SimTable
from robot_io.stills import Stills


@pytest.fixture
def running() -> Iterator[list[Loop]]:
    loops: list[Loop] = []
    threads: list[threading.Thread] = []

    class Started(list[Loop]):
        def append(self, loop: Loop) -> None:
            loops.append(loop)
            threads.append(threading.Thread(target=loop.run))
            threads[-1].start()

    yield Started()
    for loop, thread in zip(loops, threads, strict=True):
        loop.ending = True
        thread.join(10)


def started(arm: FakeArm | SimTable, running: list[Loop]) -> tuple[Loop, Eye]:
    arm.connect()
    arm.reset(1, "put-block-in-bowl", "seen")
    loop = Loop(SafeArm(arm), Heartbeat(time.monotonic), time.monotonic)
    running.append(loop)
    return loop, Eye(loop)


def size(picture: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(picture)) as image:
        return image.size


def test_a_simulated_arm_is_drawn_small(running):
    arm = SimTable()
    loop, eye = started(arm, running)
    stills = Stills(loop, eye, Lenses({}))
    told = stills.take(("side", "close"), 160, 120)
    assert told["tick"] == loop.tick and [size(p) for p in told["pictures"]] == [(160, 120)] * 2
    assert told["pictures"][0] != told["pictures"][1]
    with pytest.raises(Unsupported, match="expected cameras among side"):
        stills.take(("nowhere",), 160, 120)
    with pytest.raises(BadAction, match="small pictures"):
        stills.take(("side",), 1600, 1200)
    stills.close()
    eye.close()


def test_an_arm_whose_twin_draws_no_small_pictures_gives_its_large_ones_made_small(running):
    loop, eye = started(FakeArm(), running)
    stills = Stills(loop, eye, Lenses({}))
    told = stills.take(("side",), 24, 24)
    assert max(size(told["pictures"][0])) <= 24
    stills.close()
    eye.close()


def test_a_smaller_picture_keeps_its_proportions():
    whole = jpeg(np.full((480, 640, 3), 90, np.uint8))
    assert size(smaller(whole, 160, 160)) == (160, 120) and size(smaller(whole, 640, 480)) == (640, 480)
