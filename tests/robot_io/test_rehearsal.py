"""An arm that only sees is rehearsed in its twin before it moves, unless a person wants it anyway. Eye and link."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from robot_io.access import Tokens
from robot_io.arm import Array, Features, JointPath, Observation, Refused, Unreachable, Unsupported
from robot_io.eyes import Eye
from robot_io.fake import FakeArm, FakeTwin
from robot_io.heartbeat import Heartbeat
from robot_io.link import Link
from robot_io.loop import Loop
from robot_io.safety import SafeArm

PLAN = np.array([[0.5, 0.1, 0.05, 0.0], [0.5, -0.1, 0.05, 0.0]])
ASIDE = np.array([0.3, 0.5, 0.3, 0.0])


class Body(FakeTwin):
    """A simulated body that does not like one place."""

    against = ""

    def try_out(self, path: JointPath, joints: Array, gripper: float) -> None:
        if self.against:
            raise Refused(self.against)


class SeenArm(FakeArm):
    """The arm in memory as a real one: a camera, no scene."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Body()
        self.looked = 0

    @property
    def features(self) -> Features:
        return replace(super().features, capabilities=frozenset({"table"}), cameras=("camera",))

    def twin(self) -> Body:
        return self.body

    def see(self, observation: Observation) -> Observation:
        self.looked += 1
        return Observation(observation.time, {**observation.arrays, "colour": np.zeros((2, 2, 3), np.uint8)})

    def frame(self, camera: str) -> bytes:
        return camera.encode()

    def camera_trouble(self) -> str:
        return ""

    def path_from(self, joints: Array, actions: Array) -> JointPath:
        if actions[0, 0] > 1:
            raise Unreachable("too far")
        return JointPath(np.linspace(joints, [*actions[0, :3], 0.0], 40), np.zeros(40))

    def aside(self, joints: Array, gripper: float) -> JointPath:
        return JointPath(np.linspace(joints, ASIDE, 40), np.full(40, gripper))


@pytest.fixture
def arm() -> SeenArm:
    arm = SeenArm()
    arm.connect()
    return arm


@pytest.fixture
def loop(arm) -> Iterator[Loop]:
    loop = Loop(SafeArm(arm), Heartbeat(time.monotonic), time.monotonic)
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.ending = True
    thread.join(5)


@pytest.fixture
def link(loop) -> Iterator[Link]:
    link = Link(loop, Eye(loop), Tokens(), ThreadPoolExecutor(1))
    yield link
    link.close()


def asked(link: Link, do: str, **fields):
    request = {"do": do, **fields}
    return asyncio.run(link._verb(request)(request))


def test_a_camera_is_waited_for_beside_the_loop(link, arm):
    assert "colour" in asked(link, "observe", pictures=True)
    assert "colour" not in asked(link, "observe")
    assert arm.looked == 1
    assert link._eye.frame("camera") == b"camera"


def test_a_plan_that_goes_well_in_the_twin_is_carried_out(link, arm):
    asked(link, "check", actions=PLAN)
    assert np.linalg.norm(arm.observe()["joints"][:3] - PLAN[0, :3]) > 0.05, "checking moves nothing"
    report = asked(link, "perform", actions=PLAN)
    assert report.reached
    assert np.linalg.norm(arm.observe()["joints"][:3] - PLAN[0, :3]) < 1e-6


def test_one_that_goes_wrong_is_refused_unless_a_person_wants_it(link, arm):
    before = arm.observe()["joints"]
    arm.body.against = "its gripper touched the table"
    for verb in ("check", "perform"):
        with pytest.raises(Refused, match="touched the table"):
            asked(link, verb, actions=PLAN)
    np.testing.assert_array_equal(arm.observe()["joints"], before)
    assert asked(link, "perform", actions=PLAN, anyway=True).reached
    with pytest.raises(Unreachable, match="too far"):
        asked(link, "perform", actions=PLAN + 5, anyway=True)


def test_it_leaves_its_own_picture_once(link, arm):
    asked(link, "clear")
    np.testing.assert_allclose(arm.observe()["joints"], ASIDE)
    tick = link._loop.tick
    asked(link, "clear")
    assert link._loop.tick == tick, "it is there already"


@pytest.mark.parametrize("verb", ["truth", "snapshot", "rehearse", "preview"])
def test_what_nobody_knows_is_not_told(link, verb):
    with pytest.raises(Unsupported, match="expected an arm"):
        asked(link, verb, actions=PLAN, seed=1, task="x", split="seen")
