"""Drives the recorded episodes of a capsule once more, tick by tick, and tells whether the arm moved the same."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np

from robot_io.arm import Action
from teaching.headless import Report, simulated
from teaching.lesson import LessonConfig
from teaching.types import Array, BadInput

MOST = 10_000_000
"""Numbers in one column."""


def column(value: dict[str, Any]) -> Array:
    """A column of bytes; BadInput if it is none."""
    try:
        shape, data = tuple(int(n) for n in value["shape"]), base64.b64decode(value["data"], validate=True)
        kind = np.dtype(str(value["type"]))
        if kind.kind not in "biuf" or len(shape) not in (1, 2) or not 0 <= int(np.prod(shape)) <= MOST:
            raise ValueError(f"{kind} of shape {shape}")
        return np.frombuffer(data, kind).reshape(shape)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BadInput(f"expected recorded columns in the capsule, got damaged ones: {error}; get it again") from error


def drive(capsule: dict[str, Any], config: LessonConfig, report: Report) -> dict[str, Any]:
    """Every episode's last branch, from its reset, by what was sent then; how many ticks came out the same."""
    arm = simulated(config.arm)
    same, ticks, apart, first = 0, 0, 0.0, ""
    items = [item for item in capsule["items"] if item.get("kind") == "motion"]
    try:
        for number, item in enumerate(items):
            arm.reset(int(item["scene"]), config.task, str(item["split"]))
            columns = {name: column(value) for name, value in item["exact"].items()}
            sent, joints = columns["executed"], columns["observation.joints"]
            for row in np.flatnonzero(columns["live"]) if "live" in columns else range(len(sent)):
                now = float(np.max(np.abs(arm.observe()["joints"] - joints[row])))
                ticks, same, apart = ticks + 1, same + (now == 0.0), max(apart, now)
                first = first or (f"episode {item['id']}, tick {row}" if now else "")
                arm.send(Action(sent[row, :-1], float(sent[row, -1])))
            report("episodes", number + 1, len(items))
    finally:
        arm.disconnect()
    return {
        "episodes": len(items), "ticks": ticks, "same": same, "all_same": same == ticks, "first_different": first,
        "largest_difference_rad": apart,
    }  # fmt: skip
