"""Plots as Plotly figures: what Plotly itself makes of them."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
from plotly import graph_objects

from teaching.experiments.plotly_plot import figure
from teaching.experiments.svg_plot import Drawing, Line, Panel, svg


def panels(n: int = 4) -> list[Panel]:
    lines = [
        Line("ours", [0, 1, 2], [0.1, math.nan, 0.3], [0.0, 0.1, 0.2], [0.2, 0.3, 0.4]),
        Line("theirs", [0, 1], [0.2, 0.1], [0.1, 0.0], [0.3, 0.3], joined=False),
    ]
    return [Panel(f"panel {i}", "x", "y", lines, None, (0, 1), (0.8,), diagonal=i == 0) for i in range(n)]


def test_plotly_takes_it_and_shows_every_value() -> None:
    made = figure(panels(), columns=3)
    shown = graph_objects.Figure(json.loads(json.dumps(made)))
    assert len(shown.data) == 4 * 3 and len(shown.layout.shapes) == 5
    ours = [trace for trace in shown.data if trace.name == "ours" and trace.fill is None]
    assert [list(trace.y) for trace in ours] == [[0.1, None, 0.3]] * 4
    theirs = [trace for trace in shown.data if trace.name == "theirs"]
    assert list(theirs[0].error_y.array) == [pytest.approx(0.1), pytest.approx(0.2)] and theirs[0].mode == "markers"
    assert [trace.showlegend for trace in ours] == [True, False, False, False]


def test_panels_stand_apart_in_reading_order() -> None:
    layout = figure(panels(), columns=3)["layout"]
    spots = [(layout[f"xaxis{n}"]["domain"], layout[f"yaxis{n}"]["domain"]) for n in ("", "2", "3", "4")]
    for (left, _), (right, _) in pairwise(spots[:3]):
        assert left[1] < right[0]
    assert spots[3][1][1] < spots[0][1][0] and spots[3][0] == spots[0][0]


def test_a_drawing_remembers_its_panels() -> None:
    drawing = svg(panels(2))
    assert isinstance(drawing, Drawing) and drawing.startswith("<svg") and len(drawing.panels) == drawing.columns == 2
