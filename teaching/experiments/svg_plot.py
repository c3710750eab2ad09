"""Plots of experiments as SVG text: lines with bands, dots and levels, side by side in panels. Pure.

One file without scripts, readable in light and dark, small enough to live in the documents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from teaching.types import BadInput

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#555555", "#9b2335", "#5b3a9b")
DARK = ("#5ab4f0", "#ff8f4d", "#3ddbb0", "#f0a6d0", "#e0c040", "#9bd8ff", "#b0b0b0", "#ff7a8a", "#b89aff")
"""Told apart by colour-blind readers (after Okabe and Ito), on white and on black."""
LEFT, TOP, BOTTOM, RIGHT, ROW = 52, 30, 44, 14, 18
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One curve, or dots alone."""

    name: str
    """Lines of one name have one colour and one entry in the legend."""
    x: Sequence[float]
    y: Sequence[float]
    """NaN breaks the curve."""
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    """With these: a band, or bars where only dots are drawn."""
    dots: bool = True
    joined: bool = True
    dashed: bool = False

    def __post_init__(self) -> None:
        sizes = {len(self.x), len(self.y)} | ({len(self.low), len(self.high)} if len(self.low) else set())
        if len(sizes) != 1:
            raise BadInput(f"expected as many y (and low, high) as x in {self.name!r}, got {sorted(sizes)}")


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    x_range: Point | None = None
    y_range: Point | None = None
    levels: Sequence[float] = field(default_factory=tuple)
    """Dashed horizontals: bars to meet."""
    diagonal: bool = False
    """A dashed y = x."""


class Drawing(str):
    """An SVG document that remembers what it shows, so that it can be written as a Plotly figure, too."""

    panels: Sequence[Panel]
    columns: int


def svg(panels: Sequence[Panel], *, columns: int = 3, width: int = 330, height: int = 250) -> Drawing:
    """The plot as one SVG document.

    Args:
        panels: in reading order.
        columns: most side by side.
        width: of one panel, pixels.
        height: of one panel, pixels.
    """
    if not panels:
        raise BadInput("expected at least one panel to draw, got none")
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    total = columns * width
    legend = _legend(names, total, rows * height)
    deep = rows * height + ROW * len({entry.split('y="')[1].split('"')[0] for entry in legend}) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {deep}" width="{total}" height="{deep}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="11">',
        f"<style>{_style()}</style>",
        f'<rect class="ground" width="{total}" height="{deep}"/>',
    ]
    for index, panel in enumerate(panels):
        x, y = index % columns * width, index // columns * height
        parts += [f'<g transform="translate({x} {y})">', *_panel(panel, names, width, height), "</g>"]
    drawing = Drawing("\n".join([*parts, *legend, "</svg>", ""]))
    drawing.panels, drawing.columns = tuple(panels), columns
    return drawing


def _style() -> str:
    rules = [".ground{fill:#fff}text{fill:#222}.axis{stroke:#888}.grid{stroke:#ddd}.level{stroke:#888}"]
    dark = [".ground{fill:#14171c}text{fill:#e6e6e6}.axis{stroke:#888}.grid{stroke:#333}.level{stroke:#999}"]
    for index, (light, night) in enumerate(zip(LIGHT, DARK, strict=True)):
        rules.append(f".s{index}{{stroke:{light}}}.f{index}{{fill:{light}}}")
        dark.append(f".s{index}{{stroke:{night}}}.f{index}{{fill:{night}}}")
    return f"{''.join(rules)}@media(prefers-color-scheme:dark){{{''.join(dark)}}}"


def _legend(names: Sequence[str], total: int, top: int) -> list[str]:
    parts, x, y = [], 14, top + 14
    for index, name in enumerate(names):
        wide = 34 + int(6.4 * len(name))
        if x + wide > total and x > 14:
            x, y = 14, y + ROW
        hue = index % len(LIGHT)
        parts.append(
            f'<text x="{x + 22}" y="{y}">{escape(name)}</text>'
            f'<path class="s{hue}" stroke-width="3" d="M{x} {y - 4}h16"/>'
        )
        x += wide
    return parts


@dataclass(frozen=True)
class _Axes:
    """From values to pixels."""

    x: Point
    y: Point
    width: int
    height: int

    def at(self, x: float, y: float) -> Point:
        wide, deep = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        across, up = (x - self.x[0]) / (self.x[1] - self.x[0]), (y - self.y[0]) / (self.y[1] - self.y[0])
        return round(LEFT + across * wide, 1), round(TOP + (1 - up) * deep, 1)


def _panel(panel: Panel, names: Sequence[str], width: int, height: int) -> list[str]:
    axes = _Axes(*_ranges(panel), width, height)
    parts = [*_frame(panel, axes)]
    for level in panel.levels:
        (left, y), (right, _) = axes.at(axes.x[0], level), axes.at(axes.x[1], level)
        parts.append(f'<path class="level" stroke-dasharray="5 4" d="M{left} {y}H{right}"/>')
    if panel.diagonal:
        low, high = max(axes.x[0], axes.y[0]), min(axes.x[1], axes.y[1])
        (left, bottom), (right, top) = axes.at(low, low), axes.at(high, high)
        parts.append(f'<path class="level" stroke-dasharray="5 4" d="M{left} {bottom}L{right} {top}"/>')
    for line in panel.lines:
        parts += _line(line, names.index(line.name) % len(LIGHT), axes)
    return parts


def _ranges(panel: Panel) -> tuple[Point, Point]:
    xs = [x for line in panel.lines for x in line.x if math.isfinite(x)]
    ys = [y for line in panel.lines for y in (*line.y, *line.low, *line.high) if math.isfinite(y)]
    return panel.x_range or _around(xs), panel.y_range or _around([*ys, *panel.levels])


def _around(values: Sequence[float]) -> Point:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values between two ends: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _frame(panel: Panel, axes: _Axes) -> list[str]:
    left, bottom = axes.at(axes.x[0], axes.y[0])
    right, top = axes.at(axes.x[1], axes.y[1])
    middle = (left + right) / 2
    parts = [f'<text x="{left}" y="{TOP - 12}" font-weight="600">{escape(panel.title)}</text>']
    for value in ticks(*axes.y, 5):
        y = axes.at(axes.x[0], value)[1]
        parts.append(f'<path class="grid" d="M{left} {y}H{right}"/>')
        parts.append(f'<text x="{left - 5}" y="{y + 4}" text-anchor="end">{value:g}</text>')
    for value in ticks(*axes.x):
        x = axes.at(value, axes.y[0])[0]
        parts.append(f'<path class="axis" d="M{x} {bottom}v4"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>')
    parts.append(f'<path class="axis" fill="none" d="M{left} {top}V{bottom}H{right}"/>')
    parts.append(f'<text x="{middle}" y="{bottom + 32}" text-anchor="middle">{escape(panel.x_label)}</text>')
    turned = f"translate(12 {(top + bottom) / 2}) rotate(-90)"
    return [*parts, f'<text transform="{turned}" text-anchor="middle">{escape(panel.y_label)}</text>']


def _line(line: Line, hue: int, axes: _Axes) -> list[str]:
    parts: list[str] = []
    spans = list(zip(line.x, line.low, line.high, strict=True)) if len(line.low) else []
    if spans and line.joined:
        edge = [axes.at(x, h) for x, _, h in spans] + [axes.at(x, low) for x, low, _ in reversed(spans)]
        if all(math.isfinite(v) for point in edge for v in point):
            parts.append(f'<path class="f{hue}" opacity=".15" d="M{"L".join(f"{x} {y}" for x, y in edge)}Z"/>')
    elif spans:
        for x, low, high in spans:
            (a, b), (_, c) = axes.at(x, low), axes.at(x, high)
            parts.append(f'<path class="s{hue}" stroke-width="1.2" d="M{a} {b}V{c}"/>')
    points = [axes.at(x, y) if math.isfinite(y) else None for x, y in zip(line.x, line.y, strict=True)]
    if line.joined:
        parts += [_curve(run, hue, line.dashed) for run in _runs(points) if len(run) > 1]
    if line.dots:
        parts += [f'<circle class="f{hue}" cx="{p[0]}" cy="{p[1]}" r="2.6"/>' for p in points if p]
    return parts


def _runs(points: Sequence[Point | None]) -> list[list[Point]]:
    runs: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return runs


def _curve(run: Sequence[Point], hue: int, dashed: bool) -> str:
    dash = ' stroke-dasharray="5 3"' if dashed else ""
    return f'<path class="s{hue}" fill="none" stroke-width="1.8"{dash} d="M{"L".join(f"{x} {y}" for x, y in run)}"/>'
