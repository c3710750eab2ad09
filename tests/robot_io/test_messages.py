"""Every noun survives the wire; every error keeps its class."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from robot_io import arm as nouns
from robot_io import wire
from robot_io.arm import Action, ArmError, CameraView, JointPath, Observation, Rehearsal, Report, Unreachable
from robot_io.fake import FakeArm
from robot_io.messages import (
    action_of,
    error_of,
    features_of,
    observation_of,
    path_of,
    plain,
    plain_error,
    readable,
    rehearsal_of,
    report_of,
)


def over_the_wire(value):
    return wire.unpack(wire.pack(plain(value)))


def test_features():
    features = FakeArm().features
    came = features_of(over_the_wire(features))
    assert plain(came).keys() == plain(features).keys()
    for name in ("name", "joints", "rate", "cameras", "capabilities", "table", "simulated", "tasks"):
        assert getattr(came, name) == getattr(features, name)
    np.testing.assert_array_equal(came.limits.workspace, features.limits.workspace)
    seen = replace(features, views={"side": CameraView(np.arange(12.0).reshape(3, 4).tolist(), follows=True)})
    assert features_of(over_the_wire(seen)).views == seen.views
    assert json.loads(json.dumps(readable(seen)))["views"]["side"]["matrix"][1] == [4, 5, 6, 7]
    assert json.loads(json.dumps(readable(features)))["limits"]["lower"] == features.limits.lower.tolist()


def test_values():
    observation = Observation(1.5, {"joints": np.arange(3.0), "colour": np.zeros((2, 2, 3), np.uint8)})
    came = observation_of(over_the_wire(observation))
    assert came.time == 1.5
    assert came["colour"].dtype == np.uint8
    np.testing.assert_array_equal(came["joints"], observation["joints"])
    action = action_of(over_the_wire(Action(np.arange(3.0), 0.5)))
    assert (action.joints.tolist(), action.gripper) == ([0, 1, 2], 0.5)
    report = Report(False, "held", 7, 2)
    assert report_of(over_the_wire(report)) == report
    path = path_of(over_the_wire(JointPath(np.ones((2, 3)), np.zeros(2))))
    assert path.joints.shape == (2, 3)
    rehearsal = rehearsal_of(over_the_wire(Rehearsal(observation, {"held": None}, b"abc", report)))
    assert (rehearsal.truth, rehearsal.snapshot, rehearsal.report) == ({"held": None}, b"abc", report)


@pytest.mark.parametrize(
    "cls",
    [c for c in vars(nouns).values() if isinstance(c, type) and issubclass(c, ArmError)],
    ids=lambda c: c.__name__,
)
def test_errors(cls):
    came = error_of(plain_error(cls("why")))
    assert type(came) is cls
    assert str(came) == "why"


def test_an_error_of_a_kind_of_its_own_comes_as_the_next_known_one():
    class TooFar(Unreachable):
        pass

    assert type(error_of(plain_error(TooFar("x")))) is Unreachable
    assert type(error_of(plain_error(OSError("x")))) is ArmError
    assert type(error_of({"error": "Strange"})) is ArmError
