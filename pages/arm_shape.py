"""The arm in space: its parts, the points that its gripper reaches, and the box that it may not leave."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go

MILLIMETRES = 1000.0
EYE = {"x": 1.45, "y": 1.45, "z": 1.0}
"""From where it is looked at first: far enough that no corner of the box is cut off."""
FARTHEST = 1.0
"""Metres from the base beyond which a box is no real one: such an arm tells no lengths."""


def box_lines(low: Any, high: Any) -> np.ndarray[Any, Any]:
    """The twelve edges of a box from corner `low` (3,) to `high` (3,), (36, 3), with gaps between them."""
    corners = [np.array(c) for c in product(*zip(low, high, strict=True))]
    gap = np.full(3, np.nan)
    edges = [(a, b) for n, a in enumerate(corners) for b in corners[n + 1 :] if np.sum(a != b) == 1]
    return np.array([point for a, b in edges for point in (a, b, gap)])


def figure(told: Mapping[str, Any]) -> go.Figure | None:
    """A 3D figure of what `robot_io.glance.shape` told; None for an arm that tells no lengths."""
    points, reach = np.array(told["points"]).reshape(-1, 3), np.array(told["reach"]).reshape(-1, 3)
    low, high = np.array(told["workspace"])
    if len(points) == 0 or np.max(np.abs([low, high])) > FARTHEST:
        return None
    made = go.Figure()
    scatter = {"mode": "markers", "marker": {"size": 2, "opacity": 0.35, "color": "#56b4e9"}}
    made.add_trace(_trace(reach, name="reached by the gripper", **scatter))
    made.add_trace(_trace(box_lines(low, high), name="workspace", mode="lines", line={"color": "#7f7f7f", "width": 2}))
    joints = {"size": 4, "color": ["#0072b2"] * (len(points) - 1) + ["#d55e00"]}
    line = {"color": "#0072b2", "width": 8}
    made.add_trace(_trace(points, name="the arm now", mode="lines+markers", marker=joints, line=line))
    axes = {
        f"{axis}axis": {
            "title": f"{axis}, mm",
            "backgroundcolor": "rgba(0,0,0,0)",
            "gridcolor": "rgba(127,127,127,0.35)",
        }
        for axis in "xyz"
    }
    made.update_layout(
        scene={**axes, "aspectmode": "data", "camera": {"eye": EYE}}, height=430,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        legend={"orientation": "h", "y": 0.02, "itemsizing": "constant"}, uirevision="kept",
    )  # fmt: skip
    return made


def _trace(points: np.ndarray[Any, Any], **more: Any) -> go.Scatter3d:
    x, y, z = (MILLIMETRES * points).round(1).T
    return go.Scatter3d(x=x, y=y, z=z, hoverinfo="skip", **more)
