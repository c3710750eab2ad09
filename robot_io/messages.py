"""The nouns of `robot_io.arm` as plain values for the wire, and back; errors by the name of their class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from robot_io import errors
from robot_io.arm import (
    Action,
    ArmError,
    Array,
    BadAction,
    CameraView,
    Features,
    JointPath,
    Limits,
    Observation,
    Rehearsal,
    Report,
    TableView,
)

_ERRORS = {
    name: cls for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, errors.ArmError)
}


def plain(value: Any) -> Any:
    """A value of an Arm's verb as dicts, lists, numbers, text, bytes and arrays."""
    if isinstance(value, Observation):
        return {"time": value.time, "arrays": {name: np.asarray(array) for name, array in value.arrays.items()}}
    if isinstance(value, Rehearsal):
        return {name: plain(getattr(value, name)) for name in ("observation", "truth", "snapshot", "report")}
    if isinstance(value, (Report, Action, JointPath)):
        return dict(vars(value))
    if isinstance(value, Features):
        return {**asdict(value), "capabilities": sorted(value.capabilities)}
    return value


def plain_error(error: Exception) -> dict[str, Any]:
    """An error as the reply's fields."""
    known = next((cls.__name__ for cls in type(error).__mro__ if cls.__name__ in _ERRORS), "ArmError")
    return {"ok": False, "error": known, "message": str(error)}


def error_of(reply: Mapping[str, Any]) -> ArmError:
    """The error of a reply, in its class."""
    return _ERRORS.get(reply.get("error", ""), ArmError)(reply.get("message", "the arm gave no reason"))


def action_of(value: Mapping[str, Any]) -> Action:
    """The Action that `plain` made."""
    return Action(value["joints"], value["gripper"])


def observation_of(value: Mapping[str, Any]) -> Observation:
    """The Observation that `plain` made."""
    return Observation(value["time"], dict(value["arrays"]))


def report_of(value: Mapping[str, Any]) -> Report:
    """The Report that `plain` made."""
    return Report(**value)


def path_of(value: Mapping[str, Any]) -> JointPath:
    """The JointPath that `plain` made."""
    return JointPath(value["joints"], value["gripper"])


def rehearsal_of(value: Mapping[str, Any]) -> Rehearsal:
    """The Rehearsal that `plain` made."""
    return Rehearsal(
        observation_of(value["observation"]), dict(value["truth"]), bytes(value["snapshot"]), report_of(value["report"])
    )


def features_of(value: Mapping[str, Any]) -> Features:
    """The Features that `plain` made."""
    table = TableView(tuple(value["table"]["x"]), tuple(value["table"]["y"]), value["table"]["pixel"])
    rest = {
        "joints": tuple(value["joints"]),
        "limits": Limits(**value["limits"]),
        "cameras": tuple(value["cameras"]),
        "capabilities": frozenset(value["capabilities"]),
        "tasks": tuple(value["tasks"]),
        "table": table,
        "views": {name: CameraView(**view) for name, view in value.get("views", {}).items()},
    }
    return Features(**{**value, **rest})


def readable(features: Features) -> dict[str, Any]:
    """Features for browsers: JSON, arrays as lists."""
    value = plain(features)
    limits = {name: None if array is None else array.tolist() for name, array in value["limits"].items()}
    return {**value, "limits": limits}


def numbers_of(value: Any, dimensions: int = 0) -> Array:
    """Numbers of a request, float64, of at least so many dimensions; BadAction if they are none."""
    try:
        return np.array(value, dtype=np.float64, ndmin=dimensions)
    except (TypeError, ValueError) as error:
        raise BadAction(f"expected numbers, got {str(value)[:80]}") from error
