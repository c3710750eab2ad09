"""Plots of experiments as Plotly figures: the same panels as `svg_plot`, as the plain values of a figure's JSON. Pure.

`plotly.io.read_json` opens one, to be zoomed and asked for its values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from teaching.experiments.svg_plot import LIGHT, Line, Panel

_GAP = 0.09
"""Share of the figure between two panels."""


def figure(panels: Sequence[Panel], *, columns: int = 3, height: int = 320) -> dict[str, Any]:
    """A figure's JSON.

    Args:
        panels: in reading order.
        columns: most side by side.
        height: of one panel, pixels.
    """
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    columns = max(1, min(columns, len(panels)))
    rows = math.ceil(len(panels) / columns)
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"height": rows * height, "legend": {"orientation": "h"}, "shapes": [], "annotations": []}
    told: set[str] = set()
    for i, panel in enumerate(panels):
        number = "" if i == 0 else str(i + 1)
        across, down = _share(i % columns, columns), _share(rows - 1 - i // columns, rows)
        layout |= _axes(panel, number, across, down)
        layout["shapes"] += _levels(panel, number)
        layout["annotations"].append(_title(panel, across, down))
        for line in panel.lines:
            data += _traces(line, number, LIGHT[names.index(line.name) % len(LIGHT)], line.name not in told)
            told.add(line.name)
    return {"data": data, "layout": layout}


def _share(index: int, of: int) -> list[float]:
    wide = (1 - _GAP * (of - 1)) / of
    start = index * (wide + _GAP)
    return [round(start, 4), round(start + wide, 4)]


def _axes(panel: Panel, number: str, across: list[float], down: list[float]) -> dict[str, Any]:
    x: dict[str, Any] = {"title": {"text": panel.x_label}, "domain": across, "anchor": f"y{number}"}
    y: dict[str, Any] = {"title": {"text": panel.y_label}, "domain": down, "anchor": f"x{number}"}
    for axis, ends in ((x, panel.x_range), (y, panel.y_range)):
        if ends is not None:
            axis["range"] = list(ends)
    return {f"xaxis{number}": x, f"yaxis{number}": y}


def _title(panel: Panel, across: list[float], down: list[float]) -> dict[str, Any]:
    return {
        "text": panel.title, "showarrow": False, "xref": "paper", "yref": "paper", "x": sum(across) / 2, "y": down[1],
        "yanchor": "bottom",
    }  # fmt: skip


def _levels(panel: Panel, number: str) -> list[dict[str, Any]]:
    dashed = {"type": "line", "line": {"dash": "dash", "color": "#888"}}
    flat = [
        dashed | {"xref": f"x{number} domain", "yref": f"y{number}", "x0": 0, "x1": 1, "y0": level, "y1": level}
        for level in panel.levels
    ]
    if panel.diagonal:
        low, high = panel.x_range or panel.y_range or (0.0, 1.0)
        flat.append(dashed | {"xref": f"x{number}", "yref": f"y{number}", "x0": low, "x1": high, "y0": low, "y1": high})
    return flat


def _traces(line: Line, number: str, colour: str, first: bool) -> list[dict[str, Any]]:
    axes = {"xaxis": f"x{number}", "yaxis": f"y{number}", "legendgroup": line.name, "type": "scatter"}
    mode = "+".join(word for word, on in (("lines", line.joined), ("markers", line.dots or not line.joined)) if on)
    main: dict[str, Any] = axes | {
        "name": line.name, "x": _values(line.x), "y": _values(line.y), "mode": mode, "showlegend": first,
        "line": {"color": colour, "dash": "dash" if line.dashed else "solid"}, "marker": {"color": colour},
    }  # fmt: skip
    if len(line.low) and not line.joined:
        above = [h - y for h, y in zip(line.high, line.y, strict=True)]
        below = [y - low for y, low in zip(line.y, line.low, strict=True)]
        main["error_y"] = {"type": "data", "symmetric": False, "array": _values(above), "arrayminus": _values(below)}
    if not len(line.low) or not line.joined:
        return [main]
    band = axes | {
        "x": _values([*line.x, *reversed(line.x)]), "y": _values([*line.high, *reversed(line.low)]), "mode": "lines",
        "fill": "toself", "fillcolor": colour, "opacity": 0.15, "line": {"width": 0}, "showlegend": False,
        "hoverinfo": "skip", "name": line.name,
    }  # fmt: skip
    return [band, main]


def _values(values: Sequence[float]) -> list[float | None]:
    """Rounded; what is not finite is a gap."""
    return [round(float(v), 5) if math.isfinite(v) else None for v in values]
