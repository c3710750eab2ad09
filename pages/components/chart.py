"""A chart on a canvas: points, lines, bars with intervals; what a person chooses on it comes back as a shape or a mark.

A charting library took seconds to load and held the browser while it drew many points; this draws a hundred thousand
decisions within a few frames. Arrays travel as base64 of float32.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pages.components.bundle import register
from teaching.types import Array

_MOUNT = register("chart", "chart_marks.js", "chart.js")

COLOURS = ("#0072b2", "#e69f00", "#56b4e9", "#cc79a7", "#d55e00", "#8c8c8c")
"""They can be told apart by most colour-blind people, on light and on dark (Okabe and Ito)."""
CORRECTION = "#009e73"
"""As on the Rollout page, where pink means rewound."""
Layer = dict[str, Any]
Axis = Mapping[str, Any]


def packed(values: Array | Sequence[float]) -> str:
    """Numbers as base64 of float32."""
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()


def axis(label: str, low: float, high: float, ticks: Sequence[tuple[float, str]] | None = None) -> dict[str, Any]:
    """One axis; without ticks they are round numbers."""
    found: dict[str, Any] = {"label": label, "range": [float(low), float(high)]}
    return found if ticks is None else {**found, "ticks": [[float(v), text] for v, text in ticks], "grid": False}


def points(
    x: Array, y: Array, colour: str, *, name: str = "", symbol: str = "circle", size: Array | float = 4.0,
    says: Sequence[str] = (), say: Array | None = None, opacity: float = 0.75,
) -> Layer:  # fmt: skip
    """Marks. `size`: radius in pixels, one or (N,). `says`: texts to show when pointed at, `say` (N,) which of them."""
    layer: Layer = {"type": "points", "x": packed(x), "y": packed(y), "colour": colour, "name": name}
    layer |= {"symbol": symbol, "opacity": opacity}
    layer |= {"radius": size} if isinstance(size, float) else {"size": packed(size)}
    if says:
        layer |= {"says": list(says)} | ({} if say is None else {"say": np.asarray(say).tolist()})
    return layer


def line(x: Array, y: Array, colour: str, *, name: str = "", dash: bool = False, width: float = 2.0) -> Layer:
    """A line; it is broken where y is NaN."""
    shape = {"dash": [6, 5]} if dash else {}
    return {"type": "line", "x": packed(x), "y": packed(y), "colour": colour, "name": name, "width": width, **shape}


def band(x: Array, low: Array, high: Array, colour: str, *, name: str = "") -> Layer:
    """What lies between two lines."""
    edges = {"x": packed(x), "y": packed(high), "low": packed(low), "high": packed(high)}
    return {"type": "band", "colour": colour, "name": name, **edges}


def bars(
    x: Array, y: Array, colour: str, *, name: str = "", low: Array | None = None, high: Array | None = None,
    base: Array | None = None, text: Sequence[str] | None = None, width: float = 0.7, says: Sequence[str] = (),
    colours: Sequence[str] | None = None,
) -> Layer:  # fmt: skip
    """Bars from `base` (0) to y, with whiskers from low to high and a text over each."""
    layer: Layer = {"type": "bars", "x": packed(x), "y": packed(y), "colour": colour, "name": name, "width": width}
    more = {"low": low, "high": high, "base": base}
    layer |= {n: packed(v) for n, v in more.items() if v is not None}
    layer |= {} if text is None else {"text": list(text)}
    layer |= {} if colours is None else {"colours": list(colours)}
    return layer | ({"says": list(says)} if says else {})


def level(y: float, colour: str, *, name: str = "") -> Layer:
    """A dashed line across at one height."""
    return {"type": "level", "y": float(y), "colour": colour, "name": name, "dash": [6, 5], "width": 1.5}


def chart(
    x: Axis, y: Axis, layers: Sequence[Layer], *, key: str, alt: str, height: int = 300, select: bool = False
) -> dict[str, Any] | None:
    """Draw a chart.

    Args:
        x: made by `axis`.
        y: made by `axis`.
        layers: what is drawn, the first one below.
        key: of the widget.
        alt: what it shows, in words.
        height: pixels of the plot.
        select: let a person choose.

    Returns:
        None, {"point": [layer, mark]} or {"path": [[x, y], …]} in units of the axes.
    """
    shown = {"x": dict(x), "y": dict(y), "layers": list(layers), "alt": alt, "height": height, "select": select}
    result = _MOUNT(data={"text": json.dumps(shown)}, key=key, on_picked_change=lambda: None)
    picked = result.picked if select else None
    return dict(picked) if picked else None


def inside(path: Sequence[Sequence[float]], x: Array, y: Array) -> Array:
    """(N,) bool: which points lie in a closed polygon, by the even-odd rule."""
    within = np.zeros(len(x), bool)
    corners = np.asarray(path, np.float64)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        within ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return within
